"""Which points of a device may be written: those whose profile allows it and whose site allows it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from gateway.model import Point, Text
from gateway.settings.interlock import EXAMPLE, misfit
from gateway.settings.nodes import Section
from gateway.settings.points import PointEntry
from gateway.settings.problems import REMOVE, Place, Problems, suggest
from gateway.settings.types import WritePolicy
from gateway.settings.values import SiteWriteKeys, WriteKeys

#: Kinds that move, burn or feed something: a write is first armed and then made.
MACHINES = frozenset(
    {"generator", "ats", "pump", "light_tower", "forklift", "field_kitchen", "scba_compressor", "vehicle", "cold_store"}
)


def settle_writes(
    section: Section,
    allowed: Mapping[str, SiteWriteKeys],
    entries: Mapping[str, PointEntry],
    points: Sequence[Point],
    kind: str,
    problems: Problems,
) -> Mapping[str, WritePolicy]:
    """Policy by point; `allowed` is the device's `write`. What one side forbids the other cannot allow."""
    owners = {source.name: entry for entry in entries.values() for source in entry.sources}
    known = {point.name: point for point in points}
    listed = section.section("write")
    policies: dict[str, WritePolicy] = {}
    for name, site in allowed.items():
        place = listed.entries[name].key if listed is not None and name in listed.entries else section.place_of("write")
        entry = owners.get(name)
        if entry is None:
            problems.add(place, Text(f"没有测点 {name}", f"there is no point {name}"), suggest(name, owners) or REMOVE)
            continue
        keys: WriteKeys | None = entry.common.get("write")
        if keys is None:
            may = [other for other, owner in owners.items() if owner.common.get("write") is not None]
            problems.add(
                place,
                Text(f"{name} 不允许写入", f"{name} is not a point that may be written"),
                suggest(name, may) or Text("型号文件没有允许写入的测点", "its profile allows no point to be written"),
            )
            continue
        policy = _policy(keys, site, kind, place, problems)
        for clause in policy.interlock:
            reason = misfit(clause, known.get(clause.point))
            if reason is not None:
                problems.add(place, Text(f"联锁条件：{reason.zh}", f"interlock: {reason.en}"), EXAMPLE)
        policies[name] = policy
    return MappingProxyType(policies)


def _policy(keys: WriteKeys, site: SiteWriteKeys, kind: str, place: Place, problems: Problems) -> WritePolicy:
    roles = keys.roles if site.roles is None else tuple(role for role in keys.roles if role in site.roles)
    if not roles:
        problems.add(
            place,
            Text("没有角色可以写入", "no role is left that may write it"),
            Text(f"型号文件允许：{', '.join(keys.roles)}", f"its profile allows: {', '.join(keys.roles)}"),
        )
    limits = _narrower(keys.range, site.range)
    if limits is not None and limits[0] > limits[1]:
        allowed = f"[{keys.range[0]:g}, {keys.range[1]:g}]" if keys.range is not None else ""
        problems.add(
            place,
            Text("写入范围没有交集", "no value lies within both ranges"),
            Text(f"写在型号文件的范围 {allowed} 之内", f"write a range within that of the profile, {allowed}"),
        )
    two_step = kind in MACHINES or bool(keys.arm) or bool(site.arm)
    return WritePolicy(roles, limits, (keys.interlock or ()) + (site.interlock or ()), two_step)


def _narrower(one: tuple[float, float] | None, other: tuple[float, float] | None) -> tuple[float, float] | None:
    if one is None or other is None:
        return one if other is None else other
    return max(one[0], other[0]), min(one[1], other[1])
