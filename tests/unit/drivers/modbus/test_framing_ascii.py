"""ASCII: as RTU, with colon, LRC and line end; pymodbus is the oracle."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.framing import Failure
from drivers.modbus.framing_ascii import AsciiFraming, ascii_frame
from drivers.modbus.pdu import expect
from tests.unit.drivers.modbus.frames import ASCII, Case, cases, cut, is_right, run

READ = expect(8, bytes.fromhex("04000B0002"))
ANSWER = ascii_frame(8, bytes.fromhex("040400000190"))
DATA = bytes.fromhex("00000190")


def test_a_published_request_and_its_misprinted_answer() -> None:
    framing = AsciiFraming()
    assert framing.start(READ) == b":0804000B0002E7\r\n"
    assert framing.feed(b":080404000001909B\r\n") is None
    assert framing.discarded == {"crc": 1}
    assert framing.feed(b":080404000001905F\r\n") == DATA


@given(cases())
def test_requests_and_answers_are_those_of_pymodbus(case: Case) -> None:
    framing = AsciiFraming()
    assert framing.start(case.expected) == ASCII.encode(case.expected.request, case.expected.unit, 0)
    assert framing.feed(ASCII.encode(case.answer, case.expected.unit, 0)) == case.outcome
    assert not framing.discarded


@given(cases(), st.lists(st.integers(0, 600), max_size=20))
def test_a_frame_in_any_pieces_gives_the_same(case: Case, places: list[int]) -> None:
    frame = ascii_frame(case.expected.unit, case.answer)
    assert run(AsciiFraming(), case.expected, cut(frame, places)) == (case.outcome, Counter())
    assert run(AsciiFraming(), case.expected, [bytes((byte,)) for byte in frame]) == (case.outcome, Counter())


@given(st.data(), cases(writes=False))
def test_noise_never_gives_a_wrong_value(data: st.DataObject, case: Case) -> None:
    right = ascii_frame(case.expected.unit, case.answer)
    junk = st.one_of(
        st.binary(min_size=1, max_size=30),
        st.just(ascii_frame(case.expected.unit % 247 + 1, case.answer)),
        st.integers(1, len(right) - 1).map(lambda end: right[:end]),
        st.just(right[:3] + b"0" + right[4:]),
    )
    stream = b"".join(data.draw(st.lists(junk, max_size=3))) + right
    whole = run(AsciiFraming(), case.expected, [stream])
    assert is_right(whole[0], case)
    places = data.draw(st.lists(st.integers(0, 2000), max_size=12))
    outcome, discarded = run(AsciiFraming(), case.expected, cut(stream, places))
    assert outcome == whole[0]
    assert bool(discarded) == bool(whole[1])


@given(st.data(), cases())
def test_a_damaged_character_never_gives_a_wrong_value(data: st.DataObject, case: Case) -> None:
    frame = bytearray(ascii_frame(case.expected.unit, case.answer))
    frame[data.draw(st.integers(0, len(frame) - 3))] ^= data.draw(st.integers(1, 255))
    outcome, discarded = run(AsciiFraming(), case.expected, [bytes(frame)])
    # the case of a letter carries nothing
    assert outcome == case.outcome or discarded.total() > 0
    assert is_right(outcome, case)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (ascii_frame(9, bytes.fromhex("040400000190")), "unit"),
        (ascii_frame(8, bytes.fromhex("030400000190")), "function"),
        (ascii_frame(8, bytes.fromhex("04020000")), "length"),
        (ANSWER[:-4] + b"00\r\n", "crc"),
        (ANSWER[:-3], "truncated"),
        (b"xx\r\n", "noise"),
        (ascii_frame(8, READ.request), "echo"),
    ],
)
def test_each_reason_is_counted_by_its_name(stream: bytes, reason: str) -> None:
    outcome, discarded = run(AsciiFraming(), READ, [stream])
    assert isinstance(outcome, Failure)
    assert discarded == {reason: 1}
    assert run(AsciiFraming(), READ, [stream + ANSWER]) == (DATA, Counter({reason: 1}))


def test_the_echo_of_an_adapter_is_removed_for_writes_too() -> None:
    framing = AsciiFraming(echo=True)
    write = expect(8, bytes.fromhex("0600100007"))
    sent = framing.start(write)
    assert framing.feed(sent) is None
    assert framing.feed(sent) == bytes.fromhex("00100007")


def test_a_broken_answer_that_is_over_may_be_asked_for_again() -> None:
    framing = AsciiFraming()
    framing.start(READ)
    assert framing.feed(ANSWER[:-4] + b"00\r\n") is None
    assert framing.settle() is Failure.GARBLED
