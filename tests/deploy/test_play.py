"""`yizhan demo` from outside: the printed figures on the wall, also after another start."""

from pathlib import Path

import pytest

from tests.system.people import measures
from tests.system.process import Process, processes, until

PRINTED = {
    ("yinhu", "2023"): {
        "enterprises_visited": 600,
        "services_delivered": 800,
        "problems_solved": 600,
        "activities_held": 30,
    },
    ("hub", "2023-01-01..2024-07-18"): {
        "services_delivered": 15_400,
        "enterprises_served": 2_400,
        "title_filings": 16,
        "titles_gained": 11,
        "patents": 20,
        "certificates": 1,
        "nodes": 15,
    },
}


def shows_the_printed_figures(demo: Process) -> None:
    for (node, period), figures in PRINTED.items():
        assert measures(demo.url, node, *figures, period=period) == figures


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_printed_figures_stay_when_it_starts_or_sends_all_again_and_it_ends_when_asked_to(
    tmp_path: Path,
) -> None:
    demo = Process(tmp_path / "data", "demo", "--speed", "20")
    totals: list[dict[str, int]] = []
    for _ in range(3):
        with processes(demo):
            until(lambda: demo.times("demo is ready") > len(totals), demo.said)
            shows_the_printed_figures(demo)
            totals.append(measures(demo.url, "hub", "services_delivered", period="2023..2024"))
            assert demo.end() == 0
        if len(totals) == 2:
            (demo.data / "demo.json").unlink()  # now it does not know what is in already
    assert totals == [{"services_delivered": 15_400}] * 3

    brief = Process(demo.data, "demo", "--for", "1")
    brief.start()
    assert brief.process.wait(90) == 0, brief.said()
    assert "demo is ready" in brief.said()
