"""The command `vigil`: one small module per command, imported only when it is asked for."""

from __future__ import annotations

import argparse
import gc
import importlib
import locale
import os
import sys
from collections.abc import Iterator, Sequence

from gateway import __version__
from gateway.cli.usage import Parser
from gateway.errors import ConfigError, GatewayError
from gateway.model import Text

#: Command -> what it does. Each is a module of this package with `arguments(parser)` and `run(options) -> int`.
COMMANDS: dict[str, Text] = {
    "demo": Text("在本机演示整条链路", "the whole chain on this machine"),
    "run": Text("运行一个站点的网关", "run the gateway of one site"),
    "check": Text("检查配置文件，列出所有问题", "check a configuration file and list every problem"),
    "init": Text("问答、搜索并写出第一份站点文件", "ask, search, and write a first site file"),
    "alarms": Text("列出告警；确认、复位、搁置、停用", "list alarms; acknowledge, reset, shelve, take out of service"),
    "facts": Text("查看、设定响应级别等参数", "what equipment is judged with: response level, season, work orders"),
    "rules": Text("列出规则，运行用例，说明此刻的结论", "list rules, run their cases, explain what they say now"),
    "notify": Text("向通知渠道发一条测试消息", "a test notice on the channels of a site"),
    "read": Text("读取一台设备的测点", "the points of a device as they are now"),
    "write": Text("写入一个测点（型号和站点都允许时）", "write a point, where profile and site allow it"),
    "doctor": Text(
        "检查本机和站点：端口、时钟、磁盘、消息服务器、证书",
        "ports, clock, disk, broker and certificates, and what to do",
    ),
    "loopcheck": Text("逐点核对并签字存档", "compare every point with the device, sign and keep the sheet"),
    "record": Text("记录一台设备，供型号库使用", "a recording of a device for the library"),
    "scan": Text("搜索线路上的设备", "find the units on a line"),
    "report": Text("交接班单和信息快报草稿", "hand-over sheet of a shift, draft of an express bulletin"),
    "operator": Text("生成操作员文件中的一行", "a line of the operators file for a person"),
    "ingest": Text("把 MQTT 消息写入 InfluxDB（中心侧）", "MQTT to InfluxDB, at the centre"),
    "dashboards": Text("把仪表板和告警规则写入 Grafana", "dashboards and alert rules into Grafana"),
    "simulate": Text("把配置中的设备模拟成真实的 Modbus 服务", "serve the configured devices as real Modbus servers"),
    "reload": Text("让运行中的网关采用改过的配置文件", "apply a changed file to the running gateway"),
    "backup": Text("备份配置和状态", "back up configuration and state"),
    "restore": Text("在新机器上恢复备份", "put a backup back, for a dead box"),
}

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def default_language() -> str:
    """`zh` where the locale says Chinese, else `en`."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    if name is None:
        name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def _language(arguments: Sequence[str]) -> str:
    """`--lang` wherever it stands, so that usage and help already speak it; anything odd is told by the real parser."""
    language = default_language()
    for before, word in zip(["", *arguments], [*arguments, ""], strict=True):
        chosen = word if before == "--lang" else before.removeprefix("--lang=") if before.startswith("--lang=") else ""
        language = chosen if chosen in ("zh", "en") else language
    return language


def _parser(language: str, arguments: Sequence[str]) -> Parser:
    parser = Parser(
        prog="vigil",
        language=language,
        description=Text("守望：应急装备值守网关", "Vigil: the readiness gateway")[language],
    )
    parser.add_argument("--version", action="version", version=f"vigil {__version__}")
    _add_language(parser, language)
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title=Text("命令", "commands")[language]
    )
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary[language], description=summary[language], language=language)
        _add_language(command, language)
        if name in arguments:
            module = importlib.import_module(f"gateway.cli.{name}")
            module.arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _add_language(parser: argparse.ArgumentParser, language: str) -> None:
    summary = Text("中文或英文（默认跟随系统）", "Chinese or English (default: the locale)")[language]
    parser.add_argument("--lang", choices=("zh", "en"), default=language, help=summary)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed while running, 2 wrong usage or configuration."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # Starting makes much and throws little away: looking for garbage as often as usual took a sixth of the time.
    gc.set_threshold(50_000)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without Chinese shows ? and does not fail
    options = _parser(_language(words), words).parse_args(words)
    try:
        code = int(options.run(options))
        sys.stdout.flush()
    except ConfigError as error:
        print(error)
        return EXIT_USAGE
    except GatewayError as error:
        return _failed(options, [error])
    except BaseExceptionGroup as group:
        # What ended a task group; anything in it that was not raised on purpose still falls.
        mine, rest = group.split(GatewayError)
        if mine is None or rest is not None:
            raise
        return _failed(options, list(_leaves(mine)))
    except BrokenPipeError:
        # The reader (head, less) has gone; without this the interpreter fails once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    return code


def _failed(options: argparse.Namespace, errors: Sequence[GatewayError]) -> int:
    """Say why, once each; the last line is the reason."""
    for words in dict.fromkeys(error.say(options.lang) for error in errors):
        print(f"vigil {options.command}: {words}", file=sys.stderr)
    return EXIT_FAILED


def _leaves(group: BaseExceptionGroup[GatewayError]) -> Iterator[GatewayError]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each
