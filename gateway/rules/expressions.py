"""CEL expressions with three answers: a value, or None for *cannot tell*.

All numbers are doubles: CEL mixes no integers with doubles, so integer literals are rewritten. A name that has no value
is left out of the evaluation: `false && missing` is then false, `true || missing` true, anything else cannot be told.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gateway.rules.cel_module import compile_cel

#: What an expression works with: no None, no integer.
Plain: TypeAlias = bool | float | str

_TOKENS = re.compile(
    r"""(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")
      | (?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]{}])
      | (?P<blank>\s+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
WORDS_OF_CEL = frozenset({"true", "false", "null", "in"})


class BadExpression(ValueError):
    """A text that is no expression; the message is the parser's."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int = 0
    """Where it stands in the text."""


def tokens(source: str) -> list[Token]:
    """The tokens of an expression, blanks left out."""
    found = [Token(str(match.lastgroup), match.group(), match.start()) for match in _TOKENS.finditer(source)]
    return [token for token in found if token.kind != "blank"]


def substitute(source: str, values: Mapping[str, str]) -> str:
    """`source` with some of its names replaced by other text."""

    def replace(match: re.Match[str]) -> str:
        return values.get(match.group(), match.group()) if match.lastgroup == "name" else match.group()

    return _TOKENS.sub(replace, source)


def number_text(value: float) -> str:
    """A number in its shortest form; in brackets where it is negative."""
    text = repr(float(value)).removesuffix(".0")
    return f"({text})" if value < 0 else text


def filled(source: str, limits: Mapping[str, float]) -> str:
    """`source` with the rule's own numbers in place of their names."""
    return substitute(source, {name: number_text(value) for name, value in limits.items()}) if limits else source


def _double(match: re.Match[str]) -> str:
    text = match.group()
    return f"{text}.0" if match.lastgroup == "number" and text.isdecimal() else text


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. `names` are the variables it asks for."""

    source: str
    names: tuple[str, ...]
    run: Callable[[dict[str, Any]], Any] = field(compare=False, repr=False)
    is_name: bool = False
    """Nothing but a name: there is nothing to run."""
    comparison: tuple[Callable[[float, float], bool], float] | None = field(default=None, compare=False, repr=False)
    """Nothing but a name beside a number, as most rules are: done here, at a fiftieth of what a program takes."""

    def value(self, known: Mapping[str, Plain]) -> Plain | None:
        """What it gives with what is known; None where that cannot be told."""
        if self.is_name:
            return known.get(self.source)
        if self.comparison is not None:
            number = known.get(self.names[0])
            compare, bound = self.comparison
            return compare(number, bound) if type(number) is float else None
        try:
            found = self.run({name: known[name] for name in self.names if name in known})
        except (RuntimeError, TypeError, ValueError):
            return None
        if isinstance(found, float):
            return found if math.isfinite(found) else None
        return found if isinstance(found, bool | str) else None

    def truth(self, known: Mapping[str, Plain]) -> bool | None:
        """True, false, or None for *cannot tell*."""
        found = self.value(known)
        return found if isinstance(found, bool) else None


_compiled: dict[str, Expression] = {}


def compile_expression(source: str) -> Expression:
    """The expression; BadExpression where it is none. Equal texts share one program."""
    known = _compiled.get(source)
    if known is None:
        program = compile_cel(_TOKENS.sub(_double, source))
        names = tuple(program.variables())
        known = Expression(source, names, program.execute, names == (source,), _comparison(source))
        _compiled[source] = known
    return known


_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _comparison(source: str) -> tuple[Callable[[float, float], bool], float] | None:
    """How `source` compares its name, where it is `name > number` or the like."""
    found = tokens(source)
    if len(found) < 3 or found[0].kind != "name" or found[0].text in WORDS_OF_CEL or found[1].text not in _ORDERS:
        return None
    number = "".join(token.text for token in found[2:])
    bare = number.removeprefix("(").removesuffix(")") if number.startswith("(-") else number
    if not re.fullmatch(r"-?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?", bare):
        return None
    return _ORDERS[found[1].text], float(bare)


def joined(sources: Sequence[str], sign: str) -> str:
    """Several expressions as one, by `||` or `&&`."""
    return sources[0] if len(sources) == 1 else f" {sign} ".join(f"({each})" for each in sources)
