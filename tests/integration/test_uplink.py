"""The uplink of a site and a real broker that is stopped, killed and paused: duplicates are allowed, loss is not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pytest

from gateway.mqtt import Link, LinkFailed, LinkFault, LinkOptions, Message, Session, open_link
from gateway.ports import Row
from gateway.settings.types import MqttSettings
from gateway.uplink import Execute, Identity, SiteUplink, refuse
from gateway.uplink.commands import QUEUE
from gateway.wire import topics
from gateway.wire.encode import command_payload, stored_payload
from gateway.wire.messages import Command, Reply, Stored
from tests.fakes.outbox import OUTBOX, MemoryOutbox
from tests.servers import Mosquitto, program

SITE = "depot-07"
TELEMETRY = topics.telemetry(SITE, "gen-1")
READINESS = topics.readiness(SITE, "gen-1")
STATUS = topics.status(SITE)
SINCE = 1_763_764_800_123
LIMIT_S = 60.0


def settings(broker: Mosquitto, confirm: str = "ingest") -> MqttSettings:
    return MqttSettings("127.0.0.1", broker.port, None, None, None, confirm)


@asynccontextmanager
async def site(
    where: MqttSettings, outbox: MemoryOutbox, execute: Execute = refuse, answer_timeout_s: float = 20.0
) -> AsyncIterator[SiteUplink]:
    identity = Identity(SITE, SINCE, "0.1.0", "sha256:00")
    uplink = SiteUplink(where, identity, outbox, execute, answer_timeout_s=answer_timeout_s)
    running = asyncio.create_task(uplink.run())
    try:
        yield uplink
        uplink.stop()
        async with asyncio.timeout(LIMIT_S):
            await running
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class Centre:
    """Stands for ingest: takes everything of the site and says that it is stored."""

    def __init__(self, where: MqttSettings, *, confirms: bool = True, answer_timeout_s: float = 20.0) -> None:
        self._session = Session(where, LinkOptions("centre", answer_timeout_s=answer_timeout_s))
        self.confirms = confirms
        self.messages: list[Message] = []
        self.listens = asyncio.Event()
        self._grew = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._session.run(self._serve))
        await self.listens.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    async def _serve(self, link: Link) -> None:
        await link.subscribe([f"vigil/v1/{SITE}/+/{name}" for name in ("telemetry", "readiness", "status", "event")])
        self.listens.set()
        while True:
            messages = await link.receive()
            self.messages += messages
            self._grew.set()
            done = tuple((seq, seq) for seq in map(sequence, messages) if seq is not None)
            if self.confirms and done:
                await link.wait_for_room()
                link.publish(topics.stored(SITE), stored_payload(Stored(OUTBOX, done)))

    async def until(self, is_enough: Callable[[list[Message]], object]) -> list[Message]:
        async with asyncio.timeout(LIMIT_S):
            while not is_enough(self.messages):
                self._grew.clear()
                await self._grew.wait()
        return self.messages

    def rows(self, *, backlog: bool | None = None) -> list[int]:
        """Sequence numbers in order of their first arrival."""
        found = [
            sequence(message)
            for message in self.messages
            if backlog is None or json.loads(message.payload).get("backlog", False) is backlog
        ]
        return list(dict.fromkeys(seq for seq in found if seq is not None))


def sequence(message: Message) -> int | None:
    members = json.loads(message.payload) if message.payload else {}
    return int(members["id"].partition("-")[2]) if "id" in members else None


async def eventually(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # nothing tells when a counter or a file changes


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not confirmed is sent again after one second instead of thirty."""
    monkeypatch.setattr("gateway.uplink.ledger.FIRST_WAIT_S", 1.0)


async def emptied(outbox: MemoryOutbox) -> None:
    async with asyncio.timeout(LIMIT_S):
        await outbox.wait_until_empty()


async def produce(uplink: SiteUplink, outbox: MemoryOutbox, rows: list[Row]) -> None:
    """A site at work, until cancelled."""
    while True:
        retain = outbox.next % 5 == 0
        row = outbox.accept(READINESS if retain else TELEMETRY, retain=retain, rank=1 if retain else 2)
        rows.append(row)
        uplink.offer(row)
        await asyncio.sleep(0.002)


