"""What is ready for a flood: counted by category, kind and county in the database, as the centre would ask."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Collection, Mapping
from pathlib import Path

from gateway.app import Gateway, load
from gateway.model import Reading, Status
from gateway.rules.given_facts import GivenFact
from gateway.store import open_store
from gateway.wire import topics
from gateway.wire.decode import decode
from gateway.wire.encode import frame
from gateway.wire.facts import facts
from gateway.wire.line_protocol import encode
from tests.integration.influx_rows import ask
from tests.servers import Influxd

SITE = """
schema: 1
site: {{id: {id}, name: {{zh: 库, en: Depot}}, kind: warehouse, labels: {{county: {county}}}}}
lines: {{lan: {{tcp: "127.0.0.1:1502"}}}}
devices:
{devices}
rules: [builtin/pump]
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:1883"}}}}
clock: {{hardware: trusted}}
"""
PUMP = """  - {{id: {id}, kind: pump, line: lan, unit: {unit}, interval: 1s, facts: {{drive: electric{more}}},
     points: {{mode_auto: {{at: "coil:0"}}, phase_loss: {{at: "coil:1"}}, drive_fault: {{at: "coil:2"}},
              current: {{at: "holding:0"}}, well_level: {{at: "holding:1"}}}}}}"""
READY = {"mode_auto": True, "phase_loss": False, "drive_fault": False, "current": 0, "well_level": 0}
HOW_MANY = """SELECT sum(ready) FROM (SELECT last(ready) AS ready, category FROM readiness
    WHERE kind = 'pump' AND county = '{county}' GROUP BY site, device) WHERE category = 'flood'"""


def site_file(folder: Path, id_: str, county: str, categories: Mapping[str, str]) -> Path:
    """A site of these pumps, each for its category; empty says nothing."""
    folder.mkdir()
    devices = [
        PUMP.format(id=name, unit=unit, more=f", category: {category}" if category else "")
        for unit, (name, category) in enumerate(categories.items(), 1)
    ]
    file = folder / "site.yaml"
    file.write_text(SITE.format(id=id_, county=county, devices="\n".join(devices)), encoding="utf-8")
    return file


async def told(file: Path, *, in_manual: Collection[str] = ()) -> list[bytes]:
    """The rows ingest makes of what the site says once every pump was read."""
    site = load(file)
    store = open_store(site.state_dir)
    try:
        gateway = Gateway(site, store)
        for name in (device.id for device in site.devices):
            values = READY | {"mode_auto": name not in in_manual}
            statuses = (Status.Good,) * len(values)
            gateway.pipeline.deliver(
                Reading(name, gateway.clock.wall_ms(), tuple(values), tuple(values.values()), statuses)
            )
        await store.flush()
        rows = await store.outbox.backlog((-1, -1), 1000)
        lines = []
        for row in rows:
            topic = topics.parse(row.topic)
            assert topic is not None
            message = decode(topic, frame("9c41f07be2a3", row))
            lines += [encode(fact) for fact in facts(topic, message)]
    finally:
        store.close()
    return lines


def keep(influxd: Influxd, lines: list[bytes]) -> None:
    ask(influxd, "CREATE DATABASE vigil")
    urllib.request.urlopen(f"{influxd.url}/write?db=vigil&precision=ms", b"\n".join(lines), timeout=20).close()


async def test_ready_flood_pumps_of_a_county(tmp_path: Path, influxd: Influxd) -> None:
    four = {"pump-1": "flood", "pump-2": "flood", "pump-3": "flood", "pump-4": ""}
    lines = await told(site_file(tmp_path / "1", "depot-1", "east", four), in_manual=["pump-3"])
    lines += await told(site_file(tmp_path / "2", "depot-2", "east", {"pump-1": "flood"}))
    lines += await told(site_file(tmp_path / "3", "depot-3", "west", {"pump-1": "flood", "pump-2": "forest_fire"}))
    keep(influxd, lines)
    for county, expected in (("east", 3), ("west", 1)):
        (found,) = ask(influxd, HOW_MANY.format(county=county), "vigil")
        assert found["values"][0][1] == expected
    (stocked,) = ask(influxd, "SELECT distinct(category) FROM readiness", "vigil")
    assert sorted(value for _, value in stocked["values"]) == ["flood", "forest_fire"]
    (keys,) = ask(influxd, "SHOW TAG KEYS FROM readiness", "vigil")
    assert {key for (key,) in keys["values"]} == {"site", "device", "kind", "county"}


async def test_what_was_given_while_it_runs_counts(tmp_path: Path) -> None:
    site = load(site_file(tmp_path / "1", "depot-1", "east", {"pump-1": ""}))
    store = open_store(site.state_dir)
    try:
        gateway = Gateway(site, store)
        ts = gateway.clock.wall_ms()
        gateway.pipeline.give_fact(GivenFact("pump-1", "category", "flood", "duty-1", ts, "general"), {})
        gateway.pipeline.deliver(
            Reading("pump-1", ts, tuple(READY), tuple(READY.values()), (Status.Good,) * len(READY))
        )
        await store.flush()
        rows = await store.outbox.backlog((-1, -1), 1000)
        bodies = [json.loads(frame("9c41f07be2a3", row)) for row in rows if row.topic.endswith("pump-1/readiness")]
    finally:
        store.close()
    assert bodies[-1]["category"] == "flood"
    assert bodies[-1]["labels"] == {"county": "east"}
