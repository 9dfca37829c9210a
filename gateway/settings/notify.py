"""`notify` and `annunciator` of a site: what the keys say together, and with the site's channels, devices and kinds."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence, Sized
from pathlib import Path
from types import MappingProxyType
from typing import cast

from gateway.model import Priority, Text, ValueType
from gateway.settings.nodes import Listing, Scalar, Section
from gateway.settings.notify_keys import AnnunciatorKeys, ChannelKeys, MatchKeys, NotifyKeys, RouteKeys
from gateway.settings.notify_types import (
    BACKUP_AFTER_S,
    DEFAULT_ESCALATION,
    GIVE_UP_S,
    GROUP_INTERVAL_S,
    GROUP_WAIT_S,
    PACE_S,
    REPEAT_INTERVAL_S,
    SOUND_S,
    AnnunciatorSettings,
    ChannelSettings,
    Escalation,
    Inhibit,
    Match,
    NotifySettings,
    Quiet,
    RouteSettings,
)
from gateway.settings.notify_urls import review_urls
from gateway.settings.paths import named_file
from gateway.settings.problems import Place, Problems, suggest
from gateway.settings.types import DeviceSettings

ANNUNCIATOR_ROLE = "annunciator"
"""Who switches the coil: the point's `write` has to allow this role."""
_NOBODY_ELSE = ("_gateway", "_site")
_KINDS = ("apprise", "mqtt", "annunciator")


def read_notify(
    root: Section,
    keys: NotifyKeys | None,
    language: str,
    devices: Sequence[DeviceSettings],
    base: Path,
    problems: Problems,
) -> NotifySettings | None:
    """The way to people, where there is one."""
    section = root.section("notify")
    if section is None or keys is None:
        return None
    listed = section.section("channels") or section
    channels = {
        name: _channel(name, channel, keys.language or language, listed.section(name) or listed, root, base, problems)
        for name, channel in keys.channels.items()
    }
    _Names(channels, [device.id for device in devices], problems).review(section, keys)
    quiet = None
    if keys.quiet is not None:
        quiet = Quiet(keys.quiet.start, keys.quiet.end, _priorities(keys.quiet.priorities))
        _review_quiet(section.section("quiet") or section, quiet, problems)
    routes = (_default_route(channels),) if keys.routes is None else tuple(_route(route) for route in keys.routes)
    return NotifySettings(
        channels=MappingProxyType({name: channel for name, channel in channels.items() if channel is not None}),
        routes=routes,
        inhibit=tuple(
            Inhibit(_match(each.source), _match(each.target), each.same == "device") for each in keys.inhibit
        ),
        quiet=quiet,
        backup_after_s=keys.backup_after or BACKUP_AFTER_S,
        give_up_s=keys.give_up or GIVE_UP_S,
    )


def _channel(
    name: str, keys: ChannelKeys, language: str, section: Section, root: Section, base: Path, problems: Problems
) -> ChannelSettings | None:
    chosen = [kind for kind in _KINDS if getattr(keys, kind)]
    if len(chosen) != 1:
        problems.add(
            section.key,
            Text("渠道要写且只写一种方式", "a channel is exactly one of apprise, mqtt and annunciator"),
            Text(f"例如 {name}: {{apprise: {name}.urls}}", f"such as {name}: {{apprise: {name}.urls}}"),
        )
        return None
    (kind,) = chosen
    urls_file = named_file(section, "apprise", keys.apprise, base, problems)
    if urls_file is not None:
        review_urls(urls_file, section.place_of("apprise"), problems)
    if kind == "apprise" and importlib.util.find_spec("apprise") is None:
        problems.add(
            section.place_of("apprise"),
            Text("没有安装 apprise", "apprise is not installed"),
            Text("pip install 'vigil-gateway[notify]'", "pip install 'vigil-gateway[notify]'"),
        )
    if kind == "annunciator" and "annunciator" not in root.entries:
        problems.add(
            section.place_of("annunciator"),
            Text("站点没有 annunciator", "this site has no annunciator"),
            Text("另写 annunciator: {device: ..., point: ...}", "write annunciator: {device: ..., point: ...} too"),
        )
    pace_s = keys.pace if keys.pace is not None else 0.0 if kind == "annunciator" else PACE_S
    return ChannelSettings(name, kind, keys.language or language, keys.form or "long", pace_s, urls_file)


