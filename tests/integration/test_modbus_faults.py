"""Lines against a server that does wrong on purpose: no wrong value is ever believed, good points keep flowing, every
fault is counted. `VIGIL_SOAK_S` lengthens the mixed runs from seconds to minutes, `VIGIL_SOAK_SEED` throws other
dice."""

from __future__ import annotations

import asyncio
import os
import random
import struct
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from drivers.modbus.line import open_line
from drivers.modbus.options import ModbusLine
from gateway.clock import SystemClock
from gateway.model import Answer, Fault, FaultKind, Job, MaybeValue, Reading, Status
from gateway.polling.poller import Poller
from gateway.ports import Line, Values
from gateway.settings.types import LineSettings
from tests.fakes.modbus_faults import (
    BUS_ONLY,
    EXCEPTIONS,
    LATE,
    TCP_ONLY,
    FaultServer,
    PtyFaultServer,
    TcpFaultServer,
    UdpFaultServer,
    Wrong,
)

TIMEOUT_S = 0.15
SOAK_S = float(os.environ.get("VIGIL_SOAK_S", "4"))
MEDIA = ["tcp", "rtu", "rtu-over-tcp"]
CLOCK = SystemClock()


@asynccontextmanager
async def line_to(medium: str, faults: FaultServer, folder: Path) -> AsyncIterator[Line]:
    server: PtyFaultServer | TcpFaultServer | UdpFaultServer
    if medium in ("rtu", "ascii"):
        server = PtyFaultServer(faults, folder / "adapter", is_ascii=medium == "ascii")
    elif medium == "udp":
        server = UdpFaultServer(faults)
    else:
        server = TcpFaultServer(faults, rtu=medium == "rtu-over-tcp")
    async with server:
        if isinstance(server, PtyFaultServer):
            framing: Literal["rtu", "ascii"] = "ascii" if medium == "ascii" else "rtu"
            options = ModbusLine(serial=str(server.path), baudrate=115200, framing=framing)
        elif isinstance(server, UdpFaultServer):
            options = ModbusLine(udp=f"127.0.0.1:{server.port}")
        else:
            options = ModbusLine(tcp=f"127.0.0.1:{server.port}", framing="rtu" if server.rtu else "tcp")
        line = open_line(LineSettings("line", "modbus", options.endpoint, options), CLOCK)
        try:
            yield line
        finally:
            await line.close()


def job(unit: int, address: int = 100, count: int = 6, spare: int | None = None) -> Job:
    other = None if spare is None else struct.pack(">BHH", 3, address, spare)
    return Job(unit, struct.pack(">BHH", 3, address, count), ("p",), 0.05, TIMEOUT_S, 2.0, other)


async def read(line: Line, faults: FaultServer, asked: Job) -> Answer | Fault:
    """One request; a value that is not its own proof fails the test."""
    started = CLOCK.monotonic()
    outcome = await line.run(asked, started + asked.timeout_s)
    if isinstance(outcome, Answer):
        address = int.from_bytes(asked.request[1:3], "big")
        assert faults.proves(outcome.data, asked.unit, address, started), outcome.data.hex()
    return outcome


async def read_until_good(line: Line, faults: FaultServer, asked: Job) -> Answer:
    async with asyncio.timeout(30):
        while True:
            await CLOCK.sleep_until(line.rests_until(asked.unit))
            outcome = await read(line, faults, asked)
            if isinstance(outcome, Answer):
                return outcome
            await asyncio.sleep(0.02)


def applies(wrong: Wrong, medium: str) -> bool:
    if medium == "udp" and wrong is Wrong.RESET:
        return False
    return wrong not in (BUS_ONLY if medium in ("tcp", "udp") else TCP_ONLY)


