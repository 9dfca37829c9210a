"""`vigil backup`: configuration and state of a site in one file, also while its gateway runs."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from gateway.model import Text

_HELP = {
    "config": Text("站点配置文件", "site file"),
    "file": Text("备份文件（.tar.gz）", "where to write it (.tar.gz)"),
    "secrets": Text("包括口令、私钥和操作员文件", "with passwords, private keys and the operators file"),
}
_DONE = Text("已备份到 {file}：{count} 个文件，{size:.1f} MB", "Backed up to {file}: {count} files, {size:.1f} MB")
_SECRET = Text("未包括（机密）：{path}", "not in it (secret): {path}")
_OUTSIDE = Text("未包括（不在配置目录内）：{path}", "not in it (outside the folder of the site file): {path}")


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("config", type=Path, help=_HELP["config"][language])
    parser.add_argument("file", type=Path, help=_HELP["file"][language])
    parser.add_argument("--secrets", action="store_true", help=_HELP["secrets"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.backup import back_up

    site = load(options.config, options.lang)
    made = back_up(site, options.file, secrets=options.secrets, made_ms=time.time_ns() // 1_000_000)
    print(_DONE[options.lang].format(file=options.file, count=len(made.files), size=made.bytes / 1e6))
    for name in made.secrets_left_out:
        print(_SECRET[options.lang].format(path=name))
    for path in made.outside:
        print(_OUTSIDE[options.lang].format(path=path))
    return 0
