"""How the parts of a process end together."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from gateway.errors import StoreError
from gateway.life.supervise import until_stopped


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def test_the_error_a_person_can_act_on_is_what_ends_the_process() -> None:
    async def inner() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(forever())
            group.create_task(fail(StoreError("the disk is gone")))

    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(StoreError, match="the disk is gone"):
        await until_stopped({"a": inner, "b": lambda: fail(ValueError("because of that")), "c": forever})


async def test_what_nobody_foresaw_is_raised_as_it_is() -> None:
    async def fail() -> None:
        raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        await until_stopped({"a": fail, "b": forever})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_all_parts_in_order(number: signal.Signals) -> None:
    ended: list[str] = []

    async def part() -> None:
        try:
            os.kill(os.getpid(), number)
            await forever()
        finally:
            ended.append("part")

    await until_stopped({"part": part, "other": forever})
    assert ended == ["part"]


async def test_time_ends_it_too() -> None:
    await until_stopped({"a": forever}, for_s=0.01)
