"""The simulated slaves in Python, for where no C compiler is: `python -m bench.peers.slaves COUNT STEP_US DELAY_US`.

Good for some 10,000 tags per second; behaves as `native/slaves.c` does.
"""

from __future__ import annotations

import asyncio
import signal
import struct
import sys

from bench.formula import now_us, registers


class Slaves:
    def __init__(self, interval_us: int, delay_us: int) -> None:
        self._interval_us = interval_us
        self._delay_s = delay_us / 1e6
        self.muted = False

    async def serve(self, slave: int) -> int:
        """Listen; gives the port."""
        server = await asyncio.start_server(lambda r, w: self._talk(slave, r, w), "127.0.0.1", 0)
        return int(server.sockets[0].getsockname()[1])

    async def _talk(self, slave: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await reader.readexactly(12)
            except (asyncio.IncompleteReadError, OSError):
                break
            if self.muted and slave % 5 == 0:
                continue
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            first, count = struct.unpack_from(">HH", request, 8)
            data = registers(slave, self._interval_us, now_us())[2 * first : 2 * (first + count)]
            writer.write(request[:4] + struct.pack(">HBBB", 3 + len(data), request[6], 3, len(data)) + data)
        writer.close()


async def main() -> None:
    count, interval_us, delay_us = map(int, sys.argv[1:])
    slaves = Slaves(interval_us, delay_us)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: setattr(slaves, "muted", True))
    loop.add_signal_handler(signal.SIGUSR2, lambda: setattr(slaves, "muted", False))
    print(*[await slaves.serve(slave) for slave in range(count)], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
