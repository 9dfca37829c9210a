"""`vigil run`: the gateway daemon of one site."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from gateway.cli.logs import set_up_logging
from gateway.model import Text


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("config", type=Path, help=Text("站点配置文件", "site file")[language])
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.daemon import run_site

    set_up_logging(options.log_level)
    site = load(options.config, options.lang)
    asyncio.run(run_site(site, options.lang))
    return 0
