"""RTU: the right answer or a counted discard, however bytes are cut and whatever noise there is; pymodbus is the
oracle."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.framing import Failure
from drivers.modbus.framing_rtu import RtuFraming, crc16, rtu_frame
from drivers.modbus.pdu import expect
from tests.unit.drivers.modbus.frames import RTU, Case, cases, cut, is_right, run

READ = expect(1, bytes.fromhex("0300100002"))
ANSWER = rtu_frame(1, bytes.fromhex("03040102A1B2"))
DATA = bytes.fromhex("0102A1B2")


@given(st.binary(min_size=1, max_size=260))
def test_the_crc_is_that_of_pymodbus(data: bytes) -> None:
    assert crc16(data) == int.from_bytes(RTU.compute_CRC(data).to_bytes(2, "big"), "little")


def test_published_frames() -> None:
    frames = ["FE04000000 04E5C6", "5003003400 01C845", "1010200000024949", "FF02010151A0", "0103020056387A"]
    for frame in map(bytes.fromhex, frames):
        assert rtu_frame(frame[0], frame[1:-2]) == frame


@given(cases())
def test_requests_and_answers_are_those_of_pymodbus(case: Case) -> None:
    framing = RtuFraming()
    assert framing.start(case.expected) == RTU.encode(case.expected.request, case.expected.unit, 0)
    assert framing.feed(RTU.encode(case.answer, case.expected.unit, 0)) == case.outcome
    assert not framing.discarded


@given(cases())
def test_a_frame_cut_at_every_byte_gives_the_same(case: Case) -> None:
    frame = rtu_frame(case.expected.unit, case.answer)
    for place in range(1, len(frame)):
        assert run(RtuFraming(), case.expected, [frame[:place], frame[place:]]) == (case.outcome, Counter())
    assert run(RtuFraming(), case.expected, [frame[i : i + 1] for i in range(len(frame))]) == (case.outcome, Counter())


@st.composite
def junk(draw: st.DrawFn, case: Case) -> bytes:
    """What may be on a line beside the answer."""
    expected = case.expected
    right = rtu_frame(expected.unit, case.answer)
    kind = draw(st.sampled_from(["noise", "foreign", "function", "length", "crc", "truncated", "header"]))
    if kind == "foreign":
        return rtu_frame(expected.unit % 247 + 1, case.answer)
    if kind == "function":
        return rtu_frame(expected.unit, bytes((expected.function % 4 + 1, 2, 1, 2)))
    if kind == "length":
        size = 2 if expected.head[1] != 2 else 4
        return rtu_frame(expected.unit, bytes((3, size)) + bytes(size))
    if kind == "crc":
        flip = draw(st.integers(2, len(right) - 1))
        return right[:flip] + bytes((right[flip] ^ draw(st.integers(1, 255)),)) + right[flip + 1 :]
    if kind == "truncated":
        return right[: draw(st.integers(1, len(right) - 1))]
    if kind == "header":
        return bytes((expected.unit,)) + expected.head[: draw(st.integers(0, 2))]
    return draw(st.binary(min_size=1, max_size=40))


@given(st.data(), cases(writes=False))
def test_noise_before_between_and_after_never_gives_a_wrong_value(data: st.DataObject, case: Case) -> None:
    before = b"".join(data.draw(st.lists(junk(case), max_size=3)))
    after = b"".join(data.draw(st.lists(junk(case), max_size=2)))
    stream = before + rtu_frame(case.expected.unit, case.answer) + after
    whole = run(RtuFraming(), case.expected, [stream])
    assert whole[0] == case.outcome
    assert bool(before or after) == bool(whole[1])
    places = data.draw(st.lists(st.integers(0, 2000), max_size=12))
    assert run(RtuFraming(), case.expected, cut(stream, places)) == whole
    assert run(RtuFraming(), case.expected, [bytes((byte,)) for byte in stream]) == whole


@given(st.data(), cases(writes=False))
def test_junk_alone_is_counted_and_gives_nothing(data: st.DataObject, case: Case) -> None:
    stream = b"".join(data.draw(st.lists(junk(case), min_size=1, max_size=4)))
    outcome, discarded = run(RtuFraming(), case.expected, [stream])
    assert isinstance(outcome, Failure)
    assert discarded.total() > 0


@given(st.data(), cases())
def test_a_damaged_byte_never_gives_a_wrong_value(data: st.DataObject, case: Case) -> None:
    frame = bytearray(rtu_frame(case.expected.unit, case.answer))
    frame[data.draw(st.integers(0, len(frame) - 1))] ^= data.draw(st.integers(1, 255))
    outcome, discarded = run(RtuFraming(), case.expected, [bytes(frame)])
    assert isinstance(outcome, Failure)
    assert is_right(outcome, case)
    assert discarded.total() > 0


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (rtu_frame(2, bytes.fromhex("0304 0000 0000")), "unit"),
        (rtu_frame(1, bytes.fromhex("0404 0000 0000")), "function"),
        (rtu_frame(1, bytes.fromhex("8402")), "function"),
        (rtu_frame(1, bytes.fromhex("0302 0000")), "length"),
        (ANSWER[:-1] + b"\x00", "crc"),
        (ANSWER[:-3], "truncated"),
        (b"\x00", "noise"),
        (rtu_frame(1, bytes.fromhex("0300100002")), "echo"),
    ],
)
def test_each_reason_is_counted_by_its_name(stream: bytes, reason: str) -> None:
    outcome, discarded = run(RtuFraming(), READ, [stream])
    assert isinstance(outcome, Failure)
    assert discarded == {reason: 1}
    outcome, discarded = run(RtuFraming(), READ, [stream + ANSWER])
    assert outcome == DATA
    assert discarded[reason] == 1 or reason in ("crc", "truncated")


def test_a_late_answer_is_told_from_a_foreign_one() -> None:
    framing = RtuFraming()
    framing.owing.add(9)
    late = rtu_frame(9, bytes.fromhex("0304 00010002"))
    assert run(framing, READ, [late + ANSWER]) == (DATA, Counter(late=1))


def test_what_comes_while_nothing_is_asked_answers_nothing() -> None:
    framing = RtuFraming()
    framing.feed(ANSWER)
    framing.start(READ)
    assert framing.discarded == {"late": 1}
    assert framing.finish() is Failure.SILENT


def test_the_echo_of_an_adapter_is_removed_and_learnt() -> None:
    framing = RtuFraming()
    assert framing.feed(b"") is None
    sent = framing.start(READ)
    assert framing.feed(sent[:5]) is None
    assert framing.feed(sent[5:] + ANSWER) == DATA
    write = expect(1, bytes.fromhex("0600100007"))
    sent = framing.start(write)
    assert framing.feed(sent) is None
    assert framing.feed(sent) == sent[2:-2]
    assert framing.discarded == {"echo": 2}


def test_an_exception_behind_a_plausible_header_is_found_when_the_line_is_silent() -> None:
    framing = RtuFraming()
    framing.start(READ)
    assert framing.feed(bytes.fromhex("010304") + rtu_frame(1, bytes.fromhex("8306"))) is None
    assert framing.settle() == 6


def test_a_broken_answer_that_is_over_may_be_asked_for_again() -> None:
    framing = RtuFraming()
    framing.start(READ)
    assert framing.feed(ANSWER[:-1] + b"\x00") is None
    assert framing.settle() is Failure.GARBLED
    framing.start(READ)
    assert framing.feed(rtu_frame(1, bytes.fromhex("0302 0000"))) is None
    assert framing.settle() is None, "the right answer may still come"


def test_a_flood_of_noise_keeps_no_memory_and_the_answer_is_still_found() -> None:
    framing = RtuFraming()
    framing.start(READ)
    for _ in range(100):
        assert framing.feed(b"\xff" * 100) is None
    assert framing.feed(ANSWER) == DATA
    assert framing.noise_bytes == 10_000


def test_published_answers_of_real_devices_are_believed() -> None:
    answer = bytes.fromhex("010414 08D1006C000000F4000000260000 01F400640000 5134")
    assert len(answer) == 25
    outcome, _ = run(RtuFraming(), expect(1, bytes.fromhex("040000000A")), [answer])
    assert outcome == answer[3:-2]
