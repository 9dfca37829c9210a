"""The site file of a run: one TCP line and one device for each slave, a profile with the 60 tags, and ten rules that
each device has and that each poll makes be looked at, since the points they watch never stay the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.formula import TAG_LIST

RULES = 10


def write_site(folder: Path, ports: Sequence[str], interval_us: int, mqtt_port: int) -> Path:
    """Write site file and profile below `folder`; the site file."""
    profile = folder / "profiles" / "bench" / "slave.yaml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    points = [
        f'  {tag.name}: {{at: "holding:{tag.register}", type: {tag.type}, order: {tag.order}, scale: {tag.scale}}}'
        if tag.type not in ("int16", "uint16")
        else f'  {tag.name}: {{at: "holding:{tag.register}", type: {tag.type}, scale: {tag.scale}}}'
        for tag in TAG_LIST
    ]
    profile.write_text(_PROFILE + "\n".join(points) + "\n")
    interval = f"{interval_us // 1000}ms"
    (folder / "rules.yaml").write_text(_PACK + "".join(_RULE.format(number=number) for number in range(RULES)))
    lines = [f'  l{i}: {{tcp: "127.0.0.1:{port}"}}' for i, port in enumerate(ports)]
    devices = [
        f"  - {{id: d{i}, kind: sensor, profile: bench/slave, line: l{i}, unit: 1, interval: {interval}, timeout: 1s}}"
        for i in range(len(ports))
    ]
    site = folder / "site.yaml"
    head = _SITE.format(mqtt=mqtt_port, state=folder / "state")
    site.write_text("\n".join([head, "lines:", *lines, "devices:", *devices]) + "\n")
    return site


_PACK = """schema: 1
kind: sensor
name: {zh: 基准规则, en: Bench rules}
rules:
"""
_RULE = """  bench_{number}:
    text: {{zh: 基准, en: Bench}}
    action: {{zh: 无, en: None}}
    role: duty
    limits: {{much: 2990, little: 2900}}
    levels:
      - {{priority: low, raise: t0{number} > much, clear: t0{number} < little, on: 10s, off: 10s}}
"""
_PROFILE = """schema: 1
vendor: Bench
model: Slave
kind: sensor
name: {zh: 基准从站, en: Bench slave}
protocol: modbus
source: ["bench/formula.py"]
confidence: high
points:
"""
_SITE = """schema: 1
site:
  id: bench
  name: {{zh: 基准, en: Bench}}
  kind: warehouse
  location: {{lat: 36.62, lon: 101.8}}
  timezone: Asia/Shanghai
  labels: {{city: xining, county: chengdong}}
rules: [rules.yaml]
uplink:
  mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}
state_dir: {state}"""
