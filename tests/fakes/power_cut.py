"""A disk that forgets: a recording layer below SQLite, and the state any moment of a power cut may leave behind.

The layer is SQLite's own (sqlite3_vfs_register, https://sqlite.org/vfs.html), laid over the ordinary one with ctypes in
the library that Python already uses. It writes down what SQLite wrote, truncated, synced and deleted, in order. A cut
keeps what was synced and, of everything since, any part of it: writes may be missing, or be there in some sectors.
"""

from __future__ import annotations

import ctypes
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p, cast
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

SECTOR = 512
_LAYER = b"forgetful"
_CLOSE = CFUNCTYPE(c_int, c_void_p)
_WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
"""The path as an address: the layer below keeps it, and SQLite hides parameters behind its end."""
_DELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)


class _Vfs(Structure):
    """struct sqlite3_vfs; of the functions only those that are replaced have their type."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _OPEN),
        ("delete", _DELETE),
        ("rest", c_void_p * 14),
    )


class _Methods(Structure):
    """struct sqlite3_io_methods."""

    _fields_ = (
        ("version", c_int),
        ("close", _CLOSE),
        ("read", c_void_p),
        ("write", _WRITE),
        ("truncate", _TRUNCATE),
        ("sync", _SYNC),
        ("rest", c_void_p * 13),
    )


class Write(NamedTuple):
    name: str
    offset: int
    data: bytes


class Truncate(NamedTuple):
    name: str
    size: int


class Sync(NamedTuple):
    name: str


class Delete(NamedTuple):
    name: str


class Mark(NamedTuple):
    """What the program under test knew or did at this moment."""

    word: str
    what: Any


Step = Write | Truncate | Sync | Delete | Mark


@dataclass(slots=True)
class Tape:
    """Everything that happened below `folder`, in order; `start` is what stood there before."""

    folder: Path
    start: dict[str, bytes]
    steps: list[Step]

    def mark(self, word: str, what: Any) -> None:
        self.steps.append(Mark(word, what))

    def cut(self, at: int, dice: random.Random) -> dict[str, bytes]:
        """The files as a power cut after `at` steps may leave them."""
        files = {name: bytearray(data) for name, data in self.start.items()}
        loose: dict[str, list[Step]] = {}
        for step in self.steps[:at]:
            if isinstance(step, Mark):
                continue
            if isinstance(step, Sync):
                for pending in loose.pop(step.name, []):
                    _apply(files, pending, None)
                files.setdefault(step.name, bytearray())
            elif isinstance(step, Delete):
                loose.pop(step.name, None)
                files.pop(step.name, None)
            else:
                loose.setdefault(step.name, []).append(step)
        for pending_steps in loose.values():
            reach = dice.randint(0, len(pending_steps))
            for number, pending in enumerate(pending_steps):
                fate = dice.random()
                if number < reach or fate < 0.3:
                    _apply(files, pending, dice if fate < 0.2 else None)
        return {name: bytes(data) for name, data in files.items()}


def _apply(files: dict[str, bytearray], step: Step, dice: random.Random | None) -> None:
    """Do it; with `dice` only some sectors of a write."""
    if isinstance(step, Truncate):
        data = files.setdefault(step.name, bytearray())
        del data[step.size :]
    elif isinstance(step, Write):
        data = files.setdefault(step.name, bytearray())
        for first in range(0, len(step.data), SECTOR):
            if dice is None or dice.random() < 0.5:
                piece = step.data[first : first + SECTOR]
                begin = step.offset + first
                if len(data) < begin:
                    data.extend(bytes(begin - len(data)))
                data[begin : begin + len(piece)] = piece


class _Layer:
    """The registered layer; everything C may call is held by this object."""

    def __init__(self, library: ctypes.CDLL, note: Callable[[Step], None], folder: Path) -> None:
        self._library = library
        self._note = note
        self._folder = folder
        self._names: dict[int, str] = {}
        self._methods: dict[int, _Methods] = {}
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._below = library.sqlite3_vfs_find(None)
        self._vfs = _Vfs()
        ctypes.memmove(ctypes.byref(self._vfs), self._below, ctypes.sizeof(_Vfs))
        self._open, self._delete = self._below.contents.open, self._below.contents.delete
        self._vfs.name = _LAYER
        self._vfs.open, self._vfs.delete = _OPEN(self._on_open), _DELETE(self._on_delete)
        self._held: list[object] = [self._vfs.open, self._vfs.delete]

    def register(self) -> None:
        assert self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1) == 0

    def unregister(self) -> None:
        assert self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs)) == 0
        assert self._library.sqlite3_vfs_register(self._below, 1) == 0

    def _name(self, path: bytes) -> str | None:
        found = Path(path.decode())
        return found.name if found.parent == self._folder else None

    def _on_open(self, _vfs: int, path: int | None, file: int, flags: int, out: int) -> int:
        code = int(self._open(cast(self._below, c_void_p), path, file, flags, out))
        name = self._name(ctypes.string_at(path)) if path else None
        if code == 0 and name is not None:
            self._names[file] = name
            methods = cast(file, POINTER(c_void_p))
            real = methods[0]
            assert real is not None
            if real not in self._methods:
                self._methods[real] = self._wrap(real)
            methods[0] = ctypes.addressof(self._methods[real])
        return code

    def _wrap(self, real: int) -> _Methods:
        below = cast(real, POINTER(_Methods)).contents
        ours = _Methods()
        size = ctypes.sizeof(_Methods)
        ctypes.memmove(ctypes.byref(ours), real, size)

        def close(file: int) -> int:
            self._names.pop(file, None)
            return int(below.close(file))

        def write(file: int, data: int, count: int, offset: int) -> int:
            self._note(Write(self._names[file], offset, ctypes.string_at(data, count)))
            return int(below.write(file, data, count, offset))

        def truncate(file: int, count: int) -> int:
            self._note(Truncate(self._names[file], count))
            return int(below.truncate(file, count))

        def sync(file: int, flags: int) -> int:
            code = int(below.sync(file, flags))
            self._note(Sync(self._names[file]))
            return code

        ours.close, ours.write = _CLOSE(close), _WRITE(write)
        ours.truncate, ours.sync = _TRUNCATE(truncate), _SYNC(sync)
        self._held += [ours.close, ours.write, ours.truncate, ours.sync]
        return ours

    def _on_delete(self, _vfs: int, path: bytes, sync_folder: int) -> int:
        code = int(self._delete(cast(self._below, c_void_p), path, sync_folder))
        name = self._name(path)
        if name is not None:
            self._note(Delete(name))
        return code


@contextmanager
def recording(folder: Path) -> Iterator[Tape]:
    """Every database opened below `folder` meanwhile is on the tape; close them all before the end."""
    start = {path.name: path.read_bytes() for path in folder.glob("*.db*") if not path.name.endswith("-shm")}
    tape = Tape(folder, start, [])
    layer = _Layer(_library(), tape.steps.append, folder)
    layer.register()
    try:
        yield tape
    finally:
        layer.unregister()


def _library() -> ctypes.CDLL:
    """The SQLite that Python uses."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if "/libsqlite3" in line:
            return ctypes.CDLL(line.split(maxsplit=5)[5])
    raise AssertionError("Python's SQLite is not a shared library here")
