"""The command `vigil`: one small module per command, imported only when it is asked for."""

from __future__ import annotations

import argparse
import importlib
import locale
import os
import sys
from collections.abc import Sequence

from gateway import __version__
from gateway.errors import ConfigError, GatewayError
from gateway.model import Text

#: Command -> what it does. Each is a module of this package with `arguments(parser)` and `run(options) -> int`.
COMMANDS: dict[str, Text] = {
    "check": Text("检查配置文件，列出所有问题", "check a configuration file and list every problem"),
}

EXIT_DONE, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def default_language() -> str:
    """`zh` where the locale says Chinese, else `en`."""
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    if name is None:
        name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def _parser(language: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vigil", description=Text("守望：应急装备值守网关", "Vigil: the readiness gateway")[language]
    )
    parser.add_argument("--version", action="version", version=f"vigil {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        module = importlib.import_module(f"gateway.cli.{name}")
        command = commands.add_parser(name, help=summary[language], description=summary[language])
        command.add_argument("--lang", choices=("zh", "en"), default=language)
        module.arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 failed while running, 2 wrong usage or configuration."""
    options = _parser(default_language()).parse_args(arguments)
    try:
        return int(options.run(options))
    except ConfigError as error:
        print(error)
        return EXIT_USAGE
    except GatewayError as error:
        print(f"vigil {options.command}: {error}", file=sys.stderr)
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
