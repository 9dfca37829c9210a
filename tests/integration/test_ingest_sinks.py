"""Both sinks against real databases: what is stored, what is refused, and that a repeat changes nothing."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.errors import SinkMisconfigured, SinkRejected, SinkUnavailable
from gateway.ingest.influx_v1 import InfluxV1
from gateway.ingest.influx_v2 import InfluxV2
from gateway.ports import Fact, Sink
from tests.fakes.influx_v2_front import InfluxV2Front
from tests.integration.influx_rows import ask, field_types, rows
from tests.servers import Influxd, VictoriaMetrics

TS = 1_763_764_800_000
TOKEN = "s3cret-token"


def fact(number: int, **fields: bool | float | str) -> Fact:
    tags = (("site", "depot-07"), ("device", f"gen-{number % 10}"), ("city", "西宁"))
    return Fact("generator", tags, fields or {"voltage": number + 0.5, "running": bool(number % 2)}, TS + number)


@dataclass
class Bench:
    """A sink and the database whose contents it must show in."""

    sink: Sink
    influxd: Influxd


@pytest.fixture(params=["v1", "v2"])
async def bench(request: pytest.FixtureRequest, influxd: Influxd, tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench_for(request.param, influxd, tmp_path) as found:
        yield found


@asynccontextmanager
async def bench_for(api: str, influxd: Influxd, tmp_path: Path) -> AsyncIterator[Bench]:
    if api == "v1":
        sink = InfluxV1(influxd.url, "vigil")
        yield Bench(sink, influxd)
        await sink.close()
        return
    await asyncio.to_thread(ask, influxd, 'CREATE DATABASE "vigil"')
    with front_of(influxd, tmp_path) as v2:
        yield Bench(v2, influxd)
        await v2.close()


@contextmanager
def front_of(influxd: Influxd, tmp_path: Path, bucket: str = "vigil") -> Iterator[InfluxV2]:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    with InfluxV2Front(influxd.url, "vigil", org="emergency", bucket="vigil", token=TOKEN) as front:
        yield InfluxV2(front.url, "emergency", bucket, token)


async def test_values_come_back_one_to_one(bench: Bench) -> None:
    odd = {"decimal": 0.1 + 0.2, "whole": 3.0, "flag": True, "word": 'a "b" \\ c,d=e\n水泵', "tiny": 5e-324}
    await bench.sink.write([fact(1), fact(2), fact(3, **odd)])
    await bench.sink.write([fact(1), fact(2), fact(3, **odd)])
    assert rows(bench.influxd, "generator") == {
        (TS + 1, ("city", "西宁"), ("device", "gen-1"), ("site", "depot-07")): {"voltage": 1.5, "running": True},
        (TS + 2, ("city", "西宁"), ("device", "gen-2"), ("site", "depot-07")): {"voltage": 2.5, "running": False},
        (TS + 3, ("city", "西宁"), ("device", "gen-3"), ("site", "depot-07")): odd,
    }
    assert field_types(bench.influxd)["generator"] == {
        "voltage": "float",
        "running": "boolean",
        "decimal": "float",
        "whole": "float",
        "flag": "boolean",
        "word": "string",
        "tiny": "float",
    }


async def test_three_bad_points_of_five_thousand(bench: Bench) -> None:
    await bench.sink.write([fact(0)])
    facts = [fact(number) for number in range(1, 5001)]
    facts[10] = fact(11, voltage="twelve")
    facts[2500] = Fact("generator", (("site", "x" * 70_000),), {"voltage": 1.0}, TS)
    facts[4999] = fact(5000, running=1.0)
    with pytest.raises(SinkRejected) as caught:
        await bench.sink.write(facts)
    reasons = caught.value.reasons
    assert set(reasons) == {10, 2500, 4999}
    assert "field type conflict" in reasons[10]
    assert '"voltage"' in reasons[10]
    assert '"running"' in reasons[4999]
    assert "field type conflict" not in reasons[2500]
    assert len(rows(bench.influxd, "generator")) == 4998


async def test_points_beyond_retention_are_refused_as_one(influxd: Influxd) -> None:
    ask(influxd, 'CREATE DATABASE "vigil" WITH DURATION 1h')
    sink = InfluxV1(influxd.url, "vigil")
    with pytest.raises(SinkRejected) as caught:
        await sink.write([fact(number) for number in range(100)])
    await sink.close()
    assert set(caught.value.reasons) == set(range(100))
    assert all("beyond retention policy" in reason for reason in caught.value.reasons.values())


async def test_a_database_that_is_down_loses_nothing_and_takes_it_later(bench: Bench) -> None:
    await bench.sink.write([fact(1)])
    await asyncio.to_thread(bench.influxd.kill)
    with pytest.raises(SinkUnavailable):
        await bench.sink.write([fact(2)])
    await asyncio.to_thread(bench.influxd.start)
    await bench.sink.write([fact(2)])
    assert len(rows(bench.influxd, "generator")) == 2


async def test_a_login_is_needed_and_used(tmp_path: Path) -> None:
    with Influxd(tmp_path / "influxd", http="auth-enabled = true") as influxd:
        secret = tmp_path / "secret"
        secret.write_text("wrong")
        sink = InfluxV1(influxd.url, "vigil", "admin", secret)
        with pytest.raises(SinkMisconfigured, match="create admin user"):
            await sink.write([fact(1)])
        await asyncio.to_thread(ask, influxd, "CREATE USER admin WITH PASSWORD 'right' WITH ALL PRIVILEGES")
        with pytest.raises(SinkMisconfigured, match="authorization failed"):
            await sink.write([fact(1)])
        secret.write_text("right")
        await sink.write([fact(1)])
        await sink.close()


async def test_a_body_the_server_finds_too_large_is_split(tmp_path: Path) -> None:
    with Influxd(tmp_path / "influxd", http="max-body-size = 5000") as influxd:
        sink = InfluxV1(influxd.url, "vigil")
        facts = [fact(number, noise=json.dumps([number * 7919 % 1009] * (number % 7))) for number in range(3000)]
        await sink.write(facts)
        await sink.close()
        assert len(rows(influxd, "generator")) == 3000


@pytest.mark.parametrize(("bucket", "token"), [("other", TOKEN), ("vigil", "wrong")])
async def test_v2_keeps_what_a_wrong_bucket_or_token_refuses(
    influxd: Influxd, tmp_path: Path, bucket: str, token: str
) -> None:
    ask(influxd, 'CREATE DATABASE "vigil"')
    with front_of(influxd, tmp_path, bucket) as sink:
        (tmp_path / "token").write_text(token)
        with pytest.raises(SinkMisconfigured):
            await sink.write([fact(1)])
        await sink.close()
    assert rows(influxd, "generator") == {}


async def test_v2_on_a_server_without_v2_says_so(influxd: Influxd, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    sink = InfluxV2(influxd.url, "emergency", "vigil", token)
    with pytest.raises(SinkMisconfigured, match="404 page not found"):
        await sink.write([fact(1)])
    await sink.close()


async def test_v2_client_writes_to_victoria_metrics(victoria: VictoriaMetrics, tmp_path: Path) -> None:
    """A smoke test: victoria-metrics takes the client's requests; strings and flags are not kept as such there."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    sink = InfluxV2(victoria.url, "emergency", "vigil", token)
    now = int(time.time() * 1000)
    await sink.write(
        [Fact("generator", (("site", "a"),), {"voltage": number / 2}, now - number) for number in range(50)]
    )
    await sink.close()
    assert await asyncio.to_thread(voltages, victoria, 50) == {now - number: number / 2 for number in range(50)}


def voltages(victoria: VictoriaMetrics, count: int) -> dict[int, float]:
    """What victoria-metrics shows when it shows `count` points: of new ones it shows a part, or none, for a while."""
    query = urllib.parse.urlencode({"match[]": "generator_voltage"})
    give_up = time.monotonic() + 30
    while True:
        urllib.request.urlopen(f"{victoria.url}/internal/force_flush", timeout=10).close()
        with urllib.request.urlopen(f"{victoria.url}/api/v1/export?{query}", timeout=10) as answer:
            series = [json.loads(line) for line in answer]
        found = {at: value for one in series for at, value in zip(one["timestamps"], one["values"], strict=True)}
        if len(found) >= count:
            return found
        assert time.monotonic() < give_up, f"only {len(found)} of {count} points to be seen"
        time.sleep(0.1)
