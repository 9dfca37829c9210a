"""`vigil dashboards`: bring dashboards and alert rules into Grafana, or write them out for provisioning by file."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.usage import Parser
from gateway.model import Text

if TYPE_CHECKING:
    from gateway.dashboards.push import Change

MOST_LINES = 12
"""Differences shown of one thing."""

_HELP = {
    "push": Text("通过 Grafana 的接口写入，重复运行不改变任何东西", "through Grafana's API; twice changes nothing"),
    "export": Text("写出文件，供 Grafana 按文件配置", "write the files, for provisioning"),
    "url": Text("Grafana 的地址，例如 http://127.0.0.1:3000", "address of Grafana, such as http://127.0.0.1:3000"),
    "token": Text("存放服务账户令牌的文件", "file that holds the token of a service account"),
    "dry_run": Text("只列出差别，不做修改", "list what differs, change nothing"),
    "only": Text("只要一种语言的仪表板（默认两种）", "dashboards of one language (default: both)"),
    "parent": Text("放在这个文件夹（uid）之下", "put the folders into the folder with this uid"),
    "no_alerts": Text("不写告警规则", "leave alert rules alone"),
    "notify": Text("同时建立联系点和通知策略，发邮件到这个地址",
                   "also make a contact point and a notification policy that write to this e-mail address"),
    "ca": Text("签发服务器证书的 CA 文件", "the authority that signed the server's certificate"),
    "folder": Text("目标文件夹", "folder to write to"),
}  # fmt: skip
_WHAT = {
    "folder": Text("文件夹", "folder"),
    "dashboard": Text("仪表板", "dashboard"),
    "alert rule": Text("告警规则", "alert rule"),
    "contact point": Text("联系点", "contact point"),
    "notification policy": Text("通知策略", "notification policy"),
}
_DONE = {
    "created": Text("新建", "created"),
    "updated": Text("更新", "updated"),
    "unchanged": Text("未变", "unchanged"),
    "left": Text("已不再提供，可手工删除", "no longer shipped, remove it by hand"),
}
_WOULD = {
    "created": Text("将新建", "would be created"),
    "updated": Text("将更新", "would be updated"),
    "unchanged": Text("未变", "unchanged"),
    "left": _DONE["left"],
}
_MORE = Text("    ……另有 {count} 处", "    ... and {count} more")
_CLEAR = Text("注意：http:// 会明文传送令牌", "note: over http:// the token travels in clear")
_NO_TOKEN = Text("读不到令牌文件 {file}：{why}", "the token file {file} cannot be read: {why}")
_EMPTY = Text("令牌文件 {file} 是空的", "the token file {file} is empty")
_NO_FOLDER = Text("无法写入 {folder}：{why}", "cannot write to {folder}: {why}")
_EXPORTED = Text("已写出 {count} 个文件到 {folder}", "{count} files written to {folder}")


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    push = actions.add_parser(
        "push", help=_HELP["push"][language], description=_HELP["push"][language], language=language
    )
    push.add_argument("--url", required=True, help=_HELP["url"][language])
    push.add_argument("--token-file", required=True, type=Path, metavar="FILE", help=_HELP["token"][language])
    push.add_argument("--dry-run", action="store_true", help=_HELP["dry_run"][language])
    push.add_argument("--only", choices=("zh", "en"), help=_HELP["only"][language])
    push.add_argument("--folder-parent", metavar="UID", help=_HELP["parent"][language])
    push.add_argument("--no-alerts", action="store_true", help=_HELP["no_alerts"][language])
    push.add_argument("--notify", metavar="ADDRESS", help=_HELP["notify"][language])
    push.add_argument("--ca-file", type=Path, metavar="FILE", help=_HELP["ca"][language])
    export = actions.add_parser(
        "export", help=_HELP["export"][language], description=_HELP["export"][language], language=language
    )
    export.add_argument("folder", type=Path, metavar="DIR", help=_HELP["folder"][language])
    for each in (push, export):
        each.add_argument("--lang", choices=("zh", "en"), default=language, help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    return _push(options) if options.action == "push" else _export(options)


def _push(options: argparse.Namespace) -> int:
    from gateway.dashboards.bundle import load_bundle
    from gateway.dashboards.client import Grafana, NotAnAddress
    from gateway.dashboards.push import Push

    language = options.lang
    try:
        token = options.token_file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        return _wrong(_NO_TOKEN[language].format(file=options.token_file, why=error))
    if not token or not token.isascii():
        return _wrong(_EMPTY[language].format(file=options.token_file))
    try:
        grafana = Grafana(options.url, token, options.ca_file)
    except NotAnAddress as error:
        return _wrong(error.say(language))
    if grafana.is_clear:
        print(f"vigil dashboards: {_CLEAR[language]}", file=sys.stderr)
    bundle = load_bundle((options.only,) if options.only else ("zh", "en"))
    push = Push(grafana, bundle, options.dry_run, options.folder_parent, not options.no_alerts, options.notify)
    _tell(push.run(), language, dry_run=options.dry_run)
    return 0


def _tell(changes: Iterable[Change], language: str, *, dry_run: bool) -> None:
    words = _WOULD if dry_run else _DONE
    counts: Counter[str] = Counter()
    for change in changes:
        counts[change.action] += 1
        if change.action == "unchanged":
            continue
        print(f"{_WHAT[change.what][language]} {change.uid}: {words[change.action][language]}")
        for difference in change.differences[:MOST_LINES]:
            print(f"    {difference}")
        if len(change.differences) > MOST_LINES:
            print(_MORE[language].format(count=len(change.differences) - MOST_LINES))
    shown = [f"{words[action][language]} {counts[action]}" for action in ("created", "updated", "unchanged")]
    print(("，" if language == "zh" else ", ").join(shown))


def _export(options: argparse.Namespace) -> int:
    from gateway.dashboards.bundle import export
    from gateway.errors import GatewayError

    text = {}
    try:
        written = export(options.folder)
    except OSError as error:
        text = {lang: _NO_FOLDER[lang].format(folder=options.folder, why=error) for lang in ("zh", "en")}
        raise GatewayError(text["en"], text["zh"]) from error
    print(_EXPORTED[options.lang].format(count=len(written), folder=options.folder))
    return 0


def _wrong(text: str) -> int:
    print(f"vigil dashboards: {text}", file=sys.stderr)
    return 2
