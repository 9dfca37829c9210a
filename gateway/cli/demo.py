"""`vigil demo`: the whole chain on this machine, with nothing installed but the package and its demo extra."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.usage import seconds, speed
from gateway.model import Text
from gateway.web.words import WORDS

if TYPE_CHECKING:
    from gateway.demo import Chain, Counts

_STARTED = Text(
    """守望演示已启动（按 Ctrl-C 结束）

  本地页面    {page}
  消息服务器  {broker}
  数据目录    {folder}（结束后删除）
  模拟设备    {devices} 台，{serial} 条虚拟串口线路，{network} 条 TCP 线路

  登录页面    {people}，密码都是 {password}（仅限本次演示）
  查看告警    vigil alarms {file}
  确认告警    vigil alarms ack {file} 设备/规则 --by {first}
""",
    """The Vigil demo is running (Ctrl-C ends it)

  local page       {page}
  broker           {broker}
  data             {folder} (removed at the end)
  simulated        {devices} devices on {serial} virtual serial lines and {network} TCP lines

  log in as        {people}; the password of each is {password} (for this run only)
  list alarms      vigil alarms {file}
  acknowledge one  vigil alarms ack {file} DEVICE/RULE --by {first}
""",
)
_POST = Text("{name}（{role}）", "{name} ({role})")
_SEPARATOR = Text("、", " or ")
_LINE = Text("    {line:<14} {endpoint}  {devices}", "    {line:<14} {endpoint}  {devices}")
_FLOW = Text(
    "  采集 {polled}，发布 {published}，未变化 {unchanged}，入库 {stored}",
    "  polled {polled}, published {published}, unchanged {unchanged}, stored {stored}",
)
_ENDED = Text("数据点样本统计", "Point samples")
_BALANCED = Text(
    "收支平衡：采集 = 发布 + 未变化，发布 = 入库",
    "The books balance: polled = published + unchanged, published = stored",
)
_UNBALANCED = Text("收支不平衡，请报告此问题", "The books do not balance; please report this")
FLOW_EVERY_S = 5.0


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    texts = {
        "seconds": Text("到时自动结束，并列出数量", "end by itself after that many seconds and say what flowed"),
        "seed": Text("随机种子，相同则过程相同", "same seed, same course of events"),
        "speed": Text("时间倍速", "how many times faster than real time"),
    }
    parser.add_argument("--for", dest="seconds", type=seconds, metavar="SECONDS", help=texts["seconds"][language])
    parser.add_argument("--seed", type=int, default=1, help=texts["seed"][language])
    parser.add_argument("--speed", type=speed, default=1.0, help=texts["speed"][language])


def run(options: argparse.Namespace) -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    with tempfile.TemporaryDirectory(prefix="vigil-demo-") as folder:
        counts = asyncio.run(_run(Path(folder), options))
    print(_ENDED[options.lang])
    print(_flow(counts, options.lang))
    print((_BALANCED if counts.balance else _UNBALANCED)[options.lang])
    return 0 if counts.balance else 1


async def _run(folder: Path, options: argparse.Namespace) -> Counts:
    from gateway.demo import run_chain

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with run_chain(folder, seed=options.seed, speed=options.speed, language=options.lang) as chain:
        print(_describe(chain, options.lang), flush=True)
        try:
            async with asyncio.timeout(options.seconds):
                while not stopped.is_set():
                    try:
                        async with asyncio.timeout(FLOW_EVERY_S):
                            await stopped.wait()
                    except TimeoutError:
                        print(_flow(chain.counts(), options.lang), flush=True)
        except TimeoutError:
            pass
    return chain.counts()


def _describe(chain: Chain, language: str) -> str:
    endpoints = chain.simulation.endpoints
    serial = sum(1 for endpoint in endpoints.values() if endpoint.startswith("serial:"))
    head = _STARTED[language].format(
        page=chain.page,
        broker=chain.broker,
        folder=chain.folder,
        devices=len(chain.simulation.site.devices),
        serial=serial,
        network=len(endpoints) - serial,
        people=_SEPARATOR[language].join(
            _POST[language].format(name=name, role=WORDS[f"role_{role}"][language])
            for name, role in chain.people.posts.items()
        ),
        first=next(iter(chain.people.posts)),
        password=chain.people.password,
        file=chain.file,
    )
    rows = []
    for line, endpoint in endpoints.items():
        devices = [device.id for device in chain.simulation.site.devices if device.line == line]
        rows.append(_LINE[language].format(line=line, endpoint=endpoint, devices=" ".join(devices)))
    return "\n".join([head, *rows, ""])


def _flow(counts: Counts, language: str) -> str:
    return _FLOW[language].format(
        polled=counts.polled, published=counts.published, unchanged=counts.unchanged, stored=counts.stored
    )
