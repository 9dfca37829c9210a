"""What judging costs: `python -m bench.judging` gives 10,000 points and 2,000 rules a reading every second."""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import replace

from gateway.flow.snapshot import Snapshot
from gateway.model import Reading, Status
from gateway.rules.judge import Judge
from gateway.rules.types import RuleBook
from tests.rules.plant_site import PACKS, START_MS, VOCABULARY, PlantSite, equipment
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


def main() -> None:
    """Print the share of one core it takes with still values and with every number changing at every poll."""
    pack = next(pack for pack in PACKS.packs if pack.kind == "generator")
    book = RuleBook((replace(pack, rules=tuple(rule for rule in pack.rules if rule.name in KEPT)),))
    model = equipment("g", "generator", {"battery_nominal_voltage": 24, "tank_capacity": 200, "expected_load": 30})
    points = tuple(sorted(model.points, key=lambda each: each.name not in FIRST))[:POINTS]
    devices = [replace(model, id=f"g-{number}", points=points) for number in range(DEVICES)]
    settings = replace(site(*devices), kinds=VOCABULARY)
    snapshot = Snapshot({each.id: each.points for each in devices})
    judge = Judge(settings, snapshot, book)
    rules = sum(len(judge.rules(each.id).binding.rules) for each in devices)
    print(f"points {DEVICES * POINTS}, rules {rules}")
    shown = PlantSite(replace(site(model), kinds=VOCABULARY)).plant.parts["g"].values()
    names = tuple(each.name for each in points)
    ts, now = START_MS, 1000.0
    for course, spread in (("still", 0.0), ("changing", 0.1)):
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
            costs.append(time.process_time() - begin)
        print(f"{course:<9} {100 * statistics.median(costs):.1f} % of one core at 1 s")


def _reading(device: str, ts: int, names: tuple[str, ...], shown: list[object], spread: float) -> Reading:
    moved = [each + random.random() * spread if isinstance(each, float) else each for each in shown]
    return Reading(device, ts, names, tuple(moved), (Status.Good,) * len(names))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
