"""Framings of the server side: frames of the specification, cut at every byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.sim.faults import FaultBoard, FaultName, LineFault
from gateway.sim.frames import AsciiFraming, Framing, Request, RtuFraming, TcpFraming, crc16

# Read two holding registers at 0x006B of unit 0x11; the checks are those of the Modbus serial line guide.
PDU = bytes.fromhex("03 006b 0003")
FRAMES: list[tuple[Callable[[], Framing], bytes, int]] = [
    (TcpFraming, bytes.fromhex("1501 0000 0006 11 03 006b 0003"), 0x1501),
    (RtuFraming, bytes.fromhex("11 03 006b 0003 7687"), 0),
    (AsciiFraming, b":1103006B00037E\r\n", 0),
]


@pytest.mark.parametrize(("framing", "frame", "transaction"), FRAMES)
def test_requests_cut_at_every_byte(framing: Callable[[], Framing], frame: bytes, transaction: int) -> None:
    for cut in range(len(frame) + 1):
        open_ = framing()
        found = open_.feed(frame[:cut]) + open_.feed(frame[cut:])
        assert found == [Request(0x11, PDU, transaction)]


@pytest.mark.parametrize(("framing", "frame", "transaction"), FRAMES)
def test_two_requests_in_one_piece(framing: Callable[[], Framing], frame: bytes, transaction: int) -> None:
    assert len(framing().feed(frame + frame)) == 2


def test_a_broken_request_is_dropped_with_what_follows_until_silence() -> None:
    framing = RtuFraming()
    good = FRAMES[1][1]
    assert framing.feed(good[:-1] + b"\x00") == []
    assert framing.feed(good[:5]) == []
    framing.silence()
    assert len(framing.feed(good)) == 1


def test_write_requests_have_their_length_inside() -> None:
    body = bytes.fromhex("01 10 0001 0002 04 000a 0102")
    assert RtuFraming().feed(body + crc16(body)) == [Request(1, body[1:])]


REQUEST = Request(17, PDU, 5)
ANSWER = bytes.fromhex("03 02 0001")


def faulty(name: FaultName, framing: Framing, share: float = 1.0) -> list[bytes]:
    board = FaultBoard("seed")
    board.set(17, LineFault(name, delay_s=2.0, code=6, share=share))
    return [reply.data for reply in board.replies(framing, REQUEST, ANSWER)]


def test_faults_of_a_unit() -> None:
    healthy = RtuFraming().frame(REQUEST, ANSWER)
    assert crc16(healthy[:-2]) == healthy[-2:]
    assert faulty(FaultName.SILENT, RtuFraming()) == []
    (spoilt,) = faulty(FaultName.CRC, RtuFraming())
    assert spoilt[:-2] == healthy[:-2]
    assert crc16(spoilt[:-2]) != spoilt[-2:]
    assert faulty(FaultName.EXCEPTION, RtuFraming()) == [RtuFraming().frame(REQUEST, bytes.fromhex("8306"))]
    (noisy,) = faulty(FaultName.GARBAGE, RtuFraming())
    assert noisy.endswith(healthy)
    assert len(noisy) > len(healthy)
    (short,) = faulty(FaultName.TRUNCATED, RtuFraming())
    assert healthy.startswith(short)
    assert len(short) < len(healthy)
    (foreign,) = faulty(FaultName.FOREIGN, RtuFraming())
    assert foreign[0] != 17
    assert foreign[1:-2] == healthy[1:-2]


def test_a_late_answer_is_whole() -> None:
    board = FaultBoard("seed")
    board.set(None, LineFault(FaultName.LATE, delay_s=2.0))
    (reply,) = board.replies(TcpFraming(), REQUEST, ANSWER)
    assert reply.data == TcpFraming().frame(REQUEST, ANSWER)
    assert reply.delay_s == 2.0


def test_a_spoilt_tcp_answer_has_another_transaction() -> None:
    (spoilt,) = faulty(FaultName.CRC, TcpFraming())
    assert spoilt[:2] != (5).to_bytes(2, "big")
    assert spoilt[2:] == TcpFraming().frame(REQUEST, ANSWER)[2:]


def test_a_spoilt_ascii_answer_has_a_wrong_sum() -> None:
    (spoilt,) = faulty(FaultName.CRC, AsciiFraming())
    assert sum(bytes.fromhex(spoilt[1:-2].decode())) & 0xFF


def test_other_units_and_the_rest_of_the_answers_are_healthy() -> None:
    board = FaultBoard("seed")
    board.set(17, LineFault(FaultName.SILENT, share=0.5))
    counts = [len(board.replies(RtuFraming(), REQUEST, ANSWER)) for _ in range(200)]
    assert 40 < sum(counts) < 160
    assert len(board.replies(RtuFraming(), Request(18, PDU), ANSWER)) == 1
    board.clear(17)
    assert all(board.replies(RtuFraming(), REQUEST, ANSWER) for _ in range(50))
