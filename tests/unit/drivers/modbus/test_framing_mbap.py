"""Modbus TCP and UDP frames: transaction, protocol, length, unit, function, byte count; pymodbus is the oracle."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.framing import Failure
from drivers.modbus.framing_mbap import MbapFraming
from drivers.modbus.pdu import expect
from tests.unit.drivers.modbus.frames import TCP, Case, cases, cut

READ = expect(1, bytes.fromhex("0300100002"))
PDU = bytes.fromhex("03040102A1B2")
DATA = PDU[2:]


def frame(transaction: int, unit: int = 1, pdu: bytes = PDU, protocol: int = 0) -> bytes:
    return struct.pack(">HHHB", transaction, protocol, len(pdu) + 1, unit) + pdu


def begin(first: int = 100, *, datagrams: bool = False) -> tuple[MbapFraming, int]:
    """A framing with the request `READ` under way and its transaction."""
    framing = MbapFraming(datagrams=datagrams, first=first)
    return framing, int.from_bytes(framing.start(READ)[:2], "big")


@given(cases(), st.integers(1, 0xFFFF))
def test_requests_and_answers_are_those_of_pymodbus(case: Case, first: int) -> None:
    framing = MbapFraming(first=first)
    sent = framing.start(case.expected)
    transaction = int.from_bytes(sent[:2], "big")
    assert transaction != 0
    assert sent == TCP.encode(case.expected.request, case.expected.unit, transaction)
    assert framing.feed(TCP.encode(case.answer, case.expected.unit, transaction)) == case.outcome
    assert not framing.discarded


@given(cases(), st.lists(st.integers(0, 600), max_size=20))
def test_a_frame_in_any_pieces_gives_the_same(case: Case, places: list[int]) -> None:
    for pieces in (lambda answer: cut(answer, places), lambda answer: [bytes((byte,)) for byte in answer]):
        framing = MbapFraming()
        transaction = int.from_bytes(framing.start(case.expected)[:2], "big")
        outcomes = [framing.feed(piece) for piece in pieces(frame(transaction, case.expected.unit, case.answer))]
        assert outcomes[-1] == case.outcome
        assert outcomes[:-1] == [None] * (len(outcomes) - 1)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"unit": 2}, "unit"),
        ({"pdu": b"\x04" + PDU[1:]}, "function"),
        ({"pdu": b"\x84\x02"}, "function"),
        ({"pdu": b"\x03\x02\x00\x00"}, "length"),
        ({"pdu": b"\x03\x06" + PDU[2:]}, "length"),
        ({"transaction": 0}, "transaction"),
        ({"transaction": 50_000}, "transaction"),
    ],
)
@pytest.mark.parametrize("datagrams", [False, True])
def test_a_frame_with_one_thing_wrong_is_counted(change: dict[str, object], reason: str, datagrams: bool) -> None:
    framing, transaction = begin(datagrams=datagrams)
    assert framing.feed(frame(**{"transaction": transaction, **change})) in (None, Failure.BROKEN)  # type: ignore[arg-type]
    assert framing.discarded == {reason: 1}


def test_the_right_answer_after_foreign_ones_is_believed() -> None:
    framing, transaction = begin()
    stream = frame(transaction, unit=7) + frame(0) + frame(transaction + 1) + frame(transaction)
    assert framing.feed(stream) == DATA
    assert framing.discarded == {"unit": 1, "transaction": 2}


def test_a_retired_transaction_is_never_believed() -> None:
    framing, first = begin()
    assert framing.finish() is Failure.SILENT
    second = int.from_bytes(framing.start(READ)[:2], "big")
    assert second != first
    assert framing.feed(frame(first)) is None
    assert framing.feed(frame(second)) == DATA
    assert framing.feed(frame(second)) is None
    assert framing.discarded == {"late": 2}


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (frame(101, protocol=1), "protocol"),
        (bytes.fromhex("006500000001"), "length"),
        (bytes.fromhex("006500000200"), "length"),
    ],
)
def test_a_stream_that_cannot_be_cut_is_closed(stream: bytes, reason: str) -> None:
    framing, _ = begin()
    assert framing.feed(stream) is Failure.STREAM
    assert framing.discarded == {reason: 1}


def test_half_a_frame_at_the_deadline_closes_the_stream() -> None:
    framing, transaction = begin()
    assert framing.feed(frame(transaction)[:9]) is None
    assert framing.finish() is Failure.STREAM
    assert framing.discarded == {"truncated": 1}


def test_a_short_answer_filled_up_with_another_frame_is_not_believed() -> None:
    framing, late = begin()
    framing.finish()
    transaction = int.from_bytes(framing.start(READ)[:2], "big")
    assert framing.feed(frame(transaction)[:-3]) is None
    assert framing.feed(frame(late)) is Failure.STREAM


def test_a_datagram_is_one_frame() -> None:
    framing, transaction = begin(datagrams=True)
    right = frame(transaction)
    for wrong in (right[:5], right[:-1], right + b"\x00", frame(transaction, protocol=3)):
        assert framing.feed(wrong) is None
    assert framing.discarded == {"truncated": 1, "length": 2, "protocol": 1}
    assert framing.feed(right) == DATA


def test_transactions_never_repeat_within_the_retired_ones_and_never_are_0() -> None:
    framing = MbapFraming(first=0xFFF0)
    seen = [int.from_bytes(framing.start(READ)[:2], "big") for _ in range(300)]
    assert 0 not in seen
    assert len(set(seen)) == 300


@given(st.data(), cases())
def test_a_damaged_byte_never_gives_a_wrong_value(data: st.DataObject, case: Case) -> None:
    """TCP has no check sum of its own: every byte but the data itself is held against what it must be."""
    framing = MbapFraming()
    transaction = int.from_bytes(framing.start(case.expected)[:2], "big")
    answer = bytearray(frame(transaction, case.expected.unit, case.answer))
    answer[data.draw(st.integers(0, 7))] ^= data.draw(st.integers(1, 255))
    outcome = framing.feed(bytes(answer))
    ended = framing.finish()
    assert outcome is None or isinstance(outcome, Failure)
    assert isinstance(ended, Failure)
    assert framing.discarded.total() > 0
