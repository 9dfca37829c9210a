"""What every way to people promises: an outage is told as such, a refusal too, it can be given up, and used again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.errors import NotifyRejected, NotifyRetry
from gateway.model import Priority, Text
from gateway.notifiers.annunciator import Annunciator, AnnunciatorNotifier
from gateway.notifiers.apprise_notifier import AppriseNotifier
from gateway.notifiers.apprise_process import AppriseProcess
from gateway.notifiers.event_notifier import EventNotifier
from gateway.ports import Notice, Notifier, Row
from gateway.settings.notify_types import AnnunciatorSettings, ChannelSettings
from gateway.writing import Order, Outcome, WriteRefused
from tests.fakes.http_script import Asked, HttpScript, Said

NOTICE = Notice(
    id="depot-07-1a2b3c4d",
    channel="duty",
    priority=Priority.CRITICAL,
    title="【设备告警·红】城东库 1号机：启动电池电压低",
    short="【设备告警·红】城东库 1号机：启动电池电压低。编号 depot-07-1a2b3c4d",
    long="● 红 1号机：启动电池电压低\n编号 depot-07-1a2b3c4d",
    alarms=("gen-1/battery_low",),
    calls=("gen-1/battery_low",),
)
CHANNEL = ChannelSettings("duty", "apprise", "zh", "long", 10.0)


@dataclass
class Bench:
    """One notifier, and the world behind it: `mood` is well, down, slow or refusing; `taken` is what arrived."""

    notifier: Notifier
    taken: list[str] = field(default_factory=list)
    mood: str = "well"
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def apprise_bench(folder: Path) -> AsyncIterator[Bench]:
    loop = asyncio.get_running_loop()
    process = AppriseProcess(idle_s=60)
    urls = folder / "duty.urls"
    bench = Bench(AppriseNotifier(replace(CHANNEL, urls_file=urls), process))

    def answer(asked: Asked) -> Said:
        loop.call_soon_threadsafe(bench.reached.set)
        if bench.mood == "well":
            bench.taken.append(json.loads(asked.body)["message"])
        return {
            "well": Said(200),
            "down": Said(503),
            "slow": Said(200, hang=True),
            "refusing": Said(400),
        }[bench.mood]

    with HttpScript(answer) as server:
        urls.write_text(f"# the duty phone\n{server.url.replace('http', 'json')}/?rto=20\n", encoding="utf-8")
        yield bench
        await bench.notifier.close()
        await process.close()


@asynccontextmanager
async def event_bench(folder: Path) -> AsyncIterator[Bench]:
    def tell(device: str, type_: str, data: Mapping[str, object]) -> Row | None:
        bench.reached.set()
        if bench.mood == "down":
            return None
        if bench.mood == "well":
            bench.taken.append(str(data["text"]))
        return Row(1, 1, f"{device}/{type_}", b"{}", False, 0)

    async def committed(seq: int) -> None:
        if bench.mood == "slow":
            await bench.free.wait()

    bench = Bench(EventNotifier(replace(CHANNEL, kind="mqtt"), tell, committed))
    yield bench
    await bench.notifier.close()


class NoDocuments:
    def loaded(self, prefix: str) -> Mapping[str, bytes]:
        return {}

    def keep(self, documents: Mapping[str, bytes | None]) -> None: ...


@asynccontextmanager
async def annunciator_bench(folder: Path) -> AsyncIterator[Bench]:
    async def write(order: Order) -> Outcome:
        bench.reached.set()
        if bench.mood == "slow":
            await bench.free.wait()
        if bench.mood == "down":
            raise WriteRefused("no_answer", Text("没有应答", "the device does not answer"))
        if order.value and bench.mood == "well":
            bench.taken.append(order.id)
        return Outcome("done", False, order.value, Text("好", "done"))

    chosen = AnnunciatorSettings("relay-1", "siren", frozenset(), 60.0)
    horn = Annunciator(chosen, NoDocuments(), SystemClock(), write, lambda *_: None, lambda *_: None)
    bench = Bench(AnnunciatorNotifier(horn))
    running = asyncio.create_task(horn.run())
    yield bench
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


BENCHES = {"apprise": apprise_bench, "mqtt": event_bench, "annunciator": annunciator_bench}


@pytest.fixture(params=sorted(BENCHES))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with BENCHES[request.param](tmp_path) as opened:
        yield opened


async def test_what_is_well_is_taken(bench: Bench) -> None:
    await bench.notifier.send(NOTICE)
    assert len(bench.taken) == 1


async def test_an_outage_is_to_be_tried_again(bench: Bench) -> None:
    bench.mood = "down"
    with pytest.raises(NotifyRetry):
        await bench.notifier.send(NOTICE)
    assert bench.taken == []
    bench.mood = "well"
    await _until_taken(bench)


@pytest.mark.parametrize("bench", ["apprise"], indirect=True)  # outbox and horn refuse no notice
async def test_a_refusal_is_final_and_the_next_notice_is_taken(bench: Bench) -> None:
    bench.mood = "refusing"
    with pytest.raises(NotifyRejected):
        await bench.notifier.send(NOTICE)
    bench.mood = "well"
    await bench.notifier.send(replace(NOTICE, id="depot-07-00000000"))
    assert len(bench.taken) == 1


async def test_one_that_is_slow_can_be_given_up_and_used_again(bench: Bench) -> None:
    bench.mood = "slow"
    sending = asyncio.create_task(bench.notifier.send(NOTICE))
    await bench.reached.wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    bench.mood = "well"
    bench.free.set()
    await _until_taken(bench)


async def test_the_same_notice_twice_is_taken_twice_with_one_id(bench: Bench) -> None:
    await bench.notifier.send(NOTICE)
    await bench.notifier.send(NOTICE)
    assert len(set(bench.taken)) == 1


async def _until_taken(bench: Bench) -> None:
    while not bench.taken:
        try:
            await bench.notifier.send(NOTICE)
        except NotifyRetry:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0)


# Apprise alone


def write_urls(path: Path, *servers: HttpScript, options: str = "") -> None:
    lines = [f"{server.url.replace('http', 'json')}/{options}\n" for server in servers]
    path.write_text("".join(lines), encoding="utf-8")


async def ended(process: AppriseProcess) -> None:
    """Return once the child is gone."""
    while process.pid is not None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.fixture
def urls(tmp_path: Path) -> Path:
    return tmp_path / "duty.urls"


@pytest.fixture
def two_servers() -> Iterator[tuple[HttpScript, HttpScript, dict[str, int]]]:
    codes = {"one": 200, "two": 503}
    with HttpScript(lambda _: Said(codes["one"])) as one, HttpScript(lambda _: Said(codes["two"])) as two:
        yield one, two, codes


async def test_an_address_that_took_it_is_not_asked_again(
    urls: Path, two_servers: tuple[HttpScript, HttpScript, dict[str, int]]
) -> None:
    one, two, codes = two_servers
    write_urls(urls, one, two)
    process = AppriseProcess()
    notifier = AppriseNotifier(replace(CHANNEL, urls_file=urls), process)
    with pytest.raises(NotifyRetry, match=r"address 2: .*503"):
        await notifier.send(NOTICE)
    codes["two"] = 200
    await notifier.send(NOTICE)
    assert (len(one.asked), len(two.asked)) == (1, 2)
    assert json.loads(one.asked[0].body)["title"] == NOTICE.title
    codes["two"] = 400
    await notifier.send(replace(NOTICE, id="another"))
    assert (len(one.asked), len(two.asked)) == (2, 3)
    await process.close()


@pytest.fixture(params=["", "# nothing\n", "nothing-known://secret\n", "no secret at all\n", None])
def useless_file(urls: Path, request: pytest.FixtureRequest) -> Path:
    if request.param is not None:
        urls.write_text(request.param, encoding="utf-8")
    return urls


async def test_a_file_without_a_usable_address_is_tried_again_and_tells_no_secret(useless_file: Path) -> None:
    process = AppriseProcess()
    with pytest.raises(NotifyRetry) as caught:
        await AppriseNotifier(replace(CHANNEL, urls_file=useless_file), process).send(NOTICE)
    assert "secret" not in str(caught.value)
    await process.close()


async def test_the_process_ends_when_idle_and_comes_back(urls: Path) -> None:
    with HttpScript(lambda _: Said(200)) as server:
        write_urls(urls, server)
        process = AppriseProcess(idle_s=0.01)
        notifier = AppriseNotifier(replace(CHANNEL, urls_file=urls, form="short"), process)
        assert process.pid is None
        await notifier.send(NOTICE)
        first = process.pid
        await ended(process)
        await notifier.send(NOTICE)
        assert first is not None
        assert process.pid != first
        await process.close()
        assert process.pid is None
        assert json.loads(server.asked[0].body)["message"] == NOTICE.short


async def test_a_process_that_dies_is_replaced(urls: Path) -> None:
    with HttpScript(lambda _: Said(200)) as server:
        write_urls(urls, server)
        process = AppriseProcess()
        notifier = AppriseNotifier(replace(CHANNEL, urls_file=urls), process)
        await notifier.send(NOTICE)
        assert process._running is not None
        process._running.process.kill()
        await ended(process)
        await notifier.send(NOTICE)
        assert len(server.asked) == 2
        await process.close()


async def test_one_that_hangs_is_ended_and_the_next_goes_through(urls: Path) -> None:
    hang = [True]
    with HttpScript(lambda _: Said(200, hang=hang[0])) as server:
        write_urls(urls, server, options="?rto=60")
        process = AppriseProcess()
        await process.send([f"{server.url.replace('http', 'json')}/?rto=0.1"], "", "warm", 30)
        notifier = AppriseNotifier(replace(CHANNEL, urls_file=urls), process, timeout_s=0.5)
        with pytest.raises(NotifyRetry, match="in time"):
            await notifier.send(NOTICE)
        hang[0] = False
        patient = AppriseNotifier(replace(CHANNEL, urls_file=urls), process)
        await patient.send(NOTICE)
        await process.close()


def speaking(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    """The child is one that answers with this line whatever it is asked, and does not end by itself."""
    script = f"import sys, time\nsys.stdin.readline()\nprint({line}, flush=True)\nsys.stdin.read()\ntime.sleep(60)"
    monkeypatch.setattr("gateway.notifiers.apprise_process.CHILD", ("-c", script))
    monkeypatch.setattr("gateway.notifiers.apprise_process.END_S", 0.1)


@pytest.mark.parametrize("line", ["'a plugin speaks'", "'x' * 30000000", "'[]'", '\'{"id": "1"}\'', "'{\"id\": []}'"])
async def test_a_child_that_gives_no_answer_is_ended_and_seen(
    line: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    speaking(monkeypatch, line)
    process = AppriseProcess()
    sending = asyncio.create_task(process.send(["json://127.0.0.1:9"], "", "text", 30))
    async with asyncio.timeout(20):
        with pytest.raises(NotifyRetry, match="apprise ended"):
            await sending
        assert process.pid is None
        await process.close()
    assert "apprise_not_understood" in caplog.text
    assert process.not_understood == 1
    assert process.alive == 0


async def test_what_a_plugin_prints_is_no_answer(tmp_path: Path) -> None:
    """The child's own stdout is stderr: only answers come out on the pipe."""
    plugin = tmp_path / "sitecustomize.py"
    plugin.write_text(
        "import apprise\n"
        "class Loud:\n"
        "    def add(self, target): ...\n"
        "    def notify(self, **_): print('a plugin speaks'); return True\n"
        "    instantiate = staticmethod(lambda url, **_: url)\n"
        "apprise.Apprise = Loud\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway.notifiers.apprise_child",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    request = {"id": 1, "title": "", "body": "text", "urls": ["loud://"]}
    async with asyncio.timeout(30):
        out, error = await child.communicate(json.dumps(request).encode() + b"\n")
    assert json.loads(out) == {"id": 1, "done": [None]}
    assert b"a plugin speaks" in error
