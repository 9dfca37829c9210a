"""What cannot be, and shows only when a line's devices and their points are seen together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from drivers.modbus.address import AddressRange, Table
from drivers.modbus.device import reads_of
from drivers.modbus.encoding import Encoding, Form
from drivers.modbus.load import device_load
from drivers.modbus.options import ModbusDevice, ModbusLine
from drivers.modbus.per_model import PerModel
from gateway.model import Point, Text, ValueType
from gateway.settings.durations import USUAL_INTERVALS_S
from gateway.settings.protocol import Finding
from gateway.settings.types import IDENTITY_SHARE, DeviceSettings, LineSettings

#: Above it unit ids are reserved (Modbus over Serial Line V1.02, section 2.2).
_LAST_UNIT = 247
_BAUDRATES = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


def review_line(line: LineSettings, devices: Sequence[DeviceSettings]) -> list[Finding]:
    """Everything wrong with `devices` on `line`; empty when all is well."""
    if not isinstance(line.options, ModbusLine):
        raise TypeError(f"line {line.id} is not a Modbus line")
    findings = list(_review_shared_units(line.options, devices))
    for device in devices:
        found = [*_review_unit(line.options, device), *_review_points(device)]
        findings += found
    if not findings:
        findings += _review_load(line, devices)
    return findings


def _review_unit(line: ModbusLine, device: DeviceSettings) -> Iterator[Finding]:
    options = device.options
    if isinstance(options, ModbusDevice) and options.unit == 0 and line.framing != "tcp":
        yield Finding(
            device.id,
            None,
            "unit",
            Text("0 是广播地址，没有设备应答", "unit 0 is for broadcasts, which nobody answers"),
            Text("请写设备的地址，1 到 247", "write the device's own unit id, 1 to 247"),
        )


def _review_shared_units(line: ModbusLine, devices: Sequence[DeviceSettings]) -> Iterator[Finding]:
    """On one pair of wires each device has a unit of its own; a reserved one, which some devices answer whatever their
    own is, does where nobody else is."""
    if line.framing == "tcp":
        return
    owners: dict[int, str] = {}
    for device in devices:
        if not isinstance(device.options, ModbusDevice):
            continue
        unit = device.options.unit
        owner = owners.setdefault(unit, device.id)
        if owner != device.id:
            yield Finding(
                device.id,
                None,
                "unit",
                Text(f"设备 {owner} 已用站号 {unit}", f"device {owner} has unit {unit} on this line"),
                Text("请给每台设备写自己的站号", "write the unit id that each device is set to"),
            )
        elif unit > _LAST_UNIT and len(devices) > 1:
            yield Finding(
                device.id,
                None,
                "unit",
                Text(f"站号 {unit} 是保留的", f"unit {unit} is reserved"),
                Text(
                    "请写设备的地址，1 到 247；只有独占一条线路的设备可用它",
                    "write the device's own unit id, 1 to 247; only a device alone on its line may have this one",
                ),
            )


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of `points:`."""

    name: str
    encoding: Encoding
    type: ValueType


def _entries(points: Iterable[Point]) -> list[_Entry]:
    """The words of one `bits` are one entry."""
    entries: dict[str, _Entry] = {}
    for point in points:
        if not isinstance(point.options, Encoding):
            raise TypeError(f"{point.name} is not a Modbus point")
        entries.setdefault(point.options.entry, _Entry(point.options.entry, point.options, point.type))
    return list(entries.values())


@dataclass(frozen=True, slots=True)
class _Map:
    """The points of a model, and what is wrong with them whatever device they are read from."""

    entries: Sequence[_Entry]
    longest: int
    """Registers of the longest."""
    faults: Sequence[Finding]
    """Of no device yet."""


def _make_map(points: Sequence[Point]) -> _Map:
    entries = _entries(points)
    longest = max((entry.encoding.count for entry in entries if not entry.encoding.table.of_bits), default=0)
    return _Map(entries, longest, [*_review_overlaps(entries), *_review_scales(points)])


