"""The v1 sink against a server that says everything a real one may."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import SinkMisconfigured, SinkRejected, SinkUnavailable
from gateway.ingest.influx_v1 import InfluxV1
from gateway.ports import Fact
from tests.fakes.http_script import Asked, HttpScript, Said
from tests.servers import free_port

FACT = Fact(
    "generator", (("site", "depot-07"), ("device", "gen-1")), {"running": False, "voltage": 12.5}, 1_763_764_800_123
)
LINE = b"generator,site=depot-07,device=gen-1 running=false,voltage=12.5 1763764800123"


class Answers:
    """Gives one answer after the other, the last one for ever."""

    def __init__(self, *said: Said) -> None:
        self._said: Iterator[Said] = iter(said)
        self._last = Said()

    def __call__(self, asked: Asked) -> Said:
        self._last = next(self._said, self._last)
        return self._last


async def test_a_write_says_database_precision_and_login(tmp_path: Path) -> None:
    secret = tmp_path / "influx.secret"
    secret.write_text("密码: p\n")
    with HttpScript(Answers()) as server:
        sink = InfluxV1(server.url, "vigil/x y", "writer", secret)
        await sink.write([FACT])
        await sink.close()
    (asked,) = server.asked
    assert asked.path == "/write?db=vigil%2Fx%20y&precision=ms"
    assert asked.body == LINE
    assert asked.headers["Content-Encoding"] == "gzip"
    assert base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode() == "writer:密码: p"


async def test_a_changed_password_is_used_without_restart(tmp_path: Path) -> None:
    secret = tmp_path / "influx.secret"
    secret.write_text("old")
    with HttpScript(Answers(Said(401, b'{"error":"authorization failed"}'), Said())) as server:
        sink = InfluxV1(server.url, "vigil", "writer", secret)
        with pytest.raises(SinkMisconfigured, match="authorization failed"):
            await sink.write([FACT])
        secret.write_text("new")
        await sink.write([FACT])
        await sink.close()
    logins = [base64.b64decode(asked.headers["Authorization"][6:]) for asked in server.asked]
    assert logins == [b"writer:old", b"writer:new"]


async def test_a_password_file_that_is_gone_needs_a_person(tmp_path: Path) -> None:
    sink = InfluxV1("http://127.0.0.1:9", "vigil", "writer", tmp_path / "missing")
    with pytest.raises(SinkMisconfigured, match="missing"):
        await sink.write([FACT])


async def test_one_connection_serves_many_writes_and_outlives_the_server_s_patience() -> None:
    with HttpScript(Answers(Said(), Said(), Said(headers={"Connection": "close"}), Said())) as server:
        sink = InfluxV1(server.url, "vigil")
        for _ in range(3):
            await sink.write([FACT])
        assert server.connections == 1
        await sink.write([FACT])
        assert server.connections == 2
        await sink.close()
    assert len(server.asked) == 4


async def test_a_kept_connection_that_died_is_replaced_at_once() -> None:
    with HttpScript(Answers(Said(), Said(drop=True), Said())) as server:
        sink = InfluxV1(server.url, "vigil")
        await sink.write([FACT])
        await sink.write([FACT])
        await sink.close()
    assert len(server.asked) == 3


async def test_a_server_that_hangs_up_on_a_fresh_connection_is_unavailable() -> None:
    with HttpScript(Answers(Said(drop=True))) as server:
        sink = InfluxV1(server.url, "vigil")
        with pytest.raises(SinkUnavailable, match=r"127\.0\.0\.1"):
            await sink.write([FACT])
        assert len(server.asked) == 1


async def test_nobody_there() -> None:
    sink = InfluxV1(f"http://127.0.0.1:{free_port()}", "vigil")
    with pytest.raises(SinkUnavailable, match="refused"):
        await sink.write([FACT])


async def test_no_answer_is_given_up_in_time_and_the_next_write_is_fresh() -> None:
    with HttpScript(Answers(Said(hang=True), Said())) as server:
        sink = InfluxV1(server.url, "vigil", request_timeout_s=0.2)
        with pytest.raises(SinkUnavailable, match="no answer in time"):
            await sink.write([FACT])
        sink = InfluxV1(server.url, "vigil")
        await sink.write([FACT])
        await sink.close()
    assert server.connections == 2


async def test_a_cancelled_write_lets_go_at_once() -> None:
    with HttpScript(Answers(Said(hang=True))) as server:
        sink = InfluxV1(server.url, "vigil")
        writing = asyncio.create_task(sink.write([FACT]))
        assert await asyncio.to_thread(server.is_reached.wait, 10)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing


async def test_a_missing_database_is_created_and_the_write_repeated() -> None:
    gone = Said(404, b'{"error":"database not found: \\"vi\\\\\\"gil\\""}')
    with HttpScript(Answers(gone, Said(200, b'{"results":[{"statement_id":0}]}'), Said())) as server:
        sink = InfluxV1(server.url, 'vi"gil')
        await sink.write([FACT])
        await sink.close()
    assert [asked.path.partition("?")[0] for asked in server.asked] == ["/write", "/query", "/write"]
    assert server.asked[1].body == b"q=CREATE+DATABASE+%22vi%5C%22gil%22"


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (
            Said(200, b'{"results":[{"error":"not authorized"}]}'),
            SinkMisconfigured,
            "cannot be created: not authorized",
        ),
        (Said(403, b'{"error":"create admin user first"}'), SinkMisconfigured, "create admin user first"),
        (Said(503, b"busy", {"Retry-After": "9"}), SinkUnavailable, "busy"),
    ],
)
async def test_a_database_that_cannot_be_created(said: Said, error: type[SinkUnavailable], words: str) -> None:
    with HttpScript(Answers(Said(404, b'{"error":"database not found: \\"vigil\\""}'), said)) as server:
        sink = InfluxV1(server.url, "vigil")
        with pytest.raises(SinkUnavailable, match=words) as caught:
            await sink.write([FACT])
        assert type(caught.value) is error
        await sink.close()
    assert len(server.asked) == 2


async def test_a_database_that_stays_missing_does_not_loop() -> None:
    gone = Said(404, b'{"error":"database not found: \\"vigil\\""}')
    with HttpScript(Answers(gone, Said(200, b'{"results":[{"statement_id":0}]}'), gone)) as server:
        sink = InfluxV1(server.url, "vigil")
        with pytest.raises(SinkMisconfigured):
            await sink.write([FACT])
        await sink.close()
    assert len(server.asked) == 3


async def test_retry_after_reaches_the_caller() -> None:
    with HttpScript(Answers(Said(503, b"request throttled, queue full", {"Retry-After": "12"}))) as server:
        sink = InfluxV1(server.url, "vigil")
        with pytest.raises(SinkUnavailable) as caught:
            await sink.write([FACT])
        await sink.close()
    assert caught.value.after_s == 12.0


async def test_the_bad_point_is_named_with_the_database_s_reason() -> None:
    def answer(asked: Asked) -> Said:
        return Said(400, b'{"error":"partial write: no dropped=0"}') if b"bad" in asked.body else Said()

    with HttpScript(answer) as server:
        sink = InfluxV1(server.url, "vigil")
        facts = [FACT, Fact("bad", (), {"v": 1.0}, 1), FACT]
        with pytest.raises(SinkRejected) as caught:
            await sink.write(facts)
        await sink.close()
    assert caught.value.reasons == {1: "400 partial write: no dropped=0"}


async def test_an_answer_without_end_costs_the_connection_only() -> None:
    with HttpScript(Answers(Said(500, b"x" * 200_000), Said())) as server:
        sink = InfluxV1(server.url, "vigil")
        with pytest.raises(SinkUnavailable):
            await sink.write([FACT])
        await sink.write([FACT])
        await sink.close()
    assert server.connections == 2


async def test_writes_at_the_same_time_take_turns() -> None:
    with HttpScript(Answers()) as server:
        sink = InfluxV1(server.url, "vigil")
        await asyncio.gather(*(sink.write([FACT]) for _ in range(5)))
        await sink.close()
    assert len(server.asked) == 5
    assert server.connections == 1
