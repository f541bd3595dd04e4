"""The one writer thread: commits everything that was queued meanwhile in one transaction."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from bus.sqlite.bell import Bell
from bus.sqlite.file import File
from bus.sqlite.place import Place
from bus.sqlite.sweep import chores
from bus.sqlite.transaction import Transaction
from schemas.errors import Unavailable, YizhanError

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds since 1970."""


class _Job(NamedTuple):
    work: Callable[[Transaction], Any]
    done: asyncio.Future[Any]


class Writer:
    """Runs jobs in write transactions, many callers to a transaction, and sweeps in between."""

    def __init__(self, file: File, bell: Bell, clock: Clock, every: float) -> None:
        self._file, self._bell, self._clock, self._every = file, bell, clock, every
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[list[_Job]] = SimpleQueue()
        self._pending: list[_Job] = []
        self._open = True
        self._thread = threading.Thread(
            target=self._run, args=file.hold(), name="log-writer", daemon=True
        )
        self._thread.start()

    async def do(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in the next transaction; return its result once that is durable."""
        if not self._open:
            raise Unavailable(f"the log {self._file.path} is closed")
        # One hand-over per turn of the loop: all who publish in this turn share a transaction.
        if not self._pending:
            self._loop.call_soon(self._hand_over)
        done: asyncio.Future[T] = self._loop.create_future()
        self._pending.append(_Job(work, done))
        return await done

    async def close(self) -> None:
        """Commit what is queued, then end the thread."""
        self._hand_over()
        self._open = False
        self._queue.put([])  # wakes it
        await asyncio.to_thread(self._thread.join)

    def _hand_over(self) -> None:
        if self._pending:
            self._queue.put(self._pending)
            self._pending = []

    def _run(self, db: sqlite3.Connection, place: Place) -> None:
        sweeping = chores(db, self._clock, self._every)
        due = time.monotonic()
        try:
            while self._open or self._queue.qsize():
                if jobs := self._queued(until=due):
                    self._settle(jobs, *self._commit(db, place, jobs))
                if time.monotonic() >= due:
                    due = time.monotonic() + next(sweeping)
        finally:
            db.close()

    def _queued(self, until: float) -> list[_Job]:
        """Wait for jobs; take all that are there."""
        try:
            jobs = self._queue.get(timeout=max(0, until - time.monotonic()))
        except Empty:
            return []
        for _ in range(self._queue.qsize()):
            jobs += self._queue.get_nowait()
        return jobs

    def _commit(
        self, db: sqlite3.Connection, place: Place, jobs: Sequence[_Job]
    ) -> tuple[list[Any], Any]:
        try:
            place.check()
            db.execute("BEGIN IMMEDIATE")
            transaction = Transaction(db, int(self._clock() * 1000))
            results = [_attempt(job.work, transaction) for job in jobs]
            transaction.write()
            db.execute("COMMIT")
            place.check()
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers are told
            return [], self._failed(db, error)
        return results, None

    def _failed(self, db: sqlite3.Connection, error: Exception) -> Exception:
        with suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError):
            return Unavailable(f"the log {self._file.path} takes no records now: {error}")
        return error

    def _settle(self, jobs: list[_Job], results: list[Any], error: Exception | None) -> None:
        outcomes = [error] * len(jobs) if error else results
        # A loop that is gone has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._tell, jobs, outcomes)

    def _tell(self, jobs: list[_Job], outcomes: list[Any]) -> None:
        self._bell.ring()
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.done.done():
                continue
            if isinstance(outcome, Exception):
                job.done.set_exception(outcome)
            else:
                job.done.set_result(outcome)


def _attempt(work: Callable[[Transaction], T], transaction: Transaction) -> T | YizhanError:
    """Run one job; a job that is refused has written nothing, and the others go on."""
    try:
        return work(transaction)
    except YizhanError as error:
        return error
