"""What the gateway says of itself: bad is not missing, and missing is not bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from drivers.modbus.pdu import REASONS
from gateway.app import Gateway, load
from gateway.flow.snapshot import Snapshot
from gateway.health import Health, supply, time_error
from gateway.health.itself import DISCARDS
from gateway.health.time_error import Timex, offset_s
from gateway.model import AlarmCondition, AlarmEvent, MaybeValue, Reading, Status, Suppression, Transition, Value
from gateway.settings.types import SiteSettings
from gateway.store import open_store
from tests.fakes.hand_clock import HandClock
from tests.rules.plant_site import VOCABULARY, equipment
from tests.unit.cli.test_judgement_texts import ALARM
from tests.unit.sim.sites import point, site


def ups_site(*, supplies: bool) -> SiteSettings:
    ups = equipment("ups-1", "ups")
    facts: dict[str, Value] = {**ups.facts, "supplies_gateway": supplies}
    return replace(site(replace(ups, facts=MappingProxyType(facts))), kinds=VOCABULARY)


def read(settings: SiteSettings, snapshot: Snapshot, now: float, **values: MaybeValue) -> None:
    statuses = tuple(Status.BadTimeout if value is None else Status.Good for value in values.values())
    snapshot.update(Reading("ups-1", 1, tuple(values), tuple(values.values()), statuses), now)


def test_the_ups_that_supplies_the_gateway_gives_its_supply() -> None:
    settings = ups_site(supplies=True)
    snapshot = Snapshot({each.id: each.points for each in settings.devices})
    ask = supply(lambda: settings, snapshot, lambda: 100.0)
    names = {point.name for point in settings.devices[0].points}
    assert ask().keys() == names & {"on_battery", "mains_available", "state_of_charge", "battery_voltage"}
    assert set(ask().values()) == {None}
    read(settings, snapshot, 99.0, on_battery=True, state_of_charge=42.0)
    assert (ask()["on_battery"], ask()["state_of_charge"]) == (True, 42.0)
    read(settings, snapshot, 99.0, on_battery=None, state_of_charge=42.0)
    assert ask()["on_battery"] is None


@pytest.mark.parametrize(
    ("values", "on_battery"),
    [
        ({"mains_available": True}, False),
        ({"mains_available": False}, True),
        ({"mains_available": None}, None),
        ({"input_voltage": 231.0}, False),
        ({"input_voltage": 0.0}, True),
        ({"input_voltage": None}, None),
    ],
)
def test_a_ups_that_does_not_say_so_is_on_battery_while_nothing_comes_in(
    values: dict[str, MaybeValue], on_battery: bool | None
) -> None:
    settings = ups_site(supplies=True)
    points = tuple(point(name, VOCABULARY["ups"].points[name].type) for name in (*values, "state_of_charge"))
    settings = replace(settings, devices=(replace(settings.devices[0], points=points),))
    snapshot = Snapshot({each.id: each.points for each in settings.devices})
    read(settings, snapshot, 99.0, **values, state_of_charge=90.0)
    told = supply(lambda: settings, snapshot, lambda: 100.0)()
    assert told["on_battery"] is on_battery
    assert "input_voltage" not in told


def test_an_old_reading_of_the_ups_says_nothing() -> None:
    settings = ups_site(supplies=True)
    snapshot = Snapshot({each.id: each.points for each in settings.devices})
    read(settings, snapshot, 10.0, on_battery=False)
    assert supply(lambda: settings, snapshot, lambda: 100.0)()["on_battery"] is None


def test_without_such_a_ups_there_are_no_points_of_it() -> None:
    settings = ups_site(supplies=False)
    snapshot = Snapshot({each.id: each.points for each in settings.devices})
    assert supply(lambda: settings, snapshot, lambda: 0.0)() == {}


def test_what_cannot_be_told_at_first_is_a_point_all_the_same() -> None:
    told: dict[str, MaybeValue] = {"clock_offset": None}
    source: Mapping[str, MaybeValue] = told
    health = Health(ups_site(supplies=False), [lambda: source], HandClock(wall_ms=1_700_000_000_000))
    reading = health.reading()
    assert reading.statuses[reading.points.index("clock_offset")] is Status.BadNoCommunication
    told["clock_offset"] = 0.25
    reading = health.reading()
    assert reading.values[reading.points.index("clock_offset")] == 0.25


def test_a_figure_of_which_nothing_is_to_be_told_is_no_point_and_may_become_one() -> None:
    told: dict[str, MaybeValue] = {"alarm_rate": 0}
    health = Health(ups_site(supplies=False), [lambda: told], HandClock(wall_ms=1_700_000_000_000))
    before = health.points
    assert set(health.reading().statuses) == {Status.Good}
    assert health.points is before
    told["alarm_ack_time_p50"] = 12.0
    reading = health.reading()
    assert [point.name for point in health.points] == list(reading.points)
    assert dict(zip(reading.points, reading.values, strict=True))["alarm_ack_time_p50"] == 12.0
    (point,) = [each for each in health.points if each.name == "alarm_ack_time_p50"]
    assert point.unit == "s"
    del told["alarm_ack_time_p50"]
    assert "alarm_ack_time_p50" not in health.reading().points


@pytest.mark.parametrize(
    ("state", "offset", "status", "esterror", "expected"),
    [
        (0, -1_500_000, 0, 20, -1.5),
        (0, 2_000_000, 0x2000, 0, 0.002),
        (0, 0, 0, 40_000, 0.04),
        (5, 0, 0x40, 16_000_000, None),
        (-1, 0, 0, 0, None),
    ],
)
def test_the_clock_is_off_by_what_is_to_be_slewed_or_by_its_error(
    state: int, offset: int, status: int, esterror: int, expected: float | None
) -> None:
    assert offset_s(state, Timex(offset=offset, status=status, esterror=esterror)) == expected


def test_the_kernel_can_be_asked() -> None:
    (value,) = time_error()().values()
    assert value is None or abs(value) < 16


def test_every_reason_to_discard_a_frame_is_a_point() -> None:
    assert set(DISCARDS) == set(REASONS)
    assert {f"frames_discarded_{reason}" for reason in REASONS} <= VOCABULARY["gateway"].points.keys()


ALONE = """
schema: 1
site: {id: depot-07, name: {zh: 库, en: Depot}, kind: warehouse}
lines: {lan: {tcp: "127.0.0.1:9"}}
devices: [{id: tank-1, kind: tank, line: lan, unit: 1, points: {level: {at: "holding:4", unit: m}}}]
rules: [builtin/gateway]
clock: {hardware: trusted}
"""


async def test_the_quality_of_a_gateway_that_is_well_is_good_and_a_new_figure_is_told(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(ALONE, "utf-8")
    settings = load(tmp_path / "site.yaml")
    store = open_store(settings.state_dir)
    try:
        gateway = Gateway(settings, store)
        gateway._report_health()
        found = gateway.view().health()
        assert found.reading is not None
        bad = {name for name, value in zip(found.reading.points, found.reading.values, strict=True) if value is None}
        assert bad <= {"clock_offset"}, "which only a kernel knows whose clock somebody keeps"
        assert "alarm_ack_time_p95" not in found.reading.points

        now = gateway.clock.wall_ms()
        alarm = replace(ALARM, condition=AlarmCondition.ACKED, raised_at=now - 30_000)
        gateway.pipeline.alarms.metrics.note(
            Transition(1, now, AlarmEvent.ACK, AlarmCondition.UNACK, Suppression.NONE, alarm)
        )
        gateway._report_health()
        found = gateway.view().health()
        assert found.reading is not None
        values = dict(zip(found.reading.points, found.reading.values, strict=True))
        assert values["alarm_ack_time_p95"] == 30.0
        assert {point.name for point in found.points} == values.keys()
    finally:
        store.close()
