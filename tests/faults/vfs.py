"""A disk under SQLite that forgets: what was not synced is lost at a power cut, or half of it is.

It is put under the very library that Python's sqlite3 uses, for a whole process. Files keep the
locks and the shared memory of SQLite's own unix VFS; what is written stays in memory until it is
synced. An image of the disk as a cut would leave it can be taken at any operation.
"""

import ctypes
import os
import sqlite3
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event, Thread, current_thread

SECTOR = 512
_OK, _SHORT = 0, 522  # SQLITE_IOERR_SHORT_READ
_OURS = 0x100 | 0x800 | 0x80000  # a database, its journal, its write-ahead log
_File = CFUNCTYPE(c_int, c_void_p)
_Moves = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Cuts = CFUNCTYPE(c_int, c_void_p, c_int64)
_Syncs = CFUNCTYPE(c_int, c_void_p, c_int)
_Sizes = CFUNCTYPE(c_int, c_void_p, POINTER(c_int64))
_Opens = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Deletes = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
Watch = Callable[["Power"], None]


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", c_int),
        *((name, c_void_p) for name in ("close", "read", "write", "truncate", "sync", "size")),
        ("rest", c_void_p * 12),
    )


class _Vfs(ctypes.Structure):
    _fields_ = (
        *((name, c_int) for name in ("version", "file_size", "path_size")),
        *((name, c_void_p) for name in ("next", "name", "own", "open", "delete")),
        ("rest", c_void_p * 14),
    )


@dataclass
class Kept:
    """One file: `now` is what the system shows, `synced` what is on the disk for certain."""

    inode: int
    now: bytearray
    synced: bytearray
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes since the last sync, each with its offset; None: cut off there."""

    def write(self, at: int, data: bytes) -> None:
        """Change what is shown."""
        _apply(self.now, at, data)
        self.pending.append((at, data))

    def cut(self, size: int) -> None:
        """End the file earlier."""
        _apply(self.now, size, None)
        self.pending.append((size, None))

    def sync(self, path: Path) -> None:
        """Put it on the disk, where others see it, too."""
        with path.open("r+b") as disk:
            for at, data in self.pending:
                _apply(self.synced, at, data)
                disk.seek(at)
                disk.write(data or b"")
                if data is None:
                    disk.truncate(at)
        self.pending = []

    def left(self, dice: Random) -> bytes:
        """Return what a power cut leaves: of what is not synced any sectors, or none."""
        left = bytearray(self.synced)
        share = dice.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for at, data in self.pending:
            if data is None:
                if dice.random() < share:
                    _apply(left, at, None)
                continue
            for start in range(0, len(data), SECTOR):
                if dice.random() < share:
                    _apply(left, at + start, data[start : start + SECTOR])
        return bytes(left)


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
        return
    content.extend(bytes(max(0, at - len(content))))
    content[at : at + len(data)] = data


class Power:
    """All files of the process; `watch` is called before every write and sync of any of them."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self.operations = watch, 0
        self._off: Thread | None = None
        self.files: dict[str, Kept] = {}
        self._handles: dict[int, str] = {}
        self._kept: list[object] = []
        self._tables: dict[int, _Methods] = {}
        self._unix = _Vfs.from_address(_library().sqlite3_vfs_find(None))
        self._open = _Opens(self._unix.open)
        self._delete = _Deletes(self._unix.delete)
        self._vfs = self._made()
        _library().sqlite3_vfs_register(ctypes.addressof(self._vfs), 1)
        # SQLite keeps it until the process ends, and so must Python.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self))

    def off(self) -> None:
        """Let no other thread do anything with any file from now on."""
        self._off = current_thread()

    def leave(self, folder: Path, dice: Random) -> None:
        """Write what a power cut leaves of every file; shared memory is gone."""
        for path, kept in self.files.items():
            left = kept.left(dice)
            if left or not path.endswith("-wal"):
                (folder / Path(path).name).write_bytes(left)

    def _made(self) -> _Vfs:
        made = _Vfs.from_buffer_copy(self._unix)
        self._name = ctypes.create_string_buffer(b"power")
        made.name = ctypes.addressof(self._name)
        made.open = self._callback(_Opens(self._opened))
        made.delete = self._callback(_Deletes(self._deleted))
        return made

    def _callback(self, function: "ctypes._CFunctionType") -> int | None:
        self._kept.append(function)
        return ctypes.cast(function, c_void_p).value

    def _opened(self, _vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        found = self._open(ctypes.addressof(self._unix), name, file, flags, out)
        if found == _OK and name is not None and flags & _OURS:
            path = _path(name)
            inode = Path(path).stat().st_ino
            if path not in self.files or self.files[path].inode != inode:
                content = Path(path).read_bytes()
                self.files[path] = Kept(inode, bytearray(content), bytearray(content))
            self._handles[file] = path
            methods = c_void_p.from_address(file)
            methods.value = ctypes.addressof(self._table(methods.value or 0))
        return int(found)

    def _deleted(self, _vfs: int, name: int, sync: int) -> int:
        self.files.pop(_path(name), None)
        return int(self._delete(ctypes.addressof(self._unix), name, sync))

    def _table(self, original: int) -> _Methods:
        if original not in self._tables:
            made = _Methods.from_buffer_copy(_Methods.from_address(original))
            close = _File(made.close)

            def closed(file: int) -> int:
                self._handles.pop(file, None)
                return int(close(file))

            made.version = min(made.version, 2)  # without the third one's mapped reads
            made.close = self._callback(_File(closed))
            made.read = self._callback(_Moves(self._read))
            made.write = self._callback(_Moves(self._write))
            made.truncate = self._callback(_Cuts(self._truncate))
            made.sync = self._callback(_Syncs(self._sync))
            made.size = self._callback(_Sizes(self._size))
            self._tables[original] = made
        return self._tables[original]

    def _at(self, file: int) -> Kept:
        if self._off not in {None, current_thread()}:
            Event().wait()
        return self.files[self._handles[file]]

    def _turn(self, file: int) -> Kept:
        kept = self._at(file)
        self.operations += 1
        self._watch(self)
        return kept

    def _read(self, file: int, into: int, size: int, at: int) -> int:
        data = bytes(self._at(file).now[at : at + size])
        ctypes.memmove(into, data.ljust(size, b"\0"), size)
        return _OK if len(data) == size else _SHORT

    def _write(self, file: int, data: int, size: int, at: int) -> int:
        self._turn(file).write(at, ctypes.string_at(data, size))
        return _OK

    def _truncate(self, file: int, size: int) -> int:
        self._at(file).cut(size)
        return _OK

    def _sync(self, file: int, _flags: int) -> int:
        self._turn(file).sync(Path(self._handles[file]))
        return _OK

    def _size(self, file: int, size: "ctypes._Pointer[c_int64]") -> int:
        size[0] = len(self._at(file).now)
        return _OK


def _path(name: int) -> str:
    # SQLite's own files keep the pointer: what is passed on must not be a copy.
    return os.fsdecode(ctypes.string_at(name))


def _library() -> ctypes.CDLL:
    """Return the library that Python's own module has loaded; OSError when it is none apart."""
    assert sqlite3.sqlite_version
    for line in Path("/proc/self/maps").read_text().splitlines():
        if "libsqlite3" in line:
            found = ctypes.CDLL(line.split(maxsplit=5)[-1])
            found.sqlite3_vfs_find.restype = c_void_p
            found.sqlite3_vfs_find.argtypes = [c_char_p]
            found.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
            return found
    raise OSError("Python's sqlite3 is linked into Python itself: nothing can be put under it")
