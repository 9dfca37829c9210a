"""What may be asked over the control socket: names and who answers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway.model import Text
from gateway.ports import Refused
from gateway.wire.messages import Json

ANSWER_S = 15.0
LONGEST_KEY = 64
"""Characters of a key that are shown to who sent it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who sits at the other end, as the kernel says."""

    uid: int
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """One question. `args` is what the other end sent: to be checked by who answers."""

    name: str
    args: Mapping[str, Json]
    peer: Peer

    def word(self, key: str, *, longest: int = 256) -> str:
        """A text argument; Refused where it is missing, empty or too long."""
        value = self.args.get(key)
        if not isinstance(value, str) or not 0 < len(value) <= longest:
            raise Refused("bad_request", Text(f"参数 {key} 应当是文字", f"`{key}` must be a text"))
        return value

    def whole(self, key: str, least: int, most: int) -> int:
        """A whole number within its limits; Refused otherwise."""
        value = self.args.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Refused(
                "bad_request",
                Text(f"参数 {key} 应在 {least} 到 {most} 之间", f"`{key}` must be between {least} and {most}"),
            )
        return value

    def words(self, key: str, *, most: int = 1000) -> tuple[str, ...]:
        """A list of texts, empty where it is absent; Refused otherwise."""
        value = self.args.get(key, [])
        if not isinstance(value, list) or len(value) > most or not all(isinstance(each, str) for each in value):
            raise Refused("bad_request", Text(f"参数 {key} 应当是文字列表", f"`{key}` must be a list of texts"))
        return tuple(str(each) for each in value)


def refuse_unknown(args: Mapping[str, Json], keys: Sequence[str]) -> None:
    """Refused (`bad_request`) where `args` has a key that is none of `keys`: it would change nothing."""
    strange = next((key for key in args if key not in keys), None)
    if strange is None:
        return
    shown, known = repr(strange[:LONGEST_KEY])[1:-1], ", ".join(keys)
    raise Refused(
        "bad_request",
        Text(f"args 里没有 {shown} 这一项，可用的有 {known}", f"`args` takes no `{shown}` here; it takes {known}"),
    )


Answer: TypeAlias = Callable[[Request], Awaitable[Mapping[str, Json]]]
"""Gives the members of `result`; raises Refused."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name: who answers, what may stand in `args`, and within which time."""

    answer: Answer
    keys: tuple[str, ...]
    answer_s: float


class Registry:
    """Names and answers. Parts of the gateway register theirs before the socket opens."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def register(self, name: str, answer: Answer, keys: tuple[str, ...], *, answer_s: float = ANSWER_S) -> None:
        """`answer` takes requests called `name`, whose `args` have these keys and no others, given up after `answer_s`;
        ValueError where the name is taken."""
        if name in self._entries:
            raise ValueError(f"{name} is registered already")
        self._entries[name] = Entry(answer, keys, answer_s)

    def get(self, name: str) -> Entry | None:
        return self._entries.get(name)
