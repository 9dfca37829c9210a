"""InfluxDB line protocol with time stamps in milliseconds.

Tags cannot hold line breaks or backslashes without ambiguity (a backslash before a separator swallows it): there they
become a blank and a slash. Fields keep every character.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from gateway.ports import Fact


def encode(fact: Fact) -> bytes:
    """One line without line break, or nothing where `fact` has no field. ValueError for NaN and infinity."""
    if not fact.fields:
        return b""
    words, keys = _words, _fields
    fields = ",".join([keys[name] + words[type(value)](value) for name, value in fact.fields.items()])
    if "=nan" in fields or "=inf" in fields or "=-inf" in fields:
        _check(fact)
    return f"{_series[fact.measurement, fact.tags]} {fields} {fact.ts}".encode()


def _check(fact: Fact) -> None:
    for name, value in fact.fields.items():
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"not a number: {name}")


_TAG = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ ", "\\": "/", "\n": "\\ ", "\r": "\\ ", "\t": "\\ "})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ ", "\\": "/", "\n": "\\ ", "\r": "\\ ", "\t": "\\ "})
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\"})


class _Series(dict[tuple[str, tuple[tuple[str, str], ...]], str]):
    """Escaped measurement and tags of every series seen; emptied when it grows past any real fleet."""

    def __missing__(self, key: tuple[str, tuple[tuple[str, str], ...]]) -> str:
        if len(self) >= 65_536:
            self.clear()
        measurement, tags = key
        parts = [measurement.translate(_MEASUREMENT)]
        parts += [f"{name.translate(_TAG)}={value.translate(_TAG)}" for name, value in tags if value]
        text = self[key] = ",".join(parts)
        return text


class _Fields(dict[str, str]):
    """`name=` of every field seen."""

    def __missing__(self, name: str) -> str:
        if len(self) >= 65_536:
            self.clear()
        text = self[name] = f"{name.translate(_TAG)}="
        return text


_series = _Series()
_fields = _Fields()


def _string(value: str) -> str:
    return f'"{value.translate(_STRING)}"'


_words: dict[type, Callable[..., str]] = {
    float: float.__repr__,
    bool: {True: "true", False: "false"}.__getitem__,
    str: _string,
}
