"""`vigil scan`: who is on a line. Only reads; each unit is asked one short question, those that answer a few more."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.at_site import WrongWords, complain
from gateway.cli.progress import Progress
from gateway.cli.tables import aligned
from gateway.model import Text

if TYPE_CHECKING:
    from gateway.scanning import Candidate, Found, Search
    from gateway.settings.types import LineSettings, SiteSettings

_HELP = {
    "line": Text(
        "站点文件:线路、串口设备路径，或 tcp:主机:端口", "CONFIG:line, the path of a serial port, or tcp:host:port"
    ),
    "units": Text("站号，例如 1-10,32（默认 1-247）", "units, such as 1-10,32 (default 1-247)"),
    "baud": Text("波特率，用逗号分开", "speeds, parted by commas"),
    "parity": Text("校验 N,E,O", "parities N,E,O"),
    "framing": Text("rtu、ascii 或 tcp", "rtu, ascii or tcp"),
    "timeout": Text("每个站号等待的毫秒数", "milliseconds to wait for each unit"),
    "thorough": Text(
        "无应答的站号再问一次输入寄存器，有应答的再问型号信息（功能码 43）",
        "ask silent units for an input register too, and those that answer what they are (function 43)",
    ),
    "every": Text("找到后仍试其余波特率和校验", "try the other speeds and parities even after one answered"),
    "json": Text("输出 JSON", "print JSON"),
}
_HEAD = (
    Text("站号", "unit"),
    Text("串口", "port"),
    Text("应答", "answer"),
    Text("型号信息", "says"),
    Text("可能的型号", "fits"),
)
_NOBODY = Text("没有站号应答", "no unit answered")
_NOISE = Text(
    "听到无法识别的数据：波特率、校验不对，或有站号重复",
    "something was heard that is no frame: another speed or parity, or two units with one id",
)
_STOPPED = Text("已中止，到此为止找到 {count} 个站号", "stopped; units found so far: {count}")
_THROUGH = Text(
    "网关正在运行，通过它以线路现有设置搜索", "a gateway runs: searching through it, at the line's own settings"
)
_NOT_WHILE_RUNNING = Text(
    "网关正在运行，不能改变串口设置；先停下它，或去掉 --baud 和 --parity",
    "a gateway runs and its port keeps its settings; stop it first, or leave --baud and --parity out",
)
_SERIAL_MS, _NETWORK_MS = 150, 400
_PATIENCE = 3


@dataclass
class Result:
    """What was found so far, by the setting of the line."""

    found: list[tuple[str, Found]] = field(default_factory=list)
    noisy: bool = False
    down: str | None = None


def arguments(parser: argparse.ArgumentParser) -> None:
    texts = {name: text[parser.get_default("lang")] for name, text in _HELP.items()}
    add = parser.add_argument
    add("line", metavar="LINE", help=texts["line"])
    add("--units", type=units, default=tuple(range(1, 248)), metavar="LIST", help=texts["units"])
    add("--baud", type=speeds, metavar="LIST", help=texts["baud"])
    add("--parity", type=parities, metavar="LIST", help=texts["parity"])
    add("--framing", choices=("rtu", "ascii", "tcp"), help=texts["framing"])
    add("--timeout", type=milliseconds, metavar="MS", help=texts["timeout"])
    add("--thorough", action="store_true", help=texts["thorough"])
    add("--every-setting", action="store_true", help=texts["every"])
    add("--json", action="store_true", help=texts["json"])


def units(text: str) -> tuple[int, ...]:
    """`1-10,32`: units 1 to 247, and 255 for what stands behind no gateway."""
    found: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    if not found or not all(1 <= unit <= 247 or unit == 255 for unit in found):
        raise ValueError(text)
    return tuple(dict.fromkeys(found))


def speeds(text: str) -> tuple[int, ...]:
    """`9600,19200`."""
    found = tuple(int(part) for part in text.split(","))
    if not all(300 <= speed <= 4_000_000 for speed in found):
        raise ValueError(text)
    return found


def parities(text: str) -> tuple[str, ...]:
    """`N,E`."""
    found = tuple(part.strip().upper() for part in text.split(","))
    if not set(found) <= {"N", "E", "O"}:
        raise ValueError(text)
    return found


def milliseconds(text: str) -> float:
    """Seconds."""
    value = float(text) / 1000
    if not 0.01 <= value <= 5:
        raise ValueError(text)
    return value


def run(options: argparse.Namespace) -> int:
    from gateway.cli.logs import quiet_lines
    from gateway.commissioning.line_faults import line_fault
    from gateway.control import ControlFailed

    quiet_lines()
    result = Result()
    stopped = False
    try:
        asyncio.run(_scan(options, result))
    except WrongWords as wrong:
        complain("scan", wrong.text, options.lang)
        return 2
    except ControlFailed as failure:
        complain("scan", failure.text, options.lang)
        return 1
    except KeyboardInterrupt:
        stopped = True
    _print(result, options, stopped=stopped)
    if result.down is not None:
        why = line_fault(result.down)
        complain("scan", Text(f"线路不可用：{why.zh}", f"the line cannot be used: {why.en}"), options.lang)
    return 1 if stopped or result.down is not None else 0


async def _scan(options: argparse.Namespace, result: Result) -> None:
    from gateway.app import PROTOCOLS
    from gateway.control import ControlClient
    from gateway.scanning import Search, ask_gateway, describe, load_candidates, settings_to_try
    from gateway.store import StateInUse, hold_state

    line, site = _line(options)
    timeout_s = options.timeout or (_SERIAL_MS if describe(line) else _NETWORK_MS) / 1000
    folders = () if site is None else (site.source.resolve().parent / "profiles",)
    candidates = await asyncio.to_thread(load_candidates, PROTOCOLS, folders)
    bauds, others = options.baud, options.parity
    if site is None and describe(line) and bauds is None and others is None:
        from gateway.scanning.search import BAUDRATES, PARITIES

        bauds, others = BAUDRATES, PARITIES
    with contextlib.ExitStack() as stack:
        try:
            if site is not None:
                stack.enter_context(hold_state(site.state_dir))
        except StateInUse:
            if options.baud is not None or options.parity is not None:
                raise WrongWords(_NOT_WHILE_RUNNING) from None
            print(_THROUGH[options.lang], file=sys.stderr)
            client = stack.enter_context(ControlClient(_state_dir(site)))
            asks = [ask_gateway(client, line.id, timeout_s * factor) for factor in (1, _PATIENCE)]
            progress = Progress(sys.stderr, len(options.units), options.lang)
            await _search(
                Search(asks[0], candidates, thorough=options.thorough, patient=asks[1], insists=True),
                line,
                options,
                result,
                progress,
            )
            return
        settings = settings_to_try(line, bauds, others)
        progress = Progress(sys.stderr, len(settings) * len(options.units), options.lang)
        for setting in settings:
            await _search_directly(
                setting, timeout_s, candidates, options, result, progress, insists=len(settings) == 1
            )
            if result.down is not None or (result.found and not options.every_setting):
                return


def _state_dir(site: SiteSettings | None) -> Path:
    if site is None:
        raise AssertionError("a line without a site has no gateway")
    return site.state_dir


async def _search_directly(
    setting: LineSettings,
    timeout_s: float,
    candidates: Sequence[Candidate],
    options: argparse.Namespace,
    result: Result,
    progress: Progress,
    *,
    insists: bool,
) -> None:
    from drivers.modbus import open_line
    from gateway.clock import SystemClock
    from gateway.scanning import Search, ask_directly

    clock = SystemClock()
    line = open_line(setting, clock)
    asks = [ask_directly(line, setting, clock, timeout_s * factor) for factor in (1, _PATIENCE)]
    search = Search(asks[0], candidates, thorough=options.thorough, patient=asks[1], insists=insists)
    try:
        await _search(search, setting, options, result, progress)
    finally:
        await line.close()


async def _search(
    search: Search,
    line: LineSettings,
    options: argparse.Namespace,
    result: Result,
    progress: Progress,
) -> None:
    from gateway.scanning import LineDown, describe

    name = describe(line)
    try:
        async for found in search.run(options.units, lambda unit: progress.step(f"{name} {unit}", len(result.found))):
            result.found.append((name, found))
    except LineDown as down:
        result.down = str(down)
    finally:
        progress.clear()
        result.noisy |= search.heard_noise


def _line(options: argparse.Namespace) -> tuple[LineSettings, SiteSettings | None]:
    """The line that is meant, and its site where it is one of a site file."""
    from gateway.app import load

    word = options.line
    config, colon, name = word.rpartition(":")
    if colon and Path(config).is_file():
        site = load(Path(config), options.lang)
        line = next((each for each in site.lines if each.id == name), None)
        if line is None:
            names = ", ".join(each.id for each in site.lines)
            raise WrongWords(Text(f"没有线路 {name}（有：{names}）", f"there is no line {name} (there are: {names})"))
        return line, site
    if word.startswith("tcp:"):
        return _own_line({"tcp": word.removeprefix("tcp:")}, options), None
    if Path(word).exists() and not Path(word).is_file():
        return _own_line({"serial": word}, options), None
    if word.startswith("/dev/"):
        raise WrongWords(_no_port(word))
    raise WrongWords(
        Text(
            f"{word} 不是线路：写 站点文件:线路、串口路径或 tcp:主机:端口",
            f"{word} is no line: write CONFIG:line, the path of a serial port, or tcp:host:port",
        )
    )


def _no_port(word: str) -> Text:
    from gateway.commissioning.checks.ports import list_ports

    ports = " ".join(map(str, list_ports()))
    return Text(
        f"{word} 不存在，检查适配器是否插好；现有串口：{ports or '无'}",
        f"{word} is not there, is the adapter plugged in? ports there are: {ports or 'none'}",
    )


def _own_line(keys: dict[str, object], options: argparse.Namespace) -> LineSettings:
    from pydantic import ValidationError

    from gateway.app import PROTOCOLS
    from gateway.settings.types import LineSettings

    protocol = PROTOCOLS["modbus"]
    if options.framing is not None:
        keys["framing"] = options.framing
    try:
        made = protocol.line_options.model_validate(keys)
    except ValidationError as error:
        reason = str(error.errors()[0]["msg"])
        raise WrongWords(Text(f"{options.line} 不能用：{reason}", f"{options.line} cannot be used: {reason}")) from None
    return LineSettings("scan", protocol.name, protocol.endpoint(made), made)


def _print(result: Result, options: argparse.Namespace, *, stopped: bool) -> None:
    language = options.lang
    if options.json:
        rows = [{"port": name, **asdict(found)} for name, found in result.found]
        print(json.dumps({"found": rows, "noise": result.noisy, "stopped": stopped}, ensure_ascii=False))
    elif result.found:
        table = [[head[language] for head in _HEAD]]
        table += [_row(name, found, language) for name, found in sorted(result.found, key=lambda each: each[1].unit)]
        print(*aligned(table), sep="\n")
    elif not stopped and result.down is None:
        print(_NOBODY[language])
    if result.noisy:
        print(_NOISE[language], file=sys.stderr)
    if stopped:
        count = len(result.found)
        complain("scan", Text(_STOPPED.zh.format(count=count), _STOPPED.en.format(count=count)), language)


def _row(name: str, found: Found, language: str) -> list[str]:
    answer = Text("有", "yes") if found.code is None else Text(f"异常 {found.code}", f"exception {found.code}")
    return [str(found.unit), name or "-", answer[language], " ".join(found.identification), ", ".join(found.proposals)]
