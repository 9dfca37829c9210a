"""What a plain YAML scalar means: the core schema of YAML 1.2 (section 10.3) and nothing else.

`off`, `no`, `yes`, `20:00` and dates stay text; only null, booleans and numbers are taken out.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Plain: TypeAlias = bool | int | float | str | None

#: No quantity of this product has more digits (an unsigned 64-bit integer has 20).
LARGEST = 2**64 - 1

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
#: Nothing else begins a number; most scalars are words.
_FIRST_OF_NUMBERS = frozenset("+-.0123456789")
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


class NotANumber(ValueError):
    """Written like a number, but none that can be used: infinite, or with too many digits."""


def resolve(text: str) -> Plain:
    """The value of an unquoted scalar; NotANumber where it is a number nobody can use."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if text[0] not in _FIRST_OF_NUMBERS:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if abs(number) > 1e300:
            raise NotANumber(text)
        return number
    if _NOT_FINITE.fullmatch(text):
        raise NotANumber(text)
    return text


def _integer(text: str) -> int:
    if len(text) > 64:
        raise NotANumber(text)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    number = int(text, base)
    if abs(number) > LARGEST:
        raise NotANumber(text)
    return number
