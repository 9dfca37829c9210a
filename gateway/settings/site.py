"""The site file: read, laid on profiles and vocabulary, checked as a whole, resolved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from gateway.model import Priority, ReportPolicy, Text, Value
from gateway.operators import parse_operators
from gateway.settings import texts
from gateway.settings.broker import read_broker
from gateway.settings.bundled import config_dir
from gateway.settings.devices import DeviceEntry, SiteFrame, read_devices
from gateway.settings.document import read
from gateway.settings.facts import read_facts
from gateway.settings.files import AlarmKeys, ClockKeys, SiteFile, SiteKeys, SiteMqttKeys, UplinkKeys
from gateway.settings.lines import read_lines
from gateway.settings.listen import read_web
from gateway.settings.names import review_labels
from gateway.settings.nodes import Section
from gateway.settings.notify import read_annunciator, read_notify
from gateway.settings.pace_keys import read_pace
from gateway.settings.pace_review import review_pace
from gateway.settings.packs import read_packs
from gateway.settings.paths import named_file
from gateway.settings.problems import Place, Problems, suggest
from gateway.settings.profiles import ProfileShelf
from gateway.settings.protocol import Protocols
from gateway.settings.reading import read_section
from gateway.settings.together import review_line, review_together, settle_lines
from gateway.settings.types import AlarmSettings, ClockSettings, Kind, SiteSettings
from gateway.settings.values import ReportRule
from gateway.settings.vocabulary import load_vocabulary

LONGEST_SHELF_S = 7 * 86_400.0
SHORTEST_JOURNAL_S = 30 * 86_400.0


def load_site(path: Path, protocols: Protocols, language: str = "en") -> SiteSettings:
    """The site file, resolved; ConfigError with every problem in it, its profiles and its rule packs."""
    problems = Problems(language)
    root, data = read(path, problems)
    settings = None if root is None else _resolve(path, root, data, protocols, problems)
    problems.raise_any()
    if settings is None:
        raise AssertionError("a file without problems gives settings")
    return settings


def _resolve(path: Path, root: Section, data: bytes, protocols: Protocols, problems: Problems) -> SiteSettings | None:
    base, vocabulary = path.resolve().parent, load_vocabulary()
    keys = read_section(SiteFile, root, problems)
    section = root.section("site") or Section(root.place, root.key)
    site = read_section(SiteKeys, section, problems) if "site" in root.entries else {}
    facts = _review_site(section, site, vocabulary, problems)
    report = _site_report(keys.get("report"))
    shelf = ProfileShelf([base / "profiles", config_dir() / "profiles"], protocols, vocabulary, problems)
    lines = read_lines(root.section("lines") or Section(root.place, root.key), protocols, problems)
    longest_interval_s = read_pace(root, keys.get("longest_interval"), problems)
    frame = SiteFrame(lines, shelf, vocabulary, report, facts, longest_interval_s, protocols)
    devices = read_devices(root.get("devices"), frame, problems)
    settled = settle_lines(lines, devices, problems)
    review_together(devices, problems)
    for line in settled.values():
        review_line(lines[line.id], line, devices, problems)
    if not len(problems):
        for line in settled.values():
            review_pace(lines[line.id], line, devices, root, problems)
    _review_names(root, section, vocabulary, devices, problems)
    packs = read_packs(root, base, problems)
    web = read_web(root, keys.get("web"), base, problems)
    operators_file = _operators(root, keys.get("operators_file"), base, problems)
    sound = [device.settings for device in devices if device.settings is not None]
    notify = read_notify(root, keys.get("notify"), site.get("language", "zh"), sound, base, problems)
    annunciator = read_annunciator(root, keys.get("annunciator"), sound, problems)
    uplink = root.section("uplink")
    mqtt_section = uplink.section("mqtt") if uplink is not None else None
    if uplink is not None:
        read_section(UplinkKeys, uplink, problems)
    mqtt = None if mqtt_section is None else read_broker(SiteMqttKeys, mqtt_section, base, problems)
    alarms = _alarms(root, keys.get("alarms"), problems)
    if len(problems):
        return None
    contents = {name: read_ for device in devices if device.profile for name, read_ in device.profile.contents}
    location = site["location"]
    return SiteSettings(
        source=path,
        digest=_digest(data, contents | packs),
        id=site["id"],
        name=site["name"],
        kind=site["kind"],
        latitude=location.lat if location is not None else None,
        longitude=location.lon if location is not None else None,
        timezone=site["timezone"],
        labels=MappingProxyType(site["labels"]),
        language=site["language"],
        facts=MappingProxyType(facts),
        lines=tuple(settled.values()),
        devices=tuple(device.settings for device in devices if device.settings is not None),
        kinds=vocabulary,
        rules=keys["rules"],
        rule_overrides=MappingProxyType(keys["rule_overrides"]),
        required=MappingProxyType(keys["required"]),
        report=report,
        mqtt=mqtt,
        web=web,
        state_dir=base / keys["state_dir"],
        operators_file=operators_file,
        clock=_clock(keys.get("clock")),
        alarms=alarms,
        notify=notify,
        annunciator=annunciator,
    )


def _review_site(
    section: Section, site: Mapping[str, Any], vocabulary: Mapping[str, Kind], problems: Problems
) -> dict[str, Value]:
    """The site's facts, by the vocabulary of its kind."""
    kind = site.get("kind")
    if kind is not None and kind not in vocabulary:
        problems.add(section.place_of("kind"), texts.no_kind(kind), suggest(kind, vocabulary))
    timezone = site.get("timezone")
    if timezone is not None and not _is_timezone(timezone):
        problems.add(
            section.place_of("timezone"),
            Text(f"没有时区 {timezone}", f"there is no time zone {timezone}"),
            _zone_hint(timezone),
        )
    facts = section.section("facts")
    known = vocabulary.get(kind or "")
    return {} if facts is None or known is None else read_facts(facts, known.facts, problems)


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zone_hint(name: str) -> Text:
    close = get_close_matches(name, available_timezones(), n=1, cutoff=0.8)
    example = close[0] if close else "Asia/Shanghai"
    return Text(f"例如 {example}", f"such as {example}")


