"""Headless chromium for tests, spoken to over a pipe with the DevTools protocol: no driver, no port, no download.

Everything it asked the network for and everything its console said is kept, so that a test can look.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import itertools
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Self

from tests.servers import program

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--metrics-recording-only",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-pipe",
)
#: Puts the two ends of the pipe where chromium looks for them: it reads 3 and writes 4.
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)
GIVE_UP_S = 60.0


class Page:
    """One tab in a context of its own: no cookies or cache of others."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session
        self.requests: list[str] = []
        """Every address asked for, in order."""
        self.received: dict[str, int] = {}
        """Bytes that came over the wire by address, headers included."""
        self.complaints: list[str] = []
        """Errors and warnings of the console, uncaught exceptions, refused resources."""
        self._addresses: dict[str, str] = {}

    async def send(self, method: str, **parameters: Any) -> Any:
        return await self._browser.send(method, self._session, **parameters)

    async def open(self, address: str) -> None:
        """Go there; returns when the document and what it names are loaded."""
        loaded = self._browser.expect("Page.loadEventFired", self._session)
        answer = await self.send("Page.navigate", url=address)
        assert "errorText" not in answer, answer
        await asyncio.wait_for(loaded, GIVE_UP_S)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        answer = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true in the page; its value. Asked again at every frame, by the page itself."""
        code = f"""new Promise((done) => {{
            const look = () => {{ const found = ({script}); found ? done(found) : setTimeout(look, 20); }};
            look();
        }})"""
        try:
            return await asyncio.wait_for(self.run(code), GIVE_UP_S)
        except TimeoutError:
            raise AssertionError(f"never true: {script}; complaints: {self.complaints}") from None

    async def click(self, selector: str) -> None:
        await self.run(f"document.querySelector({json.dumps(selector)}).click()")

    async def follow(self, selector: str) -> None:
        """Click on a link or button and wait for the page behind it."""
        loaded = self._browser.expect("Page.loadEventFired", self._session)
        await self.click(selector)
        await asyncio.wait_for(loaded, GIVE_UP_S)

    async def press(self, key: str, *, text: str = "") -> None:
        """One key as a keyboard sends it: `Tab`, `Enter`, or a letter with its `text`."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27}.get(key, ord(key[0].upper()))
        more = {"text": "\r"} if key == "Enter" else {"text": text} if text else {}
        facts = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **facts, **more)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **facts)

    async def enter(self) -> None:
        """Press Enter where the keyboard is and wait for the page behind it."""
        loaded = self._browser.expect("Page.loadEventFired", self._session)
        await self.press("Enter")
        await asyncio.wait_for(loaded, GIVE_UP_S)

    async def text(self, selector: str) -> str:
        return str(await self.run(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile
        )

    async def prefer(self, scheme: str) -> None:
        """`light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.send("Emulation.setEmulatedMedia", features=[feature])

    async def picture(self, *, whole: bool = False) -> bytes:
        """What it looks like, as PNG; `whole`: below the fold too."""
        answer = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(answer["data"])

    def take(self, method: str, found: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            address = found["request"]["url"]
            self.requests.append(address)
            self._addresses[found["requestId"]] = address
        elif method == "Network.loadingFinished":
            address = self._addresses.get(found["requestId"], "?")
            self.received[address] = self.received.get(address, 0) + int(found["encodedDataLength"])
        elif method == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(each.get("value", each)) for each in found["args"]))
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(found["exceptionDetails"]))
        elif method == "Log.entryAdded" and found["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{found['entry']['text']} {found['entry'].get('url', '')}")


class Browser:
    """One chromium with a fresh profile, as long as the `async with` block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._expected: list[tuple[str, str, asyncio.Future[None]]] = []
        self._pages: dict[str, Page] = {}

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [program("chromium"), *FLAGS, f"--user-data-dir={self.folder / 'profile'}", "about:blank"]
        its_read, our_write = os.pipe()
        our_read, its_write = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (its_read, its_write)]
        os.close(its_read)
        os.close(its_write)
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", LAUNCH, *map(str, ends), *command),
                pass_fds=ends,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(self.folder)},
                start_new_session=True,
            )
        for end in ends:
            os.close(end)
        loop = asyncio.get_running_loop()
        self._write = os.fdopen(our_write, "wb", buffering=0)
        stream = asyncio.StreamReader(limit=64 * 1024 * 1024)
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(our_read, "rb", buffering=0)
        )
        self._reading = asyncio.create_task(self._read(stream))
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await asyncio.wait_for(self.send("Browser.close"), 10)
            await asyncio.wait_for(self._process.wait(), 10)
        except (TimeoutError, ConnectionError):
            os.killpg(self._process.pid, signal.SIGKILL)
            await self._process.wait()
        self._reading.cancel()
        self._transport.close()
        self._write.close()

    async def page(self, width: int = 1280, height: int = 800) -> Page:
        """A new tab that shares nothing with the others."""
        context = (await self.send("Target.createBrowserContext"))["browserContextId"]
        target = await self.send("Target.createTarget", url="about:blank", browserContextId=context)
        session = (await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True))["sessionId"]
        page = self._pages[session] = Page(self, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            await page.send(f"{domain}.enable")
        await page.resize(width, height)
        return page

    def expect(self, method: str, session: str) -> asyncio.Future[None]:
        """Done at the next event of that name."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._expected.append((method, session, future))
        return future

    async def send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        number = next(self._numbers)
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._write.write(json.dumps(message).encode() + b"\0")
        return await asyncio.wait_for(future, GIVE_UP_S)

    async def _read(self, stream: asyncio.StreamReader) -> None:
        try:
            while True:
                self._take(json.loads((await stream.readuntil(b"\0"))[:-1]))
        except asyncio.IncompleteReadError:
            for future in self._answers.values():
                if not future.done():
                    future.set_exception(ConnectionError(f"chromium is gone, see {self.folder / 'log'}"))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            future = self._answers.pop(message["id"])
            if future.done():
                return
            if "error" in message:
                future.set_exception(AssertionError(message["error"]))
            else:
                future.set_result(message["result"])
            return
        session, method = message.get("sessionId", ""), message["method"]
        page = self._pages.get(session)
        if page is not None:
            page.take(method, message["params"])
        for each in [each for each in self._expected if each[:2] == (method, session)]:
            self._expected.remove(each)
            if not each[2].done():
                each[2].set_result(None)
