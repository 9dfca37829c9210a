"""The file behind an Apprise channel: one address on each line, `#` begins a comment. Addresses hold secrets: no text
of ours ever repeats one."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.model import Text
from gateway.settings.problems import Place, Problems

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9]*://\S+")


def read_urls(path: Path) -> list[tuple[int, str]]:
    """Line number and address of each; OSError, UnicodeDecodeError."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = {line.strip(): number for number, line in reversed(list(enumerate(lines, 1)))}
    return sorted((number, url) for url, number in found.items() if url and not url.startswith("#"))


def review_urls(path: Path, place: Place, problems: Problems) -> None:
    """Say where a line is no address, and where there is none at all; `place` is where the file is named."""
    try:
        urls = read_urls(path)
    except (OSError, UnicodeDecodeError):
        problems.add(
            place,
            Text(f"{path} 不是 UTF-8 文字", f"{path} cannot be read as UTF-8 text"),
            Text("用 UTF-8 编码保存", "save it as UTF-8"),
        )
        return
    if not urls:
        problems.add(
            place,
            Text(f"{path} 里没有地址", f"{path} holds no address"),
            Text("每行写一个 Apprise 地址", "write one Apprise address on each line"),
        )
    for number, url in urls:
        if not _ADDRESS.fullmatch(url):
            problems.add(
                Place(str(path), number, 1, "."),
                Text("这一行不是 Apprise 地址", "this line is no Apprise address"),
                Text("例如 mailto://...，每行一个", "such as mailto://..., one on each line"),
            )
