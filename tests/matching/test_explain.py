"""`yizhan matching explain`, as it is typed."""

from pathlib import Path

from bus import sqlite
from tests.matching.running import (
    COUNTIES,
    answered,
    decided,
    expert,
    matching,
    offers,
    province,
    record,
    run,
    submitted,
)
from tests.system.process import yizhan


async def test_it_tells_who_was_chosen_why_who_else_could_and_who_was_passed_over(
    tmp_path: Path,
) -> None:
    people = [expert("li"), expert("wang"), expert("zhao", "MET"), expert("sun", status="away")]
    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        await log.publish([*province(), *people])
        async with matching(log, offer_minutes=5) as worker:
            await log.publish([submitted("one"), submitted("two")])
            await decided(log, worker)
            which, offer = next(
                (a, o) for a, o in (await offers(log)).items() if o.request_id.endswith("one")
            )
            await log.publish([answered(which, offer.members[0].id, accepts=False)])
            await decided(log, worker)
            about = {"request_id": offer.request_id, "actor_role": "enterprise"}
            await log.publish([record("request.confirmed", f"{COUNTIES[0]}.c1", **about)])
            await decided(log, worker)
    done = yizhan("matching", "explain", f"{COUNTIES[0]}.one", "--data", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    told = [line for line in done.stdout.splitlines() if line[0] != " "]
    steps = ["submitted", "accepted", "matching", "offered", "offered", "declined", "matching"]
    assert not [s for s, line in zip(steps, told, strict=False) if s not in line], told
    assert "request.confirmed" in told[-1]
    words = ["why: load", f"or: {COUNTIES[0]}.", ", declined", "legal now: request.cancelled"]
    assert not [word for word in words if word not in done.stdout], done.stdout
    assert f"{COUNTIES[0]}.two" not in done.stdout


async def test_it_tells_why_nobody_could_and_what_would_help(tmp_path: Path) -> None:
    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        wanted = {"specialty": "glass", "elements": ["STD"], "kinds": ["expert"]}
        case = submitted("r1", needs=[wanted])
        await run(log, [*province(), expert("li"), case], escalate_minutes=60)
    done = yizhan("matching", "explain", f"{COUNTIES[0]}.r1", "--data", str(tmp_path))
    assert f"nobody can serve {COUNTIES[0]}.r1: no_specialty" in done.stdout
    assert "would help: needs.0.specialty = null" in done.stdout
    assert f"would fit then: {COUNTIES[0]}.li" in done.stdout


async def test_a_request_of_which_nothing_is_known_is_said_so(tmp_path: Path) -> None:
    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        await run(log, [*province(), submitted("r1")], escalate_minutes=60)
    done = yizhan("matching", "explain", f"{COUNTIES[0]}.r", "--data", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"nothing has been decided about {COUNTIES[0]}.r on this log\n"


async def test_what_a_terminal_would_obey_is_shown_as_an_escape(tmp_path: Path) -> None:
    case = f"{COUNTIES[0]}.r1"
    said = {"request_id": case, "actor_role": "enterprise", "reason": "\x1b[2J走了\u202e"}
    cancelled = record("request.cancelled", f"{COUNTIES[0]}.c1", **said)
    async with sqlite.connect(str(tmp_path / "log.db"), 4) as log:
        await run(log, [*province(), submitted("r1"), cancelled], escalate_minutes=60)
    done = yizhan("matching", "explain", case, "--data", str(tmp_path))
    assert r"\x1b[2J走了\u202e" in done.stdout
    assert not {"\x1b", "\u202e"} & set(done.stdout)
