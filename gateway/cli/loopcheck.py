"""`vigil loopcheck`: every point of every device compared with what the device itself shows, signed and kept."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.at_site import WrongWords, complain, find_device
from gateway.cli.logs import quiet_lines
from gateway.cli.stopping import stop_at_once
from gateway.model import Status, Text

if TYPE_CHECKING:
    from gateway.commissioning.loop_sheet import DeviceSheet, Seen, Sheet
    from gateway.model import Value
    from gateway.settings.types import DeviceSettings, SiteSettings

_HELP = {
    "config": Text("站点配置文件", "site file"),
    "devices": Text("设备编号，默认全部", "ids of devices; all of them by default"),
    "by": Text("核对人姓名，写在表上并随事件保存", "who checks; stands on the sheet and in the event"),
    "note": Text("备注", "a note"),
    "expected": Text(
        "现场值文件：设备: {测点: 值}；不给时在键盘上逐点询问",
        "file of expected values, device: {point: value}; without it each is asked for at the keyboard",
    ),
    "out": Text("写成 .html 或 .md 文件（默认输出到屏幕）", "write an .html or .md file (default: standard output)"),
    "tolerance": Text("数值允许偏差，百分比", "how far numbers may be apart, percent"),
}
_ASK = Text(
    "{device} {point} = {seen} {unit}；现场值（回车=相同，-=未核对）：",
    "{device} {point} = {seen} {unit}; on the device (Enter = the same, - = not compared): ",
)
_STOPPED = Text("已中止，没有保存核对结果", "stopped; no result was kept")
_UNKNOWN = Text("现场值文件里的 {name} 不存在", "{name} in the file of expected values does not exist")
_DONE = Text(
    "{device}：相符 {fits}，不符 {differs}，无法使用 {bad}，超出范围 {doubtful}，未核对 {not_compared}；{who}",
    "{device}: fits {fits}, differs {differs}, bad {bad}, out of range {doubtful}, not compared {not_compared}; {who}",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    texts = {name: text[parser.get_default("lang")] for name, text in _HELP.items()}
    parser.add_argument("config", type=Path, metavar="CONFIG", help=texts["config"])
    parser.add_argument("devices", nargs="*", metavar="DEVICE", help=texts["devices"])
    parser.add_argument("--by", required=True, metavar="NAME", help=texts["by"])
    parser.add_argument("--note", default="", help=texts["note"])
    parser.add_argument("--expected", type=Path, metavar="FILE", help=texts["expected"])
    parser.add_argument("--out", type=Path, metavar="FILE", help=texts["out"])
    parser.add_argument("--tolerance", type=percent, default=0.02, metavar="PERCENT", help=texts["tolerance"])


def percent(text: str) -> float:
    """A share."""
    value = float(text) / 100
    if not 0 <= value <= 0.5:
        raise ValueError(text)
    return value


def run(options: argparse.Namespace) -> int:
    """0 where nothing differs and no device is another one; what nobody compared is no failure."""
    from gateway.app import load
    from gateway.commissioning.loop_sheet import html, markdown
    from gateway.control import ControlFailed

    site = load(options.config, options.lang)
    quiet_lines()
    stop_at_once()
    try:
        devices = [find_device(site, name) for name in options.devices] or list(site.devices)
        expected = _expected(options.expected, devices, options.lang)
        sheet = asyncio.run(_check(site, devices, expected, options))
    except WrongWords as wrong:
        complain("loopcheck", wrong.text, options.lang)
        return 2
    except ControlFailed as failure:
        complain("loopcheck", failure.text, options.lang)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        complain("loopcheck", _STOPPED, options.lang)
        return 1
    if options.out is None:
        print(markdown(sheet, options.lang))
    else:
        text = html(sheet, options.lang) if options.out.suffix == ".html" else markdown(sheet, options.lang)
        options.out.write_text(text, encoding="utf-8")
        for device in sheet.devices:
            print(_summary(device, options.lang))
    return 0 if sheet.is_passed else 1


def _expected(
    path: Path | None, devices: Sequence[DeviceSettings], language: str
) -> Mapping[str, Mapping[str, Value]] | None:
    """The file's values by device and point; None where they are asked for."""
    from gateway.settings.document import read
    from gateway.settings.nodes import plain
    from gateway.settings.problems import Problems

    if path is None:
        return None if sys.stdin.isatty() else {}
    problems = Problems(language)
    root, _ = read(path, problems)
    problems.raise_any()
    found: dict[str, dict[str, Any]] = plain(root) if root is not None else {}
    points = {device.id: {point.name for point in device.points} for device in devices}
    for device, values in found.items():
        strange = [device] if device not in points or not isinstance(values, dict) else values.keys() - points[device]
        for name in sorted(map(str, strange)):
            raise WrongWords(Text(_UNKNOWN.zh.format(name=name), _UNKNOWN.en.format(name=name)))
    return found


