"""`vigil init`: asks, looks at the lines, and writes a first site file that passes `vigil check`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.at_site import complain
from gateway.cli.logs import quiet_lines
from gateway.cli.progress import Progress
from gateway.cli.stopping import stop_at_once
from gateway.model import Text

if TYPE_CHECKING:
    from gateway.commissioning.interview import AnswerFile, Interview
    from gateway.commissioning.site_file import Draft

_HELP = {
    "out": Text("写成哪个文件（默认 site.yaml）", "file to write (default site.yaml)"),
    "answers": Text("从文件取答案，不在键盘上问", "take the answers from a file instead of the keyboard"),
    "force": Text("覆盖已有文件", "replace a file that is there"),
}
_EXISTS = Text(
    "{path} 已存在，用 --force 覆盖，或用 --out 换一个文件",
    "{path} is there already; --force replaces it, --out takes another",
)
_UNUSED = Text("答案文件里有没问到的键：{keys}", "the answers hold keys that nobody asked for: {keys}")
_STOPPED = Text("已中止，没有写文件", "stopped; nothing was written")
_NO_DEVICES = Text("没有设备，没有写文件", "there are no devices; nothing was written")
_DONE = Text(
    "{path}：线路 {lines} 条，设备 {devices} 台。接下来：", "{path}: lines: {lines}, devices: {devices}. Next:"
)
_NEXT = ("vigil check {path} --plan", "vigil loopcheck {path} --by NAME", "vigil run {path}")


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("--out", type=Path, default=Path("site.yaml"), metavar="FILE", help=_HELP["out"][language])
    parser.add_argument("--answers", type=Path, metavar="FILE", help=_HELP["answers"][language])
    parser.add_argument("--force", action="store_true", help=_HELP["force"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.commissioning.interview import CannotAnswer, Keyboard
    from gateway.commissioning.site_file import site_text

    language, path = options.lang, options.out
    quiet_lines()
    stop_at_once()
    if path.exists() and not options.force:
        complain("init", Text(_EXISTS.zh.format(path=path), _EXISTS.en.format(path=path)), language)
        return 2
    file = _answers(options.answers, language) if options.answers is not None else None
    interview: Interview = file or Keyboard(sys.stdout, sys.stdin.readline, language)
    try:
        draft = asyncio.run(_ask(interview, language, path.parent))
    except CannotAnswer as error:
        complain("init", error.text, language)
        return 2
    except KeyboardInterrupt:
        print(file=sys.stderr)
        complain("init", _STOPPED, language)
        return 1
    if file is not None and file.unused:
        keys = ", ".join(file.unused)
        complain("init", Text(_UNUSED.zh.format(keys=keys), _UNUSED.en.format(keys=keys)), language)
        return 2
    if not draft.devices:
        complain("init", _NO_DEVICES, language)
        return 1
    fresh = path.with_name(f".{path.name}.new")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    fresh.write_text(site_text(draft), encoding="utf-8")
    load(fresh, language)  # a file with problems never replaces one that is there
    fresh.replace(path)
    print(_DONE[language].format(path=path, lines=len(draft.lines), devices=len(draft.devices)))
    print(*(f"  {command.format(path=path)}" for command in _NEXT), sep="\n")
    return 0


async def _ask(interview: Interview, language: str, folder: Path) -> Draft:
    from gateway.installing.first_site import first_site

    return await first_site(interview, _Terminal(language), language, folder)


class _Terminal:
    """gateway.installing.first_site.Screen."""

    def __init__(self, language: str) -> None:
        self._language = language

    def say(self, text: Text) -> None:
        print(text[self._language], flush=True)

    def progress(self, total: int) -> Callable[[str | None, int], None]:
        bar = Progress(sys.stderr, total, self._language)

        def step(what: str | None, found: int) -> None:
            if what is None:
                bar.clear()
            else:
                bar.step(what, found)

        return step


def _answers(path: Path, language: str) -> AnswerFile:
    """The file, or ConfigError with what is wrong in it."""
    from gateway.commissioning.interview import AnswerFile
    from gateway.settings.document import read
    from gateway.settings.nodes import plain
    from gateway.settings.problems import Problems

    problems = Problems(language)
    root, _ = read(path, problems)
    problems.raise_any()
    return AnswerFile({} if root is None else plain(root))
