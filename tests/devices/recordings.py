"""Recordings as data, whatever is tested with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.model import MaybeValue, Status
from gateway.ports import Values
from gateway.settings.document import read
from gateway.settings.nodes import plain
from gateway.settings.problems import Problems

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
PROFILES = ROOT / "config" / "profiles"

Tables = Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Recording:
    path: Path
    profile: str
    origin: str
    unit: int
    tables: Tables
    """Words (or bits) by table and address."""
    readings: Mapping[str, tuple[MaybeValue, Status]]

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"


def page(path: Path) -> Any:
    """A YAML file as plain data; every problem fails the test."""
    problems = Problems()
    root, _ = read(path, problems)
    problems.raise_any()
    assert root is not None
    return plain(root)


def recording(path: Path) -> Recording:
    keys = page(path)
    assert set(keys) == {"schema", "profile", "origin", "made", "note", "unit", "tables", "readings"}, path
    assert keys["schema"] == 1
    assert keys["origin"] in ("hardware", "source")
    assert set(keys["note"]) == {"zh", "en"}
    tables: dict[str, dict[int, int]] = {}
    for table, runs in keys["tables"].items():
        cells = tables.setdefault(table, {})
        for first, words in runs.items():
            for address, word in enumerate(words, first):
                assert address not in cells, f"{path}: {table}:{address} stands twice"
                assert 0 <= word <= (1 if table in ("coil", "discrete") else 0xFFFF)
                cells[address] = word
    return Recording(
        path, keys["profile"], keys["origin"], keys["unit"], tables, dict(_readings(keys["readings"], path))
    )


def _readings(keys: Mapping[str, Any], path: Path) -> Iterator[tuple[str, tuple[MaybeValue, Status]]]:
    for point, told in keys.items():
        if not isinstance(told, dict):
            yield point, (told, Status.Good)
            continue
        status = Status[told["status"]]
        assert status is not Status.Good, f"{path}: {point}: a plain value says the same"
        assert status.is_usable == ("value" in told), f"{path}: {point}"
        yield point, (told.get("value"), status)


RECORDINGS = [recording(path) for path in sorted(FOLDER.glob("*/*.yaml"))]
PROFILE_NAMES = sorted(path.relative_to(PROFILES).with_suffix("").as_posix() for path in PROFILES.glob("*/*.yaml"))


def kind_of(profile: str) -> str:
    return str(page(PROFILES / f"{profile}.yaml")["kind"])


def same(found: MaybeValue, wanted: MaybeValue) -> bool:
    """Equal; numbers to the precision of the scales that profiles write (1/3600 stands with ten digits)."""
    if isinstance(found, bool | str) or isinstance(wanted, bool | str) or found is None or wanted is None:
        return type(found) is type(wanted) and found == wanted
    return math.isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-12)


def differences(values: Values, wanted: Mapping[str, tuple[MaybeValue, Status]]) -> dict[str, object]:
    """Points that are not as wanted: what was found and what should have been."""
    found = {
        name: (value, status) for name, value, status in zip(values.points, values.values, values.statuses, strict=True)
    }
    wrong: dict[str, object] = {}
    for name in {**found, **wanted}:
        (value, status), (right, right_status) = found.get(name, (None, None)), wanted.get(name, (None, None))
        if status is not right_status or not same(value, right):
            wrong[name] = f"{value!r} {status!r} instead of {right!r} {right_status!r}"
    return wrong