async def retained(where: MqttSettings, topic: str) -> Any:
    link = await open_link(where, LinkOptions("looker"))
    try:
        await link.subscribe([topic])
        async with asyncio.timeout(LIMIT_S):
            return json.loads((await link.receive())[0].payload)
    finally:
        await link.close()


async def test_live_rows_arrive_at_once_and_leave_the_outbox_when_stored(mosquitto: Mosquitto) -> None:
    where, outbox = settings(mosquitto), MemoryOutbox()
    async with Centre(where) as centre, site(where, outbox) as uplink:
        await centre.until(lambda messages: len(messages) == 1)  # the status
        assert uplink.offer(outbox.accept(TELEMETRY))
        await emptied(outbox)
        telemetry = json.loads(centre.messages[1].payload)
        assert telemetry == {"id": f"{OUTBOX}-000001", "ts": telemetry["ts"], "v": {}}
        health = uplink.health()
        assert health.connected
        assert (health.sent, health.confirmed, health.resent, health.connects) == (1, 1, 0, 1)
        assert health.points()["uplink_reconnects"] == 0


async def test_status_is_retained_and_never_in_the_outbox(mosquitto: Mosquitto) -> None:
    where, outbox = settings(mosquitto), MemoryOutbox()
    async with Centre(where) as centre, site(where, outbox):
        await centre.until(len)
        assert await retained(where, STATUS) == {
            "state": "online",
            "since": SINCE,
            "version": "0.1.0",
            "outbox": OUTBOX,
            "config": "sha256:00",
        }
    assert await retained(where, STATUS) == {"state": "offline"}
    assert outbox.next == 1


async def test_a_gateway_that_vanishes_leaves_its_last_will(mosquitto: Mosquitto) -> None:
    where, outbox = settings(mosquitto), MemoryOutbox()
    async with Centre(where) as centre:
        uplink = SiteUplink(where, Identity(SITE, SINCE, "0.1.0", "sha256:00"), outbox)
        running = asyncio.create_task(uplink.run())
        await centre.until(len)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await centre.until(lambda messages: len(messages) == 2)
        assert json.loads(centre.messages[1].payload) == {"state": "offline"}


async def test_without_ingest_nothing_is_forgotten_and_its_return_empties_the_outbox(mosquitto: Mosquitto) -> None:
    where, outbox = settings(mosquitto), MemoryOutbox()
    for _ in range(1200):
        outbox.accept(TELEMETRY)
    async with site(where, outbox) as uplink:
        async with Centre(where, confirms=False) as deaf:
            await deaf.until(lambda _: len(deaf.rows()) == 500)  # and no more: they are outstanding
        # the broker may need a moment to notice that the centre has gone
        await eventually(lambda: uplink.offer(outbox.accept(TELEMETRY)) and not uplink.health().has_subscribers)
        assert outbox.seqs == list(range(1, outbox.next))
    async with Centre(where) as centre, site(where, outbox):
        await emptied(outbox)
        assert centre.rows() == list(range(1, outbox.next))


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.usefixtures("impatient")
async def test_broker_goes_and_comes_back(mosquitto: Mosquitto, how: str) -> None:
    """Nothing is lost; what the broker forgot it is told first; order holds within live and within backlog."""
    where, outbox, rows = settings(mosquitto), MemoryOutbox(), list[Row]()
    async with Centre(where) as centre, site(where, outbox) as uplink:
        await centre.until(len)
        producing = asyncio.create_task(produce(uplink, outbox, rows))
        for _ in range(2):
            await centre.until(lambda _: len(centre.rows()) > len(rows) - 20 > 50)
            getattr(mosquitto, how)()
            centre.listens.clear()
            down_at = len(rows)
            await eventually(lambda down_at=down_at: len(rows) > down_at + 100)
            seen = len(centre.messages)
            mosquitto.start()
            await centre.until(lambda messages, seen=seen: len(messages) > seen)
        await centre.until(lambda _: uplink.health().connected)
        producing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await producing
        await emptied(outbox)
        assert sorted(centre.rows()) == [row.seq for row in rows]
        live, backlog = (
            centre.rows(backlog=False),
            [seq for seq in centre.rows(backlog=True) if outbox_topic(rows, seq) == TELEMETRY],
        )
        assert live == sorted(live)
        assert backlog_runs(backlog) <= 3
        assert uplink.health().connects == 3


