"""A subscriber that costs next to nothing (MQTT 3.1.1, QoS 1), so that recorder and ingest are not what is measured."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator


class Subscriber:
    """A persistent session on one filter; connects again by itself."""

    def __init__(self, port: int, client_id: str, *filters: str) -> None:
        self._port = port
        self._client_id = client_id
        self._filters = filters
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._pinged = 0.0
        self._number = 0

    def poll(self, wait_s: float) -> Iterator[tuple[int, str, bytes]]:
        """What came within `wait_s`: arrival in microseconds of the monotonic clock, topic, payload."""
        if self._socket is None and not self._connect():
            time.sleep(0.02)
            return
        assert self._socket is not None
        now = time.monotonic()
        if now - self._pinged > 10:
            self._pinged = now
            self._send(b"\xc0\x00")
        if self._socket is None or not select.select([self._socket], [], [], wait_s)[0]:
            return
        try:
            data = self._socket.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self.drop()
            return
        at_us = time.monotonic_ns() // 1000
        self._buffer += data
        yield from self._take(at_us)

    def _take(self, at_us: int) -> Iterator[tuple[int, str, bytes]]:
        buffer, at, acks = self._buffer, 0, []
        while len(buffer) - at >= 2:
            size, shift, head = 0, 0, at + 1
            while head < len(buffer):
                byte = buffer[head]
                head += 1
                size |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            else:
                break
            if len(buffer) < head + size:
                break
            kind = buffer[at]
            if kind >> 4 == 3:
                length = buffer[head] << 8 | buffer[head + 1]
                topic = buffer[head + 2 : head + 2 + length].decode()
                body = head + 2 + length
                if kind & 6:
                    acks.append(b"\x40\x02" + buffer[body : body + 2])
                    body += 2
                yield at_us, topic, buffer[body : head + size]
            at = head + size
        self._buffer = buffer[at:]
        if acks:
            self._send(b"".join(acks))

    def publish(self, topic: str, payload: bytes) -> None:
        """QoS 1; its answer is not waited for."""
        self._number = self._number % 65535 + 1
        body = struct.pack(">H", len(topic)) + topic.encode() + struct.pack(">H", self._number) + payload
        self._send(b"\x32" + _length(len(body)) + body)

    def _connect(self) -> bool:
        try:
            self._socket = socket.create_connection(("127.0.0.1", self._port), 1)
        except OSError:
            return False
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(5)
        self._buffer = b""
        name = self._client_id.encode()
        connect = b"\x00\x04MQTT\x04\x00\x00\x3c" + struct.pack(">H", len(name)) + name
        self._send(b"\x10" + _length(len(connect)) + connect)
        body = b"\x00\x01"
        for each in self._filters:
            body += struct.pack(">H", len(each)) + each.encode() + b"\x01"
        self._send(b"\x82" + _length(len(body)) + body)
        return self._socket is not None

    def _send(self, data: bytes) -> None:
        if self._socket is None:
            return
        try:
            self._socket.sendall(data)
        except OSError:
            self.drop()

    def drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _length(size: int) -> bytes:
    data = bytearray()
    while size > 127:
        data.append(size & 127 | 128)
        size >>= 7
    data.append(size)
    return bytes(data)