REASONS: dict[Wrong, tuple[str, ...]] = {
    **dict.fromkeys(LATE, ("discarded_late", "drained_bytes")),
    Wrong.FOREIGN_UNIT: ("discarded_unit",),
    Wrong.FOREIGN_TRANSACTION: ("discarded_transaction",),
    Wrong.TRANSACTION_0: ("discarded_transaction",),
    Wrong.WRONG_PROTOCOL: ("discarded_protocol",),
    Wrong.WRONG_FUNCTION: ("discarded_function",),
    Wrong.EXCEPTION_OF_ANOTHER_FUNCTION: ("discarded_function",),
    Wrong.WRONG_LENGTH: ("discarded_length",),
    Wrong.BAD_CRC: ("discarded_crc",),
    Wrong.TRUNCATED: ("discarded_truncated",),
    Wrong.GARBAGE_BEFORE: ("discarded_noise", "discarded_protocol", "discarded_length", "discarded_truncated"),
    Wrong.GARBAGE_AFTER: ("discarded_noise", "discarded_protocol", "discarded_length", "discarded_truncated"),
    Wrong.GARBAGE_BETWEEN: tuple(f"discarded_{what}" for what in ("noise", "crc", "protocol", "length", "unit")),
    Wrong.ECHO: ("discarded_echo",),
    Wrong.DOUBLE: ("discarded_late",),
    Wrong.RESET: ("reconnects",),
    Wrong.SILENCE: ("timeouts",),
    **dict.fromkeys(EXCEPTIONS, ("refused",)),
}
#: Faults that the answer survives.
HARMLESS_ON_BUS = {Wrong.GARBAGE_BEFORE, Wrong.GARBAGE_AFTER, Wrong.ECHO, Wrong.DOUBLE, Wrong.SLOW_BYTES}
HARMLESS_ON_TCP = {Wrong.DOUBLE, Wrong.SLOW_BYTES}


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("wrong", list(Wrong))
async def test_each_fault_costs_one_answer_at_most_and_is_counted(medium: str, wrong: Wrong, tmp_path: Path) -> None:
    if not applies(wrong, medium):
        assert wrong in TCP_ONLY | BUS_ONLY
        return
    planned: list[Wrong | None] = []
    faults = FaultServer(lambda _: planned.pop(0) if planned else None, TIMEOUT_S)
    async with line_to(medium, faults, tmp_path) as line:
        await read_until_good(line, faults, job(1))
        planned.append(wrong)
        outcome = await read(line, faults, job(1))
        while not faults.injected:  # the machine stood still: the server has not even seen the request
            planned.clear()
            await read_until_good(line, faults, job(1))
            planned.append(wrong)
            outcome = await read(line, faults, job(1))
        assert faults.injected == {wrong: 1}
        if isinstance(outcome, Fault):
            harmless = HARMLESS_ON_TCP if medium == "tcp" else HARMLESS_ON_BUS
            assert wrong not in harmless or outcome.kind is FaultKind.TIMEOUT, outcome
            if wrong in EXCEPTIONS and outcome.kind is not FaultKind.TIMEOUT:
                assert (outcome.kind, outcome.code) == (FaultKind.REFUSED, -int(wrong.value))
        else:
            # a broken frame on a bus is asked for again; garbage may come when the answer is already there; what is
            # late may seem in time where the machine stood still, and is then proved all the same
            again = {Wrong.BAD_CRC, Wrong.TRUNCATED, Wrong.GARBAGE_BETWEEN, Wrong.GARBAGE_AFTER, *LATE}
            assert wrong in HARMLESS_ON_BUS | again
        await read_until_good(line, faults, job(2))
        await read_until_good(line, faults, job(1, spare=7))
        await read_until_good(line, faults, job(1))
        if wrong in LATE:
            # wait for the late answer itself, then ask once more
            await asyncio.sleep(TIMEOUT_S * 3.3)
            await read_until_good(line, faults, job(1))
        counters = line.counters()
        if wrong is not Wrong.SLOW_BYTES:
            assert any(counters[reason] for reason in REASONS[wrong]), counters


@pytest.mark.parametrize("medium", MEDIA)
async def test_a_time_out_costs_other_units_nothing(medium: str, tmp_path: Path) -> None:
    faults = FaultServer(lambda unit: Wrong.SILENCE if unit == 1 else None, TIMEOUT_S)
    async with line_to(medium, faults, tmp_path) as line:
        await read_until_good(line, faults, job(2))
        good = 0
        for _ in range(4):
            outcome = await read(line, faults, job(1))
            assert isinstance(outcome, Fault)
            assert outcome.kind is FaultKind.TIMEOUT
            for unit in (2, 3):
                good += isinstance(await read(line, faults, job(unit)), Answer)
        assert good > 0
        if medium == "tcp":
            assert line.rests_until(1) == 0
        else:
            assert line.rests_until(1) > 0


