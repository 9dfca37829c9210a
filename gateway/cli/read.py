"""`vigil read`: the points of a device as they are now, once or again and again."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TextIO

from gateway.cli.at_site import WrongWords, add_device, check_points, complain, find_device
from gateway.cli.logs import quiet_lines
from gateway.cli.tables import aligned, is_coloured
from gateway.commissioning.loop_sheet import number_text
from gateway.model import Status, Text
from gateway.settings.types import DeviceSettings, SiteSettings

_HELP = {
    "points": Text("测点，默认全部", "points; all of them by default"),
    "watch": Text("不断刷新，按 Ctrl-C 结束", "refresh until Ctrl-C"),
    "every": Text("刷新间隔，秒", "seconds between refreshes"),
    "json": Text("每次输出一行 JSON", "one line of JSON for each reading"),
}
_HEAD = (
    Text("测点", "point"),
    Text("名称", "name"),
    Text("数值", "value"),
    Text("单位", "unit"),
    Text("质量", "quality"),
    Text("多久前", "age"),
)
_GOOD, _UNCERTAIN, _BAD = Text("良好", "good"), Text("存疑", "uncertain"), Text("坏", "bad")
_UNANSWERED = (Status.BadTimeout.name, Status.BadNoCommunication.name)
_STALE = Text("已过时", "stale")
_RED, _YELLOW, _GREEN, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
_TOP = "\x1b[H\x1b[J"

Reading = Mapping[str, Any]


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    add_device(parser)
    parser.add_argument("points", nargs="*", metavar="POINT", help=_HELP["points"][language])
    parser.add_argument("--watch", action="store_true", help=_HELP["watch"][language])
    parser.add_argument("--every", type=seconds, default=1.0, metavar="SECONDS", help=_HELP["every"][language])
    parser.add_argument("--json", action="store_true", help=_HELP["json"][language])


def seconds(text: str) -> float:
    """Between a tenth of a second and an hour."""
    value = float(text)
    if not 0.1 <= value <= 3600:
        raise ValueError(text)
    return value


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.control import ControlFailed

    site = load(options.config, options.lang)
    quiet_lines()
    try:
        device = find_device(site, options.device)
        check_points(device, options.points)
        return asyncio.run(_show(site, device, options))
    except WrongWords as wrong:
        complain("read", wrong.text, options.lang)
        return 2
    except ControlFailed as failure:
        complain("read", failure.text, options.lang)
        return 1
    except KeyboardInterrupt:
        return 0


async def _show(site: SiteSettings, device: DeviceSettings, options: argparse.Namespace) -> int:
    """The exit code: 1 where nothing was answered."""
    import json

    names = tuple(options.points)
    show = Screen(sys.stdout, options.lang, watching=options.watch).show
    async with asker(site, device) as ask:
        while True:
            began = time.monotonic()
            reading = await ask(names)
            if options.json:
                print(json.dumps(reading, ensure_ascii=False, default=str), flush=True)
            else:
                show(reading)
            why = _why_nothing(reading)
            if why is not None and not (options.watch and options.json):
                complain("read", why, options.lang)
            if not options.watch:
                return 0 if why is None else 1
            await asyncio.sleep(max(0.0, began + options.every - time.monotonic()))


def _why_nothing(reading: Reading) -> Text | None:
    """Why no point was answered; None where one was."""
    from gateway.commissioning.line_faults import line_fault

    why = reading.get("line_down")
    if isinstance(why, str):
        told = line_fault(why)
        return Text(f"线路不可用：{told.zh}", f"the line cannot be used: {told.en}")
    if all(point["status"] in _UNANSWERED for point in reading["points"]):
        device = reading["device"]
        return Text(f"{device} 没有应答", f"{device} does not answer")
    return None


@contextlib.asynccontextmanager
async def asker(site: SiteSettings, device: DeviceSettings) -> AsyncIterator[Callable[[tuple[str, ...]], Any]]:
    """How the device is asked: through the running gateway, or by itself where none runs."""
    from gateway.control import ControlClient
    from gateway.installing.direct import reading
    from gateway.store import StateInUse, hold_state

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hold_state(site.state_dir))
        except StateInUse:
            client = stack.enter_context(ControlClient(site.state_dir))

            async def ask_gateway(names: tuple[str, ...]) -> Reading:
                args = {"device": device.id, "points": list(names)}
                return await asyncio.to_thread(client.ask, "read", args)

            yield ask_gateway
            return
        async with reading(site, device) as direct:
            yield direct.read


class Screen:
    """Prints readings as a table; on a terminal in colour, and in place when it is refreshed."""

    def __init__(self, out: TextIO, language: str, *, watching: bool = False) -> None:
        self._out = out
        self._language = language
        is_terminal = out.isatty()
        self._colours = is_coloured(out)
        self._in_place = is_terminal and watching

    def show(self, reading: Reading) -> None:
        """One table."""
        lines = table(reading["points"], self._language, colours=self._colours)
        if self._in_place:
            self._out.write(_TOP)
        self._out.write("\n".join([f"{reading['device']} ({reading['kind']})", *lines, ""]) + "\n")
        self._out.flush()


def table(points: Sequence[Mapping[str, Any]], language: str, *, colours: bool) -> list[str]:
    """The lines of the table, its head first."""
    rows = [[head[language] for head in _HEAD]]
    rows += [_row(point, language) for point in points]
    lines = aligned(rows, right=(2,))
    if not colours:
        return lines
    return [lines[0], *(f"{_colour(point)}{line}{_PLAIN}" for point, line in zip(points, lines[1:], strict=True))]


def _row(point: Mapping[str, Any], language: str) -> list[str]:
    label, age_ms = point["label"], point["age_ms"]
    return [
        str(point["name"]),
        label[language] if label else "",
        value_text(point, language),
        str(point["unit"]) if point["value"] is not None else "",
        quality_text(point, language),
        "-" if age_ms is None else f"{age_ms / 1000:.1f} s",
    ]


def value_text(point: Mapping[str, Any], language: str) -> str:
    """The value as a person reads it: words in their language, `-` where there is none."""
    value, word = point["value"], point["word"]
    if value is None:
        return "-"
    if isinstance(value, bool):
        return (Text("是", "true") if value else Text("否", "false"))[language]
    return str(word[language] if word else number_text(value))


def quality_text(point: Mapping[str, Any], language: str) -> str:
    """What may be thought of the value."""
    status = Status[point["status"]]
    if status.is_bad:
        return f"{_BAD[language]} {status.name}"
    if point["stale"]:
        return _STALE[language]
    return _GOOD[language] if status.is_good else f"{_UNCERTAIN[language]} {status.name}"


def _colour(point: Mapping[str, Any]) -> str:
    status = Status[point["status"]]
    if status.is_bad:
        return _RED
    return _GREEN if status.is_good and not point["stale"] else _YELLOW