def outbox_topic(rows: list[Row], seq: int) -> str:
    return rows[seq - rows[0].seq].topic


def backlog_runs(backlog: list[int]) -> int:
    """In how many ascending runs the first arrivals come; each new link may begin one."""
    return 1 + sum(later < earlier for earlier, later in pairwise(backlog))


async def test_retained_messages_are_the_first_after_a_reconnect(mosquitto: Mosquitto) -> None:
    """Seen by a subscriber that was there before: the broker's own store is not asked."""
    where, outbox = settings(mosquitto), MemoryOutbox()
    newest = [outbox.accept(topics.readiness(SITE, f"pump-{number}"), retain=True, rank=1) for number in range(50)]
    outbox.rows.clear()  # confirmed long ago
    for _ in range(300):
        outbox.accept(TELEMETRY)
    async with Centre(where) as centre, site(where, outbox):
        await emptied(outbox)
        first = [message for message in centre.messages if message.topic != STATUS][:50]
        assert [sequence(message) for message in first] == [row.seq for row in newest]
        assert all(json.loads(message.payload)["backlog"] for message in first)
        assert await retained(where, newest[7].topic) == json.loads(first[7].payload)


@pytest.mark.usefixtures("impatient")
async def test_a_paused_broker_is_left_and_nothing_is_lost(mosquitto: Mosquitto) -> None:
    where, outbox, rows = settings(mosquitto), MemoryOutbox(), list[Row]()
    async with Centre(where, answer_timeout_s=0.7) as centre, site(where, outbox, answer_timeout_s=0.7) as uplink:
        await centre.until(len)
        producing = asyncio.create_task(produce(uplink, outbox, rows))
        await centre.until(lambda messages: len(messages) > 50)
        mosquitto.pause()
        try:
            await eventually(lambda: not uplink.health().connected)
            failure = uplink.health().failure
            assert failure is None or failure.fault in (LinkFault.SILENT, LinkFault.TIMEOUT)
        finally:
            mosquitto.resume()
        seen = len(rows)
        await centre.until(lambda _: seen < len(centre.rows()))
        producing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await producing
        await emptied(outbox)
        assert sorted(centre.rows()) == [row.seq for row in rows]


BACKLOG = 70_000


async def test_seventy_thousand_rows_drain_in_order_while_live_goes_out(tmp_path: Path) -> None:
    """More than there are packet ids. A live row is never behind more of the backlog than was already on its way."""
    extra = "max_queued_messages 0\nmax_inflight_messages 100"
    with Mosquitto(tmp_path / "m", extra) as broker, listening(broker, tmp_path / "received") as received:
        where, outbox = settings(broker, "broker"), MemoryOutbox()
        for _ in range(BACKLOG):
            outbox.accept(TELEMETRY)
        await said(where, received, b"the beginning")
        sent_before = await drain(where, outbox)
        await said(where, received, b"the end")
    lines = [json.loads(line) for line in received.read_bytes().splitlines() if line.startswith(b'{"id"')]
    order = [int(line["id"].partition("-")[2]) for line in lines]
    position = {seq: at for at, seq in reversed(list(enumerate(order)))}
    backlog = list(dict.fromkeys(seq for seq in order if seq <= BACKLOG))
    live = list(dict.fromkeys(seq for seq in order if seq > BACKLOG))
    assert backlog == list(range(1, BACKLOG + 1))
    assert live == sorted(sent_before)
    assert len(live) >= 20
    for seq, before in sent_before.items():
        assert position[seq] <= before + 100, "a live row waited behind the backlog"