_maps = PerModel(_make_map)


def _review_points(device: DeviceSettings) -> Iterator[Finding]:
    options = device.options
    if not isinstance(options, ModbusDevice):
        raise TypeError(f"{device.id} is not a Modbus device")
    found = _maps.of(device.points)
    if options.forbidden or options.starts or found.longest > options.max_registers:
        for entry in found.entries:
            yield from _review_reach(device.id, options, entry)
    for fault in found.faults:
        yield replace(fault, device=device.id)


def _review_reach(device: str, options: ModbusDevice, entry: _Entry) -> Iterator[Finding]:
    """One read can hold the point."""
    encoding = entry.encoding
    if not encoding.table.of_bits and encoding.count > options.max_registers:
        yield Finding(
            device,
            entry.name,
            "type",
            Text(
                f"{encoding.type.name} 占 {encoding.count} 个寄存器，一次最多读 {options.max_registers} 个",
                f"{encoding.type.with_article} takes {encoding.count} registers, "
                f"one read holds {options.max_registers}",
            ),
            Text("请改 max_registers 或 type", "change max_registers or the type"),
        )
    for each in options.forbidden:
        if _shares(encoding, each):
            yield Finding(
                device,
                entry.name,
                "at",
                Text(
                    f"它在 forbidden 的 {each.table.value}:{each.first}..{each.last} 之内",
                    f"it lies in the forbidden {each.table.value}:{each.first}..{each.last}",
                ),
                Text("请改 at 或 forbidden", "change at or forbidden"),
            )
    starts = [each for each in options.starts if each.table is encoding.table]
    if starts and not any(_reaches(encoding, address, options) for each in starts for address in _addresses(each)):
        yield Finding(
            device,
            entry.name,
            "at",
            Text("从 starts 的任何地址都读不到它", "no read from an address in starts reaches it"),
            Text("请在 starts 里加上它的地址", f"add {encoding.table.value}:{encoding.first} to starts"),
        )


def _shares(encoding: Encoding, each: AddressRange) -> bool:
    return encoding.table is each.table and encoding.first <= each.last and each.first < encoding.end


def _addresses(each: AddressRange) -> range:
    return range(each.first, each.last + 1)


def _reaches(encoding: Encoding, address: int, options: ModbusDevice) -> bool:
    longest = options.max_bits if encoding.table.of_bits else options.max_registers
    return address <= encoding.first and encoding.end - address <= longest and address % options.align == 0


def _review_overlaps(entries: Sequence[_Entry]) -> Iterator[Finding]:
    """Numbers that claim the same registers in ways that cannot both be true."""
    ordered = sorted((entry for entry in entries if not entry.encoding.table.of_bits), key=_position)
    for table in Table:
        open_entries: list[_Entry] = []
        for entry in (each for each in ordered if each.encoding.table is table):
            open_entries = [each for each in open_entries if each.encoding.end > entry.encoding.first]
            for other in open_entries:
                if _contradict(other.encoding, entry.encoding):
                    yield _overlap(entry, other)
            open_entries.append(entry)


def _position(entry: _Entry) -> tuple[int, int, str]:
    return entry.encoding.first, -entry.encoding.end, entry.name


def _contradict(one: Encoding, other: Encoding) -> bool:
    """They share registers and one must be wrong: each has some the other has not, a float is also read as something
    else, or one number stands in two orders."""
    crossing = one.first < other.first < one.end < other.end
    if crossing:
        return True
    forms = {one.type.form, other.type.form}
    if Form.FLOAT in forms and (one.type, one.order) != (other.type, other.order):
        return True
    same_place = (one.first, one.end) == (other.first, other.end)
    return same_place and one.count > 1 and one.order is not other.order


