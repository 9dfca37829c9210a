"""The shared MQTT link: real brokers, and brokers that behave as badly as real ones do in the field."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from gateway.mqtt import Link, LinkFailed, LinkFault, LinkOptions, Message, Session, Will, open_link
from gateway.settings.types import MqttSettings, Tls
from tests.fakes.mqtt_broker import (
    CONNACK_5,
    CONNACK_311,
    CONNECT,
    PINGREQ,
    PUBLISH,
    SUBSCRIBE,
    ScriptedBroker,
    connack_5,
    packet_id_of_publish,
    puback,
    suback_5,
)
from tests.servers import Mosquitto, free_port, program


def settings(
    port: int,
    *,
    host: str = "127.0.0.1",
    tls: Tls | None = None,
    username: str | None = None,
    password_file: Path | None = None,
    keepalive_s: int = 30,
) -> MqttSettings:
    return MqttSettings(host, port, tls, username, password_file, "ingest", keepalive_s=keepalive_s)


@asynccontextmanager
async def linked(where: MqttSettings, options: LinkOptions | None = None) -> AsyncIterator[Link]:
    link = await open_link(where, options or LinkOptions("a"))
    try:
        yield link
    finally:
        await link.close()


async def failure(where: MqttSettings, options: LinkOptions | None = None) -> LinkFailed:
    with pytest.raises(LinkFailed) as caught:
        await open_link(where, options or LinkOptions("a"))
    return caught.value


async def collect(link: Link, count: int) -> list[bytes]:
    payloads: list[bytes] = []
    while len(payloads) < count:
        payloads += [message.payload for message in await link.receive()]
    return payloads


async def test_publishes_and_receives_in_order(mosquitto: Mosquitto) -> None:
    where = settings(mosquitto.port)
    async with linked(where) as sender, linked(where, LinkOptions("b")) as receiver:
        assert sender.version == 5
        assert sender.window == 20  # mosquitto's Receive Maximum
        await receiver.subscribe(["t/#"])
        for number in range(500):
            await sender.wait_for_room()
            sender.publish("t/a", b"%d" % number)
            assert sender.in_flight <= 20
        assert await collect(receiver, 500) == [b"%d" % number for number in range(500)]


async def test_tells_that_nobody_subscribes(mosquitto: Mosquitto) -> None:
    async with linked(settings(mosquitto.port)) as link:
        assert await link.publish("nobody/listens", b"x") == 0x10


async def test_packet_ids_wrap(mosquitto: Mosquitto) -> None:
    """More than 65,535 publications on one connection: each is answered."""
    async with linked(settings(mosquitto.port)) as link:
        link._client._last_mid = 65_500
        flights = []
        for _ in range(100):
            await link.wait_for_room()
            flights.append(link.publish("t", b"x"))
        assert await asyncio.gather(*flights) == [0x10] * 100


async def test_manual_ack_holds_the_broker_at_the_receive_maximum(mosquitto: Mosquitto) -> None:
    where = settings(mosquitto.port)
    options = LinkOptions("b", manual_ack=True, receive_maximum=5)
    async with linked(where) as sender, linked(where, options) as receiver:
        await receiver.subscribe(["t"])
        for number in range(30):
            await sender.wait_for_room()
            await sender.publish("t", b"%d" % number)
        numbers: list[bytes] = []
        while len(numbers) < 30:
            window: list[Message] = []
            while len(window) < 5:
                window += await receiver.receive()
            with pytest.raises(TimeoutError):  # nothing more before the five are acknowledged
                async with asyncio.timeout(0.02):
                    await receiver.receive()
            numbers += [message.payload for message in window]
            for message in window:
                receiver.ack(message)
        assert numbers == [b"%d" % number for number in range(30)]


async def test_a_full_inbox_stops_reading_and_loses_nothing(mosquitto: Mosquitto) -> None:
    where = settings(mosquitto.port)
    async with linked(where) as sender, linked(where, LinkOptions("b", inbox=10)) as receiver:
        await receiver.subscribe(["t"])
        for number in range(100):
            await sender.wait_for_room()
            await sender.publish("t", b"%d" % number)
        assert len(receiver._inbox) <= 30  # the rest waits at the broker
        assert await collect(receiver, 100) == [b"%d" % number for number in range(100)]


async def test_will_speaks_after_an_abort_and_not_after_a_close(mosquitto: Mosquitto) -> None:
    where = settings(mosquitto.port)
    async with linked(where) as watcher:
        await watcher.subscribe(["status"])
        link = await open_link(where, LinkOptions("b", will=Will("status", b"offline")))
        await link.close()
        link = await open_link(where, LinkOptions("b", will=Will("status", b"gone")))
        link.abort(LinkFailed(LinkFault.LOST))
        assert await collect(watcher, 1) == [b"gone"]


async def test_what_is_in_flight_fails_when_the_link_ends(mosquitto: Mosquitto) -> None:
    async with linked(settings(mosquitto.port)) as link:
        mosquitto.pause()
        flight = link.publish("t", b"x")
        mosquitto.resume()
        mosquitto.kill()
        with pytest.raises(LinkFailed):
            await flight
        assert (await link.lost).fault in (LinkFault.LOST, LinkFault.BUSY)
        with pytest.raises(LinkFailed):
            link.publish("t", b"x")
        with pytest.raises(LinkFailed):
            await link.receive()
        with pytest.raises(LinkFailed):
            await link.subscribe(["t"])


@pytest.mark.parametrize(
    ("code", "fault"), [(0x8E, LinkFault.TAKEN_OVER), (0x8B, LinkFault.BUSY), (0x93, LinkFault.PROTOCOL)]
)
async def test_the_brokers_parting_words_are_told_apart(code: int, fault: LinkFault) -> None:
    def parting(kind: int, _body: bytes, _version: int) -> bytes:
        return CONNACK_5 if kind == CONNECT else bytes([0xE0, 2, code, 0])

    async with ScriptedBroker(parting) as broker, linked(settings(broker.port)) as link:
        link.publish("t", b"x")
        assert (await link.lost).fault is fault


async def test_a_paused_broker_is_noticed_by_the_missing_puback(mosquitto: Mosquitto) -> None:
    async with linked(settings(mosquitto.port), LinkOptions("a", answer_timeout_s=0.6)) as link:
        mosquitto.pause()
        try:
            link.publish("t", b"x")
            assert (await link.lost).fault is LinkFault.SILENT
        finally:
            mosquitto.resume()


async def test_an_idle_half_open_link_is_noticed_by_the_missing_pingresp() -> None:
    def deaf(kind: int, _body: bytes, _version: int) -> bytes:
        return CONNACK_5 if kind == CONNECT else b""

    async with (
        ScriptedBroker(deaf) as broker,
        linked(settings(broker.port, keepalive_s=1), LinkOptions("a", answer_timeout_s=0.1)) as link,
    ):
        assert (await link.lost).fault in (LinkFault.SILENT, LinkFault.LOST)
        assert any(kind == PINGREQ for kind, _, _ in broker.packets)


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00", None])
async def test_falls_back_to_3_1_1(refusal: bytes | None) -> None:
    """Old brokers refuse MQTT 5 in the words of 3.1.1 or 5, or hang up."""

    def old(kind: int, body: bytes, version: int) -> bytes | None:
        if kind == CONNECT:
            return CONNACK_311 if version == 4 else refusal
        return puback(packet_id_of_publish(body)) if kind == PUBLISH else b""

    async with ScriptedBroker(old) as broker, linked(settings(broker.port)) as link:
        assert broker.versions == [5, 4]
        assert link.version == 4
        assert link.window == 20
        assert await link.publish("t", b"x", correlation=b"not on 3.1.1") == 0


async def test_falls_back_to_3_1_1_where_a_broker_waits_for_more_of_what_it_misread() -> None:
    def muddled(kind: int, _body: bytes, version: int) -> bytes:
        return CONNACK_311 if kind == CONNECT and version == 4 else b""

    options = LinkOptions("a", connect_timeout_s=1.0)
    async with ScriptedBroker(muddled) as broker, linked(settings(broker.port), options) as link:
        assert link.version == 4


@pytest.mark.parametrize(("asked", "version"), [("5", 5), ("3.1.1", 4), ("auto", 5)])
async def test_real_broker_on_both_versions(mosquitto: Mosquitto, asked: str, version: int) -> None:
    where = replace(settings(mosquitto.port), version=asked)
    async with linked(where, LinkOptions("a", will=Will("w", b"gone"))) as link:
        assert link.version == version
        await link.subscribe(["t"])
        assert await link.publish("t", b"x") == 0
        assert await collect(link, 1) == [b"x"]


async def test_keeps_to_the_brokers_receive_maximum_and_its_own_limit() -> None:
    def slow(kind: int, _body: bytes, _version: int) -> bytes:
        return connack_5(b"\x21\x00\x03") if kind == CONNECT else b""

    async with ScriptedBroker(slow) as broker, linked(settings(broker.port)) as link:
        for _ in range(3):
            link.publish("t", b"x")
        with pytest.raises(LinkFailed):
            link.publish("t", b"one too many")
    async with ScriptedBroker(lambda *_: CONNACK_5) as broker, linked(settings(broker.port)) as link:
        assert link.window == 100


async def test_knows_the_brokers_packet_size() -> None:
    async with (
        ScriptedBroker(lambda *_: connack_5(b"\x27\x00\x00\x04\x00")) as broker,
        linked(settings(broker.port)) as link,
    ):
        assert link.largest_packet_bytes == 1024


async def test_refused_subscription_is_an_error_of_its_own() -> None:
    def strict(kind: int, body: bytes, _version: int) -> bytes:
        return CONNACK_5 if kind == CONNECT else suback_5(body[:2], 0x87) if kind == SUBSCRIBE else b""

    async with ScriptedBroker(strict) as broker, linked(settings(broker.port)) as link:
        with pytest.raises(LinkFailed) as caught:
            await link.subscribe(["secret"])
        assert caught.value.fault is LinkFault.NOT_AUTHORISED
        assert not link.lost.done()


# every way a connection fails


async def test_name_that_does_not_resolve() -> None:
    assert (await failure(settings(1883, host="no-such-host.invalid"))).fault is LinkFault.NAME


async def test_nothing_listens() -> None:
    assert (await failure(settings(free_port()))).fault is LinkFault.REFUSED


async def test_broker_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        options = LinkOptions("a", connect_timeout_s=0.3)
        assert (await failure(settings(deaf.getsockname()[1]), options)).fault is LinkFault.TIMEOUT


async def test_broker_that_speaks_something_else() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)  # a socket closed with something unread takes back what it said
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(shout, "127.0.0.1", 0) as server:
        found = await failure(settings(server.sockets[0].getsockname()[1]))
    assert found.fault in (LinkFault.LOST, LinkFault.PROTOCOL, LinkFault.HUNG_UP)


@pytest.fixture
def passwords(tmp_path: Path) -> Path:
    file = tmp_path / "passwords"
    subprocess.run([program("mosquitto_passwd"), "-c", "-b", str(file), "depot-07", "right"], check=True)
    file.chmod(0o644)
    return file


async def test_password_is_read_from_its_file_at_each_connect(tmp_path: Path, passwords: Path) -> None:
    secret = tmp_path / "mqtt.secret"
    with Mosquitto(tmp_path / "m", f"password_file {passwords}", anonymous=False) as broker:
        where = settings(broker.port, username="depot-07", password_file=secret)
        assert (await failure(where)).fault is LinkFault.LOCAL_FILE
        secret.write_text("wrong\n")
        found = await failure(where)
        assert found.fault is LinkFault.CREDENTIALS
        assert "wrong" not in found.detail
        secret.write_text("right\n")
        async with linked(where) as link:
            assert await link.publish("t", b"x") == 0x10


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class TlsFiles:
    """A broker's certificate and what a client is given to check it."""

    def __init__(self, folder: Path, authority: trustme.CA, certificate: trustme.LeafCert) -> None:
        folder.mkdir(exist_ok=True)
        self.ca, self.cert, self.key = folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
        authority.cert_pem.write_to_path(str(self.ca))
        certificate.private_key_pem.write_to_path(str(self.key))
        certificate.cert_chain_pems[0].write_to_path(str(self.cert))
        for file in (self.ca, self.cert, self.key):
            file.chmod(0o644)
        folder.chmod(0o755)

    def broker(self, extra: str = "") -> str:
        return f"cafile {self.ca}\ncertfile {self.cert}\nkeyfile {self.key}\n{extra}"


