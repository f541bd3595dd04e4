"""What all partitions that are held share."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from bus.beside import Beside
from bus.port import Bus
from services.matching.metrics import Metrics
from services.matching.rules import Rules
from services.matching.stock import Stock

Clock = Callable[[], datetime]


class Means(NamedTuple):
    """`window` is the longest in seconds that inputs are gathered.

    `thread` is where decisions are read; they are made in that of `stock`.
    """

    log: Bus
    stock: Stock
    thread: Beside
    rules: Rules
    window: float
    metrics: Metrics
    clock: Clock
