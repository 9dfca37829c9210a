"""`vigil operator`: a line of the operators file for a person; the token is typed twice, or comes on standard input."""

from __future__ import annotations

import argparse
import getpass
import sys

from gateway.cli.at_site import complain
from gateway.model import Text

_HELP = {
    "name": Text("姓名或岗位，命令中的 by", "name or post, `by` of a command"),
    "role": Text("角色：viewer、operator 或 maintainer", "role: viewer, operator or maintainer"),
}
_TOKEN = Text("口令：", "Token: ")
_AGAIN = Text("再输一次：", "Again: ")
_DIFFERENT = Text("两次不同", "they are not the same")
_WRONG = Text(
    "姓名用文字、数字和 - _ .，角色用小写字母、数字和 _，口令 1 到 256 个字符",
    "a name has letters, digits, - _ and .; a role lower-case letters, digits and _; a token 1 to 256 characters",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    parser.add_argument("name", metavar="NAME", help=_HELP["name"][language])
    parser.add_argument("role", metavar="ROLE", help=_HELP["role"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.operators import operator_line

    token = _token(options.lang)
    if token is None:
        complain("operator", _DIFFERENT, options.lang)
        return 2
    try:
        print(operator_line(options.name, options.role, token))
    except ValueError:
        complain("operator", _WRONG, options.lang)
        return 2
    return 0


def _token(language: str) -> str | None:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass(_TOKEN[language])
    return first if getpass.getpass(_AGAIN[language]) == first else None