async def test_tls_with_a_private_ca(tmp_path: Path, authority: trustme.CA) -> None:
    files = TlsFiles(tmp_path / "tls", authority, authority.issue_cert("127.0.0.1"))
    with Mosquitto(tmp_path / "m", files.broker("max_inflight_messages 100")) as broker:
        async with linked(settings(broker.port, tls=Tls(files.ca, None, None))) as link:
            await link.subscribe(["t"])
            sent = [b"%d" % number + b"x" * 3000 for number in range(300)]
            for payload in sent:
                await link.wait_for_room()
                link.publish("t", payload)
            assert await collect(link, 300) == sent


async def test_tls_from_an_unknown_ca(tmp_path: Path, authority: trustme.CA) -> None:
    files = TlsFiles(tmp_path / "tls", authority, authority.issue_cert("127.0.0.1"))
    other = TlsFiles(tmp_path / "other", trustme.CA(), authority.issue_cert("127.0.0.1"))
    with Mosquitto(tmp_path / "m", files.broker()) as broker:
        assert (await failure(settings(broker.port, tls=Tls(other.ca, None, None)))).fault is LinkFault.TLS_UNKNOWN_CA
        assert (await failure(settings(broker.port, tls=Tls(None, None, None)))).fault is LinkFault.TLS_UNKNOWN_CA


