"""The store's one writing thread: gathers changes and commits each file's in one transaction, bounded in time and size.

Sources hold the changes, guarded by `Writer.lock`; the thread takes them, writes them, and either settles them or puts
them back and tries again later. What is urgent (alarms, an awaited flush) does not wait for the interval.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from gateway.errors import StoreError
from gateway.store.files import StoreFile, damage, is_damage

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.1
LAST_RETRY_S = 5.0


class Source(Protocol):
    """Changes for one file. All but `write` run with the lock held."""

    def has_work(self) -> bool: ...

    def take(self) -> None:
        """Put the changes gathered so far apart, for `write`."""
        ...

    def write(self, db: sqlite3.Connection) -> None:
        """Write what was taken, inside a transaction, in the store's thread."""
        ...

    def settle(self) -> None:
        """What was taken is committed."""
        ...

    def put_back(self) -> None:
        """What was taken is not committed: it goes before what was gathered since."""
        ...

    def replaced(self) -> None:
        """The file was damaged and is new and empty now."""
        ...


@dataclass(slots=True)
class _Target:
    file: StoreFile
    sources: Sequence[Source]
    due: float = float("inf")
    retry_s: float = 0.0
    commits: int = 0
    errors: int = 0


class Writer:
    def __init__(self, interval_s: float) -> None:
        self.mutex = threading.RLock()
        """The same lock, for those who only hold it: entering it costs a third."""
        self.lock = threading.Condition(self.mutex)
        self._interval_s = interval_s
        self._targets: list[_Target] = []
        self._thread = threading.Thread(target=self._guard, name="store", daemon=True)
        self._is_closing = False
        self._failure: BaseException | None = None
        self._flushes: list[Callable[[], None]] = []
        self._ended: list[Callable[[], None]] = []
        self._busy_since: float | None = None

    def attach(self, file: StoreFile, sources: Sequence[Source]) -> None:
        self._targets.append(_Target(file, sources))

    def start(self) -> None:
        self._thread.start()

    @property
    def commits(self) -> int:
        return sum(target.commits for target in self._targets)

    @property
    def errors(self) -> int:
        return sum(target.errors for target in self._targets)

    def wake(self, file: StoreFile, *, urgent: bool) -> None:
        """There is a change for `file`; call with the lock held."""
        if self._failure is not None or self._is_closing:
            raise StoreError(f"the store is closed: {self._failure or 'shutting down'}")
        for target in self._targets:
            if target.file is file:
                due = time.monotonic() + (0.0 if urgent else self._interval_s)
                if due < target.due and not target.retry_s:
                    target.due = due
                    self.lock.notify()

    def late_s(self) -> float:
        """How long the thread has been writing, or has failed to begin what was due; 0 while it keeps up or waits to
        try again."""
        with self.lock:
            began = self._busy_since
            if began is None:
                began = min((target.due for target in self._targets), default=float("inf"))
            return max(0.0, time.monotonic() - began)

    async def flush(self) -> None:
        """Commit everything that is waiting now; StoreError where that can no longer happen."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        with self.lock:
            if self._failure is not None or not self._thread.is_alive():
                raise StoreError(f"the store is closed: {self._failure or 'shut down'}")
            self._flushes.append(lambda: tell(done))
            now = time.monotonic()
            for target in self._targets:
                if not target.retry_s:
                    target.due = min(target.due, now)
            self.lock.notify()
        await done
        if self._failure is not None:
            raise StoreError(f"the store stopped: {self._failure}", f"存储已停止：{self._failure}") from self._failure

    async def watch(self) -> None:
        """Return when the store is closed; StoreError when its thread died of something that is no retry."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        ended = partial(tell, done)
        with self.lock:
            if self._thread.is_alive():
                self._ended.append(ended)
            else:
                done.set_result(None)
        try:
            await done
        finally:
            with self.lock:
                if ended in self._ended:
                    self._ended.remove(ended)
        if self._failure is not None:
            raise StoreError(f"the store stopped: {self._failure}", f"存储已停止：{self._failure}") from self._failure

    async def wait(self, done: asyncio.Future[None]) -> None:
        """Return when the thread has resolved `done`; StoreError where it ended and never will."""
        ending = asyncio.ensure_future(self.watch())
        try:
            await asyncio.wait({done, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not done.done():
                await ending
                raise StoreError("the store is closed", "存储已关闭")
        finally:
            ending.cancel()

    def close(self, timeout_s: float = 10.0) -> None:
        """Commit what is waiting and end the thread; StoreError where something could not be written."""
        with self.lock:
            self._is_closing = True
            self.lock.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise StoreError("the store could not finish writing in time", "未能在限定时间内写完数据")
        if self._failure is not None:
            raise StoreError(f"the store stopped: {self._failure}", f"存储已停止：{self._failure}") from self._failure

    # the thread

    def _guard(self) -> None:
        try:
            self._run()
        except (sqlite3.Error, OSError, StoreError) as error:
            log.error("store_failed error=%s", error)
            self._failure = error
        except BaseException as error:
            self._failure = error
            raise
        finally:
            with self.lock:
                waiting = self._flushes + self._ended
                self._flushes, self._ended = [], []
            for tell_waiter in waiting:
                tell_waiter()

    def _run(self) -> None:
        while True:
            with self.lock:
                while not self._is_closing and self._wait_s() > 0:
                    wait_s = self._wait_s()
                    self.lock.wait(None if wait_s == float("inf") else wait_s)
                closing, flushes = self._is_closing, self._flushes
                self._flushes = []
            now = self._busy_since = time.monotonic()
            for target in self._targets:
                if closing or flushes or target.due <= now:
                    self._commit(target)
            self._busy_since = None
            failed = any(target.retry_s for target in self._targets)
            if failed:
                with self.lock:
                    self._flushes = flushes + self._flushes
            else:
                for tell_waiter in flushes:
                    tell_waiter()
            if closing:
                if failed:
                    raise StoreError("what was waiting could not be written", "等待中的数据无法写入磁盘")
                return

    def _wait_s(self) -> float:
        return min(target.due for target in self._targets) - time.monotonic()

    def _commit(self, target: _Target) -> None:
        with self.lock:
            target.due = float("inf")
            taken = [source for source in target.sources if source.has_work()]
            for source in taken:
                source.take()
            if not taken:
                target.retry_s = 0.0  # what had failed was confirmed meanwhile
                return
        db = target.file.writer
        try:
            if target.file.suspect is not None:
                raise damage(target.file.suspect)
            db.execute("BEGIN IMMEDIATE")
            for source in taken:
                source.write(db)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_back(target, taken, error)
            return
        with self.lock:
            if target.retry_s:
                log.warning("store_write_recovered file=%s", target.file.path)
            target.retry_s = 0.0
            target.commits += 1
            for source in taken:
                source.settle()
            if any(source.has_work() for source in target.sources):
                target.due = min(target.due, time.monotonic() + self._interval_s)

    def _give_back(self, target: _Target, taken: Sequence[Source], error: sqlite3.Error) -> None:
        db = target.file.writer
        if db.in_transaction:
            db.execute("ROLLBACK")
        target.errors += 1
        if is_damage(error):
            if not target.file.replaceable:
                raise error
            target.file.replace(str(error))
        elif not target.retry_s:
            log.error("store_write_failed file=%s error=%s", target.file.path, error)
        with self.lock:
            for source in taken:
                source.put_back()
            if is_damage(error):
                for source in target.sources:
                    source.replaced()
            target.retry_s = min(max(target.retry_s * 2, FIRST_RETRY_S), LAST_RETRY_S)
            target.due = time.monotonic() + target.retry_s


def call(loop: asyncio.AbstractEventLoop, then: Callable[[], object]) -> None:
    """Run `then` on `loop` from another thread; a loop that has ended does not mind."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(then)


def tell(future: asyncio.Future[None]) -> None:
    """Resolve `future` from another thread."""
    call(future.get_loop(), lambda: None if future.done() else future.set_result(None))
