"""`vigil facts`: what a site and its equipment are judged with; one of them set while the gateway runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from gateway.cli.at_site import WrongWords, complain, find_device, is_running
from gateway.cli.tables import aligned
from gateway.model import Text, ValueType
from gateway.settings.problems import suggest
from gateway.settings.types import SiteSettings, VocabularyFact

_HELP = {
    "words": Text(
        "站点文件 [设备 [参数 值]]；设备可写 _site；不写值即列出",
        "CONFIG [DEVICE [NAME VALUE]]; _site is a device too; without a value they are listed",
    ),
    "by": Text("操作人，设定时必写", "who sets it; needed"),
    "note": Text("说明", "a note"),
    "back": Text("恢复为配置文件中的值", "what the file says holds again"),
    "json": Text("输出 JSON", "as JSON"),
}
_USAGE = Text(
    "写法：vigil facts 站点文件 [设备 [参数 值]]", "usage: vigil facts CONFIG [DEVICE [NAME VALUE]], see --help"
)
_NOT_RUNNING = Text(
    "网关没有运行；先用 vigil run 启动，或直接修改配置文件",
    "no gateway runs; start it with vigil run, or write it into the site file",
)
_NO_ACTOR = Text("要写明操作人：--by 姓名", "say who acts: --by NAME")
_TRUE, _FALSE = ("true", "yes", "on", "是"), ("false", "no", "off", "否")


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("words", nargs="+", metavar="WORD", help=_HELP["words"][language])
    parser.add_argument("--by", metavar="NAME", help=_HELP["by"][language])
    parser.add_argument("--note", metavar="TEXT", help=_HELP["note"][language])
    parser.add_argument("--back", action="store_true", help=_HELP["back"][language])
    parser.add_argument("--json", action="store_true", help=_HELP["json"][language])


def run(options: argparse.Namespace) -> int:
    """0; 1 where the gateway says no; 2 for wrong words."""
    from gateway.app import load
    from gateway.control import ControlFailed

    site = load(Path(options.words[0]), options.lang)
    names = options.words[1:]
    try:
        if len(names) < 2 and not options.back:
            return _list(site, names, options)
        return _set(site, names, options)
    except WrongWords as wrong:
        complain("facts", wrong.text, options.lang)
        return 2
    except ControlFailed as failure:
        is_missing = failure.error == "unreachable" and not is_running(site)
        complain("facts", _NOT_RUNNING if is_missing else failure.text, options.lang)
        return 1


def _list(site: SiteSettings, names: Sequence[str], options: argparse.Namespace) -> int:
    """Those that are set or have a default, as they are in force."""
    from gateway.rules.given_facts import PREFIX, SITE, GivenFacts
    from gateway.store.looking import look_at_documents

    given = GivenFacts(look_at_documents(site.state_dir, PREFIX), site)
    now = given.over(site)
    if names and names[0] != SITE:
        find_device(site, names[0])
    facts = {SITE: now.facts, **{device.id: device.facts for device in now.devices}}
    shown = {device: dict(found) for device, found in facts.items() if not names or device == names[0]}
    if options.json:
        print(json.dumps(shown, ensure_ascii=False, default=str))
        return 0
    by = {(each.device, each.name): each.by for each in given.in_force(site)}
    for device, found in shown.items():
        kind = site.kinds[site.kind if device == SITE else find_device(site, device).kind]
        rows = [
            [name, _plain(value), kind.facts[name].label[options.lang], by.get((device, name), "")]
            for name, value in found.items()
        ]
        print("\n".join([device, *aligned(rows)]))
    return 0


def _set(site: SiteSettings, names: Sequence[str], options: argparse.Namespace) -> int:
    from gateway.control import ControlClient

    if len(names) != (2 if options.back else 3):
        raise WrongWords(_USAGE)
    if options.by is None:
        raise WrongWords(_NO_ACTOR)
    device, name = names[0], names[1]
    fact = _fact(site, device, name)
    args = {"device": device, "name": name, "value": None if options.back else _value(fact, names[2]), "by": options.by}
    if options.note is not None:
        args["note"] = options.note
    with ControlClient(site.state_dir) as client:
        answer: Any = client.ask("set_fact", args)
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        print(
            f"{device} {name}: {_plain(answer['before'])} -> {_plain(answer['after'])}, {answer['text'][options.lang]}"
        )
    return 0


def _fact(site: SiteSettings, device: str, name: str) -> VocabularyFact:
    from gateway.rules.given_facts import GATEWAY, SITE, kind_of

    if device not in (SITE, GATEWAY):
        find_device(site, device)
    known = kind_of(site, device).facts
    if name not in known:
        hint = suggest(name, known)
        zh, en = f"{device} 没有 {name} 这一项", f"{device} has no fact {name}"
        raise WrongWords(Text(zh, en) if hint is None else Text(f"{zh}（{hint.zh}）", f"{en} ({hint.en})"))
    return known[name]


def _value(fact: VocabularyFact, text: str) -> bool | int | float | str:
    """The word on the command line as JSON has it; the gateway checks it."""
    if fact.type is ValueType.BOOLEAN and text.lower() in (*_TRUE, *_FALSE):
        return text.lower() in _TRUE
    if fact.type is ValueType.NUMBER:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return text
        return int(number) if number.is_finite() and number == number.to_integral_value() else float(number)
    return next((word for word, label in fact.words.items() if text in (label.zh, label.en)), text)


def _plain(value: object) -> str:
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
