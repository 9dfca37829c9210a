"""The loop-check sheet: every point of every device with what was expected and what was seen, signed by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from html import escape

from gateway.model import MaybeValue, Point, Status, Text, Value, ValueType
from gateway.settings.scalars import NotANumber, resolve
from gateway.settings.types import DeviceSettings


class Result(Enum):
    """What came of one point."""

    FITS = Text("相符", "fits")
    DIFFERS = Text("不符", "differs")
    BAD = Text("无法使用", "cannot be used")
    DOUBTFUL = Text("超出范围", "out of range")
    NOT_COMPARED = Text("未核对", "not compared")


class Who(Enum):
    """How far it is known that this is the device its profile is for."""

    VERIFIED = Text("身份寄存器相符", "identity registers fit")
    WRONG = Text("身份不符：不是这台设备", "identity does not fit: another device")
    DOUBTFUL = Text("数值超出范围或无法解码，型号可能不对", "values out of range or undecodable: perhaps another model")
    PLAUSIBLE = Text("无身份寄存器；数值都在范围内", "no identity registers; all values are within their range")
    UNVERIFIABLE = Text(
        "身份无法核实，请核对铭牌并逐点核对", "identity not verifiable: compare the name plate and every point"
    )
    SILENT = Text("没有应答", "no answer")


@dataclass(frozen=True, slots=True)
class Row:
    """One point. `expected` is what a person saw on the device itself; None where nobody looked."""

    name: str
    label: Text | None
    unit: str
    seen: MaybeValue
    status: Status
    expected: Value | None
    result: Result


@dataclass(frozen=True, slots=True)
class DeviceSheet:
    """All points of one device."""

    device: str
    name: Text | None
    profile: str | None
    who: Who
    rows: tuple[Row, ...]

    def count(self, result: Result) -> int:
        return sum(row.result is result for row in self.rows)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One loop check. `by` signs it; `made` is local time."""

    site: str
    site_name: Text
    by: str
    made: str
    devices: tuple[DeviceSheet, ...]

    @property
    def is_passed(self) -> bool:
        """Nothing differs, no wrong device; what nobody compared is no failure."""
        wrong = (Who.WRONG, Who.DOUBTFUL, Who.SILENT)
        return all(each.who not in wrong and not each.count(Result.DIFFERS) for each in self.devices)


_MOST_DECIMALS = 4

Seen = Mapping[str, tuple[MaybeValue, Status]]

_UNDECODABLE = (Status.BadOutOfRange, Status.BadDecodingError)
_SILENT = (Status.BadTimeout, Status.BadNoCommunication, Status.BadWaitingForInitialData)


def device_sheet(device: DeviceSettings, seen: Seen, expected: Mapping[str, Value], tolerance: float) -> DeviceSheet:
    """Compare; numbers fit within `tolerance` (a share) or half of the last digit that was written."""
    rows = []
    for point in device.points:
        value, status = seen.get(point.name, (None, Status.BadWaitingForInitialData))
        wanted = expected.get(point.name)
        result = _result(value, status, wanted, tolerance)
        rows.append(Row(point.name, point.label, point.unit, value, status, wanted, result))
    return DeviceSheet(device.id, device.name, device.profile, identity_of(device, seen), tuple(rows))


def _result(seen: MaybeValue, status: Status, expected: Value | None, tolerance: float) -> Result:
    if status.is_bad or seen is None:
        return Result.BAD
    if expected is None:
        return Result.NOT_COMPARED if status.is_good else Result.DOUBTFUL
    if isinstance(seen, bool | str) or isinstance(expected, bool | str):
        return Result.FITS if type(seen) is type(expected) and seen == expected else Result.DIFFERS
    room = max(tolerance * abs(float(expected)), _last_digit(expected) / 2)
    return Result.FITS if abs(float(seen) - float(expected)) <= room * (1 + 1e-9) else Result.DIFFERS


def _last_digit(number: Value) -> float:
    """The worth of the last digit that was written: 0.1 for 27.3."""
    _, point, digits = str(number).partition(".")
    return float(10 ** -len(digits)) if point else 1.0


def identity_of(device: DeviceSettings, seen: Seen) -> Who:
    """By identity registers where there are any, else by values that say where they cannot be."""
    statuses = [status for _, status in seen.values()]
    if statuses and all(status in _SILENT for status in statuses):
        return Who.SILENT
    if device.identity:
        is_wrong = bool(statuses) and all(status is Status.BadConfigurationError for status in statuses)
        return Who.WRONG if is_wrong else Who.VERIFIED
    telling = [point for point in device.points if _tells(point)]
    found = [seen[point.name][1] for point in telling if point.name in seen]
    odd = sum(status in _UNDECODABLE or status is Status.UncertainEngineeringUnitsExceeded for status in found)
    refused = sum(status is Status.BadConfigurationError for status in statuses)
    if odd or refused:
        return Who.DOUBTFUL
    return Who.PLAUSIBLE if any(status.is_good for status in found) else Who.UNVERIFIABLE


def _tells(point: Point) -> bool:
    """A value of the point can show that it is none: it has limits, or not every number has a word."""
    return point.limits is not None or bool(getattr(point.options, "words", ()))


