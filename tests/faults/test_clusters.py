"""States on Kafka that are another cluster's, lost or torn: a clear refusal, or right numbers."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from deploy import kafka
from tests.faults.agree import agrees, audited, decided, kept
from tests.faults.conftest import Tell
from tests.faults.ledger import Flow
from tests.faults.served import indexed, listed, told
from tests.faults.site import INTAKE, SCREENS, STATS, Site, running
from tests.faults.stored import History, ask, offered
from tests.faults.test_states import STATES, deleted, truncated
from tests.system.load import Ledger
from tests.system.process import until

FACTS = 300
KEEPERS = ((STATS, STATES[:1]), (SCREENS, STATES[1:]))
"""Who keeps which states."""
DAMAGES = ((deleted, truncated), (truncated, deleted))
"""What happens to the states of each, one time and the other."""


@pytest.mark.timeout(400)
def test_states_of_another_cluster_are_refused_by_name_and_lost_or_torn_ones_made_anew(
    own_kafka: str, tmp_path: Path, dice: Random, tell: Tell
) -> None:
    site, ledger = Site(tmp_path / "site", f"kafka://{own_kafka}"), Ledger()
    data = site.part(STATS).data
    shown = _shown(site, ledger, dice, 0)
    sentences = _elsewhere(data, tmp_path)
    for turn, damages in enumerate(DAMAGES, 1):
        for damage, (_, names) in zip(damages, KEEPERS, strict=True):
            for name in names:
                damage(data / name, History(data), dice)
        shown += _shown(site, ledger, dice, turn)
    audited(site.bus)
    statements = asyncio.run(kept(site.bus, ledger))
    aside = len(list(data.glob("*.damaged-*[0-9]")))
    assert aside, "a torn state is kept for whoever wants to know"
    tell("right", **shown, statements=statements, put_aside=aside, refused=len(sentences))
    for sentence in sentences:
        tell(sentence.replace(str(tmp_path), ""))


def _shown(site: Site, ledger: Ledger, dice: Random, turn: int) -> Counter[str]:
    """Run a hub until it shows what is stated and asked now and all before; return how much."""
    intake, matching, stats, screens = parts = site.parts()
    with running(site, *parts):
        with Flow(lambda: intake.url, site.key, site.bus, dice, clients=2) as flow:
            ask(intake.url, site.key, turn)
            until(flow.more(FACTS))
            more = flow.end()
        ledger.standing |= more.standing
        ledger.statements |= more.statements
        cells, facts = agrees(screens.url, ledger), indexed(screens.url, site.key, ledger)
        until(
            lambda: offered(screens.url, site.key, 2 * turn + 2),
            lambda: f"{listed(screens.url, site.key)}",
        )
        requests = told(screens.url, site.key, asyncio.run(decided(site.bus)).requests, dice)
        assert [part.end() for part in (intake, screens, matching, stats)] == [0, 0, 0, 0]
    return Counter(cells=cells, indexed=facts, requests=requests)


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
