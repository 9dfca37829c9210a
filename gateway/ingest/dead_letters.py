"""What can never be stored, kept on disk with the reason, until a person has cured it and has it tried again.

Two families of append-only files, each bounded by itself, so that a stranger's garbage on the broker cannot push out
rows that a site was promised are safe: `messages-N.jsonl` for what could not be read, `points-N.jsonl` for rows the
database refused. When a family is full its oldest file goes and what was in it is counted: a full dead-letter box must
not stop the living. Several workers may share one folder.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.ports import Fact

MAX_BYTES = 128 * 1024 * 1024
SEGMENT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class MessageLetter:
    """A message that could not be read."""

    topic: str
    payload: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class FactLetter:
    """A row the database refused."""

    fact: Fact
    reason: str


Letter = MessageLetter | FactLetter


FAMILIES: dict[str, type[Letter]] = {"messages": MessageLetter, "points": FactLetter}


class DeadLetters:
    """The dead letters below `folder`. Calls block on the disk: run them beside the loop."""

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES, segment_bytes: int = SEGMENT_BYTES) -> None:
        """`max_bytes` is for each of the two families."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._segment_bytes = segment_bytes

    def keep(self, letters: Sequence[Letter], at_ms: int) -> int:
        """Write `letters` and see them on disk; gives how many old ones had to go. OSError where the disk will not."""
        dropped = 0
        with self._locked():
            for family, kind in FAMILIES.items():
                lines = [_line(letter, at_ms) for letter in letters if isinstance(letter, kind)]
                if lines:
                    self._append(family, b"".join(lines))
                    dropped += self._shrink(family)
        return dropped

    def close_segments(self) -> list[Path]:
        """All files with letters, oldest first; what is kept from now on goes to other files."""
        closed: list[Path] = []
        with self._locked():
            for family in FAMILIES:
                segments = self._segments(family)
                if segments and segments[-1].stat().st_size:
                    self._start(family, _number(segments[-1]) + 1)
                closed += [segment for segment in segments if segment.stat().st_size]
        return closed

    def set_aside(self, segment: Path, lines: Sequence[bytes]) -> None:
        """Keep lines that are no letters, for a person to look at."""
        with self._locked(), (self._folder / f"damaged-{segment.stem}.txt").open("ab") as file:
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())

    def size(self) -> int:
        """How much is kept."""
        total = 0
        for segment in self._folder.glob("*.jsonl"):
            with suppress(FileNotFoundError):  # another worker has just replayed or dropped it
                total += segment.stat().st_size
        return total

    def _segments(self, family: str) -> list[Path]:
        return sorted(self._folder.glob(f"{family}-*.jsonl"), key=_number)

    def _start(self, family: str, number: int) -> Path:
        segment = self._folder / f"{family}-{number:06d}.jsonl"
        segment.touch(mode=0o640)
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return segment

    def _append(self, family: str, data: bytes) -> None:
        segments = self._segments(family)
        if not segments:
            segment = self._start(family, 1)
        elif segments[-1].stat().st_size >= self._segment_bytes:
            segment = self._start(family, _number(segments[-1]) + 1)
        else:
            segment = segments[-1]
        with segment.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":  # a line cut short by a power loss stays a line of its own
                    data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _shrink(self, family: str) -> int:
        """Drop the oldest files until the family fits; gives how many letters went."""
        segments = self._segments(family)
        total = sum(segment.stat().st_size for segment in segments)
        dropped = 0
        for segment in segments[:-1]:
            if total <= self._max_bytes:
                break
            total -= segment.stat().st_size
            dropped += sum(1 for line in segment.read_bytes().split(b"\n") if line)
            segment.unlink()
        return dropped

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def read_segment(segment: Path) -> tuple[list[Letter], list[bytes]]:
    """The letters of one file, and the lines of it that are none."""
    letters: list[Letter] = []
    damaged: list[bytes] = []
    for line in segment.read_bytes().split(b"\n"):
        if not line:
            continue
        try:
            letters.append(_letter(json.loads(line)))
        except (ValueError, KeyError, TypeError):
            damaged.append(line)
    return letters, damaged


def _number(segment: Path) -> int:
    tail = segment.stem.rpartition("-")[2]
    return int(tail) if tail.isdecimal() else 0


def _line(letter: Letter, at_ms: int) -> bytes:
    entry: dict[str, object] = {"at": at_ms, "reason": letter.reason}
    if isinstance(letter, MessageLetter):
        entry["topic"] = letter.topic
        try:
            entry["payload"] = letter.payload.decode("utf-8")
        except UnicodeDecodeError:
            entry["payload_base64"] = base64.b64encode(letter.payload).decode("ascii")
    else:
        fact = letter.fact
        entry["measurement"] = fact.measurement
        entry["tags"] = dict(fact.tags)
        entry["fields"] = dict(fact.fields)
        entry["ts"] = fact.ts
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _letter(entry: dict[str, object]) -> Letter:
    reason = str(entry["reason"])
    if "topic" in entry:
        payload = entry.get("payload")
        raw = payload.encode() if isinstance(payload, str) else base64.b64decode(str(entry["payload_base64"]))
        return MessageLetter(str(entry["topic"]), raw, reason)
    tags, fields, ts = entry["tags"], entry["fields"], entry["ts"]
    if not (isinstance(tags, dict) and isinstance(fields, dict) and isinstance(ts, int)):
        raise TypeError("no row")
    words = {str(name): _word(value) for name, value in fields.items()}
    pairs = tuple((str(name), str(value)) for name, value in tags.items())
    return FactLetter(Fact(str(entry["measurement"]), pairs, words, ts), reason)


def _word(value: object) -> bool | float | str:
    if isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return float(value)
    raise TypeError("no field")
