"""The worker's decisions, with a broker and a database that do as they are told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.errors import SinkMisconfigured, SinkRejected, SinkUnavailable
from gateway.ingest import patience
from gateway.ingest import worker as subject
from gateway.ingest.batch import Limits
from gateway.ingest.books import Books, exposition
from gateway.ingest.dead_letters import DeadLetters, read_segment
from gateway.ingest.inbox import Arrival, Inbox
from gateway.ingest.patience import PatientSink
from gateway.ingest.worker import Worker, worker_session
from gateway.mqtt import LinkFailed, LinkFault, Message
from gateway.ports import Fact
from gateway.settings.types import MqttSettings

TS = 1_763_764_800_000
OUTBOX = "9c41f07be2a3"


class FakeLink:
    """A broker's end: messages to hand out, and what came back."""

    def __init__(self, *messages: Message) -> None:
        self.waiting = list(messages)
        self.filters: list[str] = []
        self.acks: list[int] = []
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.answer = 0
        self.is_lost = False
        self.more = asyncio.Event()
        self.is_closed = False

    async def subscribe(self, filters: Sequence[str]) -> None:
        self.filters += filters

    async def receive(self) -> list[Message]:
        while not self.waiting:
            self.more.clear()
            await self.more.wait()
        found, self.waiting = self.waiting, []
        return found

    def ack(self, message: Message) -> None:
        self.acks.append(message.mid)

    async def wait_for_room(self) -> None:
        if self.is_lost:
            raise LinkFailed(LinkFault.LOST)

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[int]:
        self.published.append((topic, json.loads(payload)))
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        answer.set_result(self.answer)
        return answer

    async def close(self) -> None:
        self.is_closed = True


class FakeSession:
    def __init__(self, link: FakeLink) -> None:
        self.link: Any = link

    async def run(self, serve: Any) -> None:
        await serve(self.link)


class Database:
    """Gives what it was told to, then takes everything."""

    def __init__(self, *says: Exception) -> None:
        self.says = list(says)
        self.facts: list[Fact] = []
        self.writes = 0
        self.took = asyncio.Event()

    async def write(self, facts: Sequence[Fact]) -> None:
        self.writes += 1
        if self.says:
            raise self.says.pop(0)
        self.facts += facts
        self.took.set()

    async def close(self) -> None: ...


def message(seq: int, mid: int | None = None, **changes: Any) -> Message:
    payload = {
        "id": f"{OUTBOX}-{seq:06d}",
        "ts": TS + seq,
        "kind": "pump",
        "labels": {},
        "clock": "synced",
        "v": {"flow": 1.5},
    }
    data = json.dumps(payload | changes).encode()
    return Message("vigil/v1/depot-07/p-1/telemetry", data, 1, False, False, mid or seq)