async def test_tls_for_another_host(tmp_path: Path, authority: trustme.CA) -> None:
    files = TlsFiles(tmp_path / "tls", authority, authority.issue_cert("broker.example"))
    with Mosquitto(tmp_path / "m", files.broker()) as broker:
        assert (await failure(settings(broker.port, tls=Tls(files.ca, None, None)))).fault is LinkFault.TLS_WRONG_HOST


async def test_tls_that_has_expired(tmp_path: Path, authority: trustme.CA) -> None:
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    files = TlsFiles(tmp_path / "tls", authority, authority.issue_cert("127.0.0.1", not_after=past))
    with Mosquitto(tmp_path / "m", files.broker()) as broker:
        assert (await failure(settings(broker.port, tls=Tls(files.ca, None, None)))).fault is LinkFault.TLS_EXPIRED


async def test_tls_with_a_clock_that_is_wrong(tmp_path: Path, authority: trustme.CA) -> None:
    far = datetime.datetime(2500, 1, 1, tzinfo=datetime.UTC)
    certificate = authority.issue_cert("127.0.0.1", not_before=far, not_after=far.replace(year=2501))
    files = TlsFiles(tmp_path / "tls", authority, certificate)
    with Mosquitto(tmp_path / "m", files.broker()) as broker:
        found = await failure(settings(broker.port, tls=Tls(files.ca, None, None)))
        assert found.fault is LinkFault.TLS_NOT_YET_VALID
        assert not found.fault.needs_person, "a clock may come right by itself"