def event_data(sheet: DeviceSheet, by: str, note: str) -> dict[str, object]:
    """What is kept of one device: an event `loop_check`."""
    return {
        "by": by,
        "note": note,
        "profile": sheet.profile,
        "identity": sheet.who.name.lower(),
        **{result.name.lower(): sheet.count(result) for result in Result},
        "points": {
            row.name: {
                "seen": row.seen,
                "status": row.status.name,
                "expected": row.expected,
                "result": row.result.name.lower(),
            }
            for row in sheet.rows
        },
    }


_TITLE = Text("回路核对表：{name}（{id}）", "Loop-check sheet: {name} ({id})")
_HEAD = (
    Text("测点", "point"),
    Text("名称", "name"),
    Text("现场值", "expected"),
    Text("网关值", "seen"),
    Text("单位", "unit"),
    Text("质量", "quality"),
    Text("结果", "result"),
)
_SIGNED = Text("核对人：{by}　时间：{made}　签名：", "Checked by: {by}   at: {made}   signature:")
_DEVICE = Text("型号文件：{profile}；身份：{who}", "profile: {profile}; identity: {who}")


def markdown(sheet: Sheet, language: str) -> str:
    """The sheet for a file or a terminal."""
    lines = [f"# {_title(sheet, language)}", ""]
    for device in sheet.devices:
        lines += [f"## {_name(device, language)}", "", _about(device, language), ""]
        lines += [_line(head[language] for head in _HEAD), _line("---" for _ in _HEAD)]
        lines += [_line(_cells(row, language)) for row in device.rows]
        lines.append("")
    lines += [_SIGNED[language].format(by=sheet.by, made=sheet.made) + " ____________________", ""]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


_STYLE = """body{font:11pt sans-serif;margin:1.5cm}table{border-collapse:collapse;width:100%;margin-bottom:1em}
th,td{border:1px solid #999;padding:2px 6px;text-align:left}h2{break-after:avoid}tr{break-inside:avoid}
.differs,.bad,.doubtful{font-weight:bold}.who{font-weight:bold}.signed{margin-top:2em}"""


def html(sheet: Sheet, language: str) -> str:
    """The sheet as one page to print."""
    title = escape(_title(sheet, language))
    parts = [
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>",
    ]
    for device in sheet.devices:
        parts.append(f"<h2>{escape(_name(device, language))}</h2>")
        parts.append(f"<p{_stress(device)}>{escape(_about(device, language))}</p><table>")
        parts.append(f"<tr>{''.join(f'<th>{escape(head[language])}</th>' for head in _HEAD)}</tr>")
        for row in device.rows:
            cells = "".join(f"<td>{escape(cell)}</td>" for cell in _cells(row, language))
            parts.append(f'<tr class="{row.result.name.lower()}">{cells}</tr>')
        parts.append("</table>")
    signed = escape(_SIGNED[language].format(by=sheet.by, made=sheet.made))
    parts.append(f'<p class="signed">{signed} ____________________</p></body></html>')
    return "\n".join(parts) + "\n"


def _stress(device: DeviceSheet) -> str:
    """What a signature has to answer for stands out on paper too."""
    return "" if device.who is Who.VERIFIED else ' class="who"'


def _title(sheet: Sheet, language: str) -> str:
    return _TITLE[language].format(name=sheet.site_name[language], id=sheet.site)


def _name(device: DeviceSheet, language: str) -> str:
    return device.device if device.name is None else f"{device.name[language]} ({device.device})"


def _about(device: DeviceSheet, language: str) -> str:
    return _DEVICE[language].format(profile=device.profile or "-", who=device.who.value[language])


def _cells(row: Row, language: str) -> Sequence[str]:
    return (
        row.name,
        row.label[language] if row.label is not None else "",
        "" if row.expected is None else shown(row.expected, language),
        "-" if row.seen is None else shown(row.seen, language),
        row.unit,
        row.status.name,
        row.result.value[language],
    )


def shown(value: Value, language: str) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return (Text("是", "true") if value else Text("否", "false"))[language]
    return number_text(value)


def said(point: Point, value: Value, language: str) -> str:
    """A value of `point` as a person reads it: words in their language."""
    word = point.words.get(value) if isinstance(value, str) else None
    return shown(value, language) if word is None else word[language]


_YES, _NO = (
    frozenset(("是", "true", "yes", "y", "1", "on", "开")),
    frozenset(("否", "false", "no", "n", "0", "off", "关")),
)


def meant(point: Point, answer: str) -> Value | None:
    """What a person says the device shows: a word in either language, yes or no, a number; None for nothing."""
    if point.type is ValueType.BOOLEAN and answer.lower() in _YES | _NO:
        return answer.lower() in _YES
    for raw, word in point.words.items():
        if answer.lower() in (raw.lower(), word.zh.lower(), word.en.lower()):
            return raw
    try:
        return resolve(answer)
    except NotANumber:
        return answer


def number_text(value: Value) -> str:
    """A float with no more digits than an instrument has; anything else as it is."""
    if not isinstance(value, float) or len(repr(value).partition(".")[2]) <= _MOST_DECIMALS:
        return str(value)
    return f"{value:.{_MOST_DECIMALS}f}" if abs(value) >= 1 else f"{value:.{_MOST_DECIMALS}g}"
