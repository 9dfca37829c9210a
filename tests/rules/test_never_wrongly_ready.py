"""Whatever happens in whatever order: a device called ready is seen, and nothing is known that speaks against it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.flow.snapshot import Snapshot
from gateway.model import ReadinessState
from gateway.rules.judge import Judge
from gateway.rules.memory import JudgeMemory
from gateway.rules.readiness import Effect
from tests.rules.plant_site import PACKS, PlantSite, equipment, plant_site
from tests.unit.rules.test_judge import Kept

MANDATORY = ("emergency_stop", "battery_voltage", "fuel_level", "coolant_temperature", "run_time")
OLD_S = 5.0
"""Three polls, and at least this."""
ACTIONS = [
    *("poll", "poll", "wait", "silence", "answer", "restart", "reload", "clock forward", "clock back"),
    *("manual", "auto", "push", "release", "drain", "refuel", "order", "no order", "flood", "dry", "level II", "spare"),
    *(f"bad {point}" for point in MANDATORY),
    "good",
]


class Course:
    """A generator beside a sensor whose water takes it with it, and everything that may befall them."""

    def __init__(self) -> None:
        room = equipment("room", "sensor")
        self.site: PlantSite = plant_site(
            room, equipment("gen", "generator", {"rated_power": 50}, depends_on=("room",))
        )
        self.kept = Kept()
        self.site.pass_s(3)

    def take(self, action: str) -> None:
        site = self.site
        match action.split():
            case ["wait"]:
                for _ in range(8):
                    site.now += 1
                    site.ts += 1000
                    site.judge.tick(site.now, site.ts)
                return
            case ["silence"]:
                site.silent = {"gen"}
            case ["answer"]:
                site.silent = set()
            case ["bad", point]:
                site.bad.add(("gen", point))
            case ["good"]:
                site.bad.clear()
            case ["restart"]:
                JudgeMemory(self.kept).keep(site.judge, 1e9)
                site.snapshot = Snapshot({each.id: each.points for each in site.settings.devices})
                site.judge = Judge(site.judge.settings, site.snapshot, PACKS, site._hear)
                JudgeMemory(self.kept).restore(site.judge)
                self.check()
                return
            case ["reload"]:
                fresh = Judge(site.judge.settings, site.snapshot, PACKS, site._hear)
                fresh.carry_over(site.judge)
                site.judge = fresh
            case ["clock", way]:
                site.ts += 86_400_000 if way == "forward" else -86_400_000
            case ["manual" | "auto" as mode]:
                site.do("gen", mode=mode)
            case ["push"]:
                site.do("gen", emergency_stop="pushed")
            case ["release"]:
                site.do("gen", emergency_stop="released", fault_reset="on")
            case ["drain" | "refuel" as way]:
                site.do("gen", fuel=8 if way == "drain" else 90)
            case ["order"]:
                site.give_fact("gen", "work_order", True)
            case ["no", "order"]:
                site.give_fact("gen", "work_order", False)
            case ["flood" | "dry" as way]:
                site.do("room", water_detected="on" if way == "flood" else "off")
            case ["level", level]:
                site.give_fact("gen", "response_level", level)
            case ["spare"]:
                site.give_fact("gen", "criticality", "C")
        site.pass_s(2)

    def check(self) -> None:
        site = self.site
        found = site.judge.standing("gen")
        if found is None or found[0].state is not ReadinessState.READY:
            return
        shown = {name: site.snapshot.point("gen", name, site.now) for name in MANDATORY}
        assert all(latest.is_usable for latest in shown.values()), shown
        assert all(latest.at is not None and site.now - latest.at <= OLD_S for latest in shown.values()), shown
        assert not [each for each in site.judge.rules("gen").holding() if each.effect is not Effect.NONE]
        assert site.judge.facts("gen")["work_order"] is False
        plant = site.plant.parts["gen"].values()
        assert plant["mode"] == "auto"
        assert plant["emergency_stop"] is False
        assert float(str(plant["fuel_level"])) > 25
        room = site.snapshot.point("room", "water_detected", site.now)
        assert room.is_usable
        assert room.value is False


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=14))
def test_ready_is_never_said_of_what_is_not(course: list[str]) -> None:
    told = Course()
    for action in course:
        told.take(action)
        told.check()


@pytest.mark.parametrize("trouble", [each for each in ACTIONS if each not in ("poll", "auto", "release", "refuel")])
def test_each_trouble_alone_is_checked_too(trouble: str) -> None:
    told = Course()
    told.take(trouble)
    told.check()
    told.take("poll")
    told.check()
