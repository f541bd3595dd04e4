"""Replaying: records put back as they were, where the fold can use them now."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bus import Bus
from deploy.letters.book import Filed, Wanted, read
from deploy.letters.settle import Deed, chunks, settling
from deploy.letters.shelf import Value, shelf
from deploy.letters.verdict import usable
from schemas.codec import Flaw


class Refused(NamedTuple):
    """Why a letter cannot be replayed."""

    origin: str
    flaw: Flaw


@dataclass(slots=True)
class Outcome:
    """What came of a replay; `before` are the origins asked for that were settled already."""

    replayed: list[str] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    before: list[Filed] = field(default_factory=list)


async def replay(log: Bus, origin: str | None, wanted: Wanted) -> Outcome:
    """Replay the letter of `origin`, or all that are wanted."""
    async with settling(log) as settlement:
        letters = [settlement.book.one(origin)] if origin else settlement.book.open(wanted)
        outcome = Outcome(before=[filed for filed in letters if filed.settled])
        async for deeds, refused in _judged(log, letters):
            await settlement.do(deeds)
            outcome.replayed += [deed.filed.origin for deed in deeds]
            outcome.refused += refused
        return outcome


async def rehearse(log: Bus, origin: str | None, wanted: Wanted) -> Outcome:
    """Return what `replay` would do now."""
    book = await read(log)
    letters = [book.one(origin)] if origin else book.open(wanted)
    outcome = Outcome(before=[filed for filed in letters if filed.settled])
    async for deeds, refused in _judged(log, letters):
        outcome.replayed += [deed.filed.origin for deed in deeds]
        outcome.refused += refused
    return outcome


async def _judged(
    log: Bus, letters: Sequence[Filed]
) -> AsyncIterator[tuple[list[Deed], list[Refused]]]:
    """Yield what to do and what not, step by step, in the order of each partition of the log."""
    due = sorted((filed for filed in letters if not filed.settled), key=lambda filed: filed.of)
    if not due:
        return
    async with shelf(log, due) as opened:
        for chunk in chunks(due):
            yield _sorted(chunk, await opened.values(chunk))


def _sorted(chunk: Sequence[Filed], values: dict[str, Value]) -> tuple[list[Deed], list[Refused]]:
    deeds: list[Deed] = []
    refused: list[Refused] = []
    for filed in chunk:
        if filed.origin not in values:
            flaw = Flaw("gone", "", "neither the log nor the letter has its bytes any more")
            refused.append(Refused(filed.origin, flaw))
        elif isinstance(found := usable(filed.letter, values[filed.origin]), Flaw):
            refused.append(Refused(filed.origin, found))
        else:
            deeds.append(Deed(filed, "replayed", found))
    return deeds, refused
