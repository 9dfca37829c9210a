"""Who may give orders: the lines `name role argon2-hash` of the operators file, and whether a token is somebody's.

The file is read again when it changed, so that a person can be added or struck off while the gateway runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.model import Text

log = logging.getLogger(__name__)

LARGEST_FILE = 256 * 1024
LONGEST_TOKEN = 256
#: Wrong tokens in a row that are free; each further one makes the name wait, doubling from a second to a minute.
FREE_FAILURES = 5
LONGEST_WAIT_S = 60.0
MOST_WATCHED = 1000

#: Compiled where a site has operators: that takes ten times as long as for any other pattern.
_NAME = r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9_.\-\u4e00-\u9fff]{0,31}"
_ROLE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HASH = re.compile(r"\$argon2id?\$[!-~]{20,500}")
_HASHER = PasswordHasher()


@cache
def _nobody() -> str:
    """Verified where a name is not known, so that the answer takes as long."""
    return _HASHER.hash(os.urandom(16).hex())


@dataclass(frozen=True, slots=True)
class Operator:
    """One line of the file; `hash` is argon2i or argon2id in PHC form."""

    name: str
    role: str
    hash: str


def parse_operators(text: str) -> tuple[Mapping[str, Operator], tuple[tuple[int, Text], ...]]:
    """Operators by name, and what is wrong with which line (1-based). Blank lines and lines with # are passed over."""
    found: dict[str, Operator] = {}
    wrong: list[tuple[int, Text]] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3:
            wrong.append((number, Text("应当是“名字 角色 argon2哈希”三项", "`name role argon2-hash` is expected here")))
        elif not re.fullmatch(_NAME, words[0]):
            wrong.append((number, Text("名字不能用", "this is no name: letters, digits, - _ and .")))
        elif not _ROLE.fullmatch(words[1]):
            wrong.append((number, Text("角色只用小写字母、数字和 _", "a role has lower-case letters, digits and _")))
        elif not _HASH.fullmatch(words[2]):
            wrong.append((number, Text("这不是 argon2 哈希", "this is no argon2 hash")))
        elif words[0] in found:
            wrong.append((number, Text(f"{words[0]} 写了两次", f"{words[0]} stands twice")))
        else:
            found[words[0]] = Operator(*words)
    return MappingProxyType(found), tuple(wrong)


def operator_line(name: str, role: str, token: str) -> str:
    """A line of the file for this person; ValueError where name, role or token cannot be."""
    if not re.fullmatch(_NAME, name) or not _ROLE.fullmatch(role) or not 1 <= len(token) <= LONGEST_TOKEN:
        raise ValueError("name, role or token cannot be used")
    return f"{name} {role} {_HASHER.hash(token)}"


class Operators:
    """Checks credentials against the file at `path`; with None nobody is known."""

    def __init__(self, path: Path | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._monotonic = monotonic
        self._known: Mapping[str, Operator] = MappingProxyType({})
        self._stamp: tuple[int, int, int] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._failures: dict[str, tuple[int, float]] = {}

    async def check(self, name: str, token: str) -> Operator | None:
        """The operator whose token this is; None for a wrong one, an unknown name, and after too many wrong ones.

        Takes tens of milliseconds in a thread, one check at a time.
        """
        if len(token) > LONGEST_TOKEN or self.waits_s(name) > 0:
            return None
        async with self._one_at_a_time:
            operator = await asyncio.to_thread(self._verify, name, token)
        if operator is None:
            self._note_failure(name)
        else:
            self._failures.pop(name, None)
        return operator

    async def find(self, name: str) -> Operator | None:
        """What the file says of `name` now."""
        return await asyncio.to_thread(self._find, name)

    def waits_s(self, name: str) -> float:
        """Seconds for which no token of `name` is looked at, after too many wrong ones."""
        failures, at = self._failures.get(name, (0, 0.0))
        if failures < FREE_FAILURES:
            return 0.0
        wait = min(LONGEST_WAIT_S, 2.0 ** min(failures - FREE_FAILURES, 10))
        return max(0.0, at + wait - self._monotonic())

    def _note_failure(self, name: str) -> None:
        if name not in self._failures and len(self._failures) >= MOST_WATCHED:
            del self._failures[next(iter(self._failures))]
        failures, _ = self._failures.get(name, (0, 0.0))
        self._failures[name] = (failures + 1, self._monotonic())
        log.warning("credential_refused by=%r failures=%d", name[:32], failures + 1)

    def _find(self, name: str) -> Operator | None:
        self._read()
        return self._known.get(name)

    def _verify(self, name: str, token: str) -> Operator | None:
        self._read()
        operator = self._known.get(name)
        try:
            _HASHER.verify(_nobody() if operator is None else operator.hash, token)
        except (VerificationError, InvalidHashError):
            return None
        return operator

    def _read(self) -> None:
        """Take in the file where it changed; one that cannot be read knows nobody."""
        if self._path is None:
            return
        try:
            facts = self._path.stat()
            stamp = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            if stamp == self._stamp:
                return
            if facts.st_size > LARGEST_FILE:
                raise OSError("too large")
            text = self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            if self._stamp is not None or not self._known:
                log.error("operators_unreadable file=%s reason=%s", self._path, error)
            self._known, self._stamp = MappingProxyType({}), None
            return
        self._known, wrong = parse_operators(text)
        self._stamp = stamp
        for number, words in wrong:
            log.error("operators_line_refused file=%s line=%d reason=%s", self._path, number, words.en)
