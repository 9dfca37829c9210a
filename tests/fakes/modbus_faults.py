"""A Modbus server that does wrong on purpose, over TCP (Modbus TCP, or RTU frames), UDP and a pseudo-terminal (RTU,
ASCII).

Its registers carry their own proof: the first two of an answer are the number of the request that it answers, each
further one is made of that number, the unit and its address. Framed with struct alone, so that an error in the
product's framing cannot cancel out.
"""

from __future__ import annotations

import asyncio
import os
import random
import struct
import time
import tty
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self


class Wrong(Enum):
    """What one answer can be made to do."""

    LATE_1 = 1.3
    LATE_2 = 2.2
    LATE_3 = 3.2
    FOREIGN_UNIT = "unit"
    FOREIGN_TRANSACTION = "transaction"
    TRANSACTION_0 = "transaction 0"
    WRONG_PROTOCOL = "protocol"
    WRONG_FUNCTION = "function"
    WRONG_LENGTH = "length"
    BAD_CRC = "crc"
    TRUNCATED = "truncated"
    GARBAGE_BEFORE = "before"
    GARBAGE_AFTER = "after"
    GARBAGE_BETWEEN = "between"
    ECHO = "echo"
    SLOW_BYTES = "slow bytes"
    DOUBLE = "double"
    RESET = "reset"
    SILENCE = "silence"
    EXCEPTION_1 = -1
    EXCEPTION_2 = -2
    EXCEPTION_3 = -3
    EXCEPTION_4 = -4
    EXCEPTION_5 = -5
    EXCEPTION_6 = -6
    EXCEPTION_10 = -10
    EXCEPTION_11 = -11
    EXCEPTION_OF_ANOTHER_FUNCTION = "foreign exception"


TCP_ONLY = {Wrong.FOREIGN_TRANSACTION, Wrong.TRANSACTION_0, Wrong.WRONG_PROTOCOL}
BUS_ONLY = {Wrong.BAD_CRC, Wrong.ECHO}
LATE = {Wrong.LATE_1, Wrong.LATE_2, Wrong.LATE_3}
EXCEPTIONS = {wrong for wrong in Wrong if isinstance(wrong.value, int)}


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it; `at` is monotonic seconds."""

    unit: int
    address: int
    count: int
    at: float


def register(number: int, unit: int, address: int) -> int:
    """What register `address` of `unit` holds in the answer to request `number`."""
    return (number * 40_503 + unit * 2_654_435 + address * 48_271 + 12_345) % 65_521


def bitwise_crc(data: bytes) -> bytes:
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return struct.pack("<H", crc)


class FaultServer:
    """`choose` says what goes wrong with a request, given the unit; `timeout_s` is the client's, for late answers."""

    def __init__(self, choose: Callable[[int], Wrong | None], timeout_s: float, seed: int = 1) -> None:
        self.choose = choose
        self.timeout_s = timeout_s
        self.asked: dict[int, Asked] = {}
        self.injected: Counter[Wrong] = Counter()
        self._random = random.Random(seed)
        self._number = 0

    def proves(self, data: bytes, unit: int, address: int, not_before: float) -> bool:
        """Whether `data` answers a request to `unit` at `address` that came after `not_before`."""
        number = int.from_bytes(data[:4], "big")
        asked = self.asked.get(number)
        if asked is None or (asked.unit, asked.address) != (unit, address) or asked.at < not_before:
            return False
        rest = [register(number, unit, address + index) for index in range(2, asked.count)]
        return data[4:] == struct.pack(f">{len(rest)}H", *rest)

    def answer(self, unit: int, pdu: bytes) -> tuple[bytes, Wrong | None]:
        """The right PDU for a read of holding registers, and what is to go wrong with it."""
        function, address, count = struct.unpack(">BHH", pdu)
        self._number += 1
        number = self._number
        self.asked[number] = Asked(unit, address, count, time.monotonic())
        values = [number >> 16, number & 0xFFFF, *(register(number, unit, address + i) for i in range(2, count))]
        wrong = self.choose(unit)
        if wrong is not None:
            self.injected[wrong] += 1
        if wrong in EXCEPTIONS:
            return bytes((function | 0x80, -int(wrong.value))), wrong  # type: ignore[union-attr,arg-type]
        if wrong is Wrong.WRONG_FUNCTION:
            function += 1
        if wrong is Wrong.EXCEPTION_OF_ANOTHER_FUNCTION:
            return bytes(((function + 1) | 0x80, 2)), wrong
        if wrong is Wrong.WRONG_LENGTH:
            values.append(7)
        return bytes((function, 2 * len(values))) + struct.pack(f">{len(values)}H", *values), wrong

    def garbage(self) -> bytes:
        return self._random.randbytes(self._random.randint(2, 12))


