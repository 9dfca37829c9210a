"""How the parts of a process live together: named tasks in one group, ended by a signal or by the first error."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping

from gateway.errors import GatewayError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def until_stopped(parts: Mapping[str, Callable[[], Awaitable[None]]], *, for_s: float | None = None) -> None:
    """Run all `parts` at once until SIGTERM or SIGINT, until `for_s` seconds have passed, or until one fails.

    A part that returns has done its work; a part that raises ends the others and is raised. Stopping cancels the parts,
    which put themselves in order on the way out.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stopped.set)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_run(part), name=name) for name, part in parts.items()]
            try:
                async with asyncio.timeout(for_s):
                    await stopped.wait()
            except TimeoutError:
                pass
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as group:
        raise _first(group) from group
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What a person should be told of several errors: one raised on purpose, else the first."""
    leaves = list(_leaves(group))
    return next((each for each in leaves if isinstance(each, GatewayError)), leaves[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


async def _run(part: Callable[[], Awaitable[None]]) -> None:
    await part()


async def every(seconds: float, do: Callable[[], None]) -> None:
    """Call `do` at a steady pace for ever; a late call does not make the next ones later."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + seconds, loop.time())
        await asyncio.sleep(due - loop.time())
        do()