async def drain(where: MqttSettings, outbox: MemoryOutbox) -> dict[int, int]:
    """Empty the outbox with a live row now and then; how many rows had been sent when each was offered."""
    sent_before: dict[int, int] = {}
    async with site(where, outbox) as uplink:
        while uplink.health().sent < BACKLOG // 2:
            await asyncio.sleep(0.02)
            if uplink.health().sent and len(sent_before) < 200:
                row = outbox.accept(TELEMETRY)
                sent_before[row.seq] = uplink.health().sent
                assert uplink.offer(row)
        await emptied(outbox)
        assert uplink.health().connects == 1
        assert uplink.health().resent == 0
    return sent_before


@contextmanager
def listening(broker: Mosquitto, file: Path) -> Iterator[Path]:
    """A subscriber that costs this process nothing."""
    command = [program("mosquitto_sub"), "-p", str(broker.port), "-t", TELEMETRY, "-t", "probe", "-q", "1"]
    with file.open("wb") as output, subprocess.Popen(command, stdout=output) as listener:
        try:
            yield file
        finally:
            listener.terminate()


async def said(where: MqttSettings, received: Path, words: bytes) -> None:
    """The listener is there, and everything before `words` has reached it."""
    link = await open_link(where, LinkOptions("probe"))
    async with asyncio.timeout(LIMIT_S):
        while words not in received.read_bytes()[-2000:]:  # noqa: ASYNC240
            await link.publish("probe", words)
            await asyncio.sleep(0.05)
    await link.close()


async def test_confirm_by_broker_forgets_at_the_puback(mosquitto: Mosquitto) -> None:
    where, outbox = settings(mosquitto, "broker"), MemoryOutbox()
    for _ in range(100):
        outbox.accept(TELEMETRY)
    async with site(where, outbox):
        await emptied(outbox)


async def test_a_broker_that_forbids_a_topic(tmp_path: Path) -> None:
    acl = tmp_path / "acl"
    acl.write_text(f"topic readwrite vigil/v1/{SITE}/_gateway/#\ntopic readwrite {READINESS}\n")
    acl.chmod(0o644)
    with Mosquitto(tmp_path / "m", f"acl_file {acl}") as broker:
        where, outbox = settings(broker, "broker"), MemoryOutbox()
        outbox.accept(TELEMETRY)
        outbox.accept(READINESS, retain=True, rank=1)
        async with site(where, outbox) as uplink:
            await eventually(lambda: outbox.seqs == [1] and not uplink.health().is_authorised)


# commands


@asynccontextmanager
async def operator(where: MqttSettings, *answers: str) -> AsyncIterator[Link]:
    link = await open_link(where, LinkOptions("operator"))
    try:
        await link.subscribe(answers)
        yield link
    finally:
        await link.close()


async def answer(link: Link) -> tuple[Message, dict[str, Any]]:
    async with asyncio.timeout(LIMIT_S):
        message = (await link.receive())[0]
    return message, json.loads(message.payload)


ACK = Command("c-17", "ack", {"rule": "battery_low"}, "duty-1", "token")


async def test_commands_are_refused_until_somebody_may_give_them(mosquitto: Mosquitto) -> None:
    where, replies = settings(mosquitto), topics.reply(SITE, "gen-1")
    async with Centre(where) as centre, site(where, MemoryOutbox()), operator(where, replies) as link:
        await centre.until(len)
        link.publish(topics.command(SITE, "gen-1"), command_payload(ACK))
        message, reply = await answer(link)
        assert (message.topic, reply["id"], reply["ok"], reply["error"]) == (replies, "c-17", False, "not_allowed")
        assert set(reply["text"]) == {"zh", "en"}


async def test_commands_reach_their_device_in_order_and_the_answer_its_asker(mosquitto: Mosquitto) -> None:
    where = settings(mosquitto)
    taken: list[tuple[str, str]] = []

    async def execute(device: str, command: Command) -> Reply:
        taken.append((device, command.id))
        return Reply(command.id, True)

    async with Centre(where) as centre, site(where, MemoryOutbox(), execute), operator(where, "my/answers") as link:
        await centre.until(len)
        link.publish(topics.command(SITE, "gen-1"), b"{")
        ask(link, topics.command(SITE, "_site"), "my/answers", b"42")
        message, reply = await answer(link)
        assert reply == {"id": "c-17", "ok": True}
        assert (message.topic, message.correlation) == ("my/answers", b"42")
        assert taken == [("_site", "c-17")]


