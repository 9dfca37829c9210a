"""A tiny Modbus TCP server whose values prove themselves: each poll of a unit is answered with the next number.

Holding registers: 0-1 the number of the poll `n` (uint32), 2-3 `n // 7` (uint32), 4 a proof over unit and `n`,
5 always 77.
"""

from __future__ import annotations

import contextlib
import socketserver
import struct
import threading
import time
from collections import defaultdict
from typing import Self

from tests.servers import free_port

STEADY = 77
JUMP_NS = 2_000_000
EVERY = 7
"""The second quantity changes with every so many polls."""


def proof(unit: int, number: int) -> int:
    """What register 4 says beside `number`: a value of another unit or poll cannot pass for this one."""
    return (number * 40_503 + unit * 7_919) & 0xFFFF


class CounterServer:
    """Counts polls by unit; `served[unit]` holds the wall clock (ns) of each poll, in order: poll n is `[n - 1]`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.served: dict[int, list[int]] = defaultdict(list)
        self.jumps: list[tuple[int, int]] = []
        """When the clock of the machine itself was moved, and by how much (ns)."""
        self._ahead_ns = time.time_ns() - time.monotonic_ns()
        self._turn = threading.Lock()
        counters = self

        class Connection(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    while len(header := self.rfile.read(7)) == 7:
                        transaction, _, length, unit = struct.unpack(">HHHB", header)
                        request = self.rfile.read(length - 1)
                        answer = counters.answer(unit, request)
                        self.wfile.write(struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit) + answer)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", self.port), Connection)

    def answer(self, unit: int, request: bytes) -> bytes:
        """The response PDU; only reads of holding registers 0 to 5 are understood."""
        function, first, count = struct.unpack(">BHH", request)
        if function != 3 or first + count > 6:
            return bytes([function | 0x80, 2])
        with self._turn:
            polls = self.served[unit]
            if first == 0:
                polls.append(self._now_ns())
            number = len(polls)
        memory = struct.pack(">IIHH", number, number // EVERY, proof(unit, number), STEADY)
        return bytes([3, 2 * count]) + memory[2 * first : 2 * (first + count)]

    def _now_ns(self) -> int:
        """The wall clock; notes where that did not go on as time did."""
        now = time.time_ns()
        ahead_ns = now - time.monotonic_ns()
        if abs(ahead_ns - self._ahead_ns) > JUMP_NS:
            self.jumps.append((now, ahead_ns - self._ahead_ns))
        self._ahead_ns = ahead_ns
        return now

    def jumped_ms(self, at_ns: int) -> int:
        """By how much the machine's clock was moved within some seconds of `at_ns`."""
        return sum(abs(by_ns) for when, by_ns in self.jumps if abs(when - at_ns) < 5_000_000_000) // 1_000_000

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="counters", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
