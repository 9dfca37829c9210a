"""What the verdict of chaos excuses where the clock was set back."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.scenario.chaos.clock import SECOND_NS, SteppedClock


def clock(folder: Path, *steps: tuple[float, int]) -> SteppedClock:
    """Steps at these seconds to these offsets."""
    stepped = SteppedClock(folder)
    stepped.steps = [(0, 0), *((round(at_s * SECOND_NS), offset_s) for at_s, offset_s in steps)]
    return stepped


def every(interval_s: float, *, missing: tuple[float, float] = (0, 0)) -> list[int]:
    """Polls of two minutes, none of them between the two seconds of `missing`."""
    times = [number * interval_s for number in range(int(120 / interval_s))]
    return [round(at_s * SECOND_NS) for at_s in times if not missing[0] < at_s < missing[1]]


@pytest.mark.parametrize(("back_s", "excused_s"), [(3, 3), (5, 5), (6, 6), (7, 0), (40, 0)])
def test_a_little_back_is_excused_until_the_clock_has_caught_up(tmp_path: Path, back_s: int, excused_s: int) -> None:
    stepped = clock(tmp_path, (60.0, -back_s))
    told = every(0.25)
    assert stepped.set_back_ms(round(60.1 * SECOND_NS), told) == excused_s * 1000
    assert stepped.set_back_ms(round((60 + back_s) * SECOND_NS), told) == excused_s * 1000
    assert stepped.set_back_ms(round((62 + back_s) * SECOND_NS), told) == 0
    assert stepped.set_back_ms(58 * SECOND_NS, told) == 0


def test_further_back_is_little_as_well_where_no_message_was_told_for_a_while(tmp_path: Path) -> None:
    stepped = clock(tmp_path, (60.9, -7), (63.8, 0))
    told = every(1.0, missing=(60, 62.2))
    told = sorted([*told, round(62.2 * SECOND_NS)])
    assert max(later - sooner for sooner, later in pairwise(told)) == round(2.2 * SECOND_NS)
    assert stepped.set_back_ms(round(62.2 * SECOND_NS), told) == 7000
    assert stepped.set_back_ms(round(62.2 * SECOND_NS), every(0.25)) == 0


def test_the_silence_must_be_around_the_step(tmp_path: Path) -> None:
    stepped = clock(tmp_path, (60.9, -7))
    assert stepped.set_back_ms(round(62.2 * SECOND_NS), every(0.25, missing=(20, 40))) == 0


def test_a_step_ahead_excuses_nothing(tmp_path: Path) -> None:
    assert clock(tmp_path, (60.0, 4)).set_back_ms(61 * SECOND_NS, every(0.25)) == 0


def test_right_again_after_a_step_ahead_that_messages_were_told_in_is_a_step_back(tmp_path: Path) -> None:
    assert clock(tmp_path, (60.0, 4), (64.0, 0)).set_back_ms(65 * SECOND_NS, every(0.25)) == 4000
