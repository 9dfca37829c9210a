"""Small sites for tests: devices by kind and facts, without lines where only the plant matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

from gateway.model import Point, ReportPolicy, Text, Value, ValueType
from gateway.settings.types import DeviceSettings, Kind, SiteSettings

REPORT = ReportPolicy()


def point(name: str, type_: ValueType = ValueType.NUMBER, unit: str = "", options: object = None) -> Point:
    return Point(name, type_, unit, 1.0, REPORT, options)


def device(
    id_: str,
    kind: str,
    facts: Mapping[str, Value] | None = None,
    points: Sequence[Point] = (),
    line: str = "bus",
    unit: int = 1,
) -> DeviceSettings:
    return DeviceSettings(
        id=id_,
        name=None,
        kind=kind,
        profile=None,
        line=line,
        points=tuple(points),
        interval_s=1.0,
        facts=facts or {},
        mandatory=(),
        depends_on=(),
        not_measured=(),
        options=SimpleNamespace(unit=unit),
    )


def site(*devices: DeviceSettings) -> SiteSettings:
    kinds = {name: Kind(name, Text(name, name), {}, {}, ()) for name in (*(each.kind for each in devices), "tank")}
    return SiteSettings(
        source=Path("site.yaml"),
        digest="sha256:0",
        id="depot",
        name=Text("库", "depot"),
        kind="warehouse",
        latitude=None,
        longitude=None,
        timezone="Asia/Shanghai",
        labels={},
        language="en",
        facts={},
        lines=(),
        devices=devices,
        kinds=MappingProxyType(kinds),
        rules=(),
        rule_overrides={},
        required={},
        report=REPORT,
        mqtt=None,
        web=None,
        state_dir=Path("state"),
    )