async def _check(
    site: SiteSettings,
    devices: Sequence[DeviceSettings],
    expected: Mapping[str, Mapping[str, Value]] | None,
    options: argparse.Namespace,
) -> Sheet:
    from gateway.cli.read import asker
    from gateway.commissioning.loop_sheet import Sheet, device_sheet

    sheets: list[DeviceSheet] = []
    for device in devices:
        async with asker(site, device) as ask:
            reading = await ask(())
        seen = {row["name"]: (row["value"], Status[row["status"]]) for row in reading["points"]}
        wanted = _ask(device, seen, options.lang) if expected is None else expected.get(device.id, {})
        sheets.append(device_sheet(device, seen, wanted, options.tolerance))
    made = time.strftime("%Y-%m-%d %H:%M")
    sheet = Sheet(site.id, site.name, options.by, made, tuple(sheets))
    await _keep(site, sheet, options.note)
    return sheet


def _ask(device: DeviceSettings, seen: Seen, language: str) -> dict[str, Value]:
    """What the device itself shows, point by point."""
    from gateway.commissioning.loop_sheet import meant, said

    answers: dict[str, Value] = {}
    for point in device.points:
        value, status = seen.get(point.name, (None, Status.BadWaitingForInitialData))
        told = status.name if value is None else said(point, value, language)
        print(_ASK[language].format(device=device.id, point=point.name, seen=told, unit=point.unit), end="", flush=True)
        answer = sys.stdin.readline().strip()
        if answer == "-":
            continue
        given = value if not answer else meant(point, answer)
        if given is not None:
            answers[point.name] = given
    return answers


async def _keep(site: SiteSettings, sheet: Sheet, note: str) -> None:
    """An event for each device, in the journal of the site."""
    from gateway.commissioning.loop_sheet import event_data
    from gateway.control import ControlClient
    from gateway.installing.direct import local_request, orders_taken
    from gateway.installing.requests import LOOP_CHECK
    from gateway.store import StateInUse, hold_state

    requests: list[dict[str, Any]] = [
        {"device": each.device, "by": sheet.by, "data": event_data(each, sheet.by, note)} for each in sheet.devices
    ]
    with contextlib.ExitStack() as stack:
        try:
            with hold_state(site.state_dir):
                pass
        except StateInUse:
            client = stack.enter_context(ControlClient(site.state_dir))
            for args in requests:
                await asyncio.to_thread(client.ask, LOOP_CHECK, args)
            return
    async with orders_taken(site) as registry:
        entry = registry.get(LOOP_CHECK)
        if entry is None:
            raise AssertionError(f"{LOOP_CHECK} is not registered")
        for args in requests:
            await entry.answer(local_request(LOOP_CHECK, args))


def _summary(device: DeviceSheet, language: str) -> str:
    from gateway.commissioning.loop_sheet import Result

    counts = {result.name.lower(): device.count(result) for result in Result}
    return _DONE[language].format(device=device.device, who=device.who.value[language], **counts)