async def work(
    link: FakeLink, database: Database, folder: Path, *, confirm: bool = True, share: str | None = "vigil", until: Any
) -> Books:
    books = Books()
    worker = Worker(
        FakeSession(link),  # type: ignore[arg-type]
        PatientSink(database, books),
        DeadLetters(folder),
        books,
        share=share,
        confirm=confirm,
        limits=Limits(age_s=0.05, quiet_s=0.01),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    for _ in range(20_000):
        if until() or running.done():
            break
        await asyncio.sleep(0.001)
    stop.set()
    await asyncio.wait_for(running, 20)
    return books


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST_DELAY_S", 0.001)


async def test_stored_first_then_acknowledged_and_confirmed(tmp_path: Path) -> None:
    link = FakeLink(message(1), message(2), message(2, mid=3), message(5))
    books = await work(link, Database(), tmp_path, until=lambda: link.published)
    assert link.filters[0] == "$share/vigil/vigil/v1/+/+/telemetry"
    assert link.acks == [1, 2, 3, 5]
    assert link.published == [
        ("vigil/v1/depot-07/_gateway/stored", {"outbox": OUTBOX, "done": [[1, 2], [5, 5]]}),
    ]
    assert (books.messages, books.acknowledged, books.confirmed, books.facts) == (4, 4, 3, 4)
    assert link.is_closed


async def test_without_share_and_without_confirming(tmp_path: Path) -> None:
    link = FakeLink(message(1))
    await work(link, Database(), tmp_path, confirm=False, share=None, until=lambda: link.acks)
    assert link.filters[0] == "vigil/v1/+/+/telemetry"
    assert link.published == []


@pytest.mark.usefixtures("quick")
async def test_nothing_is_said_while_the_database_is_down(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    link = FakeLink(message(1))
    database = Database(*[SinkUnavailable("refused")] * 4, *[SinkMisconfigured("wrong password")] * 3)
    with caplog.at_level(logging.INFO, "gateway.ingest.patience"):
        books = await work(link, database, tmp_path, until=lambda: link.published)
    assert books.retries == 7
    assert database.writes == 8
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "INFO"]
    assert "wrong password" in caplog.text


async def test_retry_after_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(patience.asyncio, "sleep", sleep)
    says = [SinkUnavailable("busy", 7.0), *[SinkUnavailable("busy")] * 20]
    await PatientSink(Database(*says), Books()).write([Fact("m", (), {"v": 1.0}, 1)])
    assert slept[0] == 7.0
    assert max(slept[1:]) <= patience.LAST_DELAY_S
    assert slept[-1] > slept[1]


async def test_a_refused_row_goes_to_dead_letters_and_is_confirmed(tmp_path: Path) -> None:
    link = FakeLink(message(1), message(2))
    books = await work(link, Database(SinkRejected({1: "conflict"})), tmp_path, until=lambda: link.published)
    assert link.published[0][1]["done"] == [[1, 2]]
    assert books.rejected == 1
    (letter,) = (letter for segment in DeadLetters(tmp_path).close_segments() for letter in read_segment(segment)[0])
    assert letter.reason == "conflict"


async def test_a_dead_letter_the_disk_will_not_take_is_acknowledged_but_not_confirmed(tmp_path: Path) -> None:
    folder = tmp_path / "box"
    folder.write_text("not a folder")
    link = FakeLink(message(1), message(2), message(3, ts="never"), message(4))
    books = await work(link, Database(SinkRejected({1: "conflict"})), folder, until=lambda: link.published)
    assert link.acks == [1, 2, 3, 4]
    assert link.published[0][1]["done"] == [[1, 1], [4, 4]]
    assert books.unkept == 2


async def test_a_broker_that_refuses_stored_is_told_to_a_person(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link = FakeLink(message(1))
    link.answer = 0x87
    books = await work(link, Database(), tmp_path, until=lambda: link.published)
    assert books.confirmations_refused == 1
    assert any(record.levelname == "ERROR" and "stored_refused" in record.message for record in caplog.records)


async def test_a_lost_link_costs_the_confirmation_not_the_data(tmp_path: Path) -> None:
    link = FakeLink(message(1))
    link.is_lost = True
    database = Database()
    books = await work(link, database, tmp_path, until=lambda: link.acks)
    assert len(database.facts) == 1
    assert books.confirmations_missed == 1


class SlowDatabase(Database):
    """Takes what it is given only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def write(self, facts: Sequence[Fact]) -> None:
        self.is_asked.set()
        await self.may_answer.wait()
        await super().write(facts)


async def test_what_is_held_when_it_stops_is_written_acknowledged_and_confirmed(tmp_path: Path) -> None:
    link, database, books, stop = FakeLink(message(1)), SlowDatabase(), Books(), asyncio.Event()
    session: Any = FakeSession(link)
    worker = Worker(session, PatientSink(database, books), DeadLetters(tmp_path), books, share=None, confirm=True)
    running = asyncio.create_task(worker.run(stop))
    await asyncio.wait_for(database.is_asked.wait(), 20)
    link.waiting = [message(2), message(3)]
    link.more.set()
    for _ in range(1000):
        if worker.gauges()["waiting_messages"][1]() == 2:
            break
        await asyncio.sleep(0)
    stop.set()
    await asyncio.sleep(0)
    assert link.acks == []
    database.may_answer.set()
    await asyncio.wait_for(running, 20)
    assert link.acks == [1, 2, 3]
    assert [done for _, said in link.published for done in said["done"]] == [[1, 1], [2, 3]]
    assert link.is_closed


async def test_a_database_that_hangs_does_not_hold_up_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "FLUSH_S", 0.01)
    link, database, books, stop = FakeLink(message(1)), SlowDatabase(), Books(), asyncio.Event()
    session: Any = FakeSession(link)
    worker = Worker(session, PatientSink(database, books), DeadLetters(tmp_path), books, share=None, confirm=True)
    running = asyncio.create_task(worker.run(stop))
    await asyncio.wait_for(database.is_asked.wait(), 20)
    stop.set()
    await asyncio.wait_for(running, 20)
    assert link.acks == []
    assert link.published == []
    assert link.is_closed


async def test_what_no_code_expects_ends_the_worker(tmp_path: Path) -> None:
    link = FakeLink(message(1))
    with pytest.raises(ZeroDivisionError):
        await work(link, Database(ZeroDivisionError()), tmp_path, until=lambda: False)


async def test_a_full_inbox_holds_back_the_link() -> None:
    inbox = Inbox(2, 1 << 20)
    link: Any = SimpleNamespace()
    for seq in (1, 2):
        await inbox.put(Arrival(link, message(seq)))
    putting = asyncio.create_task(inbox.put(Arrival(link, message(3))))
    await asyncio.sleep(0)
    assert not putting.done()
    assert (await inbox.take(None)) is not None
    await asyncio.wait_for(putting, 5)
    assert len(inbox) == 2
    putting = asyncio.create_task(inbox.put(Arrival(link, message(4))))
    await asyncio.sleep(0)
    inbox.close()
    await asyncio.wait_for(putting, 5)
    assert [arrival.message.mid for arrival in [await inbox.take(None), await inbox.take(None)] if arrival] == [2, 3]
    assert await inbox.take(None) is None


async def test_an_inbox_is_full_by_bytes_too_and_silence_is_noticed() -> None:
    inbox = Inbox(100, 10)
    link: Any = SimpleNamespace()
    await inbox.put(Arrival(link, message(1)))
    putting = asyncio.create_task(inbox.put(Arrival(link, message(2))))
    await asyncio.sleep(0)
    assert not putting.done()
    await inbox.take(None)
    await asyncio.wait_for(putting, 5)
    await inbox.take(None)
    assert await inbox.take(0.001) is None


def test_each_worker_has_a_client_id_of_its_own() -> None:
    settings = MqttSettings("h", 1883, None, None, None, True, client_id="centre")
    ids = {worker_session(settings)._options.client_id for _ in range(5)}
    assert len(ids) == 5
    assert all(name.startswith("centre-") for name in ids)


def test_counters_are_prometheus_text() -> None:
    books = Books(messages=3)
    text = exposition(books, {"connected": ("1 while connected", lambda: 1.0)})
    assert "# TYPE vigil_ingest_messages_total counter\nvigil_ingest_messages_total 3\n" in text
    assert text.endswith("# TYPE vigil_ingest_connected gauge\nvigil_ingest_connected 1\n")
