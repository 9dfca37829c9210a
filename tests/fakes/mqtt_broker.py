"""A broker of a few lines that does what real ones cannot be made to do on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14
Packet = tuple[int, int, bytes]
"""Type, flags, everything after the remaining length."""


async def read_packet(reader: asyncio.StreamReader) -> Packet:
    head = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            break
    return head >> 4, head & 15, await reader.readexactly(length)


class ScriptedBroker:
    """Answers each packet with what `script(type, body, version)` returns: bytes to send, or None to hang up."""

    def __init__(self, script: Callable[[int, bytes, int], bytes | None]) -> None:
        self._script = script
        self._server: asyncio.Server | None = None
        self.port = 0
        self.versions: list[int] = []
        self.packets: list[Packet] = []
        self.arrived = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version = 0
        try:
            while True:
                packet = await read_packet(reader)
                if packet[0] == CONNECT:
                    version = packet[2][6]
                    self.versions.append(version)
                self.packets.append(packet)
                self.arrived.set()
                answer = self._script(packet[0], packet[2], version)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


def packet_id_of_publish(body: bytes) -> bytes:
    """The packet id of a QoS 1 PUBLISH, as it goes into the PUBACK."""
    topic = int.from_bytes(body[:2], "big")
    return body[2 + topic : 4 + topic]


CONNACK_5 = bytes([0x20, 3, 0, 0, 0])
CONNACK_311 = bytes([0x20, 2, 0, 0])


def connack_5(*properties: bytes, code: int = 0) -> bytes:
    """A CONNACK of MQTT 5 with ready-made properties, e.g. b"\\x21\\x00\\x05" (Receive Maximum 5)."""
    body = b"".join(properties)
    return bytes([0x20, 3 + len(body), 0, code, len(body)]) + body


def puback(packet_id: bytes, code: int = 0) -> bytes:
    return bytes([0x40, 2]) + packet_id if code == 0 else bytes([0x40, 3]) + packet_id + bytes([code])


def suback_5(packet_id: bytes, *codes: int) -> bytes:
    return bytes([0x90, 3 + len(codes)]) + packet_id + b"\0" + bytes(codes)
