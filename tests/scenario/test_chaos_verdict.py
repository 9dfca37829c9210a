"""What the verdict of chaos puts a lost poll to. Times in seconds; commits are a second apart."""

from __future__ import annotations

import pytest

from tests.scenario.chaos.stage import Death
from tests.scenario.chaos.verdict import what_lost


def ns(at_s: float) -> int:
    return round(at_s * 1e9)


def death(at_s: float, *, full_since_s: float | None = None, orderly: bool = False) -> Death:
    since_s = at_s if full_since_s is None else full_since_s
    return Death(ns(at_s), ns(at_s + 0.1), ns(since_s - 1), orderly)


KILL, STOP = death(50), death(80, orderly=True)
RELOADS = [(ns(44), ns(45)), (ns(49.5), ns(51)), (ns(79), ns(79.2))]


@pytest.mark.parametrize(
    ("at_s", "lost_to"),
    [
        (49.2, "kill"),
        (49.7, "kill"),  # in a reload as well
        (44.5, "reload, or kill"),  # if the machine stood still
        (43.0, "kill"),
        (39.0, "kill"),
        (38.9, None),
        (50.6, "reload after"),
        (79.1, "reload"),
        (79.9, "stop"),
        (80.2, None),
    ],
)
def test_a_lost_poll_is_put_to_what_lost_it(at_s: float, lost_to: str | None) -> None:
    expected = {
        "kill": (KILL, None),
        "reload, or kill": (KILL, ns(45)),
        "reload": (None, ns(79.2)),
        "reload after": (None, ns(51)),
        "stop": (None, STOP.at_ns),
        None: (None, None),
    }
    assert what_lost(ns(at_s), [KILL, STOP], RELOADS) == expected[lost_to]


def test_what_could_not_be_written_to_a_full_disk_is_put_to_the_kill_after_it() -> None:
    killed = death(50, full_since_s=30)
    assert what_lost(ns(29.5), [killed], [(ns(29), ns(30))]) == (killed, None)
