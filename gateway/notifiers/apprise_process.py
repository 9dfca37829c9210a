"""Owner of the process that speaks Apprise: started when there is something to send, ended when it is idle."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.errors import NotifyRetry

log = logging.getLogger(__name__)

IDLE_S = 60.0
"""It takes 50 MB while it lives."""
END_S = 2.0
CHILD = ("-m", "gateway.notifiers.apprise_child")
LONGEST_LINE = 1 << 20


@dataclass(slots=True)
class _Running:
    process: Process
    asked: dict[int, asyncio.Future[list[str | None]]] = field(default_factory=dict)
    reader: asyncio.Task[None] | None = None


class AppriseProcess:
    """One child for all Apprise channels of the gateway."""

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._running: _Running | None = None
        self._starting = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None
        self._last = 0
        self._users = 0
        self.not_understood = 0
        """Children that said something that is no answer."""

    @property
    def pid(self) -> int | None:
        """Of the child, while there is one."""
        return None if self._running is None else self._running.process.pid

    @property
    def alive(self) -> int:
        """Children that have not ended yet."""
        return len(self._ending) + (self._running is not None)

    async def send(self, urls: Sequence[str], title: str, body: str, timeout_s: float) -> list[str | None]:
        """Why each address did not take it, None where it did. NotifyRetry where the child gave no answer."""
        self._users += 1
        if self._idle is not None:
            self._idle.cancel()
        try:
            return await self._ask(await self._start(), urls, title, body, timeout_s)
        finally:
            self._users -= 1
            if not self._users:
                self._idle = asyncio.get_running_loop().call_later(self._idle_s, self._end)

    async def close(self) -> None:
        """End the child."""
        if self._idle is not None:
            self._idle.cancel()
        self._end()
        if self._ending:
            await asyncio.wait(self._ending)

    async def _start(self) -> _Running:
        async with self._starting:
            if self._running is None:
                try:
                    process = await asyncio.create_subprocess_exec(
                        sys.executable, *CHILD,
                        stdin=PIPE, stdout=PIPE, limit=LONGEST_LINE,
                    )  # fmt: skip
                except OSError as error:
                    raise NotifyRetry(f"apprise cannot be started: {error}", f"apprise 无法启动：{error}") from error
                running = self._running = _Running(process)
                running.reader = asyncio.create_task(self._read(running), name="apprise")
                log.info("apprise_started pid=%d", process.pid)
            return self._running

    async def _ask(
        self, running: _Running, urls: Sequence[str], title: str, body: str, timeout_s: float
    ) -> list[str | None]:
        self._last += 1
        id_ = self._last
        answer: asyncio.Future[list[str | None]] = asyncio.get_running_loop().create_future()
        running.asked[id_] = answer
        request = json.dumps({"id": id_, "title": title, "body": body, "urls": list(urls)}).encode() + b"\n"
        try:
            async with asyncio.timeout(timeout_s):
                if running.process.stdin is not None:
                    running.process.stdin.write(request)
                    await running.process.stdin.drain()
                return await answer
        except TimeoutError:
            self._retire(running)  # one of its threads hangs
            raise NotifyRetry("no answer in time", "没有按时应答") from None
        except ConnectionError as error:
            raise NotifyRetry(f"apprise ended: {error}", f"apprise 已退出：{error}") from error
        finally:
            running.asked.pop(id_, None)

    async def _read(self, running: _Running) -> None:
        """Hand answers to those who wait; at the end of the child nobody waits for ever."""
        stdout = running.process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                id_, done = _answer(line)
                waiting = running.asked.get(id_)
                if waiting is not None and not waiting.done():
                    waiting.set_result(done)
        except ValueError as error:  # of readline too, where a line is too long
            self.not_understood += 1
            log.error("apprise_not_understood pid=%d error=%s", running.process.pid, type(error).__name__)
        finally:
            if self._running is running:
                self._retire(running)
            for waiting in running.asked.values():
                if not waiting.done():
                    waiting.set_exception(NotifyRetry("apprise ended", "apprise 已退出"))
        while stdout is not None and await stdout.read(LONGEST_LINE):  # nobody waits for it, yet it is to end
            pass

    def _end(self) -> None:
        if self._running is not None:
            self._retire(self._running)

    def _retire(self, running: _Running) -> None:
        """Let this child end; the next notice gets another."""
        if self._running is running:
            self._running = None
        if running.process.stdin is not None:
            running.process.stdin.close()
        task = asyncio.create_task(_wait_for_end(running), name="apprise-end")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _answer(line: bytes) -> tuple[int, list[str | None]]:
    """Which request is answered, and what came of each address; ValueError where it is no answer."""
    match json.loads(line):
        case {"id": int(id_), "done": [*done]} if all(each is None or isinstance(each, str) for each in done):
            return id_, done
    raise ValueError("not an answer")


async def _wait_for_end(running: _Running) -> None:
    try:
        async with asyncio.timeout(END_S):
            await running.process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            running.process.kill()
        await running.process.wait()
    if running.reader is not None:
        await asyncio.wait([running.reader], timeout=END_S)
    log.info("apprise_ended pid=%d", running.process.pid)