def _overlap(entry: _Entry, other: _Entry) -> Finding:
    first, last = other.encoding.first, other.encoding.end - 1
    place = f"{other.encoding.table.value}:{first}" + (f"..{last}" if last > first else "")
    return Finding(
        None,
        entry.name,
        "at",
        Text(
            f"它与 {other.name}（{other.encoding.type.name}，占 {place}）的寄存器重叠",
            f"it overlaps {other.name}, {other.encoding.type.with_article} on {place}",
        ),
        Text("请核对 at、type 和 order", "check at, type and order of both"),
    )


def _review_scales(listed: Sequence[Point]) -> Iterator[Finding]:
    """`scale_from` names another number of the device, and never comes back to where it began."""
    points = {point.name: point for point in listed}
    for point in listed:
        encoding = point.options
        if not isinstance(encoding, Encoding) or encoding.scale_from is None:
            continue
        name = encoding.scale_from.point
        target = points.get(name)
        if target is None:
            text = Text(f"没有叫 {name} 的点", f"there is no point called {name}")
            hint = Text("请写本设备的点名", "write the name of a point of this device")
        elif target.type is not ValueType.NUMBER:
            text = Text(f"{name} 不是数", f"{name} is not a number")
            hint = Text("请写数值点", "write the name of a point that is a number")
        elif _comes_back(point.name, points):
            text = Text("比例引用成了圈", "these scales go round in a circle")
            hint = Text("请去掉其中一个 scale_from", "leave one scale_from of them out")
        else:
            continue
        yield Finding(None, point.name, "scale_from", text, hint)


def _comes_back(name: str, points: dict[str, Point]) -> bool:
    at, steps = name, 0
    while steps <= len(points):
        point = points.get(at)
        encoding = point.options if point is not None else None
        if not isinstance(encoding, Encoding) or encoding.scale_from is None:
            return False
        at, steps = encoding.scale_from.point, steps + 1
        if at == name:
            return True
    return False


def _review_load(line: LineSettings, devices: Sequence[DeviceSettings]) -> Iterator[Finding]:
    """The plan fits the line's time, or else what would."""
    load = line_load(line, devices)
    if load <= 1 or not isinstance(line.options, ModbusLine):
        return
    fastest = min(point.interval_s for device in devices for point in device.points)
    choices: list[tuple[str, str]] = []
    slower = next((i for i in USUAL_INTERVALS_S if i >= fastest * load), ceil(fastest * load))
    choices.append(
        (
            f"把间隔放慢约 {ceil(load * 10) / 10:g} 倍（最快的写 {slower:g}s）",
            f"intervals {ceil(load * 10) / 10:g} times as long (the fastest: {slower:g}s)",
        )
    )
    if line.options.serial is not None or line.options.framing != "tcp":
        for baudrate in _BAUDRATES:
            if baudrate > line.options.baudrate and _load_at(line, devices, baudrate) <= 1:
                choices.append((f"baudrate: {baudrate}", f"baudrate: {baudrate}"))
                break
    yield Finding(
        None,
        None,
        "",
        Text(
            f"读完这条线上的点需要 {load:.0%} 的时间，排不下",
            f"reading all points takes {load:.0%} of this line's time, so the plan does not fit",
        ),
        Text("可行：" + "，或 ".join(zh for zh, _ in choices), "what fits: " + ", or ".join(en for _, en in choices)),
    )


def line_load(line: LineSettings, devices: Sequence[DeviceSettings]) -> float:
    """The share of the line's time that reading `devices`, and seeing that they are the right ones, takes."""
    reading = sum(device_load(reads, reads.intervals) for reads in (reads_of(line, device) for device in devices))
    return reading + IDENTITY_SHARE * sum(bool(device.identity) for device in devices)


def _load_at(line: LineSettings, devices: Sequence[DeviceSettings], baudrate: int) -> float:
    options = line.options
    if not isinstance(options, ModbusLine):
        raise TypeError(f"line {line.id} is not a Modbus line")
    faster = options.model_copy(update={"baudrate": baudrate})
    return line_load(LineSettings(line.id, line.protocol, line.endpoint, faster), devices)