class _Names:
    """Whether every name in routes and inhibitions is one of the site."""

    def __init__(self, channels: Iterable[str], devices: Iterable[str], problems: Problems) -> None:
        self._channels = list(channels)
        self._devices = [*devices, *_NOBODY_ELSE]
        self._problems = problems

    def review(self, section: Section, keys: NotifyKeys) -> None:
        """Every list of names below `notify`; rules, roles and kinds are judged where the rules are known."""
        refuse_none(section, "channels", keys.channels, self._problems)
        refuse_none(section, "routes", keys.routes, self._problems)
        for index, route in enumerate(keys.routes or ()):
            place = _item(section, "routes", index)
            refuse_none(place, "to", route.to, self._problems)
            self._channels_of(place, "to", route.to)
            self._channels_of(place, "backup", route.backup)
            self._devices_of(place, route)
            for step, each in enumerate(route.escalate or ()):
                refuse_none(_item(place, "escalate", step), "to", each.to, self._problems)
                self._channels_of(_item(place, "escalate", step), "to", each.to or ())
        for index, inhibit in enumerate(keys.inhibit):
            place = _item(section, "inhibit", index)
            self._devices_of(place.section("source") or place, inhibit.source)
            self._devices_of(place.section("target") or place, inhibit.target)

    def _channels_of(self, section: Section, key: str, names: Sequence[str]) -> None:
        for index, name in enumerate(names):
            if name not in self._channels:
                self._problems.add(
                    item_place(section, key, index),
                    Text(f"没有渠道 {name}", f"there is no channel {name}"),
                    suggest(name, self._channels),
                )

    def _devices_of(self, section: Section, keys: MatchKeys) -> None:
        for index, name in enumerate(keys.devices):
            if name not in self._devices:
                self._problems.add(
                    item_place(section, "devices", index),
                    Text(f"没有设备 {name}", f"there is no device {name}"),
                    suggest(name, self._devices),
                )


def refuse_none(section: Section, key: str, entries: Sized | None, problems: Problems) -> None:
    """Say so where a list or mapping is written and holds nothing."""
    if entries is not None and not entries:
        problems.add(
            section.place_of(key),
            Text("至少写一项", "at least one entry is needed here"),
            Text("写上内容，或删去这个键", "write an entry, or remove the key"),
        )


def _item(section: Section, key: str, index: int) -> Section:
    listing = section.get(key)
    item = listing.items[index] if isinstance(listing, Listing) and index < len(listing.items) else None
    return item if isinstance(item, Section) else section


def item_place(section: Section, key: str, index: int) -> Place:
    """Where entry `index` of the list under `key` stands."""
    listing = section.get(key)
    if isinstance(listing, Listing) and index < len(listing.items) and isinstance(listing.items[index], Scalar):
        return listing.items[index].place
    return section.place_of(key)


def _review_quiet(section: Section, quiet: Quiet, problems: Problems) -> None:
    if quiet.start == quiet.end:
        problems.add(
            section.place_of("to"),
            Text("开始和结束时间相同", "these hours end when they begin"),
            Text("例如 from: 22:00, to: 06:30", "such as from: 22:00, to: 06:30"),
        )
    if Priority.CRITICAL in quiet.priorities:
        problems.add(
            section.place_of("priorities"),
            Text("红色告警任何时候都要通知", "critical alarms are told at any hour"),
            Text("priorities: [medium, low]", "priorities: [medium, low]"),
        )


def _priorities(names: Iterable[str]) -> frozenset[Priority]:
    return frozenset(Priority(name) for name in names)


def _match(keys: MatchKeys) -> Match:
    return Match(
        devices=frozenset(keys.devices),
        kinds=frozenset(keys.kinds),
        priorities=_priorities(keys.priorities),
        roles=frozenset(keys.roles),
        rules=frozenset(keys.rules),
    )


