"""How often devices are asked at each response level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus import MODBUS
from gateway.settings import load_site
from gateway.settings.pace import LEVELS, at_level, longest_at, pace_of, paced
from gateway.settings.types import DeviceSettings, SiteSettings

SITE = """
schema: 1
site: {id: d, name: {zh: 库, en: Depot}, kind: warehouse, facts: {response_level: none}}
longest_interval: {III: 30s, II: 10s}
lines: {lan: {tcp: "127.0.0.1:502"}}
devices:
  - &tank
    {id: slow, kind: tank, line: lan, unit: 1, interval: 60s,
     points: {level: {at: "holding:1", unit: m}, temperature: {at: "holding:2", unit: °C, interval: 5m},
       volume: {at: "holding:3", unit: L, interval: 2s}}}
  - {id: quick, kind: tank, line: lan, unit: 2, interval: 1s, points: {level: {at: "holding:1", unit: m}}}
  - {id: own, kind: tank, line: lan, unit: 3, interval: 60s, longest_interval: {II: 20s, I: 1s},
     points: {level: {at: "holding:1", unit: m}}}
  - {id: sensor, kind: sensor, line: lan, unit: 4, interval: 60s, points: {level: {at: "holding:1", unit: m}}}
""".replace("&tank\n    ", "")


@pytest.fixture
def site(tmp_path: Path) -> SiteSettings:
    path = tmp_path / "site.yaml"
    path.write_text(SITE, encoding="utf-8")
    return load_site(path, {"modbus": MODBUS})


def intervals(devices: list[DeviceSettings]) -> dict[str, tuple[float, dict[str, float]]]:
    return {each.id: (each.interval_s, {point.name: point.interval_s for point in each.points}) for each in devices}


def test_nothing_is_asked_more_rarely_than_the_level_wants(site: SiteSettings) -> None:
    found = intervals(at_level(site.devices, "II"))
    assert found["slow"] == (10, {"level": 10, "temperature": 10, "volume": 2})
    assert found["quick"] == (1, {"level": 1}), "what is asked more often stays so"
    assert found["own"] == (20, {"level": 20}), "a device's own word goes before the site's"
    assert found["sensor"] == (10, {"level": 10})


def test_a_level_wants_what_milder_ones_want(site: SiteSettings) -> None:
    assert intervals(at_level(site.devices, "III"))["own"][0] == 30, "of the site, where the device says nothing"
    assert intervals(at_level(site.devices, "I"))["slow"][0] == 10
    assert intervals(at_level(site.devices, "I"))["own"][0] == 1
    for level in ("IV", "none"):
        assert at_level(site.devices, level) == list(site.devices)


def test_each_device_goes_by_its_own_level(site: SiteSettings) -> None:
    assert pace_of(site) == {}
    assert paced(site, {}) is site
    slow, quick, own, sensor = site.devices
    active = replace(own, facts={**own.facts, "response_level": "II"})
    assert pace_of(replace(site, devices=(slow, quick, active, sensor))) == {"own": 20}


def test_devices_that_are_alike_go_on_sharing_their_points(site: SiteSettings) -> None:
    slow = site.devices[0]
    twins = replace(site, devices=(slow, replace(slow, id="twin")))
    one, other = paced(twins, {"slow": 10, "twin": 10}).devices
    assert one.points is other.points
    assert one.points is not slow.points


SECONDS = st.sampled_from([0.5, 1.0, 5.0, 10.0, 60.0])


@given(st.dictionaries(st.sampled_from(LEVELS), SECONDS), SECONDS)
def test_more_severe_is_never_slower(longest: Mapping[str, float], interval_s: float) -> None:
    device = DeviceSettings(
        "d", None, "tank", None, "lan", (), interval_s, {}, (), (), (), None, longest_interval_s=longest
    )
    found = [longest_at(device, level) or interval_s for level in ("none", *LEVELS)]
    assert found == sorted(found, reverse=True)
    assert found[-1] == min([interval_s, *longest.values()])
