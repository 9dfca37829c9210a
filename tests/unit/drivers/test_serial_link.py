"""A port belongs to one program: who only looks at it is waited for, who keeps it is named."""

from __future__ import annotations

import asyncio

import pytest

from drivers.links import LoopLink
from drivers.serial_link import IN_USE, SerialEndpoint, SerialSettings
from tests.servers import PtyPair


class Nobody:
    def received(self, data: bytes) -> None: ...

    def lost(self, why: str) -> None: ...


async def test_a_port_that_another_program_keeps_is_refused_in_words(ptys: PtyPair) -> None:
    first, second = (LoopLink(SerialEndpoint(SerialSettings(str(ptys.a)))) for _ in range(2))
    await first.open(Nobody())
    try:
        with pytest.raises(OSError, match=IN_USE):
            await second.open(Nobody())
        assert not second.is_open
        assert first.is_open
    finally:
        first.close()


async def test_a_port_that_is_let_go_of_meanwhile_is_opened(ptys: PtyPair) -> None:
    first, second = (LoopLink(SerialEndpoint(SerialSettings(str(ptys.a)))) for _ in range(2))
    await first.open(Nobody())
    opening = asyncio.create_task(second.open(Nobody()))
    await asyncio.sleep(0)  # it has met the lock by now
    assert not opening.done()
    first.close()
    await opening
    assert second.is_open
    second.close()