def _route(keys: RouteKeys) -> RouteSettings:
    steps = DEFAULT_ESCALATION
    if keys.escalate is not None:
        steps = tuple(
            Escalation(each.after, each.to or (), _priorities(each.priorities))
            for each in sorted(keys.escalate, key=lambda each: each.after)
        )
    return RouteSettings(
        match=_match(keys),
        to=keys.to,
        backup=keys.backup,
        group_wait_s=_over(keys.group_wait, GROUP_WAIT_S),
        group_interval_s=_over(keys.group_interval, GROUP_INTERVAL_S),
        repeat_interval_s=keys.repeat_interval or REPEAT_INTERVAL_S,
        escalate=steps,
        goes_on=keys.goes_on,
    )


def _over(chosen: float | None, default: Mapping[Priority, float]) -> Mapping[Priority, float]:
    return default if chosen is None else MappingProxyType(dict.fromkeys(default, chosen))


def _default_route(channels: Mapping[str, ChannelSettings | None]) -> RouteSettings:
    match = Match(priorities=frozenset({Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM}))
    return RouteSettings(match, tuple(channels), escalate=DEFAULT_ESCALATION)


def read_annunciator(
    root: Section, keys: AnnunciatorKeys | None, devices: Sequence[DeviceSettings], problems: Problems
) -> AnnunciatorSettings | None:
    """The horn or lamp, where there is one: a boolean point that the role annunciator may write in one step."""
    section = root.section("annunciator")
    if section is None or keys is None:
        return None
    device = next((each for each in devices if each.id == keys.device), None)
    if device is None:
        problems.add(
            section.place_of("device"),
            Text(f"没有设备 {keys.device}", f"there is no device {keys.device}"),
            suggest(keys.device, (each.id for each in devices)),
        )
        return None
    refuse_none(section, "priorities", keys.priorities, problems)
    _review_point(section, device, keys.point, problems)
    return AnnunciatorSettings(
        device=keys.device,
        point=keys.point,
        priorities=_priorities(cast("tuple[str, ...]", keys.priorities)),
        sound_s=keys.duration or SOUND_S,
        silence_s=keys.silence,
    )


def _review_point(section: Section, device: DeviceSettings, name: str, problems: Problems) -> None:
    place = section.place_of("point")
    point = next((each for each in device.points if each.name == name), None)
    policy = device.writes.get(name)
    if point is None:
        problems.add(
            place,
            Text(f"{device.id} 没有测点 {name}", f"{device.id} has no point {name}"),
            suggest(name, device.writes or (each.name for each in device.points)),
        )
    elif point.type is not ValueType.BOOLEAN:
        problems.add(
            place,
            Text(f"{name} 不是开关量", f"{name} is no boolean"),
            Text('用一个线圈，例如 at: "coil:0"', 'take a coil, such as at: "coil:0"'),
        )
    elif policy is None:
        problems.add(
            place,
            Text(f"{name} 不允许写入", f"{name} is not a point that may be written"),
            Text(
                f"测点写 write: {{roles: [{ANNUNCIATOR_ROLE}]}}，设备写 write: {{{name}: {{}}}}",
                f"write: {{roles: [{ANNUNCIATOR_ROLE}]}} at the point, and write: {{{name}: {{}}}} at the device",
            ),
        )
    elif ANNUNCIATOR_ROLE not in policy.roles:
        problems.add(
            place,
            Text(f"角色 {ANNUNCIATOR_ROLE} 不能写入 {name}", f"the role {ANNUNCIATOR_ROLE} may not write {name}"),
            Text(f"roles 里加上 {ANNUNCIATOR_ROLE}", f"add {ANNUNCIATOR_ROLE} to its roles"),
        )
    elif policy.two_step:
        problems.add(
            place,
            Text("要先预备再写入的测点不能自动驱动", "a point that is armed first cannot be switched by itself"),
            Text("警报器接到独立的继电器模块（kind: sensor）", "wire the horn to a relay module (kind: sensor)"),
        )