async def test_a_retained_command_is_not_obeyed_at_each_connect(mosquitto: Mosquitto) -> None:
    where, replies = settings(mosquitto), topics.reply(SITE, "gen-1")
    async with operator(where, replies) as link:
        await link.publish(topics.command(SITE, "gen-1"), command_payload(ACK), retain=True)
        async with Centre(where) as centre, site(where, MemoryOutbox()):
            await centre.until(len)
            link.publish(topics.command(SITE, "gen-1"), command_payload(Command("c-18", "ack", {}, "duty-1")))
            _, reply = await answer(link)
            assert reply["id"] == "c-18"


def ask(link: Link, topic: str, answer_to: str, correlation: bytes) -> None:
    """A request of MQTT 5; the session of a site never asks, so its link cannot."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.ResponseTopic = answer_to
    properties.CorrelationData = correlation
    link._client.publish(topic, command_payload(ACK), 1, False, properties)


@pytest.mark.parametrize("where_to", [topics.stored(SITE), STATUS, "$SYS/x"])
async def test_no_asker_can_make_the_gateway_speak_where_it_must_not(mosquitto: Mosquitto, where_to: str) -> None:
    where, replies = settings(mosquitto), topics.reply(SITE, "gen-1")
    async with Centre(where) as centre, site(where, MemoryOutbox()), operator(where, replies) as link:
        await centre.until(len)
        ask(link, topics.command(SITE, "gen-1"), where_to, b"1")
        message, _ = await answer(link)
        assert message.topic == replies


async def test_a_slow_command_holds_up_neither_rows_nor_the_other_commands(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.uplink.commands.EXECUTE_S", 0.2)
    where, outbox, replies = settings(mosquitto), MemoryOutbox(), topics.reply(SITE, "gen-1")

    async def execute(_device: str, command: Command) -> Reply:
        await asyncio.Event().wait()
        return Reply(command.id, True)

    async with Centre(where) as centre, site(where, outbox, execute) as uplink, operator(where, replies) as link:
        await centre.until(len)
        for number in range(QUEUE + 20):
            await link.wait_for_room()
            await link.publish(topics.command(SITE, "gen-1"), command_payload(Command(f"c-{number}", "ack", {}, "d")))
        uplink.offer(outbox.accept(TELEMETRY))
        await emptied(outbox)
        errors: list[str] = []
        async with asyncio.timeout(LIMIT_S):
            while not {"timeout", "busy"} <= set(errors):
                errors += [json.loads(message.payload)["error"] for message in await link.receive()]


async def test_nonsense_on_our_topics_is_counted_and_harmless(mosquitto: Mosquitto) -> None:
    where, outbox = settings(mosquitto), MemoryOutbox()
    row = outbox.accept(TELEMETRY)
    async with Centre(where, confirms=False) as centre, site(where, outbox) as uplink, operator(where, "x") as link:
        await centre.until(lambda _: centre.rows() == [row.seq])
        for payload in (b"", b"{", b'{"outbox":"9c41f07be2a3","done":[[5,1]]}', b"\xff"):
            await link.publish(topics.stored(SITE), payload)
        await link.publish(topics.stored(SITE), stored_payload(Stored("0123456789ab", ((1, 1),))))
        await eventually(lambda: uplink.health().malformed == 4)
        assert outbox.seqs == [1]
        await link.publish(topics.stored(SITE), stored_payload(Stored(OUTBOX, ((0, 10**12),))))
        await emptied(outbox)


async def test_stop_is_quick_when_the_broker_does_not_answer(mosquitto: Mosquitto) -> None:
    where, outbox = settings(mosquitto), MemoryOutbox()
    async with Centre(where) as centre, site(where, outbox):
        await centre.until(len)
        mosquitto.pause()
    mosquitto.resume()


async def test_stop_without_a_broker(tmp_path: Path) -> None:
    nowhere = Mosquitto(tmp_path / "m")
    async with site(settings(nowhere), MemoryOutbox()) as uplink:
        await eventually(lambda: isinstance(uplink.health().failure, LinkFailed))
        assert not uplink.health().connected
