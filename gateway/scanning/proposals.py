"""Which profiles fit a unit: those whose identity marks are all found there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drivers.modbus.probe import Probe, mark_probe, mark_value
from gateway.settings.bundled import config_dir
from gateway.settings.problems import Problems
from gateway.settings.profiles import ProfileShelf
from gateway.settings.protocol import Protocols
from gateway.settings.types import IdentityMark
from gateway.settings.vocabulary import load_vocabulary


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile that can be told by asking."""

    profile: str
    marks: tuple[IdentityMark, ...]

    @property
    def probes(self) -> tuple[Probe, ...]:
        return tuple(mark_probe(mark.point) for mark in self.marks)

    def fits(self, answers: Mapping[Probe, bytes]) -> bool:
        """Whether every mark is found."""
        return all(_is_found(mark, answers.get(mark_probe(mark.point))) for mark in self.marks)


def _is_found(mark: IdentityMark, data: bytes | None) -> bool:
    if data is None:
        return False
    return mark.fits(mark_value(mark.point, data))


def load_candidates(protocols: Protocols, folders: Iterable[Path] = ()) -> Sequence[Candidate]:
    """Every usable profile with identity marks, those beside a site file included; most telling first."""
    shelf = ProfileShelf([*folders, config_dir() / "profiles"], protocols, load_vocabulary(), Problems())
    found = []
    for name in shelf.names():
        profile = shelf.get(name)
        if profile is not None and profile.sound and profile.identity and profile.protocol.name == "modbus":
            found.append(Candidate(name, profile.identity))
    return sorted(found, key=lambda candidate: (-len(candidate.marks), candidate.profile))
