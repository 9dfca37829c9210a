"""The v2 sink: what the library is told, and what its errors become."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from gateway.errors import GatewayError, SinkMisconfigured, SinkRejected, SinkUnavailable
from gateway.ingest import influx_v2
from gateway.ingest.influx_v2 import InfluxV2
from gateway.ports import Fact
from tests.fakes.http_script import Asked, HttpScript, Said
from tests.servers import free_port

FACT = Fact("generator", (("site", "depot-07"),), {"running": False, "voltage": 12.5}, 1_763_764_800_123)


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    return file


async def test_a_write_says_org_bucket_precision_and_token(token: Path) -> None:
    with HttpScript(lambda asked: Said()) as server:
        sink = InfluxV2(server.url, "应急", "vigil", token)
        await sink.write([FACT, FACT])
        await sink.close()
    (asked,) = server.asked
    path, _, query = asked.path.partition("?")
    assert path == "/api/v2/write"
    assert set(query.split("&")) == {"org=%E5%BA%94%E6%80%A5", "bucket=vigil", "precision=ms"}
    line = b"generator,site=depot-07 running=false,voltage=12.5 1763764800123"
    assert asked.body == line + b"\n" + line
    assert asked.headers["Authorization"] == "Token s3cret"
    assert asked.headers["Content-Encoding"] == "gzip"


async def test_a_changed_token_is_used_without_restart(token: Path) -> None:
    with HttpScript(lambda asked: Said() if asked.headers["Authorization"] == "Token new" else Said(401)) as server:
        sink = InfluxV2(server.url, "o", "b", token)
        with pytest.raises(SinkMisconfigured):
            await sink.write([FACT])
        await asyncio.to_thread(token.write_text, "new")
        await sink.write([FACT])
        await sink.close()
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("said", "error", "after_s"),
    [
        (Said(429, b'{"code":"too many requests"}', {"Retry-After": "9"}), SinkUnavailable, 9.0),
        (Said(503, b"busy"), SinkUnavailable, None),
        (Said(500, b"\xff"), SinkUnavailable, None),
        (Said(drop=True), SinkUnavailable, None),
        (Said(404, b'{"code":"not found","message":"bucket \\"b\\" not found"}'), SinkMisconfigured, None),
        (Said(200, b"<html>"), SinkMisconfigured, None),
        (Said(307, b"", {"Location": "http://127.0.0.1:1/"}), SinkMisconfigured, None),
    ],
)
async def test_each_answer(token: Path, said: Said, error: type[SinkUnavailable], after_s: float | None) -> None:
    with HttpScript(lambda asked: said) as server:
        sink = InfluxV2(server.url, "o", "b", token)
        with pytest.raises(SinkUnavailable) as caught:
            await sink.write([FACT])
        await sink.close()
    assert type(caught.value) is error
    assert caught.value.after_s == after_s
    assert len(server.asked) == 1, "the library must not try again by itself"


async def test_the_bad_point_is_named_with_the_database_s_reason(token: Path) -> None:
    def answer(asked: Asked) -> Said:
        return Said(422, b'{"code":"unprocessable entity","message":"no"}') if b"bad" in asked.body else Said()

    with HttpScript(answer) as server:
        sink = InfluxV2(server.url, "o", "b", token)
        with pytest.raises(SinkRejected) as caught:
            await sink.write([FACT, Fact("bad", (), {"v": 1.0}, 1), FACT])
        await sink.close()
    assert caught.value.reasons == {1: "422 no"}


async def test_nobody_there(token: Path) -> None:
    sink = InfluxV2(f"http://127.0.0.1:{free_port()}", "o", "b", token)
    with pytest.raises(SinkUnavailable, match="refused"):
        await sink.write([FACT])
    await sink.close()


async def test_no_answer_is_given_up_in_time(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx_v2, "REQUEST_TIMEOUT_S", 0.2)
    answers = iter([Said(hang=True)])
    with HttpScript(lambda asked: next(answers, Said())) as server:
        sink = InfluxV2(server.url, "o", "b", token)
        with pytest.raises(SinkUnavailable, match="in time"):
            await sink.write([FACT])
        monkeypatch.setattr(influx_v2, "REQUEST_TIMEOUT_S", 20)
        await sink.write([FACT])
        await sink.close()


async def test_a_token_file_that_is_gone_needs_a_person(tmp_path: Path) -> None:
    sink = InfluxV2("http://127.0.0.1:9", "o", "b", tmp_path / "missing")
    with pytest.raises(SinkMisconfigured, match="missing"):
        await sink.write([FACT])
    await asyncio.wait_for(sink.close(), 5)


def test_without_the_library_it_says_how_to_get_it(token: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "influxdb_client", None)
    with pytest.raises(GatewayError, match=r"vigil-gateway\[ingest\]"):
        InfluxV2("http://127.0.0.1:9", "o", "b", token)
