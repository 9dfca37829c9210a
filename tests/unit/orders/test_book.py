"""Commands by MQTT: no credential, no command; no command twice in a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.model import Text
from gateway.operators import Operator
from gateway.orders import CommandBook, Done
from gateway.orders.book import LONGEST_ID, MOST_KNOWN, REPEAT_MS
from gateway.ports import Refused
from gateway.wire.messages import Command, Reply

HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("token")
COMMAND = Command("c-1", "ping", {}, "duty-1", "token")


class Kept:
    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}

    def loaded(self, prefix: str) -> Mapping[str, bytes]:
        return {key: value for key, value in self.found.items() if key.startswith(prefix)}

    def keep(self, documents: Mapping[str, bytes | None]) -> None:
        for key, value in documents.items():
            if value is None:
                self.found.pop(key, None)
            else:
                self.found[key] = value


class Desk:
    def __init__(self, folder: Path) -> None:
        self.file: Path | None = folder / "operators"
        self.file.write_text(f"duty-1 duty {HASH}\n", encoding="utf-8")
        self.kept = Kept()
        self.now = 1_700_000_000_000
        self.done: list[tuple[str, str, str]] = []
        self.open()

    def open(self) -> None:
        self.book = CommandBook(lambda: self.file, self.kept, lambda: self.now)
        self.book.register("ping", self.ping, ("rule", "note"))
        self.book.register("no", self.no, ())

    async def ping(self, device: str, command: Command, operator: Operator) -> Done:
        self.done.append((device, command.id, operator.role))
        return Done(True, Text("好", "Done"), data={"n": 1})

    async def no(self, device: str, command: Command, operator: Operator) -> Done:
        raise Refused("interlock", Text("不行", "No"))

    async def ask(self, **changes: object) -> Reply:
        return await self.book.execute("gen-1", replace(COMMAND, **changes))  # type: ignore[arg-type]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_command_of_a_known_operator(desk: Desk) -> None:
    assert await desk.ask() == Reply("c-1", True, None, Text("好", "Done"), {"n": 1})
    assert desk.done == [("gen-1", "c-1", "duty")]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"auth": "guess"}, "not_allowed"),
        ({"auth": ""}, "not_allowed"),
        ({"by": "duty-2"}, "not_allowed"),
        ({"cmd": "pong"}, "unknown_command"),
        ({"cmd": "no"}, "interlock"),
        ({"id": "x" * (LONGEST_ID + 1)}, "bad_request"),
        ({"id": ""}, "bad_request"),
        ({"args": {"rule": "a", "notes": "b"}}, "bad_request"),
        ({"cmd": "no", "args": {"x": None}}, "bad_request"),
    ],
)
async def test_no_comes_with_a_word_and_both_languages(desk: Desk, changes: dict[str, object], error: str) -> None:
    reply = await desk.ask(**changes)
    assert (reply.ok, reply.error) == (False, error)
    assert reply.text is not None
    assert reply.text.zh
    assert reply.text.en
    assert desk.done == []


async def test_a_key_of_args_that_is_not_known_is_named_with_those_that_are(desk: Desk) -> None:
    reply = await desk.ask(args={"rule": "a", "notes\u001b[2J": "b"})
    assert reply.text is not None
    for text in (reply.text.zh, reply.text.en):
        assert "notes\\x1b" in text
        assert "rule, note" in text
        assert text.isprintable()
    assert (await desk.ask(id="c-2", args={"rule": "a", "note": "b"})).ok


async def test_no_operators_no_commands(desk: Desk) -> None:
    desk.file = None
    assert (await desk.ask()).error == "not_allowed"


async def test_an_id_is_refused_for_a_day_also_after_a_restart(desk: Desk) -> None:
    assert (await desk.ask()).ok
    assert (await desk.ask()).error == "repeated"
    desk.open()
    assert (await desk.ask()).error == "repeated"
    desk.now += REPEAT_MS
    assert (await desk.ask()).error == "repeated"
    desk.now += 1
    assert (await desk.ask()).ok
    assert len(desk.done) == 2


async def test_a_stranger_s_id_is_not_kept(desk: Desk) -> None:
    assert (await desk.ask(auth="guess")).error == "not_allowed"
    assert (await desk.ask()).ok


async def test_old_ids_go_and_the_number_is_bounded(desk: Desk) -> None:
    desk.kept.found = {f"command/o{n}": str(desk.now - REPEAT_MS - 1).encode() for n in range(10)}
    desk.open()
    assert (await desk.ask()).ok
    assert list(desk.kept.found) == ["command/c-1"]
    desk.kept.found = {f"command/o{n}": str(desk.now).encode() for n in range(MOST_KNOWN)}
    desk.open()
    assert (await desk.ask(id="c-2")).error == "busy"