class TcpFaultServer:
    """Modbus TCP, or RTU frames over TCP with `rtu`."""

    def __init__(self, faults: FaultServer, *, rtu: bool = False) -> None:
        self.faults = faults
        self.rtu = rtu
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> int:
        assert self._server
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while True:
                if self.rtu:
                    request = await reader.readexactly(8)
                    send_rtu(self.faults, request, writer.write, writer.transport.abort)
                else:
                    header = await reader.readexactly(7)
                    self._answer(header, await reader.readexactly(5), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    def _answer(self, header: bytes, pdu: bytes, writer: asyncio.StreamWriter) -> None:
        send_mbap(self.faults, header, pdu, writer.write, writer.transport.abort)


class UdpFaultServer(asyncio.DatagramProtocol):
    """Modbus over UDP: each frame, or piece of one, is a datagram."""

    def __init__(self, faults: FaultServer) -> None:
        self.faults = faults
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def port(self) -> int:
        assert self._transport
        return int(self._transport.get_extra_info("sockname")[1])

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._transport
        self._transport.abort()
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        def write(answer: bytes) -> None:
            if self._transport is not None and not self._transport.is_closing():
                self._transport.sendto(answer, addr)

        send_mbap(self.faults, data[:7], data[7:], write, lambda: None)


class PtyFaultServer:
    """RTU, or ASCII, on a pseudo-terminal of its own; `path` is a link that stays, as a stable device name does."""

    def __init__(self, faults: FaultServer, path: Path, *, is_ascii: bool = False) -> None:
        self.faults = faults
        self.path = path
        self._is_ascii = is_ascii
        self.plugged = 0
        self._fd = -1
        self._slave = -1
        self._buffer = b""

    def plug(self) -> None:
        self._fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._fd, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        self.plugged += 1
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def unplug(self) -> None:
        if self._fd < 0:
            return
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
        os.close(self._slave)
        self.path.unlink(missing_ok=True)
        self._fd = self._slave = -1
        self._buffer = b""

    async def __aenter__(self) -> Self:
        self.plug()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.unplug()

    def _readable(self) -> None:
        self._buffer += os.read(self._fd, 4096)
        if self._is_ascii:
            *requests, self._buffer = self._buffer.split(b"\n")
            for request in requests:
                send_ascii(self.faults, request + b"\n", self._write, self._replug)
            return
        while len(self._buffer) >= 8:
            request, self._buffer = self._buffer[:8], self._buffer[8:]
            send_rtu(self.faults, request, self._write, self._replug)

    def _write(self, data: bytes) -> None:
        if self._fd >= 0:
            os.write(self._fd, data)

    def _replug(self) -> None:
        self.unplug()
        self.plug()


def send_rtu(faults: FaultServer, request: bytes, write: Callable[[bytes], None], reset: Callable[[], None]) -> None:
    """Answer one RTU request, wrongly where that was chosen."""
    assert bitwise_crc(request[:-2]) == request[-2:], "the client sent a broken frame"
    unit = request[0]
    answer, wrong = faults.answer(unit, request[1:-2])
    if wrong is Wrong.FOREIGN_UNIT:
        unit = unit % 200 + 1
    body = bytes((unit,)) + answer
    send(faults, body + bitwise_crc(body), wrong, request, write, reset)


def send_ascii(faults: FaultServer, request: bytes, write: Callable[[bytes], None], reset: Callable[[], None]) -> None:
    """Answer one ASCII request, wrongly where that was chosen."""
    body = bytes.fromhex(request.removeprefix(b":").removesuffix(b"\r\n").decode())
    assert not sum(body) & 0xFF, "the client sent a broken frame"
    unit = body[0]
    answer, wrong = faults.answer(unit, body[1:-1])
    if wrong is Wrong.FOREIGN_UNIT:
        unit = unit % 200 + 1
    said = bytes((unit,)) + answer
    check = -sum(said) & 0xFF
    if wrong is Wrong.BAD_CRC:
        check, wrong = check ^ 0x55, None
    frame = b":" + (said + bytes((check,))).hex().upper().encode() + b"\r\n"
    send(faults, frame, wrong, request, write, reset)


def send_mbap(
    faults: FaultServer, header: bytes, pdu: bytes, write: Callable[[bytes], None], reset: Callable[[], None]
) -> None:
    """Answer one request with a transaction id, wrongly where that was chosen."""
    transaction, protocol, _, unit = struct.unpack(">HHHB", header)
    answer, wrong = faults.answer(unit, pdu)
    if wrong is Wrong.FOREIGN_UNIT:
        unit = unit % 200 + 1
    elif wrong is Wrong.FOREIGN_TRANSACTION:
        transaction = (transaction + 0x8000) % 0x10000 or 1
    elif wrong is Wrong.TRANSACTION_0:
        transaction = 0
    elif wrong is Wrong.WRONG_PROTOCOL:
        protocol = 3
    frame = struct.pack(">HHHB", transaction, protocol, len(answer) + 1, unit) + answer
    send(faults, frame, wrong, b"", write, reset)


def send(
    faults: FaultServer,
    frame: bytes,
    wrong: Wrong | None,
    request: bytes,
    write: Callable[[bytes], None],
    reset: Callable[[], None],
) -> None:
    """Put a frame on the wire as `wrong` says."""
    loop = asyncio.get_running_loop()
    if wrong is Wrong.SILENCE:
        return
    if wrong is Wrong.RESET:
        reset()
    elif wrong in LATE:
        assert wrong is not None
        loop.call_later(faults.timeout_s * float(wrong.value), write, frame)
    elif wrong is Wrong.BAD_CRC:
        write(frame[:-1] + bytes((frame[-1] ^ 0x55,)))
    elif wrong is Wrong.TRUNCATED:
        write(frame[:-3])
    elif wrong is Wrong.GARBAGE_BEFORE:
        write(faults.garbage() + frame)
    elif wrong is Wrong.GARBAGE_AFTER:
        write(frame + faults.garbage())
    elif wrong is Wrong.GARBAGE_BETWEEN:
        write(frame[:6] + faults.garbage() + frame[6:])
    elif wrong is Wrong.ECHO:
        write(request)
        write(frame)
    elif wrong is Wrong.DOUBLE:
        write(frame + frame)
    elif wrong is Wrong.SLOW_BYTES:
        for index in range(len(frame)):
            loop.call_later(0.001 * index, write, frame[index : index + 1])
    else:
        write(frame)
