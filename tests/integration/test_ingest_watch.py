"""The watch with a real broker and a real database: a silent site turns unknown, also after a restart of the centre."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateway.ingest.books import Books
from gateway.ingest.influx_v1 import InfluxV1
from gateway.ingest.patience import PatientSink
from gateway.ingest.site_watch import SiteWatch, watch_session
from gateway.ingest.watch import Watch
from tests.integration.influx_rows import ask, rows
from tests.integration.mqtt_peer import OUTBOX, broker_settings, eventually, peer
from tests.servers import Influxd, Mosquitto

TS = 1_763_764_800_000
ROOT = "vigil/v1/depot-07"


class FastClock:
    """The centre's clock, moved by the test; sleeping is a turn of the loop."""

    synced = True

    def __init__(self, second: float = 0.0) -> None:
        self.now = second

    def monotonic(self) -> float:
        return self.now

    def wall_ms(self) -> int:
        return TS + round(self.now * 1000)

    async def sleep_until(self, monotonic_s: float) -> None:
        await asyncio.sleep(0.01)


@asynccontextmanager
async def watching(broker: Mosquitto, influxd: Influxd, clock: FastClock) -> AsyncIterator[Watch]:
    books = Books()
    sink = InfluxV1(influxd.url, "vigil")
    watch = Watch()
    site_watch = SiteWatch(watch_session(broker_settings(broker)), PatientSink(sink, books), books, clock, watch)
    running = asyncio.create_task(site_watch.run())
    try:
        await asyncio.wait_for(site_watch.subscribed.wait(), 30)
        yield watch
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await sink.close()


def readiness(seq: int, second: int) -> dict[str, Any]:
    ts = TS + second * 1000
    return {
        "id": f"{OUTBOX}-{seq:06d}",
        "ts": ts,
        "kind": "generator",
        "labels": {"city": "xining"},
        "state": "ready",
        "since": ts,
        "valid_until": ts + 180_000,
        "score": 100,
        "reasons": [],
    }


def states(influxd: Influxd, measurement: str) -> list[tuple[int, str]]:
    return sorted(
        ((int(key[0]) - TS) // 1000, str(fields["state"]))  # type: ignore[arg-type]
        for key, fields in rows(influxd, measurement).items()
    )


async def test_a_dead_gateway_leaves_no_green_light(mosquitto: Mosquitto, influxd: Influxd) -> None:
    clock = FastClock()
    await asyncio.to_thread(ask, influxd, 'CREATE DATABASE "vigil"')
    async with peer(mosquitto) as gateway:
        async with watching(mosquitto, influxd, clock) as watch:
            await gateway.publish(f"{ROOT}/_gateway/status", {"state": "online", "since": TS}, retain=True)
            await gateway.publish(f"{ROOT}/gen-1/readiness", readiness(1, 0), retain=True)
            await eventually(lambda: watch.watched == 1)
            clock.now = 200
            await gateway.publish(f"{ROOT}/_gateway/status", {"state": "offline"}, retain=True)
            await eventually(lambda: watch.silent_sites == 1)
            clock.now = 250
            await eventually(lambda: len(states(influxd, "readiness")) == 2)
        assert states(influxd, "readiness") == [(180, "unknown"), (240, "unknown")]
        assert states(influxd, "alarm") == [(180, "UNACK")]
        clock.now = 400
        async with watching(mosquitto, influxd, clock) as watch:  # a new worker knows it from the broker alone
            clock.now = 500
            await eventually(lambda: len(states(influxd, "readiness")) == 6)
            await gateway.publish(f"{ROOT}/_gateway/status", {"state": "online", "since": TS - 5}, retain=True)
            await gateway.publish(f"{ROOT}/gen-1/readiness", readiness(9, 500), retain=True)
            await eventually(lambda: len(rows(influxd, "event")) == 1)
    assert states(influxd, "readiness") == [(second, "unknown") for second in range(180, 500, 60)]
    assert states(influxd, "alarm") == [(180, "UNACK"), (500, "NORMAL")]
    (event,) = rows(influxd, "event").values()
    assert event["cause"] == "cut_off"
    assert event["seconds"] == 320.0


async def test_a_database_outage_does_not_stop_the_watch(mosquitto: Mosquitto, influxd: Influxd) -> None:
    clock = FastClock()
    await asyncio.to_thread(ask, influxd, 'CREATE DATABASE "vigil"')
    async with peer(mosquitto) as gateway, watching(mosquitto, influxd, clock) as watch:
        await gateway.publish(f"{ROOT}/gen-1/readiness", readiness(1, 0), retain=True)
        await eventually(lambda: watch.watched == 1)
        await asyncio.to_thread(influxd.stop)
        clock.now = 200
        await eventually(lambda: watch.silent_sites == 1)
        await gateway.publish(f"{ROOT}/gen-2/readiness", readiness(2, 195), retain=True)
        await eventually(lambda: watch.watched == 2)
        await asyncio.to_thread(influxd.start)
        await eventually(lambda: len(rows(influxd, "alarm")) == 2)
    assert states(influxd, "readiness") == [(180, "unknown")]
    assert states(influxd, "alarm") == [(180, "UNACK"), (195, "NORMAL")]
