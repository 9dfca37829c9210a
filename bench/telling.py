"""How long an alarm takes from the register to people: `python -m bench.telling` raises a critical one again and again.

Measured from the answer that first holds the changed register to the moment the notice is handed to its channel, and to
the moment the relay of the annunciator is switched. Rules, journal, dispatch and writing are those of a running
gateway; on-delay and group_wait are 0, as they are for a critical alarm. Then what a flood of 1,000 alarms costs.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from gateway.app import Gateway, load
from gateway.model import Priority
from gateway.ports import AlarmOrder, Notice
from gateway.store import open_store
from tests.fakes.relay_board import READ_HOLDING, RelayBoard
from tests.integration.mqtt_peer import eventually
from tests.unit.dispatch.alarms import Life, alarm
from tests.unit.dispatch.people import People, route, settings

REPEATS = 50
SITE = """
schema: 1
site: {{id: bench, name: {{zh: 库, en: Depot}}, kind: warehouse}}
lines: {{lan: {{tcp: "127.0.0.1:{port}"}}, relays: {{tcp: "127.0.0.1:{relays}"}}}}
devices:
  - {{id: leak-1, kind: sensor, line: lan, unit: 1, interval: 100ms, points: {{water_detected: {{at: "holding:0.0"}}}}}}
  - {{id: relay-1, kind: sensor, line: relays, unit: 1, interval: 1s,
     points: {{siren: {{at: "coil:3", write: {{roles: [annunciator]}}}}}}, write: {{siren: {{}}}}}}
rules: [own.yaml]
notify: {{channels: {{duty: {{mqtt: true, pace: 0s}}}}}}
annunciator: {{device: relay-1, point: siren}}
clock: {{hardware: trusted}}
"""
RULES = """
schema: 1
kind: sensor
name: {zh: 规则, en: Rules}
rules:
  flooded:
    text: {zh: 进水, en: Water}
    action: {zh: 排水, en: Drain}
    role: duty
    levels: [{priority: critical, raise: water_detected, clear: "!water_detected"}]
"""


class Board(RelayBoard):
    """Notes when the changed register was first read."""

    read_at = 0.0

    def _answer(self, request: bytes) -> bytes:
        if request[0] == READ_HOLDING and self.registers.get(0) and not self.read_at:
            self.read_at = time.monotonic()
        return super()._answer(request)


class Hand:
    """A channel that takes every notice and notes when."""

    def __init__(self) -> None:
        self.took: list[float] = []

    async def send(self, notice: Notice) -> None:
        if notice.calls:
            self.took.append(time.monotonic())

    async def close(self) -> None: ...


async def measure(folder: Path) -> None:
    """Print how the two ways went, milliseconds."""
    async with Board() as board, RelayBoard() as relays:
        (folder / "own.yaml").write_text(RULES, encoding="utf-8")
        file = folder / "site.yaml"
        file.write_text(SITE.format(port=board.port, relays=relays.port), encoding="utf-8")
        site = load(file)
        store = open_store(site.state_dir)
        gateway, hand = Gateway(site, store), Hand()
        gateway.crew._make = lambda _channel: hand
        running = asyncio.create_task(gateway.run())
        handed: list[float] = []
        sounded: list[float] = []
        await relays.until(lambda: bool(relays.switched))
        for turn in range(REPEATS):
            await asyncio.sleep(0.05 * (turn % 5))
            board.read_at, hand.took[:], relays.switched[:] = 0.0, [], []
            board.registers[0] = 1
            await eventually(lambda: bool(hand.took) and bool(relays.switched))
            handed.append(1000 * (hand.took[0] - board.read_at))
            sounded.append(1000 * (relays.switched[0][0] - board.read_at))
            await gateway.pipeline.alarms.order(AlarmOrder("ack", "leak-1", "flooded", "bench", "operator"))
            board.registers[0] = 0
            await eventually(lambda: not gateway.pipeline.alarms.alarms())
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        store.close()
    for name, found in (("handed to the channel", handed), ("relay switched", sounded)):
        ordered = sorted(found)
        print(
            f"{name:<22} median {statistics.median(ordered):6.1f} ms   p95 {ordered[int(0.95 * len(ordered))]:6.1f} ms"
            f"   longest {ordered[-1]:6.1f} ms"
        )


def flood(alarms: int = 1000) -> None:
    """Print what deciding costs when so many alarms come in ten seconds, and how many notices they become."""
    people = People(settings(route("duty")))
    begin = time.process_time()
    for number in range(alarms):
        priority = (Priority.LOW, Priority.MEDIUM, Priority.HIGH)[number % 3]
        people.hear(Life(alarm(f"device-{number % 100}", f"rule_{number // 100}", priority=priority)).rise(number * 10))
        people.wait(10_000 // alarms)
    people.wait(60_000)
    spent = time.process_time() - begin
    print(f"flood of {alarms} alarms: {len(people.said)} notices, {1000 * spent / alarms:.2f} ms of CPU for each alarm")


def main() -> None:
    flood()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    main()
