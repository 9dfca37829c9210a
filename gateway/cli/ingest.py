"""`vigil ingest`: MQTT to InfluxDB, at the centre."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.logs import set_up_logging
from gateway.model import Text

if TYPE_CHECKING:
    from gateway.ingest.books import Books
    from gateway.ingest.replay import Replayed
    from gateway.settings.types import IngestSettings

_HELP = {
    "config": Text("中心配置文件", "the centre's file"),
    "replay": Text("重新写入死信后退出", "write the dead letters again, then end"),
    "level": Text("日志级别", "how much is logged"),
}
_ENDED = Text(
    "已结束：收到 {messages} 条消息，写入 {facts} 行，确认 {confirmed} 条，死信 {dead}",
    "Ended: {messages} messages, {facts} rows written, {confirmed} confirmed, {dead} dead letters",
)
_REPLAYED = Text(
    "死信：写入 {rows} 行，仍被拒绝 {again}，无法读取 {damaged}",
    "Dead letters: {rows} rows written, {again} refused again, {damaged} cannot be read",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    add = parser.add_argument
    add("config", type=Path, help=_HELP["config"][language])
    add("--replay-dead-letters", dest="replay", action="store_true", help=_HELP["replay"][language])
    add("--log-level", default="info", choices=("debug", "info", "warning", "error"), help=_HELP["level"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.settings import load_ingest

    set_up_logging(options.log_level)
    settings = load_ingest(options.config, options.lang)
    if options.replay:
        done = asyncio.run(_replay(settings))
        print(_REPLAYED[options.lang].format(rows=done.rows, again=done.again, damaged=done.damaged))
        return 1 if done.again or done.damaged else 0
    books = asyncio.run(_ingest(settings))
    dead = books.malformed + books.rejected
    print(_ENDED[options.lang].format(messages=books.messages, facts=books.facts, confirmed=books.confirmed, dead=dead))
    return 0


async def _ingest(settings: IngestSettings) -> Books:
    from gateway.clock import SystemClock
    from gateway.ingest.service import run_ingest
    from gateway.ingest.sinks import open_sink

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return await run_ingest(settings, open_sink(settings.influx), SystemClock(), stop)


async def _replay(settings: IngestSettings) -> Replayed:
    from gateway.clock import SystemClock
    from gateway.ingest.service import replay_dead_letters
    from gateway.ingest.sinks import open_sink

    return await replay_dead_letters(settings, open_sink(settings.influx), SystemClock())
