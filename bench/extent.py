"""How much of everything is measured: a short run that fits into twelve minutes, or a long one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """Windows in seconds. `steady`: slaves, window, repeats, and whether the floor in C is measured, too."""

    steady: tuple[tuple[int, float, int, bool], ...]
    loads: tuple[tuple[int, int], ...]
    """Slaves and interval in microseconds, in the search for the highest rate."""
    rate_s: float
    tries: int
    """How often a load may fail."""
    drain_s: float
    silence_s: float
    turnaround_s: float
    serial_s: float
    faults_in_c: bool


_SHORTER_MS = (
    *(800, 700, 600, 500, 450, 400, 350, 300, 270, 240, 220, 200),
    *(180, 160, 140, 120, 100, 80, 60, 50, 40, 30),
)

SHORT = Extent(
    steady=((10, 10.0, 1, False), (200, 15.0, 2, True)),
    loads=(
        *((400, 1_000_000), (1000, 1_000_000)),
        *((1000, interval_ms * 1000) for interval_ms in (800, 650, 500, 400, 300, 240, 200, 160, 120, 80)),
    ),
    rate_s=8.0,
    tries=2,
    drain_s=8.0,
    silence_s=10.0,
    turnaround_s=6.0,
    serial_s=100.0,
    faults_in_c=False,
)
LONG = Extent(
    steady=tuple((count, 60.0, 3, True) for count in (10, 50, 200)),
    loads=(
        *((count, 1_000_000) for count in (100, 200, 300, 400, 500, 600, 800, 1000)),
        *((1000, interval_ms * 1000) for interval_ms in _SHORTER_MS),
    ),
    rate_s=20.0,
    tries=2,
    drain_s=60.0,
    silence_s=60.0,
    turnaround_s=10.0,
    serial_s=600.0,
    faults_in_c=True,
)
