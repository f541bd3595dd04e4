"""Every alarm is about something that is really told, and says what to do."""

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.system import web
from tests.system.process import Process, processes

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "alerts" / "yizhan.yml"
RUNBOOK = ROOT / "docs" / "operating.md"
PROMETHEUS = {"up"}
"""What Prometheus itself adds to what it scrapes."""
_NAME = re.compile(r"\b(?:yizhan_[a-z_]+|process_[a-z_]+|up(?=\{))")


def alerts() -> list[dict[str, Any]]:
    read = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in read["groups"] for rule in group["rules"]]


def told(url: str) -> set[str]:
    """Return the names of all series that a process may tell."""
    text = web.get(f"{url}/metrics").text
    found: set[str] = set()
    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE):
        parts = ("", "_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        found.update(name + part for part in parts)
    return found


def test_every_metric_that_an_alarm_or_the_runbook_names_is_told_by_a_running_hub(
    tmp_path: Path,
) -> None:
    hub = Process(tmp_path / "data", "up")
    with processes(hub):
        known = told(hub.url) | PROMETHEUS
    texts = [RUNBOOK.read_text(encoding="utf-8"), *(rule["expr"] for rule in alerts())]
    named = {name for text in texts for name in _NAME.findall(text)}
    assert named <= known
    assert all(_NAME.search(rule["expr"]) for rule in alerts())


def test_every_alarm_has_a_section_in_the_runbook_and_every_section_an_alarm() -> None:
    sections = re.findall(r"^### (Yizhan\w+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    assert sections == [rule["alert"] for rule in alerts()]


def test_every_alarm_says_how_urgent_it_is_and_what_is_wrong() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
