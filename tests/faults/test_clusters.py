"""States on Kafka that are another cluster's, lost or torn: a clear refusal, or right numbers."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from deploy import kafka
from tests.faults.agree import agrees, audited, kept
from tests.faults.conftest import LONG, Tell
from tests.faults.ledger import Flow
from tests.faults.site import INTAKE, SCREENS, STATS, Site, running
from tests.faults.stored import History
from tests.faults.test_states import STATES, deleted, truncated
from tests.system.load import Ledger
from tests.system.process import until

FACTS = 300
KEEPERS = ((STATS, STATES[:1]), (SCREENS, STATES[1:]))
"""Who keeps which states."""
DAMAGES = ((deleted, truncated), (truncated, deleted))[: 2 if LONG else 1]
"""What happens to the states of each."""


@pytest.mark.timeout(400)
def test_states_of_another_cluster_are_refused_by_name_and_lost_or_torn_ones_made_anew(
    own_kafka: str, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site, ledger = Site(tmp_path / "site", f"kafka://{own_kafka}"), Ledger()
    data = site.part(STATS).data
    cells = _counted(site, ledger, dice)
    sentences = _elsewhere(data, tmp_path)
    for damages in DAMAGES:
        for damage, (_, names) in zip(damages, KEEPERS, strict=True):
            for name in names:
                damage(data / name, History(data), dice)
        cells += _counted(site, ledger, dice)
    audited(site.bus)
    statements = asyncio.run(kept(site.bus, ledger))
    aside = len(list(data.glob("*.damaged-*[0-9]")))
    assert aside, "a torn state is kept for whoever wants to know"
    tell("right", cells=cells, statements=statements, put_aside=aside, refused=len(sentences))
    for sentence in sentences:
        tell(sentence.replace(str(tmp_path), ""))


def _counted(site: Site, ledger: Ledger, dice: Random) -> int:
    """Run a hub until it shows what is stated now and all before; return how many cells."""
    intake, stats, screens = parts = site.parts(INTAKE, STATS, SCREENS)
    with running(site, *parts):
        with Flow(lambda: intake.url, site.key, site.bus, dice, clients=2) as flow:
            until(flow.more(FACTS))
            more = flow.end()
        ledger.standing |= more.standing
        ledger.statements |= more.statements
        cells = agrees(screens.url, ledger)
        assert [part.end() for part in (intake, screens, stats)] == [0, 0, 0]
    return cells


def _elsewhere(states: Path, root: Path) -> list[str]:
    """Check that nothing goes on from these states on another cluster; return what is said."""
    node = root / "other-kafka"
    try:
        other = Site(root / "other", asyncio.run(kafka.up(node)).address)
        new = [
            _refused(other, states, who, "is new and empty", "states of another log")
            for who in KEEPERS
        ]
        with running(other, other.part(INTAKE)):
            pass
        used = [
            _refused(other, states, who, "from another log", "move the file away")
            for who in KEEPERS
        ]
    finally:
        asyncio.run(kafka.down(node))
    return new + used


def _refused(other: Site, states: Path, keeper: tuple[str, Sequence[str]], *words: str) -> str:
    """Check that who finds such states ends with one sentence, and leaves them as they are."""
    service, names = keeper
    part = other.part(service, twin=1)
    for name in names:
        shutil.copy(states / name, part.data / name)
    part.start()
    until(lambda: part.process.poll() is not None, part.said)
    assert part.process.returncode == 1, part.said()
    sentence = part.said().splitlines()[-1]
    assert all(word in sentence for word in (*words, names[0])), part.said()
    for name in names:
        assert (part.data / name).read_bytes() == (states / name).read_bytes()
        (part.data / name).unlink()
    return sentence
