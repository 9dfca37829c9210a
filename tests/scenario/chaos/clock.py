"""The gateway's wall clock, set by the test (libfaketime); monotonic time is left alone."""

from __future__ import annotations

import time
from pathlib import Path

LIBRARIES = "/usr/lib"


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

    def offsets(self, from_ns: int, to_ns: int, slack_ns: int = 1_000_000_000) -> set[int]:
        """Offsets that were in force at some time between the two, or within `slack_ns` of it."""
        found = set()
        ends = [at for at, _ in self.steps[1:]] + [2**63]
        for (at, offset_s), end in zip(self.steps, ends, strict=True):
            if at - slack_ns <= to_ns and end + slack_ns >= from_ns:
                found.add(offset_s)
        return found