async def test_tls_with_a_client_certificate(tmp_path: Path, authority: trustme.CA) -> None:
    files = TlsFiles(tmp_path / "tls", authority, authority.issue_cert("127.0.0.1"))
    good = TlsFiles(tmp_path / "good", authority, authority.issue_cert("depot-07"))
    bad = TlsFiles(tmp_path / "bad", authority, trustme.CA().issue_cert("depot-07"))
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    old = TlsFiles(tmp_path / "old", authority, authority.issue_cert("depot-07", not_after=past))
    with Mosquitto(tmp_path / "m", files.broker("require_certificate true")) as broker:
        async with linked(settings(broker.port, tls=Tls(files.ca, good.cert, good.key))) as link:
            assert await link.publish("t", b"x") == 0x10
        for tls in (Tls(files.ca, None, None), Tls(files.ca, bad.cert, bad.key), Tls(files.ca, old.cert, old.key)):
            assert (await failure(settings(broker.port, tls=tls))).fault is LinkFault.TLS_CLIENT_CERTIFICATE


async def test_tls_files_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for tls in (Tls(tmp_path / "missing.pem", None, None), Tls(tmp_path / "ca.pem", None, None)):
        assert (await failure(settings(free_port(), tls=tls))).fault is LinkFault.LOCAL_FILE


