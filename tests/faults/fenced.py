"""Which ends of transactions brokers refuse, by what passes on a link: proof that zombies wrote."""

import struct
from collections import Counter

END_TRANSACTION = struct.pack(">h", 26)
LENGTH = struct.Struct(">i")
ASKED = struct.Struct(">hhih")
"""Number and version of a request, the mark of its answer, the length of its client's name."""
ANSWERED = struct.Struct(">iih")
"""The mark of an answer, how long the broker held it back, and its error."""
EPOCHS = frozenset({47, 90})
"""Kafka's numbers for: that owner has a newer producer."""


class Overhearing:
    """Reads along on one connection; `fenced` counts by owner the ends that were refused."""

    def __init__(self, fenced: Counter[str]) -> None:
        self._fenced = fenced
        self._owners: dict[int, str] = {}
        self._unread = bytearray()

    def asked(self, body: bytes) -> None:
        """Note who wants to end a transaction."""
        if body.startswith(END_TRANSACTION) and len(body) > ASKED.size:
            *_, mark, length = ASKED.unpack_from(body)
            at = ASKED.size + length
            size = int.from_bytes(body[at : at + 2], "big")
            self._owners[mark] = body[at + 2 : at + 2 + size].decode()

    def answered(self, piece: bytes) -> None:
        """Note which of them may not; answers come in pieces of any size."""
        self._unread += piece
        while len(self._unread) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._unread)[0]
            if len(self._unread) < end:
                return
            self._answer(bytes(self._unread[LENGTH.size : LENGTH.size + ANSWERED.size]))
            del self._unread[:end]

    def _answer(self, head: bytes) -> None:
        owner = self._owners.pop(int.from_bytes(head[:4], "big"), None)
        if owner is not None and ANSWERED.unpack(head)[2] in EPOCHS:
            self._fenced[owner] += 1
