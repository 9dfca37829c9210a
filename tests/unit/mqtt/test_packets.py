"""Packets cut at every byte, and what stands in the two that are ours; the layouts are those of MQTT 3.1.1 and 5.0."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mqtt.packets import publish_packet, read_puback, split

payloads = st.binary(max_size=300)
puback = st.builds(lambda mid: b"\x40\x02" + mid.to_bytes(2, "big"), st.integers(1, 65535))
packets = st.lists(
    st.one_of(puback, payloads.map(lambda payload: publish_packet("a/b", payload, 7, 5))), min_size=1, max_size=6
)


@given(packets, st.lists(st.integers(0, 2000), max_size=5))
def test_packets_come_whole_wherever_the_stream_is_cut(sent: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(sent)
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    found: list[bytes] = []
    rest = b""
    for begin, end in pairwise(edges):
        more, rest = split(rest + whole[begin:end])
        found += more
    assert found == sent
    assert rest == b""


def test_a_length_of_five_bytes_is_left_to_paho_as_one_packet() -> None:
    good = b"\x40\x02\x00\x01"
    assert split(good + b"\x30\xff\xff\xff\xff\x01rest") == ([good, b"\x30\xff\xff\xff\xff\x01rest"], b"")


def test_a_length_that_is_not_all_there_is_waited_for() -> None:
    assert split(b"\x30\xff\xff") == ([], b"\x30\xff\xff")


def test_publish_on_311_has_no_properties() -> None:
    assert publish_packet("a/b", b"xy", 0x1234, 4) == b"\x32\x09\x00\x03a/b\x12\x34xy"


def test_publish_on_5_has_an_empty_property_length() -> None:
    assert publish_packet("a/b", b"xy", 0x1234, 5, retain=True) == b"\x33\x0a\x00\x03a/b\x12\x34\x00xy"


def test_correlation_data_goes_along_on_5_alone() -> None:
    with_data = publish_packet("t", b"", 1, 5, correlation=b"cd")
    assert with_data == b"\x32\x0b\x00\x01t\x00\x01\x05\x09\x00\x02cd"
    assert publish_packet("t", b"", 1, 4, correlation=b"cd") == b"\x32\x05\x00\x01t\x00\x01"


def test_long_payloads_have_their_length_in_several_bytes() -> None:
    packet = publish_packet("t", bytes(20_000), 1, 4)
    assert packet[1:4] == bytes((20_005 & 127 | 128, 20_005 >> 7 & 127 | 128, 20_005 >> 14))
    assert split(packet + b"\x40") == ([packet], b"\x40")


@pytest.mark.parametrize(
    ("packet", "said"),
    [
        (b"\x40\x02\x12\x34", (0x1234, 0)),
        (b"\x40\x03\x12\x34\x97", (0x1234, 0x97)),
        (b"\x40\x04\x00\x01\x10\x00", (1, 0x10)),
        (b"\x40\x84\x01\x00\x01\x87\x80\x01" + bytes(128), (1, 0x87)),
        (b"\x40\x01\x12", None),
        (b"\x40\x00", None),
    ],
)
def test_puback(packet: bytes, said: tuple[int, int] | None) -> None:
    assert read_puback(packet) == said