def _site_report(rule: ReportRule | None) -> ReportPolicy:
    return ReportPolicy() if rule is None else rule.over(ReportPolicy())


def _review_names(
    root: Section,
    site: Section,
    vocabulary: Mapping[str, Kind],
    devices: Iterable[DeviceEntry],
    problems: Problems,
) -> None:
    """Labels that would collide, required kinds that do not exist."""
    points = {name for kind in vocabulary.values() for name in kind.points}
    points |= {source.name for device in devices for entry in device.points.values() for source in entry.sources}
    labels = site.section("labels")
    if labels is not None:
        review_labels(labels, vocabulary, points, problems)
    required = root.section("required")
    for key, entry in required.entries.items() if required is not None else ():
        if key not in vocabulary:
            problems.add(entry.key, texts.no_kind(key), suggest(key, vocabulary))


def _clock(keys: ClockKeys | None) -> ClockSettings:
    default = ClockSettings()
    if keys is None:
        return default
    return ClockSettings(keys.hardware, default.wait_s if keys.wait is None else keys.wait)


def _alarms(root: Section, keys: AlarmKeys | None, problems: Problems) -> AlarmSettings:
    default = AlarmSettings()
    if keys is None:
        return default
    section = root.section("alarms") or root
    if keys.longest_shelf is not None and not 0 < keys.longest_shelf <= LONGEST_SHELF_S:
        problems.add(
            section.place_of("longest_shelf"),
            Text("搁置最长不超过7天，且大于0", "an alarm is shelved for more than 0 and at most 7 days"),
            Text("例如 8h", "such as 8h"),
        )
    if keys.journal is not None and keys.journal < SHORTEST_JOURNAL_S:
        problems.add(
            section.place_of("journal"),
            Text("告警日志至少保留30天", "the journal of alarms is kept for 30 days at least"),
            Text("例如 400d", "such as 400d"),
        )
    return AlarmSettings(
        two_person_ack=tuple(map(Priority, keys.two_person_ack)),
        longest_shelf_s=default.longest_shelf_s if keys.longest_shelf is None else keys.longest_shelf,
        journal_days=default.journal_days if keys.journal is None else keys.journal / 86_400,
    )


def _operators(root: Section, name: str | None, base: Path, problems: Problems) -> Path | None:
    """The operators file, which must be there; its lines are judged in it."""
    path = named_file(root, "operators_file", name, base, problems)
    if path is None:
        return None
    try:
        _, wrong = parse_operators(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        problems.add(
            root.place_of("operators_file"),
            Text(f"{path} 不是 UTF-8 文字", f"{path} cannot be read as UTF-8 text"),
            Text("用 UTF-8 编码保存", "save it as UTF-8"),
        )
        return None
    for line, text in wrong:
        problems.add(Place(str(path), line, 1, "."), text, Text("名字 角色 argon2哈希", "name role argon2-hash"))
    return path


def _digest(data: bytes, others: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in [("", data), *sorted(others.items())]:
        digest.update(f"{len(name)}:{name}:{len(content)}:".encode() + content)
    return f"sha256:{digest.hexdigest()}"
