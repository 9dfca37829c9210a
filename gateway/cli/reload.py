"""`vigil reload`: apply a changed site file to the running gateway, and see whether it proves itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gateway.model import Text

_HELP = {
    "config": Text("站点配置文件", "site file"),
    "keep": Text(
        "即使有设备失去应答也不退回原配置", "stay with the new file even if devices that answered before fall silent"
    ),
}
_TRYING = Text(
    "配置正确，正在应用；原来有应答的设备若不再应答，将自动退回原配置",
    "The file is right and is being applied; if devices that answered before fall silent, it is undone",
)
_KEPT = Text(
    "已生效：新增 {added}，删除 {removed}，更改 {changed}",
    "In force: {added} added, {removed} removed, {changed} changed",
)
_UNDONE = Text(
    "vigil reload: 已退回原配置，这些设备不再应答：{lost}（确要更改用 --keep）",
    "vigil reload: undone, since these devices fell silent: {lost} (--keep applies it all the same)",
)
_REPLACED = Text(
    "vigil reload: 又有一次重新加载取代了本次", "vigil reload: another reload has taken the place of this one"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("config", type=Path, help=_HELP["config"][language])
    parser.add_argument("--keep", action="store_true", help=_HELP["keep"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.control import ControlClient, ControlFailed
    from gateway.reload.reloading import LONGEST_TRIAL_S
    from gateway.reload.request import Told

    language = options.lang
    site = load(options.config, language)
    if not options.keep:
        print(_TRYING[language], flush=True)
    args = {"file": str(options.config.resolve()), "language": language, "keep": options.keep}
    try:
        with ControlClient(site.state_dir) as client:
            told = Told.of_result(client.ask("reload", args, ask_s=LONGEST_TRIAL_S + 90))
    except ControlFailed as failure:
        print(f"vigil reload: {failure.text[language]}", file=sys.stderr)
        return 1
    if told.problems:
        print(*told.problems, sep="\n")
        return 2
    if told.kept:
        sizes = {name: len(getattr(told, name)) for name in ("added", "removed", "changed")}
        print(_KEPT[language].format(**sizes))
        return 0
    print(_UNDONE[language].format(lost=", ".join(told.lost)) if told.lost else _REPLACED[language], file=sys.stderr)
    return 1
