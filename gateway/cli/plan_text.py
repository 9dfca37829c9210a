"""What a site file will do, in aligned text: requests on each line, topics, series, bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from gateway.cli.tables import aligned, size
from gateway.cli.traffic import site_traffic
from gateway.errors import StoreError
from gateway.model import Text
from gateway.rules.book import load_rules
from gateway.rules.coverage import Coverage, cover
from gateway.rules.given_facts import PREFIX, GivenFacts
from gateway.settings.durations import duration_text
from gateway.settings.pace import LEVELS, at_level
from gateway.settings.protocol import LinePlan, ProtocolModel, Protocols
from gateway.settings.types import DeviceSettings, LineSettings, SiteSettings
from gateway.store.looking import look_at_documents
from gateway.wire import topics

_HEAD = (
    Text("设备", "device"),
    Text("数据区", "table"),
    Text("首地址", "first"),
    Text("数量", "count"),
    Text("测点", "points"),
    Text("周期", "every"),
    Text("线上毫秒", "wire ms"),
)


def describe(site: SiteSettings, protocols: Protocols, language: str) -> list[str]:
    """All lines of `vigil check --plan`."""
    lines: list[str] = []
    for line in site.lines:
        devices = [device for device in site.devices if device.line == line.id]
        protocol = protocols[line.protocol]
        lines += [*_line(line, devices, protocol.plan(line, devices), language)]
        lines += [*_at_levels(line, devices, protocol, language), ""]
    return [
        *lines,
        *_topics(site, language),
        "",
        *_series(site, language),
        "",
        *_bytes(site, language),
        "",
        *_coverage(site, language),
        *_overrides(site, language),
        *_given(site, language),
    ]


def _line(line: LineSettings, devices: list[DeviceSettings], plan: LinePlan, language: str) -> list[str]:
    head = Text(
        f"线路 {line.id}  {line.endpoint}  设备 {len(devices)} 台",
        f"line {line.id}  {line.endpoint}  devices: {len(devices)}",
    )
    if not plan.requests:
        return [head[language], Text("  没有请求", "  no requests")[language]]
    rows = [
        [
            request.device,
            request.table,
            str(request.first),
            str(request.count),
            str(request.points),
            duration_text(request.interval_s),
            f"{request.wire_ms:.1f}",
        ]
        for request in plan.requests
    ]
    rows.insert(0, [cell[language] for cell in _HEAD])
    cycle_ms = sum(request.wire_ms for request in plan.requests)
    marked = sum(bool(device.identity) for device in devices)
    foot = Text(
        f"  一轮共 {len(plan.requests)} 个请求，线上 {cycle_ms:.1f} ms，负载 {plan.load:.1%}"
        + (f"（含 {marked} 台设备的身份核对）" if marked else ""),
        f"  one cycle: {len(plan.requests)} requests, {cycle_ms:.1f} ms on the wire, load {plan.load:.1%}"
        + (f" (with identity checks, devices: {marked})" if marked else ""),
    )
    return [head[language], *aligned(rows, right=range(2, 7)), foot[language]]


def _at_levels(
    line: LineSettings, devices: list[DeviceSettings], protocol: ProtocolModel, language: str
) -> Iterator[str]:
    """The load at each response level at which something is asked more often than at milder ones."""
    before = devices
    for level in LEVELS:
        quicker = at_level(devices, level)
        if quicker == before:
            continue
        before = quicker
        load = protocol.plan(line, quicker).load
        changed = sum(one != other for one, other in zip(devices, quicker, strict=True))
        yield Text(
            f"  {level} 级响应时 {changed} 台设备轮询加快，负载 {load:.1%}",
            f"  at response level {level}: devices asked more often: {changed}, load {load:.1%}",
        )[language]


def _topics(site: SiteSettings, language: str) -> list[str]:
    head = Text("MQTT 主题", "MQTT topics")[language]
    rows = [
        [
            topics.telemetry(site.id, device.id),
            Text(f"{len(device.points)} 个测点", f"points: {len(device.points)}")[language],
        ]
        for device in site.devices
    ]
    retained = Text("保留", "retained")[language]
    rows += [[topics.readiness(site.id, device.id), retained] for device in site.devices]
    rows += [
        [topics.alarm(site.id, "+", "+"), Text("每条报警一个，保留", "one for each alarm, retained")[language]],
        [topics.event(site.id, "+"), ""],
        [topics.readiness(site.id, topics.SITE), retained],
        [topics.status(site.id), retained],
        [topics.telemetry(site.id, topics.GATEWAY), ""],
    ]
    return [head, *aligned(rows)]


def _series(site: SiteSettings, language: str) -> list[str]:
    head = Text("InfluxDB 序列数", "InfluxDB series")[language]
    kinds = Counter(device.kind for device in site.devices)
    count = len(site.devices)
    points = sum(len(device.points) for device in site.devices)
    rows = [[kind, str(number), ""] for kind, number in sorted(kinds.items())]
    health = len(site.kinds["gateway"].points)
    each = Text("每个测点一个，含网关自身的，至多", "one for each point, the gateway's own too, at most")[language]
    rows += [
        ["point_quality", str(points + health), each],
        ["quality", str(count + 1), Text("每台设备和网关", "each device and the gateway")[language]],
        ["readiness", str(count), ""],
        ["site", "1", ""],
        ["gateway", "1", ""],
    ]
    total = sum(int(row[1]) for row in rows)
    rows.append([Text("合计", "total")[language], str(total), ""])
    note = Text(
        "  另有 alarm 和 event：每种报警、每种事件一个", "  beside them alarm and event: one for each that occurs"
    )
    return [head, *aligned(rows, right=(1,)), note[language]]


def _bytes(site: SiteSettings, language: str) -> list[str]:
    traffic = site_traffic(site)
    fastest = site_traffic(replace(site, devices=tuple(at_level(site.devices, LEVELS[-1]))))
    head = Text("每天上传字节（估算）", "bytes per day sent to the broker (estimate)")[language]
    rows = [
        [
            Text("最少", "at rest")[language],
            size(traffic.at_rest),
            Text("数值都不变，只按 every 定时上报", "no value changes; points are sent every `every`")[language],
        ],
        [
            Text("最多", "at most")[language],
            size(traffic.at_most),
            Text("每次轮询所有数值都变", "every value changes at every poll")[language],
        ],
    ]
    if fastest.at_most > traffic.at_most:
        most = Text("每次轮询所有数值都变，响应级别最高时", "the same, at the most severe response level")
        rows.append(["", size(fastest.at_most), most[language]])
    note = Text(
        "  含主题、内容和 MQTT 报头，不含 TCP、TLS、报警和事件",
        "  with topic, payload and MQTT header; without TCP, TLS, alarms and events",
    )
    return [head, *aligned(rows, right=(1,)), note[language]]


def _coverage(site: SiteSettings, language: str) -> list[str]:
    """What nobody watches."""
    found = cover(site, load_rules(site, language))
    rows = [[each.device, _blindness(each, language)] for each in found if each.is_blind or not each.rules]
    points, unwatched = sum(each.points for each in found), sum(len(each.unwatched) for each in found)
    note = Text(
        f"  测点 {points} 个，其中 {unwatched} 个没有规则使用（vigil rules list 列出）",
        f"  points: {points}, of which no rule looks at {unwatched} (vigil rules list names them)",
    )
    head = Text("未覆盖的设备", "equipment that is not covered")[language]
    whole = Text("  每台设备都有数据和规则", "  every device has data and rules")[language]
    return [head, *(aligned(rows) if rows else [whole]), note[language]]


def _blindness(coverage: Coverage, language: str) -> str:
    reasons = []
    if coverage.unseen:
        zh = "、".join("或".join(group) for group in coverage.unseen)
        en = ", ".join(" or ".join(group) for group in coverage.unseen)
        reasons.append(Text(f"没有必备测点 {zh}", f"mandatory points missing: {en}"))
    elif not coverage.points:
        reasons.append(Text("没有测点", "no points"))
    if not coverage.rules:
        reasons.append(Text("没有本类设备的规则", "no rules of its kind"))
    return "; ".join(reason[language] for reason in reasons)


def _overrides(site: SiteSettings, language: str) -> list[str]:
    changes = load_rules(site, language).overrides
    if not changes:
        return []
    rows = [[each.rule, each.key, f"{each.before} -> {each.after}"] for each in changes]
    return ["", Text("本站修改的规则", "rules changed at this site")[language], *aligned(rows)]


def _given(site: SiteSettings, language: str) -> list[str]:
    """Facts that people gave to the gateway of this state directory and that hold over the file."""
    head = Text("运行中设定的参数（以此为准）", "facts set while running, in force over the file")[language]
    try:
        given = GivenFacts(look_at_documents(site.state_dir, PREFIX), site).in_force(site)
    except StoreError as error:
        return ["", head, f"  {error.say(language)}"]
    rows = [[each.device, each.name, f"{_plain(each.filed)} -> {_plain(each.value)}", each.by] for each in given]
    return ["", head, *aligned(rows)] if rows else []


def _plain(value: object) -> str:
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
