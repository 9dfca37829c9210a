"""What judging and alarms cost: `python -m bench.judging` reads 10,000 points for 2,000 rules every second."""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from gateway.alarms.alarm import Place
from gateway.alarms.desk import Desk
from gateway.clock import SystemClock
from gateway.flow.snapshot import Snapshot
from gateway.model import Priority, Reading, Status, Verdict
from gateway.rules.judge import GATEWAY, Judge
from gateway.rules.types import RuleBook
from gateway.store import Store, open_store
from tests.rules.plant_site import PACKS, VOCABULARY, PlantSite, equipment
from tests.unit.sim.sites import site

DEVICES, POINTS, RULES, SECONDS = 200, 50, 10, 20
KEPT = (
    "not_in_auto", "emergency_stop_pushed", "fail_to_start", "battery_low", "charger_off", "battery_overcharged",
    "battery_fading", "fuel_low", "fuel_loss", "engine_cold",
)  # fmt: skip
FIRST = (
    "mode", "running", "engine_state", "emergency_stop", "fail_to_start", "battery_voltage", "fuel_level",
    "coolant_temperature", "mains_available", "heater_fault", "ambient_temperature", "charger_failure",
)  # fmt: skip


class Around:
    """Surroundings in which nothing is lost."""

    def sampled_at(self, _device: str) -> int:
        return 0

    def in_maintenance(self, _device: str) -> bool:
        return False

    def is_line_silent(self, _line: str) -> bool:
        return False


async def measure(folder: Path) -> None:
    """Print the share of one core it takes with still values, with every number changing at every poll, and while an
    alarm of every device stands; then what a storm of alarms takes from the readings until all are on disk."""
    pack = next(pack for pack in PACKS.packs if pack.kind == "generator")
    book = RuleBook((replace(pack, rules=tuple(rule for rule in pack.rules if rule.name in KEPT)),))
    model = equipment("g", "generator", {"battery_nominal_voltage": 24, "tank_capacity": 200, "expected_load": 30})
    points = tuple(sorted(model.points, key=lambda each: each.name not in FIRST))[:POINTS]
    devices = [replace(model, id=f"g-{number}", points=points) for number in range(DEVICES)]
    settings = replace(site(*devices), kinds=VOCABULARY)
    snapshot, store = Snapshot({each.id: each.points for each in devices}), open_store(folder)
    desk = Desk(settings, store, SystemClock(), lambda _row: None, Around())
    judge = Judge(settings, snapshot, book, desk.hear)
    desk.replace(settings, judge.alarm_rules(), {each.id: Place(each.kind) for each in devices})
    rules = sum(len(judge.rules(each.id).binding.rules) for each in devices)
    print(f"points {DEVICES * POINTS}, rules {rules}")
    shown = PlantSite(replace(site(model), kinds=VOCABULARY)).plant.parts["g"].values()
    names = tuple(each.name for each in points)
    ts, now = SystemClock().wall_ms(), 1000.0
    for course, spread, fault in (("still", 0.0, False), ("changing", 0.1, False), ("200 alarms", 0.1, True)):
        shown = {**shown, "fail_to_start": fault}
        costs = []
        for _ in range(SECONDS):
            ts, now = ts + 1000, now + 1.0
            readings = [_reading(each.id, ts, names, [shown[name] for name in names], spread) for each in devices]
            for reading in readings:
                snapshot.update(reading, now)
            begin = time.process_time()
            for reading in readings:
                judge.update(reading, now)
            judge.tick(now, ts)
            desk.tick()
            costs.append(time.process_time() - begin)
        print(
            f"{course:<10} {100 * statistics.median(costs):.1f} % of one core at 1 s, {len(desk.alarms())} alarms stand"
        )
    await _storm(desk, store, judge)
    store.close()


async def _storm(desk: Desk, store: Store, judge: Judge) -> None:
    """Every alarm there is, at once."""
    ts = SystemClock().wall_ms()
    found = [
        Verdict(device, rule, ts, Priority.HIGH, Priority.HIGH, False, ts, {})
        for device, rule in judge.alarm_rules()
        if device != GATEWAY and rule != "fail_to_start"
    ]
    begin, used = time.perf_counter(), time.process_time()
    for verdict in found:
        desk.hear(verdict)
    taken = time.process_time() - used
    await store.flush()
    print(
        f"storm of {len(found)} alarms: {1000 * taken / len(found):.2f} ms of CPU for each,"
        f" all on disk after {time.perf_counter() - begin:.2f} s"
    )
    used = time.process_time()
    for _ in range(SECONDS):
        desk.tick()
    print(f"a tick over {len(desk.alarms())} alarms that stand: {1000 * (time.process_time() - used) / SECONDS:.1f} ms")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder)))


def _reading(device: str, ts: int, names: tuple[str, ...], shown: list[object], spread: float) -> Reading:
    moved = [each + random.random() * spread if isinstance(each, float) else each for each in shown]
    return Reading(device, ts, names, tuple(moved), (Status.Good,) * len(names))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
