"""What time is told on boards with and without a clock chip; time is in the test's hands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings.types import ClockSettings
from gateway.timekeeping.boot import Boot, this_boot
from gateway.timekeeping.keeper import RELEASED_MS, UNSEEN_MS, Mode, Scale, Settled, Timekeeper
from tests.fakes.hand_clock import HandClock

NOW = RELEASED_MS + 86_400_000
"""The true time."""
LAST = NOW - 3_600_000
FIRST = LAST + 1 + UNSEEN_MS
"""The first provisional time."""
"""The newest time stamp on disk."""
BARE, CHIP = Boot("boot-a", False), Boot("boot-a", True)


def keeper(
    clock: HandClock,
    boot: Boot = BARE,
    hardware: str = "auto",
    last_ts: int = LAST,
    kept: Scale | None = None,
) -> Timekeeper:
    return Timekeeper(clock, ClockSettings(hardware), boot, last_ts=last_ts, kept=kept)


def test_a_synchronised_clock_is_believed() -> None:
    clock = HandClock(NOW, synced=True)
    time = keeper(clock)
    assert (time.mode, time.synced, time.wall_ms(), time.tick()) == (Mode.SYNCED, True, NOW, None)
    clock.set(NOW - 5000, synced=True)
    assert time.wall_ms() == NOW - 5000
    clock.synced = False
    assert not time.synced
    assert time.wall_ms() == NOW - 5000


def test_without_a_clock_times_run_from_behind_the_last_one_and_are_settled_later() -> None:
    clock = HandClock(0)
    time = keeper(clock)
    assert (time.mode, time.synced, time.wall_ms()) == (Mode.HELD, False, FIRST)
    clock.up_s += 30
    assert time.wall_ms() == FIRST + 30_000
    assert time.tick() is None
    clock.set(NOW, synced=True)
    assert time.wall_ms() == FIRST + 30_000, "a step of the clock moves no provisional time"
    settled = time.tick()
    assert settled == Settled(FIRST, NOW - (FIRST + 30_000), synced=True)
    assert (time.mode, time.synced, time.wall_ms()) == (Mode.SYNCED, True, NOW)
    assert time.tick() is None


def test_after_ten_minutes_they_go_out_as_they_are() -> None:
    clock = HandClock(0)
    time = keeper(clock)
    clock.up_s = 599.9
    assert time.tick() is None
    clock.up_s = 600.0
    assert time.tick() == Settled(FIRST, 0, synced=False)
    assert (time.mode, time.synced, time.wall_ms()) == (Mode.FREE, False, FIRST + 580_000)
    clock.set(NOW)
    assert time.wall_ms() == NOW, "a person set it"
    clock.set(LAST - 1000)
    assert time.wall_ms() == FIRST + 580_000, "never behind what is on disk"
    clock.set(NOW + 1, synced=True)
    assert time.tick() is None, "what went out is final"
    assert (time.mode, time.wall_ms()) == (Mode.SYNCED, NOW + 1)


def test_a_machine_that_is_up_for_long_does_not_wait_again() -> None:
    time = keeper(HandClock(0, up_s=5000))
    assert (time.mode, time.wall_ms()) == (Mode.FREE, FIRST)


@pytest.mark.parametrize(
    ("boot", "hardware", "wall", "mode", "synced"),
    [
        (CHIP, "auto", NOW, Mode.FREE, False),
        (CHIP, "none", NOW, Mode.HELD, False),
        (CHIP, "trusted", NOW, Mode.SYNCED, True),
        (BARE, "trusted", NOW, Mode.SYNCED, True),
        (BARE, "auto", NOW, Mode.HELD, False),
        (CHIP, "auto", LAST - 1, Mode.HELD, False),
        (CHIP, "auto", 0, Mode.HELD, False),
    ],
)
def test_what_a_hardware_clock_is_worth(boot: Boot, hardware: str, wall: int, mode: Mode, synced: bool) -> None:
    time = keeper(HandClock(wall), boot, hardware)
    assert (time.mode, time.synced) == (mode, synced)


def test_a_restart_in_the_same_boot_goes_on_with_the_same_scale() -> None:
    clock = HandClock(0)
    first = keeper(clock)
    clock.up_s += 100
    at = first.wall_ms()
    clock.up_s += 5
    second = keeper(clock, last_ts=at, kept=first.scale)
    assert (second.mode, second.wall_ms()) == (Mode.HELD, at + 5000)
    clock.set(NOW, synced=True)
    third = keeper(clock, last_ts=at, kept=first.scale)
    assert third.since_start == Settled(FIRST, NOW - at - 5000, synced=True)
    other = keeper(HandClock(0), Boot("boot-b", False), last_ts=at, kept=first.scale)
    assert other.scale.since_ms == at + 1 + UNSEEN_MS, "what was confirmed at once is not on disk for a minute"


def test_a_scale_comes_back_from_disk() -> None:
    scale = Scale("b", -5, 7)
    assert Scale.loads(scale.dumps()) == scale


@given(
    wall=st.integers(0, NOW * 2),
    last=st.integers(0, NOW),
    hardware=st.sampled_from(["auto", "none"]),
    boot=st.sampled_from([BARE, CHIP]),
    steps=st.lists(st.tuples(st.floats(0, 400), st.one_of(st.none(), st.integers(0, NOW * 2))), max_size=20),
)
def test_what_nobody_vouches_for_is_never_behind_the_disk(
    wall: int, last: int, hardware: str, boot: Boot, steps: list[tuple[float, int | None]]
) -> None:
    clock = HandClock(wall)
    time = keeper(clock, boot, hardware, last)
    for pause_s, set_to in steps:
        held = time.wall_ms() if time.mode is Mode.HELD else None
        clock.up_s += pause_s
        if set_to is not None:
            clock.set(set_to)
        if held is not None and time.mode is Mode.HELD:
            assert abs(time.wall_ms() - held - pause_s * 1000) <= 2
        time.tick()
        assert time.wall_ms() > last
        assert not time.synced


def test_the_machine_says_what_it_has(tmp_path: Path) -> None:
    assert this_boot().id == this_boot().id
    bare = this_boot(tmp_path)
    assert not bare.has_clock
    assert bare.id != this_boot(tmp_path).id, "without an id every start is a boot of its own"
    chip = tmp_path / "sys/class/rtc/rtc0"
    chip.mkdir(parents=True)
    (chip / "hctosys").write_text("0\n")
    assert not this_boot(tmp_path).has_clock
    (chip / "hctosys").write_text("1\n")
    assert this_boot(tmp_path).has_clock


def test_changed_settings_hold_from_the_next_look_on() -> None:
    clock = HandClock(NOW)
    time = keeper(clock)
    assert time.mode is Mode.HELD
    time.configure(ClockSettings("trusted"))
    assert time.tick() == Settled(NOW, 0, synced=True)
    assert time.synced
    time.configure(ClockSettings("auto"))
    assert (time.synced, time.wall_ms()) == (False, NOW)
