"""What a read costs on its line, computed: characters, silences and the device's own time.

Serial Line Protocol V1.02, section 2.5.1: frames are parted by 3.5 characters, above 19,200 baud by 1.75 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

from drivers.modbus.address import Table
from drivers.modbus.options import ModbusLine

#: RTU: unit, function, address, count, CRC out; unit, function, byte count, CRC back.
_RTU_REQUEST, _RTU_ANSWER = 8, 5
#: ASCII: colon, two characters per byte, LRC, CR LF.
_ASCII_REQUEST, _ASCII_ANSWER = 17, 11
#: MBAP header and PDU both ways, and Ethernet, IP and TCP around them (preamble and gap included).
_TCP_BYTES = 12 + 9 + 2 * 78
#: No site's network is slower than the 10 Mbit/s of old equipment.
_TCP_BYTE_MS = 8 / 10_000


@dataclass(frozen=True, slots=True)
class Pace:
    """The times of one device's reads. All in milliseconds."""

    fixed_ms: float
    """On the line for any read: headers both ways and the silence after the answer."""
    byte_ms: float
    """For each data byte of the answer."""
    wait_ms: float
    """Until the device begins its answer: its turnaround, at least the silence before a frame."""

    def wire_ms(self, table: Table, count: int) -> float:
        """Time on the line, without the device's own."""
        octets = (count + 7) // 8 if table.of_bits else 2 * count
        return self.fixed_ms + self.byte_ms * octets

    def cost_ms(self, table: Table, count: int) -> float:
        """Everything from the first bit of the request until the line is free again."""
        return self.wire_ms(table, count) + self.wait_ms


def pace_of(line: ModbusLine, turnaround_s: float | None = None) -> Pace:
    """How fast a device on `line` can be read; `turnaround_s` where it is the device's own."""
    wait_ms = 1000 * (line.turnaround if turnaround_s is None else turnaround_s)
    network = line.serial is None
    behind_gateway = network and line.framing == "tcp" and "baudrate" in line.model_fields_set
    if network and line.framing == "tcp" and not behind_gateway:
        return Pace(_TCP_BYTES * _TCP_BYTE_MS, _TCP_BYTE_MS, wait_ms)
    character_ms = 1000 * (1 + line.bytesize + (line.parity != "N") + line.stopbits) / line.baudrate
    network_ms = _TCP_BYTES * _TCP_BYTE_MS if network else 0.0
    if line.framing == "ascii":
        return Pace((_ASCII_REQUEST + _ASCII_ANSWER) * character_ms + network_ms, 2 * character_ms, wait_ms)
    silence_ms = 1.75 if line.baudrate > 19200 else 3.5 * character_ms
    fixed_ms = (_RTU_REQUEST + _RTU_ANSWER) * character_ms + silence_ms + network_ms
    return Pace(fixed_ms, character_ms, max(silence_ms, wait_ms))
