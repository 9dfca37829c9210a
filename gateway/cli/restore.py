"""`vigil restore`: put a backup back on a machine that takes the place of a dead one."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from gateway.model import Text

_HELP = {
    "file": Text("备份文件", "the backup"),
    "into": Text("恢复到的目录，须为空或不存在", "folder to put it into; empty, or not there yet"),
}
_CONFIG = Text("站点 {site}，配置：{path}", "Site {site}, its file: {path}")
_STATE = Text("状态：{path}", "State: {path}")
_MOVE = Text(
    "  启动前请移到 {path}，并归运行网关的用户所有",
    "  before you start it, move it to {path} and give it to the user that runs the gateway",
)
_SECRET = Text("备份中没有机密文件，请放回：{path}", "Not in the backup (secret), put it back: {path}")
_NUMBERS = Text(
    "发件箱 {outbox} 从序号 {next} 继续；原机器不得再启动",
    "Outbox {outbox} goes on with number {next}; the old machine must not be started again",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("file", type=Path, help=_HELP["file"][language])
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help=_HELP["into"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.backup import restore

    language = options.lang
    done = restore(options.file, options.into, now_ms=time.time_ns() // 1_000_000)
    print(_CONFIG[language].format(site=done.site, path=done.config))
    print(_STATE[language].format(path=done.state))
    if done.expected_state is not None:
        print(_MOVE[language].format(path=done.expected_state))
    for name in done.secrets_left_out:
        print(_SECRET[language].format(path=name))
    print(_NUMBERS[language].format(outbox=done.outbox, next=done.reserved + 1))
    return 0
