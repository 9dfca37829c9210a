"""What lines do in time: silences, late windows, rests, retries, deadlines; in simulated time."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Iterable

import pytest

from drivers.connection import Backoff
from drivers.modbus.bus_line import BusLine
from drivers.modbus.exchange import Exchange
from drivers.modbus.framing_mbap import MbapFraming
from drivers.modbus.framing_rtu import RtuFraming, rtu_frame
from drivers.modbus.line import silence_s
from drivers.modbus.transaction_line import TransactionLine
from drivers.serial_link import SerialSettings
from gateway.model import Answer, Fault, FaultKind, Job
from tests.fakes.scripted_link import ScriptedLink, Side
from tests.fakes.simulated_loop import LoopClock, run_simulated

GAP_S = 0.004
CHAR_S = 0.001
TIMEOUT_S = 0.5


def bus(side: Side, *, gap_s: float = GAP_S) -> tuple[BusLine, ScriptedLink]:
    link = ScriptedLink(side)
    clock = LoopClock()
    exchange = Exchange(link, RtuFraming(), clock, quiet_s=0.05, open_s=3.0, backoff=Backoff(1.0, 30.0))
    return BusLine(exchange, clock, gap_s=gap_s, char_s=CHAR_S, reopens=False), link


def tcp(side: Side) -> tuple[TransactionLine, ScriptedLink]:
    link = ScriptedLink(side)
    clock = LoopClock()
    exchange = Exchange(link, MbapFraming(), clock, quiet_s=0.05, open_s=3.0, backoff=Backoff(1.0, 30.0))
    return TransactionLine(exchange, clock), link


def job(unit: int = 1, count: int = 1, spare: int | None = None) -> Job:
    def pdu(registers: int) -> bytes:
        return struct.pack(">BHH", 3, 0, registers)

    return Job(unit, pdu(count), ("p",), 1.0, TIMEOUT_S, 10.0, None if spare is None else pdu(spare))


def rtu_answer(request: bytes, value: int = 7) -> bytes:
    count = request[5]
    return rtu_frame(request[0], bytes((3, 2 * count)) + struct.pack(">H", value) * count)


def tcp_answer(request: bytes, value: int = 7) -> bytes:
    count = request[11]
    pdu = bytes((3, 2 * count)) + struct.pack(">H", value) * count
    return request[:4] + struct.pack(">HB", len(pdu) + 1, request[6]) + pdu


def now() -> float:
    return asyncio.get_running_loop().time()


async def ask(line: BusLine | TransactionLine, asked: Job | None = None, within: float = TIMEOUT_S) -> Answer | Fault:
    started = now()
    outcome = await line.run(asked or job(), started + within)
    assert now() <= started + within + 1e-6, "never later than the deadline"
    return outcome


def kind(outcome: Answer | Fault) -> FaultKind | None:
    return outcome.kind if isinstance(outcome, Fault) else None


def test_a_request_waits_for_silence_of_the_gap() -> None:
    async def work() -> None:
        line, link = bus(lambda sent: [(0.02, rtu_answer(sent))])
        await ask(line)
        answered = now()
        await ask(line)
        assert link.sent[1][0] == pytest.approx(answered + GAP_S)
        # somebody talks between: real silence counts
        asyncio.get_running_loop().call_later(0.003, link.deliver, b"\x55")
        answered = now()
        await ask(line)
        assert link.sent[2][0] == pytest.approx(answered + 0.003 + GAP_S)

    run_simulated(work())


def test_a_line_that_never_falls_silent_is_a_broken_one() -> None:
    async def work() -> None:
        line, link = bus(lambda sent: [(0.02, rtu_answer(sent))])
        await ask(line)
        for step in range(1000):
            asyncio.get_running_loop().call_later(0.001 * step, link.deliver, b"\x55")
        assert kind(await ask(line)) is FaultKind.FRAME
        assert len(link.sent) == 1

    run_simulated(work())


@pytest.mark.parametrize(
    ("port", "silence"),
    [
        (SerialSettings("p", 9600), 3.5 * 10 / 9600),
        (SerialSettings("p", 9600, "E", 2), 3.5 * 12 / 9600),
        (SerialSettings("p", 19200, "E"), 3.5 * 11 / 19200),
        (SerialSettings("p", 115200), 0.00175),
    ],
)
def test_the_gap_is_that_of_the_standard(port: SerialSettings, silence: float) -> None:
    assert silence_s(port) == pytest.approx(silence)


@pytest.mark.parametrize("late_timeouts", [1.2, 2.0, 3.0, 3.9])
def test_a_late_answer_of_the_same_length_is_never_taken_for_the_next(late_timeouts: float) -> None:
    values = iter(range(100, 200))
    delays = iter([late_timeouts * TIMEOUT_S])

    async def work() -> None:
        line, link = bus(lambda sent: [(next(delays, 0.02), rtu_answer(sent, next(values)))])
        assert kind(await ask(line)) is FaultKind.TIMEOUT
        timed_out = now()
        assert line.rests_until(1) == pytest.approx(timed_out + 4 * (TIMEOUT_S + job(1).wire_ms / 1000))
        assert kind(await ask(line)) is FaultKind.TIMEOUT, "resting"
        assert len(link.sent) == 1
        # another unit goes on at once
        other = await ask(line, job(2))
        assert isinstance(other, Answer)
        assert now() < timed_out + 0.1
        await asyncio.sleep(line.rests_until(1) - now())
        again = await ask(line)
        assert isinstance(again, Answer)
        assert again.data == struct.pack(">H", 102)
        assert line.counters()["discarded_late"] == 1

    run_simulated(work())


@pytest.mark.parametrize(("share", "late_timeouts"), [(1.0, 1.2), (0.02, 2.5), (0.3, 3.5)])
def test_no_read_of_a_unit_that_is_often_late_is_wrong(share: float, late_timeouts: float) -> None:
    """A server that answers in order; each answer carries the number of its request."""
    dice = random.Random(7)
    free_at = 0.0
    number = 0

    def side(sent: bytes) -> Iterable[tuple[float, bytes]]:
        nonlocal free_at, number
        number += 1
        delay = late_timeouts * TIMEOUT_S if dice.random() < share else 0.02
        free_at = max(free_at, now() + delay)
        return [(free_at - now(), rtu_answer(sent, number))]

    async def work() -> None:
        line, _ = bus(side)
        good = 0
        for _ in range(300):
            await asyncio.sleep(max(0.03, line.rests_until(1) - now()))
            outcome = await ask(line)
            if isinstance(outcome, Answer):
                assert outcome.data == struct.pack(">H", number)
                good += 1
        assert (good == 0) == (share == 1.0)
        counters = line.counters()
        assert counters["discarded_late"] >= counters["timeouts"] - 1

    run_simulated(work())


def test_after_a_time_out_the_spare_is_asked_so_that_a_still_later_answer_fails_by_length() -> None:
    delays = iter([6.0])

    async def work() -> None:
        line, link = bus(lambda sent: [(next(delays, 2.0), rtu_answer(sent))])
        assert kind(await ask(line, job(spare=2))) is FaultKind.TIMEOUT
        await asyncio.sleep(5.4)
        # the first answer comes 6 s late, while the spare is under way
        outcome = await ask(line, job(spare=2), within=3.0)
        assert isinstance(outcome, Answer)
        assert len(outcome.data) == 4
        assert [sent[5] for _, sent in link.sent] == [1, 2]
        assert line.counters()["discarded_late"] == 1
        await ask(line, job(spare=2), within=3.0)
        assert link.sent[2][1][5] == 1, "after an answer the usual request again"

    run_simulated(work())


def test_a_broken_answer_is_asked_for_once_more_within_the_deadline() -> None:
    broken = iter([True, False, True, True])

    def side(sent: bytes) -> Iterable[tuple[float, bytes]]:
        answer = rtu_answer(sent)
        return [(0.02, answer[:-1] + bytes((answer[-1] ^ 1,)) if next(broken) else answer)]

    async def work() -> None:
        line, link = bus(side)
        assert isinstance(await ask(line), Answer)
        assert len(link.sent) == 2
        assert kind(await ask(line)) is FaultKind.FRAME
        assert len(link.sent) == 4
        counters = line.counters()
        assert counters["retries"] == 2
        assert counters["discarded_crc"] == 3
        assert line.rests_until(1) == 0

    run_simulated(work())


@pytest.mark.parametrize("code", [5, 6])
def test_a_busy_unit_is_left_alone_for_longer_each_time(code: int) -> None:
    async def work() -> None:
        line, _ = bus(lambda sent: [(0.01, rtu_frame(sent[0], bytes((0x83, code))))])
        rests = []
        for _ in range(7):
            outcome = await ask(line)
            assert isinstance(outcome, Fault)
            assert (outcome.kind, outcome.code) == (FaultKind.REFUSED, code)
            rests.append(line.rests_until(1) - now())
            await asyncio.sleep(rests[-1])
        assert rests == pytest.approx([0.5, 1, 2, 4, 8, 10, 10])

    run_simulated(work())


def test_a_request_given_up_leaves_the_unit_to_rest() -> None:
    async def work() -> None:
        line, _ = bus(lambda sent: [(0.3, rtu_answer(sent))])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await line.run(job(), now() + 1)
        assert line.rests_until(1) > now()
        assert isinstance(await ask(line, job(2), within=1.0), Answer)

    run_simulated(work())


def test_the_answer_of_a_retired_transaction_is_dropped_and_nobody_rests() -> None:
    delays = iter([0.7])
    values = iter(range(100, 200))

    async def work() -> None:
        line, _ = tcp(lambda sent: [(next(delays, 0.25), tcp_answer(sent, next(values)))])
        assert kind(await ask(line)) is FaultKind.TIMEOUT
        assert line.rests_until(1) == 0
        outcome = await ask(line)
        assert isinstance(outcome, Answer)
        assert outcome.data == struct.pack(">H", 101)
        assert line.counters()["discarded_late"] == 1

    run_simulated(work())


def test_a_connection_is_opened_anew_only_when_every_unit_on_it_is_silent() -> None:
    dead = {2}

    def side(sent: bytes) -> Iterable[tuple[float, bytes]]:
        return [] if sent[6] in dead else [(0.01, tcp_answer(sent))]

    async def work() -> None:
        line, link = tcp(side)
        for _ in range(10):
            assert isinstance(await ask(line, job(1)), Answer)
            assert kind(await ask(line, job(2))) is FaultKind.TIMEOUT
        assert link.opened == 1, "one dead unit behind a gateway does not cut off the others"
        dead.add(1)
        for _ in range(3):
            assert kind(await ask(line, job(1))) is FaultKind.TIMEOUT
        dead.clear()
        assert isinstance(await ask(line, job(1)), Answer)
        assert link.opened == 2

    run_simulated(work())


def test_a_line_that_cannot_be_opened_is_tried_less_and_less_often() -> None:
    async def work() -> None:
        line, link = tcp(lambda sent: [(0.01, tcp_answer(sent))])
        link.opening_fails = True
        for _ in range(300):
            assert kind(await ask(line)) is FaultKind.DOWN
            await asyncio.sleep(1.0)
        assert 10 <= link.opened <= 24, "1, 2, 4 ... 30 s, each up to a third shorter"
        link.opening_fails = False
        await asyncio.sleep(31)
        assert isinstance(await ask(line), Answer)

    run_simulated(work())


def test_a_connection_that_gave_answers_is_opened_again_at_once() -> None:
    async def work() -> None:
        line, link = tcp(lambda sent: [(0.01, tcp_answer(sent))])
        for _ in range(5):
            assert isinstance(await ask(line), Answer)
            link.lose()
        assert link.opened == 5

    run_simulated(work())


async def looked(line: BusLine | TransactionLine, seconds: float) -> list[bool | None]:
    """What the line knows of its way, looked at once a second."""
    found = []
    for _ in range(round(seconds)):
        found.append(line.reach())
        await asyncio.sleep(1.0)
    return found


def test_a_line_that_lost_its_way_knows_it_though_nobody_asks() -> None:
    async def work() -> None:
        line, link = tcp(lambda sent: [(0.01, tcp_answer(sent))])
        assert isinstance(await ask(line), Answer)
        assert line.reach() is True
        link.opening_fails = True
        link.lose()
        assert line.reach() is None, "not known before it was tried"
        opened = link.opened
        assert set((await looked(line, 300))[1:]) == {False}
        assert link.opened - opened <= 24, "1, 2, 4 ... 30 s, each up to a third shorter"
        link.opening_fails = False
        assert (await looked(line, 32))[-1] is True
        assert len(link.sent) == 1, "nothing was asked for it"

    run_simulated(work())


@pytest.mark.parametrize(("held_s", "reopened"), [(0.1, 11), (2.0, 11), (60.0, 11)])
def test_a_server_that_closes_what_is_not_used_is_not_down_and_not_stormed(held_s: float, reopened: int) -> None:
    """Some gateways close a connection that was idle for a while, some after each answer."""

    async def work() -> None:
        line, link = tcp(lambda sent: [(0.01, tcp_answer(sent))])
        for _ in range(10):
            assert isinstance(await ask(line), Answer)
            asyncio.get_running_loop().call_later(held_s, link.lose)
            assert False not in await looked(line, held_s + 2), "a closed connection alone shows nothing"
        before = link.opened
        for _ in range(reopened - 1):
            if link.is_open:
                asyncio.get_running_loop().call_later(held_s, link.lose)
            assert False not in await looked(line, 30)
        assert link.opened - before <= reopened

    run_simulated(work())


def test_who_asks_while_the_line_is_being_opened_waits_for_it() -> None:
    async def work() -> None:
        line, link = tcp(lambda sent: [(0.01, tcp_answer(sent))])
        link.opening_s = 0.2
        assert line.reach() is None
        assert not link.opened, "lines are opened with their first requests, which are spread"
        assert isinstance(await ask(line), Answer)
        link.lose()
        assert line.reach() is None
        await asyncio.sleep(0.1)
        assert isinstance(await ask(line), Answer)
        assert link.opened == 2

    run_simulated(work())


def test_a_connection_that_held_without_an_answer_is_no_line_down_when_it_is_closed() -> None:
    async def work() -> None:
        line, link = tcp(lambda sent: [])
        assert kind(await ask(line)) is FaultKind.TIMEOUT
        await asyncio.sleep(60)
        link.lose()
        assert False not in await looked(line, 5)
        assert link.opened == 2

    run_simulated(work())


def test_a_link_lost_in_the_middle_is_down_at_once() -> None:
    async def work() -> None:
        line, link = tcp(lambda sent: [])
        asyncio.get_running_loop().call_later(0.1, link.lose)
        started = now()
        assert kind(await ask(line)) is FaultKind.DOWN
        assert now() == pytest.approx(started + 0.1)

    run_simulated(work())


def test_two_who_ask_at_once_are_served_one_after_the_other() -> None:
    async def work() -> None:
        line, link = tcp(lambda sent: [(0.3, tcp_answer(sent))])
        first, second, third = await asyncio.gather(ask(line, within=1.0), ask(line, within=1.0), ask(line))
        assert isinstance(first, Answer)
        assert isinstance(second, Answer)
        assert kind(third) is FaultKind.TIMEOUT, "its deadline passed while it waited"
        assert [at for at, _ in link.sent[:2]] == pytest.approx([1000.0, 1000.3])

    run_simulated(work())


def test_closing_ends_a_request_under_way() -> None:
    async def work() -> None:
        line, _ = tcp(lambda sent: [])
        asyncio.get_running_loop().call_later(0.1, lambda: closing.append(asyncio.ensure_future(line.close())))
        closing: list[asyncio.Future[None]] = []
        assert kind(await ask(line)) is FaultKind.DOWN
        await closing[0]

    run_simulated(work())