async def test_tls_to_a_broker_without_it(mosquitto: Mosquitto) -> None:
    options = LinkOptions("a", connect_timeout_s=2)
    found = await failure(settings(mosquitto.port, tls=Tls(None, None, None)), options)
    assert found.fault is LinkFault.TLS_NOT_SPOKEN


async def test_plain_to_a_broker_that_wants_tls(tmp_path: Path, authority: trustme.CA) -> None:
    files = TlsFiles(tmp_path / "tls", authority, authority.issue_cert("127.0.0.1"))
    with Mosquitto(tmp_path / "m", files.broker()) as broker:
        found = await failure(settings(broker.port), LinkOptions("a", connect_timeout_s=4))
        assert found.fault is LinkFault.HUNG_UP


# the session


async def test_session_comes_back_and_says_so_once(mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "gateway.mqtt")
    session = Session(settings(mosquitto.port), LinkOptions("a"))
    links: asyncio.Queue[Link] = asyncio.Queue()

    async def serve(link: Link) -> None:
        links.put_nowait(link)
        while True:
            await link.receive()

    running = asyncio.create_task(session.run(serve))
    first = await links.get()
    mosquitto.stop()
    await first.lost
    assert session.link is None
    mosquitto.start()
    second = await links.get()
    assert second is session.link
    assert session.connects == 2
    assert await second.publish("t", b"x") == 0x10
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    events = [record.getMessage().split()[0] for record in caplog.records]
    assert events.count("mqtt_up") == 2
    assert len({record.getMessage() for record in caplog.records if "mqtt_down" in record.getMessage()}) == (
        events.count("mqtt_down")
    )


async def test_session_lets_what_serve_cannot_expect_fall(mosquitto: Mosquitto) -> None:
    async def serve(_: Link) -> None:
        async with asyncio.TaskGroup():
            raise ZeroDivisionError

    with pytest.raises(BaseExceptionGroup) as caught:
        await Session(settings(mosquitto.port), LinkOptions("a")).run(serve)
    assert caught.group_contains(ZeroDivisionError)


async def test_session_ends_when_serve_does(mosquitto: Mosquitto) -> None:
    async def serve(link: Link) -> None:
        await link.close()

    await Session(settings(mosquitto.port), LinkOptions("a")).run(serve)


async def test_a_password_nobody_corrects_is_an_error_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.mqtt.session.FIRST_DELAY_S", 0.01)
    monkeypatch.setattr("gateway.mqtt.session.LAST_DELAY_S", 0.02)
    attempts: asyncio.Queue[None] = asyncio.Queue()

    def strict(_kind: int, _body: bytes, _version: int) -> bytes:
        attempts.put_nowait(None)
        return connack_5(code=0x86)

    async def serve(_: Link) -> None:
        raise AssertionError("never served")

    async with ScriptedBroker(strict) as broker:
        running = asyncio.create_task(Session(settings(broker.port), LinkOptions("a")).run(serve))
        for _ in range(4):
            await attempts.get()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "fault=credentials" in errors[0].getMessage()
