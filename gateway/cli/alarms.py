"""`vigil alarms`: how the alarms of a site stand, what people do about them, and whether their journal is whole."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.cli.alarm_figures import figures_text
from gateway.cli.alarm_table import table
from gateway.cli.at_site import WrongWords, complain, is_running
from gateway.model import Text
from gateway.settings.problems import suggest
from gateway.settings.types import SiteSettings

ACTS = {
    "ack": "ack",
    "reset": "reset",
    "shelve": "shelve",
    "unshelve": "unshelve",
    "out-of-service": "out_of_service",
    "return": "return",
}
SILENCE, VERIFY, LIST, FIGURES = "silence", "verify", "list", "figures"
WORDS = (LIST, *ACTS, SILENCE, FIGURES, VERIFY)
ACT_S = 20.0

_HELP = {
    "words": Text(
        f"[{' | '.join(WORDS)}] 站点文件 [设备/规则]；不写动作即列出",
        f"[{' | '.join(WORDS)}] CONFIG [DEVICE/RULE]; without an action they are listed",
    ),
    "by": Text("操作人，必写", "who acts; needed for every action"),
    "note": Text("说明，搁置时必写", "a note; needed to shelve"),
    "for": Text("搁置多久，如 2h", "shelve: for how long, such as 2h"),
    "order": Text("停用所依据的工单号", "out-of-service: the number of the work order"),
    "all": Text("也列出已恢复正常的", "those that are normal again too"),
    "json": Text("输出 JSON", "as JSON"),
}
_USAGE = Text(
    "写法：vigil alarms [动作] 站点文件 [设备/规则]", "usage: vigil alarms [ACTION] CONFIG [DEVICE/RULE], see --help"
)
_NOT_RUNNING = Text(
    "网关没有运行，不能操作告警，也没有统计；先用 vigil run 启动",
    "no gateway runs, so nothing can be done to alarms and no figures are kept; start it with vigil run",
)
_AS_OF = Text(
    "网关没有运行：以下是它最后一次记录的状态",
    "no gateway runs: this is how alarms stood when one last wrote them down",
)
_NO_ACTOR = Text("要写明操作人：--by 姓名", "say who acts: --by NAME")


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("words", nargs="+", metavar="WORD", help=_HELP["words"][language])
    parser.add_argument("--by", metavar="NAME", help=_HELP["by"][language])
    parser.add_argument("--note", metavar="TEXT", help=_HELP["note"][language])
    parser.add_argument("--for", dest="for_", metavar="DURATION", help=_HELP["for"][language])
    parser.add_argument("--order", metavar="NUMBER", help=_HELP["order"][language])
    parser.add_argument("--all", action="store_true", help=_HELP["all"][language])
    parser.add_argument("--json", action="store_true", help=_HELP["json"][language])


def run(options: argparse.Namespace) -> int:
    """0; 1 where the gateway says no or the journal is not whole; 2 for wrong words."""
    from gateway.app import load
    from gateway.control import ControlFailed

    word, *rest = options.words if options.words[0] in WORDS else (LIST, *options.words)
    if not rest:
        complain("alarms", _USAGE, options.lang)
        return 2
    site = load(Path(rest[0]), options.lang)
    try:
        if word in ACTS or word == SILENCE:
            return _act(word, site, rest[1:], options)
        if len(rest) > 1:
            raise WrongWords(_USAGE)
        if word == FIGURES:
            return _figures(site, options)
        return _verify(site, options.lang) if word == VERIFY else _list(site, options)
    except WrongWords as wrong:
        complain("alarms", wrong.text, options.lang)
        return 2
    except ControlFailed as failure:
        is_missing = failure.error == "unreachable" and not is_running(site)
        complain("alarms", _NOT_RUNNING if is_missing else failure.text, options.lang)
        return 1


def _list(site: SiteSettings, options: argparse.Namespace) -> int:
    from gateway.control import ControlClient, ControlFailed

    try:
        with ControlClient(site.state_dir) as client:
            ts, alarms = _all_of(client.ask, everything=options.all)
        is_live = True
    except ControlFailed as failure:
        if failure.error != "unreachable" or is_running(site):
            raise
        ts, alarms, is_live = time.time_ns() // 1_000_000, _kept(site, everything=options.all), False
    if options.json:
        print(json.dumps({"ts": ts, "running": is_live, "alarms": alarms}, ensure_ascii=False))
        return 0
    if not is_live:
        print(_AS_OF[options.lang], file=sys.stderr)
    print("\n".join(table(alarms, ts, options.lang)))
    return 0


def _all_of(ask: Callable[..., Mapping[str, Any]], *, everything: bool) -> tuple[int, list[Mapping[str, Any]]]:
    """Every alarm, in as many answers as it takes; one that moves up meanwhile is not told twice."""
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    begin = 0
    while True:
        answer = ask("alarms", {"all": everything, "from": begin})
        for each in answer["alarms"]:
            found.setdefault((each["device"], each["rule"]), each)
        begin += len(answer["alarms"])
        if not answer["alarms"] or begin >= answer["total"]:
            return answer["ts"], list(found.values())


def _kept(site: SiteSettings, *, everything: bool) -> list[Mapping[str, Any]]:
    """The alarms as the journal has them."""
    from gateway.alarms.keeping import PREFIX
    from gateway.model import Priority
    from gateway.store.looking import look_at_documents

    found = [json.loads(body) for body in look_at_documents(site.state_dir, PREFIX).values()]
    standing = [each for each in found if everything or each["condition"] != "NORMAL" or each["suppression"] != "NONE"]
    return sorted(
        standing, key=lambda each: (each["condition"] == "NORMAL", -Priority(each["priority"]).level, each["since"])
    )


def _figures(site: SiteSettings, options: argparse.Namespace) -> int:
    from gateway.control import ControlClient

    with ControlClient(site.state_dir) as client:
        answer: Any = client.ask("alarm_figures", {})
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print("\n".join(figures_text(answer, site.kinds["gateway"].points, options.lang)))
    return 0


def _act(word: str, site: SiteSettings, names: Sequence[str], options: argparse.Namespace) -> int:
    from gateway.control import ControlClient

    if options.by is None:
        raise WrongWords(_NO_ACTOR)
    given = {"by": options.by, "note": options.note, "for": options.for_, "order": options.order}
    args = {key: value for key, value in given.items() if value is not None}
    if word == SILENCE:
        if names:
            raise WrongWords(_USAGE)
        name, request = "silence", args
    else:
        device, rule = _alarm_of(site, names)
        name, request = "alarm_order", {"act": ACTS[word], "device": device, "rule": rule, **args}
    with ControlClient(site.state_dir) as client:
        answer: Any = client.ask(name, request, ask_s=ACT_S)
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(answer["text"][options.lang])
    return 0


def _alarm_of(site: SiteSettings, names: Sequence[str]) -> tuple[str, str]:
    """Device and rule of `gen-1/battery_low`; WrongWords where there is no such device."""
    if len(names) != 1 or names[0].count("/") != 1:
        raise WrongWords(_USAGE)
    device, rule = names[0].split("/")
    known = [*(each.id for each in site.devices), "_gateway", "_site"]
    if device not in known:
        hint = suggest(device, known)
        zh, en = f"没有设备 {device}", f"there is no device {device}"
        raise WrongWords(Text(zh, en) if hint is None else Text(f"{zh}（{hint.zh}）", f"{en} ({hint.en})"))
    return device, rule


def _verify(site: SiteSettings, language: str) -> int:
    """Walk the chain of the journal."""
    from gateway.alarms.chain import verify
    from gateway.store.trail import highest, walk

    path = site.state_dir / "journal.db"
    if not path.is_file():
        complain("alarms", Text(f"{path}: 没有这个文件", f"{path}: there is no such file"), language)
        return 1
    found = verify(walk(path), highest(path))
    summary = Text(
        f"记录 {found.entries} 条，第 {found.first} 至 {found.last} 条，链尾 {found.head or '-'}",
        f"entries: {found.entries}, from {found.first} to {found.last}, head {found.head or '-'}",
    )
    print(summary[language])
    if found.flaw is None:
        print(Text("完整", "whole")[language])
        return 0
    flaw = found.flaw
    complain("alarms", Text(f"第 {flaw.number} 条：{flaw.what.zh}", f"entry {flaw.number}: {flaw.what.en}"), language)
    return 1
