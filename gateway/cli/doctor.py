"""`vigil doctor`: what of this machine would keep the gateway from its work, and what to do about each thing."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.tables import is_coloured
from gateway.model import Text

if TYPE_CHECKING:
    from gateway.commissioning.findings import Finding
    from gateway.settings.types import SiteSettings

_HELP = {
    "config": Text("站点配置文件；不给时只查本机", "site file; without one only the machine is looked at"),
    "json": Text("每项输出一行 JSON", "one line of JSON for each finding"),
}
_GRADES = (Text("正常", "ok"), Text("提示", "note"), Text("警告", "warning"), Text("故障", "FAILED"))
_COLOURS, _PLAIN = ("\x1b[32m", "", "\x1b[33m", "\x1b[31m"), "\x1b[0m"
_TOPICS = {
    "python": Text("软件", "software"),
    "ports": Text("串口", "ports"),
    "clock": Text("时钟", "clock"),
    "disk": Text("磁盘", "disk"),
    "broker": Text("消息服务器", "broker"),
    "certificates": Text("证书", "certificates"),
}
_SUMMARY = (
    Text("全部正常", "everything is fine"),
    Text("可以运行，有 {count} 项提示", "it will work; notes: {count}"),
    Text("现在可以运行，有 {count} 项需要处理", "it works now; to be mended: {count}"),
    Text("有 {count} 项故障，处理后再运行", "failures: {count}; mend them first"),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("config", type=Path, nargs="?", metavar="CONFIG", help=_HELP["config"][language])
    parser.add_argument("--json", action="store_true", help=_HELP["json"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.commissioning.findings import Grade

    site = load(options.config, options.lang) if options.config is not None else None
    findings = asyncio.run(examine(site))
    worst = max((finding.grade for finding in findings), default=Grade.FINE)
    if options.json:
        for finding in findings:
            print(json.dumps(_as_json(finding), ensure_ascii=False))
    else:
        print("\n".join(_lines(findings, options.lang, coloured=is_coloured(sys.stdout))))
        count = sum(1 for finding in findings if finding.grade is worst)
        print(_SUMMARY[worst][options.lang].format(count=count))
    return 1 if worst is Grade.FAILURE else 0


async def examine(site: SiteSettings | None) -> list[Finding]:
    """Every finding, in the order one would look."""
    from gateway.clock import SystemClock
    from gateway.commissioning.checks.broker import check_broker, check_certificates
    from gateway.commissioning.checks.machine import check_clock, check_disk, check_python
    from gateway.commissioning.checks.page import check_page
    from gateway.commissioning.checks.ports import check_ports
    from gateway.settings.protocol import SERIAL

    ports = (
        [] if site is None else [Path(line.endpoint[len(SERIAL) :]) for line in site.lines if SERIAL in line.endpoint]
    )
    findings = [*check_python()]
    if site is None or ports:
        findings += check_ports(ports)
    findings += check_clock(is_synced=SystemClock().synced)
    findings += check_disk(site.state_dir if site is not None else Path.cwd())
    if site is not None and site.mqtt is not None:
        findings += await check_broker(site.mqtt, f"{site.id}-doctor")
        findings += await asyncio.to_thread(lambda settings: [*check_certificates(settings)], site.mqtt)
    if site is not None:
        findings += check_page(site)
    return findings


def _lines(findings: Sequence[Finding], language: str, *, coloured: bool) -> list[str]:
    from gateway.cli.tables import aligned

    rows = [
        [_GRADES[finding.grade][language], _TOPICS[finding.topic][language], finding.text[language]]
        for finding in findings
    ]
    lines = []
    for finding, line in zip(findings, aligned(rows), strict=True):
        colour = _COLOURS[finding.grade] if coloured else ""
        lines.append(f"{colour}{line}{_PLAIN}" if colour else line)
        if finding.do is not None:
            lines.append(f"      -> {finding.do[language]}")
    return lines


def _as_json(finding: Finding) -> dict[str, object]:
    return {
        "topic": finding.topic,
        "grade": finding.grade.name.lower(),
        "text": finding.text.as_dict(),
        "do": finding.do.as_dict() if finding.do is not None else None,
    }
