"""MQTT commands: whose they are, whether they came before, and who carries them out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from gateway.control import refuse_unknown
from gateway.model import Text
from gateway.operators import Operator, Operators
from gateway.ports import Refused
from gateway.wire.messages import Command, Json, Reply

log = logging.getLogger(__name__)

REPEAT_MS = 24 * 3600 * 1000
MOST_KNOWN = 20_000
LONGEST_ID = 64
PREFIX = "command/"

_NO_CREDENTIAL = Text("未被授权：姓名或口令不对", "not allowed: name or token is wrong")
_REPEATED = Text("这个编号的命令已经收到过", "a command with this id has come before")
_UNKNOWN = Text("没有这个命令", "there is no such command")
_BAD_ID = Text(f"编号要有 1 到 {LONGEST_ID} 个字符", f"an id has 1 to {LONGEST_ID} characters")
_FULL = Text("命令过多，请稍后再试", "too many commands; try again later")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a command."""

    ok: bool
    text: Text
    error: str | None = None
    data: Mapping[str, Json] | None = None


Do: TypeAlias = Callable[[str, Command, Operator], Awaitable[Done]]
"""Carries a command for a device (or `_site`, `_gateway`) out; raises Refused."""


class Documents(Protocol):
    """Where ids that came are kept (gateway.store.Documents)."""

    def loaded(self, prefix: str) -> Mapping[str, bytes]: ...

    def keep(self, documents: Mapping[str, bytes | None]) -> None: ...


class CommandBook:
    """gateway.uplink.commands.Execute. `operators_file` is asked for with every command: a reload may change it."""

    def __init__(
        self, operators_file: Callable[[], Path | None], documents: Documents, wall_ms: Callable[[], int]
    ) -> None:
        self._operators_file = operators_file
        self._operators: tuple[Path | None, Operators] = (None, Operators(None))
        self._documents = documents
        self._wall_ms = wall_ms
        self._commands: dict[str, tuple[Do, tuple[str, ...]]] = {}
        found = documents.loaded(PREFIX)
        times = sorted((int(ts), key.removeprefix(PREFIX)) for key, ts in found.items() if ts.isdigit())
        self._came = {id_: ts for ts, id_ in times}

    def register(self, cmd: str, do: Do, keys: tuple[str, ...]) -> None:
        """`do` carries commands called `cmd` out, whose `args` have these keys and no others; ValueError where the name
        is taken."""
        if cmd in self._commands:
            raise ValueError(f"{cmd} is registered already")
        self._commands[cmd] = do, keys

    async def execute(self, device: str, command: Command) -> Reply:
        """The answer to one command; never raises for what a stranger sends."""
        if not 0 < len(command.id) <= LONGEST_ID:
            return Reply(command.id[:LONGEST_ID], False, "bad_request", _BAD_ID)
        operator = await self._known().check(command.by, command.auth)
        if operator is None:
            return Reply(command.id, False, "not_allowed", _NO_CREDENTIAL)
        refusal = self._note(command.id)
        if refusal is not None:
            return Reply(command.id, False, *refusal)
        known = self._commands.get(command.cmd)
        if known is None:
            return Reply(command.id, False, "unknown_command", _UNKNOWN)
        do, keys = known
        try:
            refuse_unknown(command.args, keys)
            done = await do(device, command, operator)
        except Refused as refused:
            log.info("command_refused id=%r by=%s error=%s", command.id, operator.name, refused.error)
            return Reply(command.id, False, refused.error, refused.text)
        return Reply(command.id, done.ok, done.error, done.text, done.data)

    def _known(self) -> Operators:
        path = self._operators_file()
        if path != self._operators[0]:
            self._operators = (path, Operators(path))
        return self._operators[1]

    def _note(self, id_: str) -> tuple[str, Text] | None:
        """Keep `id_` for a day; why not, where it came before or no more can be kept."""
        now = self._wall_ms()
        gone = [known for known, ts in self._came.items() if not now - REPEAT_MS <= ts <= now + REPEAT_MS]
        for known in gone:
            del self._came[known]
        if id_ in self._came:
            return "repeated", _REPEATED
        if len(self._came) >= MOST_KNOWN:
            return "busy", _FULL
        self._came[id_] = now
        self._documents.keep({**dict.fromkeys(PREFIX + known for known in gone), PREFIX + id_: str(now).encode()})
        return None
