"""How many requests begin in one turn of the loop."""

from __future__ import annotations

import asyncio
import contextlib

from gateway.polling.gate import Gate


async def begin(gate: Gate, name: int, begun: list[int]) -> None:
    if not gate.is_open():
        await gate.wait()
    begun.append(name)


async def test_no_more_begin_in_a_turn_than_may_and_all_in_order() -> None:
    gate, begun = Gate(most=3), list[int]()
    tasks = [asyncio.create_task(begin(gate, number, begun)) for number in range(20)]
    most, before = 0, 0
    while len(begun) < len(tasks):
        await asyncio.sleep(0)
        most, before = max(most, len(begun) - before), len(begun)
    assert most == 3
    assert begun == list(range(20))


async def test_who_comes_later_does_not_push_in() -> None:
    gate, begun = Gate(most=1), list[int]()
    tasks = [asyncio.create_task(begin(gate, number, begun)) for number in range(4)]
    await tasks[1]
    tasks.append(asyncio.create_task(begin(gate, 4, begun)))
    await asyncio.gather(*tasks)
    assert begun == [0, 1, 2, 3, 4]


async def test_who_gives_up_waiting_holds_nobody_up() -> None:
    gate, begun = Gate(most=1), list[int]()
    tasks = [asyncio.create_task(begin(gate, number, begun)) for number in range(4)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    tasks[2].cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert begun == [0, 3]


async def test_a_quiet_gate_is_open_again_in_the_next_turn() -> None:
    gate = Gate(most=1)
    assert gate.is_open()
    assert not gate.is_open()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert gate.is_open()
