"""JSON as Vigil writes and reads it: compact, UTF-8, exact numbers, no NaN, no duplicate keys.

A Decimal is written with all its digits; text that is no Unicode (lone surrogates) is refused both ways.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring as _quote
from math import isfinite
from typing import Any

MAX_BYTES = 256 * 1024
MAX_DEPTH = 16
LARGEST_INTEGER_BITS = 1023
"""The longest integer that a float can still approximate."""


class NotJson(ValueError):
    """Text that is not the JSON this product exchanges."""


def quote(text: str) -> str:
    """`text` as a JSON string."""
    return _quote(text)


def scalar(value: object) -> str:
    """One value as JSON; ValueError for NaN and infinity, TypeError for what JSON has no word for."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"not a number: {value}")
        return float.__repr__(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"not a number: {value}")
        return str(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def dumps(value: object) -> str:
    """Compact JSON of mappings, sequences and scalars; keys keep their order."""
    if isinstance(value, Mapping):
        return "{" + ",".join([f"{_quote(key)}:{dumps(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([dumps(item) for item in value]) + "]"
    return scalar(value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("a key stands twice")
    return found


def _constant(word: str) -> object:
    raise NotJson(f"{word} is not a number")


_read = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant).decode


def loads(payload: bytes) -> object:
    """The value of `payload`; NotJson for anything that is not strict UTF-8 JSON of sane size.

    Numbers may still be out of range (`1e999` reads as infinity): `check` what is not checked otherwise.
    """
    if len(payload) > MAX_BYTES:
        raise NotJson(f"{len(payload)} bytes are too many")
    try:
        text = payload.decode("utf-8")
        value: object = _read(text)
        if "\\u" in text:
            dumps(value).encode()  # an escape can smuggle in half a surrogate pair
    except NotJson:
        raise
    except UnicodeError as error:
        raise NotJson("not Unicode") from error
    except RecursionError as error:
        raise NotJson("nested too deeply") from error
    except ValueError as error:
        raise NotJson(f"not JSON: {error}") from error
    return value


def check(value: object, depth: int = MAX_DEPTH) -> None:
    """NotJson where `value` nests deeper than `depth` or holds a number that no float can approximate."""
    if depth < 0:
        raise NotJson("nested too deeply")
    if isinstance(value, Mapping):
        for item in value.values():
            check(item, depth - 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check(item, depth - 1)
    elif isinstance(value, float):
        if not isfinite(value):
            raise NotJson("number out of range")
    elif isinstance(value, int) and value.bit_length() > LARGEST_INTEGER_BITS:
        raise NotJson("number out of range")
