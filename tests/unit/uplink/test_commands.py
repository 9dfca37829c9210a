"""Commands over MQTT that nobody honest sends: each is refused and logged once, and the next good one is obeyed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from gateway.model import Text
from gateway.mqtt import Link, Message
from gateway.uplink.commands import QUEUE, CommandDesk
from gateway.wire import topics
from gateway.wire.messages import Command, Reply

TOPIC = "vigil/v1/depot-1/gen-1/cmd"
RIGHT = {"id": "c-1", "cmd": "ack", "args": {"rule": "battery_low"}, "by": "duty-1", "auth": "secret"}


class Answers:
    """The side of a link that commands use."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.came = asyncio.Event()

    def publish(self, topic: str, payload: bytes, *, correlation: bytes | None) -> None:
        assert correlation is None
        self.said.append((topic, json.loads(payload)))
        self.came.set()


class Desk:
    def __init__(self) -> None:
        self.link = Answers()
        self.done: list[str] = []
        self.desk = CommandDesk(self._execute)

    async def _execute(self, device: str, command: Command) -> Reply:
        self.done.append(f"{device} {command.cmd} {command.id}")
        return Reply(command.id, True, None, Text("好", "Done"))

    def send(self, payload: bytes, *, retain: bool = False, response_topic: str | None = None) -> None:
        topic = topics.parse(TOPIC)
        assert topic is not None
        message = Message(TOPIC, payload, 1, retain, False, 1, response_topic)
        self.desk.take(cast("Link", self.link), topic, message)

    async def answer(self) -> tuple[str, dict[str, Any]]:
        self.link.came.clear()
        await asyncio.wait_for(self.link.came.wait(), 30)
        return self.link.said[-1]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    found = Desk()
    running = asyncio.create_task(found.desk.run())
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"ack"',
        b'{"id": "c", "cmd": "ack"}',
        b'{"id": "c", "cmd": "ack", "by": "duty-1", "auth": {}}',
        b'{"id": 7, "cmd": "ack", "by": "duty-1", "auth": "secret"}',
        b'{"id": "c", "cmd": ["ack"], "by": "duty-1", "auth": "secret"}',
        b'{"id": "c", "cmd": "ack", "args": "battery_low", "by": "duty-1", "auth": "secret"}',
        b'{"id": "c", "cmd": "ack", "cmd": "reset", "by": "duty-1", "auth": "secret"}',
        b'{"id": "c", "cmd": "ack", "args": {"rule": "\\ud800"}, "by": "duty-1", "auth": "secret"}',
        b'{"id": "c", "cmd": "ack", "args": {"x": NaN}, "by": "duty-1", "auth": "secret"}',
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b" " * 300_000,
    ],
)
async def test_hostile_json_is_refused_once_and_the_next_is_obeyed(
    desk: Desk, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        desk.send(payload)
    (logged,) = (record.getMessage() for record in caplog.records)
    assert logged.startswith("command_malformed ")
    assert len(logged) < 500
    assert desk.desk.malformed == 1
    desk.send(json.dumps(RIGHT).encode())
    assert await desk.answer() == ("vigil/v1/depot-1/gen-1/cmd/reply", desk.link.said[0][1])
    assert desk.done == ["gen-1 ack c-1"]
    assert [reply["ok"] for _, reply in desk.link.said] == [True]


async def test_a_retained_command_is_never_obeyed(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        desk.send(json.dumps(RIGHT).encode(), retain=True)
    assert [record.getMessage().split()[0] for record in caplog.records] == ["command_passed_over"]
    desk.send(json.dumps({**RIGHT, "id": "c-2"}).encode())
    await desk.answer()
    assert desk.done == ["gen-1 ack c-2"]


async def test_more_than_wait_are_told_to_come_again(desk: Desk) -> None:
    for number in range(QUEUE + 3):
        desk.send(json.dumps({**RIGHT, "id": f"c-{number}"}).encode())
    assert [reply["error"] for _, reply in desk.link.said] == ["busy"] * 3
    while len(desk.done) < QUEUE:
        await desk.answer()
    assert len(desk.link.said) == QUEUE + 3


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("people/duty-1", "people/duty-1"),
        ("vigil/v1/depot-2/gen-1/cmd", TOPIC + "/reply"),
        ("vigil/v1/depot-1/gen-1/alarm/battery_low", TOPIC + "/reply"),
        ("$SYS/broker", TOPIC + "/reply"),
        ("people/#", TOPIC + "/reply"),
        ("", TOPIC + "/reply"),
    ],
)
async def test_nobody_has_the_answer_put_where_it_would_be_a_message_of_ours(
    desk: Desk, asked: str, given: str
) -> None:
    desk.send(json.dumps(RIGHT).encode(), response_topic=asked)
    assert (await desk.answer())[0] == given
