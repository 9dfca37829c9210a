"""A good site on disk, with a profile of its own, for tests to load and to break."""

from __future__ import annotations

from pathlib import Path

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")

BASE_PROFILE = """\
schema: 1
vendor: Acme
model: G series
kind: generator
name: {zh: 基本型, en: Base}
line: {baudrate: 19200, parity: E}
unit: 1
device: {interval: 2s, timeout: 2s, facts: {battery_nominal_voltage: 12, tank_capacity: 100}}
points:
  battery_voltage: {at: "holding:5", scale: 0.1}
  mode: {at: "holding:6", enum: {0: off, 1: auto}}
"""

PROFILE = """\
schema: 1
vendor: Acme
model: G1
extends: acme/base
caveats: [{zh: 一, en: one}]
source: [A manual]
identity: [{at: "holding:0", equals: 7}]
device: {facts: {rated_power: 50}}
points:
  battery_voltage: {at: "holding:7", scale: 0.01, unit: V}
  alarm: {at: "holding:8", bits: {0: low_oil, 3: overspeed}}
"""


def write_site(folder: Path, site: str = GOOD) -> Path:
    """The site file in `folder`, with everything it points to."""
    profiles = folder / "profiles" / "acme"
    profiles.mkdir(parents=True)
    (profiles / "base.yaml").write_text(BASE_PROFILE, encoding="utf-8")
    (profiles / "g1.yaml").write_text(PROFILE, encoding="utf-8")
    (folder / "own.yaml").write_text("rules: []\n", encoding="utf-8")
    (folder / "mqtt.secret").write_text("hunter2\n", encoding="utf-8")
    (folder / "ca.pem").write_text("", encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(site, encoding="utf-8")
    return path
