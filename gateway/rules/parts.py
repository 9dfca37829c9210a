"""What an expression is made of, and which of its parts decide what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.rules.expressions import Plain, Token, compile_expression, tokens

_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an expression: joined by `sign` (`||`, `&&`, `!`, `?`), or with no sign a comparison or a name."""

    source: str
    sign: str = ""
    parts: tuple[Part, ...] = ()

    def truth(self, known: Mapping[str, Plain]) -> bool | None:
        """True, false, or None for *cannot tell*."""
        return compile_expression(self.source).truth(known)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(compile_expression(self.source).names)


def split(source: str) -> Part:
    """The parts of an expression that compiles."""
    return _split(source, tokens(source))


def deciding(part: Part, known: Mapping[str, Plain]) -> tuple[Part, ...]:
    """The smallest parts that make it say what it says: of an `||` that is true those that are true, of an `&&` that
    is false those that are false; where it cannot be told, those that cannot."""
    said = part.truth(known)
    match part.sign:
        case "!":
            chosen: Sequence[Part] = part.parts
        case "?":
            condition, yes, no = part.parts
            truth = condition.truth(known)
            chosen = (condition,) if truth is None else (condition, yes if truth else no)
        case "||" | "&&":
            alike = tuple(each for each in part.parts if each.truth(known) is said)
            decides = said is None or said is (part.sign == "||")
            chosen = alike if decides else part.parts
        case _:
            return (part,)
    return tuple(found for each in chosen for found in deciding(each, known))


def _split(source: str, found: Sequence[Token]) -> Part:
    while _is_wrapped(found):
        found = found[1:-1]
    text = _text(source, found)
    places = _question(found)
    if places is not None:
        first, second = places
        pieces = (found[:first], found[first + 1 : second], found[second + 1 :])
        return Part(text, "?", tuple(_split(source, piece) for piece in pieces))
    for sign in ("||", "&&"):
        cut = _cut(found, sign)
        if len(cut) > 1:
            return Part(text, sign, tuple(_split(source, piece) for piece in cut))
    if found[0].text == "!" and (len(found) == 2 or _is_wrapped(found[1:])):
        return Part(text, "!", (_split(source, found[1:]),))
    return Part(text)


def _text(source: str, found: Sequence[Token]) -> str:
    return source[found[0].start : found[-1].start + len(found[-1].text)]


def _depths(found: Sequence[Token]) -> list[int]:
    """How deep in brackets each token stands; a bracket itself stands outside."""
    depth, depths = 0, []
    for token in found:
        depth -= token.text in _CLOSE
        depths.append(depth)
        depth += token.text in _OPEN
    return depths


def _is_wrapped(found: Sequence[Token]) -> bool:
    """Whether one pair of round brackets holds all of it."""
    if len(found) < 3 or found[0].text != "(" or found[-1].text != ")":
        return False
    return 0 not in _depths(found)[1:-1]


def _question(found: Sequence[Token]) -> tuple[int, int] | None:
    """Where `?` and its `:` stand, outside of brackets."""
    outside = [index for index, depth in enumerate(_depths(found)) if depth == 0]
    first = next((index for index in outside if found[index].text == "?"), None)
    if first is None:
        return None
    nested = 0
    for index in outside:
        if index > first and found[index].text == "?":
            nested += 1
        elif index > first and found[index].text == ":":
            if nested == 0:
                return first, index
            nested -= 1
    return None


def _cut(found: Sequence[Token], sign: str) -> list[Sequence[Token]]:
    pieces: list[Sequence[Token]] = []
    begun = 0
    for index, depth in enumerate(_depths(found)):
        if depth == 0 and found[index].text == sign:
            pieces.append(found[begun:index])
            begun = index + 1
    return [*pieces, found[begun:]]
