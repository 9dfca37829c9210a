"""The gateway's wall clock, set by the test (libfaketime); monotonic time is left alone."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from gateway.store.stamps import SET_BACK_MS

LIBRARIES = "/usr/lib"
SECOND_NS = 1_000_000_000


class SteppedClock:
    """Writes the file libfaketime reads; `steps` are the offsets in force, each from its wall clock (ns) on."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.steps: list[tuple[int, int]] = []
        self.step_to(0)

    def step_to(self, offset_s: int) -> None:
        """Let the gateway's clock stand `offset_s` beside the real one."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset_s:+d}\n")
        self.steps.append((time.time_ns(), offset_s))
        new.replace(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to see this clock."""
        found = sorted(Path(LIBRARIES).glob("*/faketime/libfaketime.so.1"))
        assert found, "libfaketime is not installed; `make test` as root installs it"
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }

    def set_back_ms(self, at_ns: int, told: Sequence[int]) -> int:
        """By how much the clock was set back, where that was a little and shortly before `at_ns`: so long messages come
        behind the last one that was told before. `told` (ns, in order) are the messages of the same topic: since the
        gateway sees the clock with them only, the time between the last before a step and the first after it counts."""
        found = 0
        for number, (at, after) in enumerate(self.steps):
            first = bisect_left(told, at)
            silent_ns = told[first] - told[first - 1] if 0 < first < len(told) else 0
            between_ns = SECOND_NS + silent_ns
            for (_, before), (ended, _) in pairwise(self.steps[: number + 1]):
                by_ns = (before - after) * SECOND_NS
                is_little = 0 < by_ns <= SET_BACK_MS * 1_000_000 + between_ns and ended >= at - between_ns
                if is_little and at - SECOND_NS <= at_ns <= at + by_ns + SECOND_NS:
                    found = max(found, by_ns // 1_000_000)
        return found

    def offsets(self, from_ns: int, to_ns: int, slack_ns: int = SECOND_NS) -> set[int]:
        """Offsets that were in force at some time between the two, or within `slack_ns` of it."""
        found = set()
        ends = [at for at, _ in self.steps[1:]] + [2**63]
        for (at, offset_s), end in zip(self.steps, ends, strict=True):
            if at - slack_ns <= to_ns and end + slack_ns >= from_ns:
                found.add(offset_s)
        return found
