"""A tick that passes over devices nothing can have changed says what one that looks at every device says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus import MODBUS
from gateway.flow import Snapshot
from gateway.model import Reading, Status
from gateway.rules.judge import Judge
from gateway.settings.site import load_site
from gateway.settings.types import SiteSettings

SITE = """
schema: 1
site:
  id: ticks
  name: {zh: 试, en: Ticks}
  kind: warehouse
  location: {lat: 36.62, lon: 101.8}
  timezone: Asia/Shanghai
lines:
  lan: {tcp: "127.0.0.1:1502"}
devices:
  - {id: fast, kind: sensor, line: lan, unit: 1, interval: 1s, points: {p: {at: "holding:0"}, q: {at: "holding:1"}}}
  - {id: slow, kind: sensor, line: lan, unit: 2, interval: 10s, points: {p: {at: "holding:0"}}}
  - {id: above, kind: sensor, line: lan, unit: 3, interval: 1s, depends_on: [slow], points: {p: {at: "holding:0"}}}
state_dir: state
"""
POINTS = {"fast": ("p", "q"), "slow": ("p",), "above": ("p",)}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> SiteSettings:
    path = tmp_path_factory.mktemp("ticks") / "site.yaml"
    path.write_text(SITE)
    return load_site(path, {MODBUS.name: MODBUS})


events = st.lists(
    st.tuples(
        st.floats(0.1, 8),
        st.sampled_from([*POINTS, None, None]),
        st.sampled_from([Status.Good, Status.Good, Status.BadTimeout, Status.UncertainEngineeringUnitsExceeded]),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(events=events)
def test_a_tick_misses_nothing(site: SiteSettings, events: list[tuple[float, str | None, Status]]) -> None:
    snapshot = Snapshot({device.id: device.points for device in site.devices})
    quick, thorough = Judge(site, snapshot), Judge(site, snapshot)
    now = 0.0
    for wait, device, status in events:
        now += wait
        ts = 1_700_000_000_000 + int(now * 1000)
        if device is not None:
            names = POINTS[device]
            values = tuple(None if status.is_bad else 1 for _ in names)
            reading = Reading(device, ts, names, values, (status,) * len(names))
            snapshot.update(reading, now)
            assert quick.update(reading, now) == thorough.update(reading, now)
        else:
            for each in thorough._devices.values():
                each.look_at = 0.0
            assert quick.tick(now, ts) == thorough.tick(now, ts)
        assert quick.site(now, ts) == thorough.site(now, ts)