class ProofPlan:
    """A device whose one point is true where the answer proves itself."""

    def __init__(self, faults: FaultServer, unit: int, blocks: int = 2) -> None:
        self._faults = faults
        self._jobs = tuple(job(unit, 100 * block, 5 + block % 2, 9) for block in range(blocks))
        self.wrong = 0

    def jobs(self) -> Sequence[Job]:
        return self._jobs

    def refused(self, job: Job, code: int, now: float) -> Sequence[Job]:
        return ()

    def decode(self, outcomes: Sequence[tuple[Job, Answer | Fault]], now: float) -> Values:
        values: list[MaybeValue] = []
        statuses = []
        for asked, outcome in outcomes:
            good = isinstance(outcome, Answer)
            if isinstance(outcome, Answer):
                address = int.from_bytes(asked.request[1:3], "big")
                self.wrong += not self._faults.proves(outcome.data, asked.unit, address, outcome.at - 2 * TIMEOUT_S)
            values.append(True if good else None)
            statuses.append(Status.Good if good else Status.BadTimeout)
        return Values(("p",) * len(values), tuple(values), tuple(statuses))


@pytest.mark.timeout(SOAK_S + 60)
@pytest.mark.parametrize("medium", [*MEDIA, "ascii", "udp"])
async def test_a_storm_of_faults_publishes_nothing_wrong_and_stops_nothing(medium: str, tmp_path: Path) -> None:
    dice = random.Random(os.environ.get("VIGIL_SOAK_SEED", "1"))
    kinds = [wrong for wrong in Wrong if applies(wrong, medium)]

    def choose(unit: int) -> Wrong | None:
        return dice.choice(kinds) if unit < 4 and dice.random() < 0.3 else None

    faults = FaultServer(choose, TIMEOUT_S)
    plans = {f"d{unit}": ProofPlan(faults, unit) for unit in (1, 2, 3, 4)}
    seen: Counter[tuple[str, bool]] = Counter()

    def deliver(reading: Reading) -> None:
        seen.update((reading.device, status.is_good) for status in reading.statuses)

    async with line_to(medium, faults, tmp_path) as line:
        poller = Poller(line, plans, CLOCK, deliver)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SOAK_S):
                await poller.run()
        counters = line.counters()
    assert not any(plan.wrong for plan in plans.values())
    assert all(seen[device, True] > 0 for device in plans), seen
    discards = sum(count for name, count in counters.items() if name.startswith("discarded_"))
    counted = discards + counters["timeouts"] + counters["refused"] + counters["reconnects"]
    # a reset may take unread bytes of the fault before with it, and the last faults are still under way
    uncounted = faults.injected[Wrong.SLOW_BYTES] + faults.injected[Wrong.RESET] + 5
    assert faults.injected.total() - uncounted <= counted
    assert len(faults.injected) > 5


async def test_an_adapter_that_is_unplugged_comes_back_by_its_name(tmp_path: Path) -> None:
    faults = FaultServer(lambda _: None, TIMEOUT_S)
    async with PtyFaultServer(faults, tmp_path / "by-id") as server:
        options = ModbusLine(serial=str(server.path), baudrate=115200)
        line = open_line(LineSettings("line", "modbus", options.endpoint, options), CLOCK)
        await read_until_good(line, faults, job(1))
        server.unplug()
        outcome = await read(line, faults, job(1))
        assert isinstance(outcome, Fault)
        assert outcome.kind is FaultKind.DOWN
        server.plug()
        await read_until_good(line, faults, job(1))
        assert line.counters()["reconnects"] == 1
        await line.close()


async def test_a_server_that_is_not_there_is_not_called_in_a_storm(tmp_path: Path) -> None:
    accepted = 0

    async def shut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal accepted
        accepted += 1
        writer.transport.abort()

    server = await asyncio.start_server(shut, "127.0.0.1", 0)
    options = ModbusLine(tcp=f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
    line = open_line(LineSettings("line", "modbus", options.endpoint, options), CLOCK)
    outcomes = [await line.run(job(1), CLOCK.monotonic() + TIMEOUT_S) for _ in range(200)]
    assert {outcome.kind for outcome in outcomes if isinstance(outcome, Fault)} == {FaultKind.DOWN}
    assert len(outcomes) == 200
    assert accepted <= 3
    await line.close()
    server.close()


async def test_a_line_given_up_in_the_middle_believes_nothing_of_it_later(tmp_path: Path) -> None:
    planned: list[Wrong | None] = [Wrong.LATE_1]
    faults = FaultServer(lambda _: planned.pop(0) if planned else None, TIMEOUT_S)
    for medium in MEDIA:
        async with line_to(medium, faults, tmp_path) as line:
            await read_until_good(line, faults, job(1))
            planned.append(Wrong.LATE_1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await line.run(job(1), CLOCK.monotonic() + 5)
            await read_until_good(line, faults, job(2))
            await asyncio.sleep(TIMEOUT_S * 1.5)
            await read_until_good(line, faults, job(1))
