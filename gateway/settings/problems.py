"""Where something stands in a file a person wrote, and the list of everything wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

from gateway.errors import ConfigError, Problem
from gateway.model import Text

#: What people write who come from another product or from the words on the device.
SYNONYMS = {
    "slave": "unit", "station": "unit", "unit_id": "unit", "address": "at", "register": "at", "poll": "interval",
    "period": "interval", "scan_rate": "interval", "port": "serial", "host": "tcp", "baud": "baudrate",
    "multiplier": "scale", "factor": "scale", "byte_order": "order", "tags": "labels", "tz": "timezone",
    "type": "kind", "min": "range", "max": "range", "limits": "range", "label": "name", "model": "profile",
}  # fmt: skip


#: Where nothing could be named instead.
REMOVE = Text("删去", "remove it")
#: What is said where nothing closer is known.
CORRECT_IT = Text("改正，或删去这一处", "correct it, or remove it")


class Place(NamedTuple):
    """`line` and `column` are 1-based; `path` is `devices[0].points.level.at`, `.` for the file as a whole.

    A tuple, since a start makes tens of thousands of them and a frozen data class takes three times as long to make.
    """

    file: str
    line: int
    column: int
    path: str

    def below(self, key: str | int) -> Place:
        """The same position, one step deeper in the path."""
        return Place(self.file, self.line, self.column, step(self.path, key))


def step(path: str, key: str | int) -> str:
    """One step down a path."""
    if isinstance(key, int):
        return f"{path}[{key}]" if path != "." else f"[{key}]"
    return f"{path}.{key}" if path != "." else key


class Problems:
    """Collects what is wrong, in the language of the reader."""

    def __init__(self, language: str = "en") -> None:
        self.language = language
        self._found: list[Problem] = []
        self._places: set[Place] = set()

    def __len__(self) -> int:
        return len(self._found)

    def add(self, place: Place, text: Text | str, hint: Text | str | None) -> None:
        """`text` says what is wrong there, `hint` what to write instead; None where nobody can know."""
        self._places.add(place)
        said, instead = self._say(text), self._say(hint or CORRECT_IT)
        self._found.append(Problem(place.file, place.line, place.column, place.path, said, instead))

    def known_at(self, place: Place) -> bool:
        """Whether something is already said about exactly this place."""
        return place in self._places

    def raise_any(self) -> None:
        """ConfigError with everything found, if anything was."""
        if self._found:
            raise ConfigError(self._found)

    def _say(self, text: Text | str) -> str:
        return text[self.language] if isinstance(text, Text) else text


def meant(word: object, known: Iterable[str]) -> str | None:
    """The known word a person most likely meant."""
    candidates = list(known)
    text = str(word)
    if (synonym := SYNONYMS.get(text.lower())) in candidates:
        return synonym
    known_words = {word: word for word in candidates}
    known_words |= {word: other for word, other in SYNONYMS.items() if other in known_words and word not in known_words}
    close = get_close_matches(text.lower(), known_words, n=1, cutoff=0.6)
    return known_words[close[0]] if close else None


def suggest(word: object, known: Iterable[str]) -> Text | None:
    """A hint for an unknown word: the one that was probably meant, else the whole choice."""
    candidates = sorted(known)
    if not candidates:
        return None
    if (close := meant(word, candidates)) is not None:
        return Text(f"是不是想写 {close}？", f"did you mean {close}?")
    listed = ", ".join(candidates[:30]) + (", ..." if len(candidates) > 30 else "")
    return Text(f"可以写：{listed}", f"known here: {listed}")
