"""Every recording served by pymodbus over TCP and over RTU ports, read by one running gateway, seen on MQTT."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from pymodbus.simulator import SimDevice

from gateway.model import MaybeValue, Status
from tests.devices.recordings import RECORDINGS, Recording, kind_of, same
from tests.devices.serving import device, rtu_server, tcp_server
from tests.integration.mqtt_peer import Peer, peer
from tests.processes import Vigil
from tests.servers import Mosquitto, PtyPair, free_port

PORTS = 4
SERIAL = "baudrate: 115200, parity: N, stopbits: 1"
FIRST_UNIT = 11
LIMIT_S = 180.0
SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines:
{lines}
devices:
{devices}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{port}", confirm: broker}}}}
state_dir: state
"""
LINE = "  {id}: {{{where}}}"
DEVICE = (
    "  - {{id: {id}, kind: {kind}, profile: {profile}, line: {line}, unit: {unit}, interval: 20s, timeout: 5s,"
    " report: {{every: 5s}}}}"
)


def units(recordings: Sequence[Recording]) -> list[SimDevice]:
    return [device(unit, recording.tables) for unit, recording in enumerate(recordings, FIRST_UNIT)]


class Seen:
    """What MQTT last said of every point."""

    def __init__(self, heard: Peer) -> None:
        self._heard = heard
        self._taken = 0
        self.points: dict[str, dict[str, tuple[MaybeValue, Status]]] = {}

    def take(self) -> None:
        for topic, payload in self._heard.heard[self._taken :]:
            self._take(self.points.setdefault(topic.split("/")[3], {}), json.loads(payload))
        self._taken = len(self._heard.heard)

    def _take(self, points: dict[str, tuple[MaybeValue, Status]], message: Mapping[str, Any]) -> None:
        uncertain = message.get("uncertain", {})
        for name, value in message["v"].items():
            points[name] = value, Status[uncertain[name]] if name in uncertain else Status.Good
        for name, status in message.get("bad", {}).items():
            points[name] = None, Status[status]

    def wrong(self, wanted: Mapping[str, Recording]) -> dict[str, object]:
        """Every point that is not yet as recorded."""
        self.take()
        return {
            f"{recording.name} as {id_}: {name}": found
            for id_, recording in wanted.items()
            for name, (value, status) in recording.readings.items()
            if (found := self.points.get(id_, {}).get(name)) is None
            or found[1] is not status
            or not same(found[0], value)
        }


async def arrive(heard: Peer, seen: Seen, wanted: Mapping[str, Recording], gateway: Vigil) -> None:
    """Until every point is as recorded."""
    give_up = asyncio.get_running_loop().time() + LIMIT_S
    while wrong := seen.wrong(wanted):
        ended = gateway.process is None or gateway.process.poll() is not None
        if ended or asyncio.get_running_loop().time() > give_up:
            raise AssertionError(f"{len(wrong)} points: {list(wrong.items())[:20]}\n{gateway.printed()[-3000:]}")
        with contextlib.suppress(TimeoutError):
            await heard.until(lambda: not seen.wrong(wanted), timeout_s=2)


@pytest.mark.timeout(240)
async def test_all_recordings_reach_mqtt_over_tcp_and_rtu(tmp_path: Path, mosquitto: Mosquitto) -> None:
    buses = [RECORDINGS[start::PORTS] for start in range(PORTS)]
    tcp = free_port()
    async with AsyncExitStack() as stack:
        ports = [stack.enter_context(PtyPair(tmp_path / f"bus-{number}")) for number in range(PORTS)]
        everything = [recording for bus in buses for recording in bus]
        await stack.enter_async_context(tcp_server(tcp, units(everything)))
        for port, bus in zip(ports, buses, strict=True):
            await stack.enter_async_context(rtu_server(port, units(bus)))
        wanted, written = {}, []
        for line, recordings in [("lan", everything), *((f"bus-{number}", bus) for number, bus in enumerate(buses))]:
            for unit, recording in enumerate(recordings, FIRST_UNIT):
                id_ = f"{line}-{unit}"
                wanted[id_] = recording
                written.append(
                    DEVICE.format(
                        id=id_, kind=kind_of(recording.profile), profile=recording.profile, line=line, unit=unit
                    )
                )
        lines = [LINE.format(id="lan", where=f'tcp: "127.0.0.1:{tcp}"')]
        lines += [LINE.format(id=f"bus-{n}", where=f"serial: {port.a}, {SERIAL}") for n, port in enumerate(ports)]
        site = tmp_path / "site.yaml"
        site.write_text(SITE.format(lines="\n".join(lines), devices="\n".join(written), port=mosquitto.port))
        heard = await stack.enter_async_context(peer(mosquitto, "vigil/v1/depot-1/+/telemetry"))
        gateway = stack.enter_context(Vigil(tmp_path, "run", site))
        seen = Seen(heard)
        await arrive(heard, seen, wanted, gateway)
        assert gateway.stop() == 0
