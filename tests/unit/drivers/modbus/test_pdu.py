"""Requests and the answers they allow, against pymodbus' own messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadCoilsResponse
from pymodbus.pdu.register_message import (
    MaskWriteRegisterRequest,
    MaskWriteRegisterResponse,
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadWriteMultipleRegistersRequest,
    ReadWriteMultipleRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from drivers.modbus.pdu import answer_size, expect, judge

PAIRS = [
    (ReadCoilsRequest(address=7, count=19), ReadCoilsResponse(bits=[True] * 24)),
    (ReadHoldingRegistersRequest(address=7, count=125), ReadHoldingRegistersResponse(registers=[5] * 125)),
    (WriteSingleRegisterRequest(address=7, registers=[9]), WriteSingleRegisterResponse(address=7, registers=[9])),
    (WriteMultipleRegistersRequest(address=7, registers=[9, 8]), WriteMultipleRegistersResponse(address=7, count=2)),
    (
        MaskWriteRegisterRequest(address=7, and_mask=3, or_mask=4),
        MaskWriteRegisterResponse(address=7, and_mask=3, or_mask=4),
    ),
    (
        ReadWriteMultipleRegistersRequest(read_address=1, read_count=3, write_address=9, write_registers=[1]),
        ReadWriteMultipleRegistersResponse(registers=[1, 2, 3]),
    ),
]


@pytest.mark.parametrize(("request_", "response"), PAIRS)
def test_the_right_answer_and_no_other(request_: object, response: object) -> None:
    def pdu(message: object) -> bytes:
        return bytes((message.function_code,)) + message.encode()  # type: ignore[attr-defined]

    expected = expect(3, pdu(request_))
    answer = pdu(response)
    assert judge(expected, 3, answer) == answer[expected.skip :]
    assert expected.size == len(answer) == answer_size(answer, 0)
    assert judge(expected, 4, answer) == "unit"
    assert judge(expected, 3, answer + b"\0") == "length"
    assert judge(expected, 3, answer[:-1]) == "length"
    assert judge(expected, 3, bytes((expected.function | 0x80, 2))) == 2
    assert judge(expected, 3, bytes((99, 2))) == "function"
    if not expected.is_read:
        assert judge(expected, 3, answer[:2] + bytes((answer[2] ^ 1,)) + answer[3:]) == "content"


def test_device_identification_tells_its_own_length() -> None:
    expected = expect(1, bytes.fromhex("2B0E0100"))
    answer = bytes.fromhex("2B0E01010000 02 00 03 414243 01 01 58")
    assert judge(expected, 1, answer) == answer[1:]
    assert judge(expected, 1, answer[:-1]) == "length"
    assert [answer_size(answer[:end], 0) for end in range(1, len(answer) + 1)][-1] == len(answer)


@pytest.mark.parametrize("request_", ["", "03", "0300000000", "030000007E", "01000007D1", "63000000", "0600"])
def test_a_request_nobody_could_answer_is_an_error(request_: str) -> None:
    with pytest.raises(ValueError, match="request"):
        expect(1, bytes.fromhex(request_))


@given(st.binary(max_size=300))
def test_sizes_of_anything_are_never_nonsense(frame: bytes) -> None:
    size = answer_size(frame, 0)
    assert size is None or size >= 0
