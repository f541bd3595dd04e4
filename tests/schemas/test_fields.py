"""The kinds of values that events are made of."""

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError, create_model

from schemas.days import Period, business_day
from schemas.fields import Count, Day, Element, Fen, Frozen, Id, Ref, Revision, Subject, Time, Word
from tests.schemas.documents import TIMES
from tests.schemas.examples import EXAMPLES, accepted


def read(kind: Any, value: Any) -> Any:
    """Read a value as the codec does, in a model of nothing else."""
    one = create_model("One", __base__=Frozen, value=(kind, ...))
    return one.model_validate_json(json.dumps({"value": value})).model_dump()["value"]


def takes(kind: Any, value: Any) -> bool:
    try:
        read(kind, value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "text",
    [
        "2023-05-06T09:30:00+08:00", "2023-05-06T01:30:00Z", "2023-05-06T09:30:00.123456+05:30",
        "2024-02-29T12:00:00-11:00", "2000-01-01T00:00:00+08:00", "2099-12-31T23:59:59+08:00",
    ],
)  # fmt: skip
def test_a_time_is_a_date_and_a_time_with_its_offset(text: str) -> None:
    assert takes(Time, text)


@pytest.mark.parametrize(
    "value",
    [
        "2023-05-06T09:30:00",  # no offset
        "2023-05-06T09:30+08:00",  # no seconds
        "2023-05-06T09:30:00+0800",
        "2023-05-06T09:30:00+08",
        "2023-05-06T09:30:00z",
        "2023-05-06 09:30:00Z",
        "2023-05-06",
        "1683336600",
        1683336600,
        1683336600.5,
        "2023-02-29T00:00:00Z",
        "2023-05-06T24:00:00Z",
        "2023-05-06T23:59:60Z",
        "2023-05-06T09:30:00+24:00",
        "2023-05-06T09:30:00." + "1" * 10 + "Z",
        "٢٠٢٣-05-06T09:30:00Z",
        "1999-12-31T23:59:59+08:00",
        "2100-01-01T00:00:00+08:00",
        "2099-12-31T16:00:00Z",
        "",
        None,
    ],
)
def test_nothing_else_is_a_time(value: Any) -> None:
    assert not takes(Time, value)


@given(TIMES)
def test_every_time_that_is_taken_has_a_business_day_that_is_taken(text: str) -> None:
    day = business_day(read(Time, text))
    assert takes(Day, day)
    assert day in Period.parse(day[:4])


@pytest.mark.parametrize(
    ("kind", "lowest", "highest"), [(Revision, 1, 10**6), (Count, 0, 10**9), (Fen, 0, 10**15)]
)
def test_a_number_has_its_bounds_and_no_quotes(kind: Any, lowest: int, highest: int) -> None:
    assert takes(kind, lowest)
    assert takes(kind, highest)
    for wrong in (lowest - 1, highest + 1, str(lowest), float(highest), True, None):
        assert not takes(kind, wrong)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Id, ["yinhu", "a-1", "x" * 64], ["", "Yinhu", "a.b", "a_b", "x" * 65, "a\n", "银湖", 1]),
        (Subject, ["yinhu.1", "a.B_c:~-d.e"], ["yinhu", "yinhu.", ".1", "A.1", "a.1 ", "a.1\n"]),
        (Word, ["a", "open_day", "a1"], ["", "1a", "A", "a-b", "a;b", "a=b", "x" * 41]),
        (Element, ["QM", "STD", "ABCDE"], ["Q", "qm", "ABCDEF", "Q1"]),
        (Ref, ["s-1", "张三", "x" * 64], ["", "x" * 65]),
        (Day, ["2000-01-01", "2099-12-31"],
         ["1999-12-31", "2100-01-01", "2023-13-01", "2023-00-01", "2023-01-32", "2023-1-1",
          "20٢٣-01-01"]),
    ],
)  # fmt: skip
def test_a_text_has_its_form(kind: Any, good: list[str], bad: list[Any]) -> None:
    assert [value for value in good if not takes(kind, value)] == []
    assert [value for value in bad if takes(kind, value)] == []


def test_a_document_cannot_be_changed_once_read() -> None:
    node = accepted(EXAMPLES["yizhan.node.opened"]).data
    with pytest.raises(ValidationError):
        node.name = "another"
