"""The machine's clock: who sleeps until the same time wakes with one timer, and nobody wakes early."""

from __future__ import annotations

import asyncio

import pytest

from gateway.clock import SystemClock


async def note(clock: SystemClock, at: float, name: str, woken: list[str]) -> None:
    await clock.sleep_until(at)
    assert clock.monotonic() >= at
    woken.append(name)


async def test_sleepers_wake_in_order_of_their_times() -> None:
    clock, woken = SystemClock(), list[str]()
    now = clock.monotonic()
    times = {"late": 0.06, "first": 0.02, "middle": 0.04, "with the first": 0.02}
    tasks = [asyncio.create_task(note(clock, now + wait, name, woken)) for name, wait in times.items()]
    await asyncio.gather(*tasks)
    assert woken == ["first", "with the first", "middle", "late"]


async def test_who_stops_sleeping_wakes_nobody_else_and_holds_nobody_up() -> None:
    clock, woken = SystemClock(), list[str]()
    at = clock.monotonic() + 0.02
    gone, stays = (asyncio.create_task(note(clock, at, name, woken)) for name in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    assert woken == ["stays"]
    assert gone.cancelled()


async def test_a_time_that_is_past_only_lets_others_have_their_turn() -> None:
    clock, woken = SystemClock(), list[str]()
    asyncio.get_running_loop().call_soon(woken.append, "other")
    await clock.sleep_until(clock.monotonic() - 1)
    assert woken == ["other"]


@pytest.mark.parametrize("run", range(2))
def test_it_serves_one_loop_after_another(run: int) -> None:
    clock, woken = SystemClock(), list[str]()
    for name in ("one", "two"):
        asyncio.run(note(clock, clock.monotonic() + 0.01 * (run + 1), name, woken))
    assert woken == ["one", "two"]
