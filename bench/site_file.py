"""The site file of a run: one TCP line and one device for each slave, a profile with the 60 tags, and ten rules that
each device has and that each poll makes be looked at, since the points they watch never stay the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.formula import TAG_LIST

RULES = 10


def write_site(folder: Path, ports: Sequence[str], interval_us: int, mqtt_port: int) -> Path:
    """Write site file and profile below `folder`; the site file."""
    points = []
    for tag in TAG_LIST:
        order = "" if tag.type in ("int16", "uint16") else f", order: {tag.order}"
        points.append(f'{tag.name}: {{at: "holding:{tag.register}", type: {tag.type}{order}, scale: {tag.scale}}}')
    write_profile(folder, "slave", points)
    (folder / "rules.yaml").write_text(_PACK + "".join(_RULE.format(number=number) for number in range(RULES)))
    interval = f"{interval_us // 1000}ms"
    return write_lines(
        folder,
        ["rules: [rules.yaml]", f'uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt_port}"}}}}'],
        [f'l{i}: {{tcp: "127.0.0.1:{port}"}}' for i, port in enumerate(ports)],
        [
            f"{{id: d{i}, kind: sensor, profile: bench/slave, line: l{i}, unit: 1, interval: {interval}, timeout: 1s}}"
            for i in range(len(ports))
        ],
    )


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
model: {name}
kind: sensor
name: {{zh: 基准从站, en: Bench slave}}
protocol: modbus
source: ["bench"]
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
state_dir: {state}
"""


def write_profile(folder: Path, name: str, points: Sequence[str]) -> None:
    """The profile `bench/<name>` with these points, a line each."""
    path = folder / "profiles" / "bench" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_PROFILE.format(name=name) + "".join(f"  {point}\n" for point in points))


def write_lines(folder: Path, more: Sequence[str], lines: Sequence[str], devices: Sequence[str]) -> Path:
    """The site file: `more` are further keys, `lines` and `devices` an entry each."""
    body = [*more, "lines:", *(f"  {line}" for line in lines), "devices:", *(f"  - {device}" for device in devices)]
    site = folder / "site.yaml"
    site.write_text(_SITE.format(state=folder / "state") + "\n".join(body) + "\n")
    return site
