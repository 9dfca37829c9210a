"""`vigil rules`: which rules there are and for which device they hold; whether their cases come out right; why one says
what it says now."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.cli.at_site import WrongWords, complain, find_device, is_running
from gateway.cli.explanation_text import PRIORITIES, full, short
from gateway.cli.tables import aligned
from gateway.model import Text
from gateway.rules.bind import Binding, bind
from gateway.rules.book import builtin_packs, load_rules, packs_as_written, read_packs
from gateway.rules.cases import run_cases
from gateway.rules.coverage import cover
from gateway.rules.facts import AGE, MINUTE, facts_of
from gateway.rules.judge import GATEWAY
from gateway.rules.lacking import lacking
from gateway.rules.types import Pack, Rule
from gateway.settings.document import read
from gateway.settings.problems import Problems
from gateway.settings.types import Kind
from gateway.settings.vocabulary import load_vocabulary

_NOT_RUNNING = Text(
    "网关没有运行；规则此刻的结论只有运行中的网关知道，先用 vigil run 启动",
    "no gateway runs; only a running one knows what its rules say now, start it with vigil run",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    words = {
        "what": Text(
            "list 列出规则，test 运行用例，explain 说明规则此刻的结论",
            "list the rules, test them by their cases, or explain what they say now",
        ),
        "files": Text(
            "站点文件或规则包，不写则为随产品提供的规则；explain 后写 站点文件 设备 [规则]",
            "site files or rule packs, the shipped rules without; for explain: CONFIG DEVICE [RULE]",
        ),
        "json": Text("explain 输出 JSON", "explain as JSON"),
    }
    parser.add_argument("what", choices=("list", "test", "explain"), help=words["what"][language])
    parser.add_argument("files", nargs="*", metavar="FILE", help=words["files"][language])
    parser.add_argument("--json", action="store_true", help=words["json"][language])


def run(options: argparse.Namespace) -> int:
    """0, or 1 where a case comes out wrong; ConfigError with every problem of a file."""
    if options.what == "explain":
        return _explain(options.files, options.lang, as_json=options.json)
    files = [Path(name) for name in options.files]
    if options.what == "test":
        return _test(files, options.lang)
    for line in _list(files, options.lang):
        print(line)
    return 0


def _explain(words: list[str], language: str, *, as_json: bool) -> int:
    from gateway.app import load
    from gateway.control import ControlClient, ControlFailed

    if len(words) not in (2, 3):
        complain("rules", Text("explain 后写 站点文件 设备 [规则]", "explain takes CONFIG DEVICE [RULE]"), language)
        return 2
    site = load(Path(words[0]), language)
    try:
        if words[1] != GATEWAY:
            find_device(site, words[1])
        args = dict(zip(("device", "rule"), words[1:], strict=False))
        with ControlClient(site.state_dir) as client:
            answer: Any = client.ask("explain", args)
    except WrongWords as wrong:
        complain("rules", wrong.text, language)
        return 2
    except ControlFailed as failure:
        is_missing = failure.error == "unreachable" and not is_running(site)
        complain("rules", _NOT_RUNNING if is_missing else failure.text, language)
        return 2 if failure.error == "no_such_rule" else 1
    if as_json:
        print(json.dumps(answer["rules"][0] if len(words) == 3 else answer, ensure_ascii=False))
    else:
        print("\n".join(full(answer["rules"][0], language) if len(words) == 3 else short(answer["rules"], language)))
    return 0


def _list(files: Iterable[Path], language: str) -> list[str]:
    lines: list[str] = []
    packs: list[Pack] = []
    for path in files:
        if _is_site(path):
            lines += _site(path, language)
        else:
            packs += read_packs([(str(path), path)], language)
    if not files:
        packs += builtin_packs(language)
    for pack in packs:
        lines += ["", f"{pack.name}  {pack.label[language]}", *aligned([_row(rule, language) for rule in pack.rules])]
    return lines[1:] if lines and not lines[0] else lines


def _site(path: Path, language: str) -> list[str]:
    """The rules of a site, device by device, and those that cannot hold for want of a point or fact."""
    from gateway.app import load

    site = load(path, language)
    book = load_rules(site, language)
    lines: list[str] = []
    covered = {each.device: each for each in cover(site, book)}
    for device in site.devices:
        packs = book.of_kind(device.kind)
        points = [point.name for point in device.points]
        binding = bind(packs, site.kinds[device.kind], points, facts_of(site, device))
        lines += ["", f"{device.id}  ({device.kind})", *aligned([_row(each.rule, language) for each in binding.rules])]
        if not packs:
            lines.append(Text("  没有规则", "  no rules")[language])
        lines += _idle(binding, packs, site.kinds[device.kind], language)
        unwatched = ", ".join(covered[device.id].unwatched)
        if unwatched:
            lines.append(
                Text(f"  没有规则使用的测点：{unwatched}", f"  points no rule looks at: {unwatched}")[language]
            )
    return lines


def _idle(binding: Binding, packs: tuple[Pack, ...], kind: Kind, language: str) -> list[str]:
    """The rules that cannot hold: those a fact would arm, with it, and those for which a point is missing."""
    by_fact: list[str] = []
    others: list[str] = []
    for rule in binding.idle:
        facts = [name for name in map(_bare, lacking(rule, packs, binding)) if name in kind.facts]
        if facts:
            by_fact.append(f"{rule.name} ({', '.join(facts)})")
        else:
            others.append(rule.name)
    found = (
        (by_fact, Text("  填写参数后适用", "  not held, facts are missing")),
        (others, Text("  缺少测点而不适用", "  not held, points are missing")),
    )
    return [f"{label[language]}{Text('：', ': ')[language]}{', '.join(names)}" for names, label in found if names]


def _bare(name: str) -> str:
    """The fact that `<fact>_age` and `<fact>_minute` are made of."""
    return name.removesuffix(AGE).removesuffix(MINUTE)


def _row(rule: Rule, language: str) -> list[str]:
    priorities = "/".join(PRIORITIES[level.priority.value][language] for level in reversed(rule.levels))
    return [rule.name, ", ".join(rule.codes), priorities, rule.text[language]]


def _test(files: list[Path], language: str) -> int:
    from gateway.app import load

    packs: list[Pack] = []
    for path in files:
        packs += (
            packs_as_written(load(path, language), language)
            if _is_site(path)
            else read_packs([(str(path), path)], language)
        )
    if not files:
        packs += builtin_packs(language)
    kinds = load_vocabulary()
    failures = 0
    for pack in packs:
        wrong = run_cases(pack, kinds)
        failures += len(wrong)
        for each in wrong:
            place = Text(f"用例 {each.case} 第 {each.step} 步", f"case {each.case}, step {each.step}")[language]
            print(f"{pack.name}: {each.rule}: {place if each.case else '-'}: {each.text[language]}")
    rules, cases = sum(len(pack.rules) for pack in packs), sum(len(rule.cases) for pack in packs for rule in pack.rules)
    print(
        Text(
            f"规则 {rules} 条，用例 {cases} 个，不符 {failures} 处",
            f"rules: {rules}, cases: {cases}, wrong: {failures}",
        )[language]
    )
    return 1 if failures else 0


def _is_site(path: Path) -> bool:
    root, _ = read(path, Problems())
    return root is not None and "site" in root.entries
