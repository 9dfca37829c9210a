"""`vigil report`: the hand-over sheet of a shift, and the draft of an express bulletin, from the journal alone."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.cli.at_site import WrongWords, complain
from gateway.model import Text

if TYPE_CHECKING:
    from gateway.reports.document import Document
    from gateway.settings.types import SiteSettings

HANDOVER, INCIDENT = "handover", "incident"
_SHIFT_S = 12 * 3600
_HELP = {
    "what": Text("handover 交接班单，incident 信息快报", "handover: sheet of a shift; incident: express bulletin"),
    "config": Text("站点配置文件", "site file"),
    "name": Text("快报：设备/规则，或记录号", "incident: DEVICE/RULE, or the number of an entry of the journal"),
    "since": Text("从何时起：8h、08:00 或日期时间（默认 12h）", "from when: 8h, 08:00 or date and time (default 12h)"),
    "until": Text("到何时止（默认现在）", "until when (default now)"),
    "shift": Text("最近一个班次，例如 08:00-20:00", "the last shift, such as 08:00-20:00"),
    "stage": Text(
        "初报 first、续报 follow_up 或终报 final（默认按告警状态）",
        "first, follow_up or final (default: by how the alarm stands)",
    ),
    "format": Text("html、md 或 json（默认看文件名，否则 md）", "html, md or json (default: by the file name)"),
    "out": Text("写入文件（默认输出到屏幕）", "file to write (default: standard output)"),
}
_STAGES = ("first", "follow_up", "final")
_FORMATS = ("html", "md", "json")
_NO_NAME = Text(
    "写明是哪一告警：vigil report incident 站点文件 设备/规则",
    "say which alarm: vigil report incident CONFIG DEVICE/RULE",
)
_NAME_TOO_MANY = Text(
    "交接班单不针对单个告警，去掉最后一个词", "a hand-over sheet is of no single alarm; drop the last word"
)
_BACKWARDS = Text("起始时间晚于终止时间", "the shift would end before it begins")


def arguments(parser: argparse.ArgumentParser) -> None:
    texts = {name: text[parser.get_default("lang")] for name, text in _HELP.items()}
    add = parser.add_argument
    add("what", choices=(HANDOVER, INCIDENT), help=texts["what"])
    add("config", type=Path, metavar="CONFIG", help=texts["config"])
    add("name", nargs="?", metavar="DEVICE/RULE|ENTRY", help=texts["name"])
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--since", metavar="TIME", help=texts["since"])
    when.add_argument("--shift", metavar="HH:MM-HH:MM", help=texts["shift"])
    add("--until", metavar="TIME", help=texts["until"])
    add("--stage", choices=_STAGES, help=texts["stage"])
    add("--format", choices=_FORMATS, help=texts["format"])
    add("--out", type=Path, metavar="FILE", help=texts["out"])


def run(options: argparse.Namespace) -> int:
    """0; 1 where the journal has no such incident or cannot be read; 2 for wrong words."""
    from gateway.app import load
    from gateway.settings.protocol import Wrong

    site = load(options.config, options.lang)
    try:
        text = report(site, options, time.time_ns() // 1_000_000)
    except WrongWords as wrong:
        complain("report", wrong.text, options.lang)
        return 2
    except Wrong as wrong:
        hint = wrong.hint
        told = wrong.text if hint is None else Text(f"{wrong.text.zh}（{hint.zh}）", f"{wrong.text.en} ({hint.en})")
        complain("report", told, options.lang)
        return 2
    if options.out is None:
        sys.stdout.write(text)
        return 0
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(options.out)
    return 0


def report(site: SiteSettings, options: argparse.Namespace, now_ms: int) -> str:
    """The whole report as text; WrongWords, Wrong, NoSuchIncident, StoreError."""
    from gateway.reports import (
        Names,
        Stage,
        handover,
        handover_document,
        incident,
        incident_document,
        journal_of,
    )
    from gateway.reports.as_json import handover_json, incident_json

    since, until = _span(site, options, now_ms)
    names = Names.of(site, options.lang)
    journal = journal_of(site.state_dir)
    if options.what == HANDOVER:
        if options.name is not None:
            raise WrongWords(_NAME_TOO_MANY)
        found = handover(journal, since, until)
        return _written(options, handover_json(found, site.id), lambda: handover_document(found, names))
    if options.name is None:
        raise WrongWords(_NO_NAME)
    stage = Stage[options.stage.upper()] if options.stage is not None else None
    told = incident(journal, options.name, until, stage)
    return _written(options, incident_json(told, site.id), lambda: incident_document(told, names))


def _span(site: SiteSettings, options: argparse.Namespace, now_ms: int) -> tuple[int, int]:
    from gateway.reports.shift import moment, shift

    zone = ZoneInfo(site.timezone)
    until = moment(options.until, now_ms, zone) if options.until is not None else now_ms
    if options.shift is not None:
        return shift(options.shift, until, zone)
    since = moment(options.since, until, zone) if options.since is not None else until - _SHIFT_S * 1000
    if since > until:
        raise WrongWords(_BACKWARDS)
    return since, until


def _written(options: argparse.Namespace, facts: dict[str, Any], document: Callable[[], Document]) -> str:
    from gateway.reports import as_html, as_markdown

    named = options.out.suffix.lstrip(".") if options.out is not None else ""
    kind = options.format or {"htm": "html", "markdown": "md"}.get(named, named if named in _FORMATS else "md")
    if kind == "json":
        return json.dumps(facts, ensure_ascii=False, indent=1) + "\n"
    return as_html(document()) if kind == "html" else as_markdown(document())
