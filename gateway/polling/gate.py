"""How many requests begin in one turn of the event loop, so that a loop with more to do than it can still turns often.

If everything that is due began at once, a loop that is behind would come round once in seconds, and everything else on
it as rarely: answers would lie in their sockets and messages wait for room in the broker's window. What has to wait
here waits in the order it came; a line that waits for an answer holds nobody up.
"""

from __future__ import annotations

import asyncio
from collections import deque

BEGIN_AT_ONCE = 8
"""Less than half of the least window of the usual brokers (20): what is sent in one turn is answered in the second turn
after it, so that a window serves two turns."""


class Gate:
    """Shared by all lines of one event loop."""

    def __init__(self, most: int = BEGIN_AT_ONCE) -> None:
        self._most = most
        self._begun = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def is_open(self) -> bool:
        """Whether one more may begin in this turn; it is counted as begun. Otherwise `wait`."""
        begun = self._begun
        if begun >= self._most or self._waiting:
            return False
        self._begun = begun + 1
        if not begun:
            asyncio.get_running_loop().call_soon(self._turn)
        return True

    async def wait(self) -> None:
        """Until those that came before have begun."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _turn(self) -> None:
        """The loop has turned: the next ones, as many as may."""
        self._begun = 0
        while self._waiting and self._begun < self._most:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(None)
                self._begun += 1
        if self._begun:
            asyncio.get_running_loop().call_soon(self._turn)
