"""A site out of one machine and into another."""

from __future__ import annotations

import gzip
import json
import random
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from gateway.app import load
from gateway.backup import back_up, restore
from gateway.cli import main
from gateway.errors import StoreError
from gateway.store import Store, StoreOptions, open_store
from gateway.store.copies import FASTEST_PER_S, LEAP

SITE = """
schema: 1
site: {id: depot-07, name: {zh: 库, en: Depot}, kind: warehouse, timezone: Asia/Shanghai}
lines:
  lan: {tcp: "127.0.0.1:1502"}
devices:
  - {id: probe-1, kind: sensor, profile: acme/probe, line: lan, unit: 1, interval: 1s}
uplink:
  mqtt: {url: "mqtts://broker:8883", username: depot-07, password_file: mqtt.secret, ca_file: tls/ca.pem}
"""
PROFILE = """
schema: 1
name: {zh: 探头, en: Probe}
vendor: Acme
model: Probe
source: [hand-made]
kind: sensor
points:
  temperature: {at: "holding:0", type: int16, scale: 0.1, unit: "°C"}
"""
MADE_MS = 1_790_000_000_000


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    base = tmp_path / "old"
    (base / "profiles" / "acme").mkdir(parents=True)
    (base / "tls").mkdir()
    file = base / "site.yaml"
    file.write_text(SITE)
    (base / "profiles" / "acme" / "probe.yaml").write_text(PROFILE)
    (base / "mqtt.secret").write_text("hush\n")
    (base / "tls" / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
    return file


@pytest.fixture
def running(site_file: Path) -> Iterator[Store]:
    store = open_store(site_file.parent / "state", StoreOptions(commit_interval_s=0.01))
    yield store
    store.close()


def accept(store: Store, number: int) -> int:
    row = store.outbox.accept(
        "vigil/v1/depot-07/probe-1/telemetry", b'"v":{"temperature":%d}}' % number, ts=MADE_MS, retain=False, rank=2
    )
    assert row is not None
    return row.seq


async def rows(state: Path) -> tuple[str, dict[int, bytes], int]:
    """Outbox id, rows by number, and the next number."""
    store = open_store(state)
    try:
        held = {row.seq: row.body for row in await store.outbox.backlog((-1, -1), 100_000)}
        return store.outbox.id, held, accept(store, 0)
    finally:
        store.close()


async def test_a_site_comes_back_as_it_was_and_never_repeats_a_number(
    site_file: Path, running: Store, tmp_path: Path
) -> None:
    numbers = [accept(running, number) for number in range(500)]
    running.documents.keep({"alarm/x": b"state"})
    await running.flush()
    made = back_up(load(site_file), tmp_path / "b.tar.gz", secrets=False, made_ms=MADE_MS)
    later = [accept(running, number) for number in range(500)]
    await running.flush()
    assert made.secrets_left_out == ("mqtt.secret",)
    assert made.outside == ()

    done = restore(tmp_path / "b.tar.gz", tmp_path / "new", now_ms=MADE_MS + 60_000)
    assert done.config.read_text() == SITE
    assert (tmp_path / "new" / "profiles" / "acme" / "probe.yaml").read_text() == PROFILE
    assert (tmp_path / "new" / "tls" / "ca.pem").exists()
    assert not (tmp_path / "new" / "mqtt.secret").exists()
    assert (done.state, done.expected_state) == (tmp_path / "new" / "state", None)
    (tmp_path / "new" / "mqtt.secret").write_text("hush\n")
    assert load(done.config).state_dir == done.state

    outbox, held, following = await rows(done.state)
    assert outbox == running.outbox.id == done.outbox
    assert list(held) == numbers, "rows keep the numbers they were queued with"
    assert following == done.reserved + 1
    assert following > LEAP > max(later)
    copy = open_store(done.state)
    assert copy.documents.loaded("alarm/") == {"alarm/x": b"state"}
    copy.close()


async def test_a_copy_taken_while_rows_are_written_is_whole(site_file: Path, running: Store, tmp_path: Path) -> None:
    site = load(site_file)
    for number in range(20_000):
        accept(running, number)
        if number % 5000 == 4000:
            back_up(site, tmp_path / f"{number}.tar.gz", secrets=True, made_ms=MADE_MS)
            restore(tmp_path / f"{number}.tar.gz", tmp_path / str(number), now_ms=MADE_MS)
            outbox, held, _ = await rows(tmp_path / str(number) / "state")
            assert outbox == running.outbox.id
            assert all(body == b'"v":{"temperature":%d}}' % (seq - min(held)) for seq, body in held.items())
            assert (tmp_path / str(number) / "mqtt.secret").read_text() == "hush\n"


def test_an_old_backup_leaps_further(site_file: Path, running: Store, tmp_path: Path) -> None:
    back_up(load(site_file), tmp_path / "b.tar.gz", secrets=False, made_ms=MADE_MS)
    ten_years_s = 10 * 365 * 86_400
    done = restore(tmp_path / "b.tar.gz", tmp_path / "new", now_ms=MADE_MS + ten_years_s * 1000)
    assert done.reserved >= ten_years_s * FASTEST_PER_S
    assert done.reserved < 2**53


def test_state_elsewhere_is_put_beside_and_said(site_file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "var"
    site_file.write_text(SITE + f"state_dir: {elsewhere}\n")
    open_store(elsewhere).close()
    back_up(load(site_file), tmp_path / "b.tar.gz", secrets=False, made_ms=MADE_MS)
    done = restore(tmp_path / "b.tar.gz", tmp_path / "new", now_ms=MADE_MS)
    assert (done.state, done.expected_state) == (tmp_path / "new" / "state", elsewhere)
    assert (done.state / "journal.db").exists()


@pytest.fixture
def backup(site_file: Path, running: Store, tmp_path: Path) -> Path:
    for number in range(50):
        accept(running, number)
    file = tmp_path / "b.tar.gz"
    back_up(load(site_file), file, secrets=False, made_ms=MADE_MS)
    return file


def test_what_is_damaged_is_refused_and_nothing_is_left(backup: Path, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    chance = random.Random(7)
    for _ in range(20):
        at = chance.randrange(10, len(whole))
        damaged = whole[:at] if chance.random() < 0.4 else whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        backup.write_bytes(damaged)
        try:
            restore(backup, tmp_path / "new", now_ms=MADE_MS)
        except StoreError:
            assert not (tmp_path / "new").exists()
        else:  # what was hit is filling of the archive
            assert (tmp_path / "new" / "state" / "journal.db").exists()
            _remove(tmp_path / "new")
    assert {path.name for path in tmp_path.iterdir()} == {"old", "b.tar.gz"}


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def rewritten(backup: Path, **changes: object) -> None:
    """The backup with another list of contents."""
    with tarfile.open(backup) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    head = json.loads(members[0][1]) | changes
    members[0] = (members[0][0], json.dumps(head).encode())
    with gzip.open(backup, "wb") as out, tarfile.open(fileobj=out, mode="w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, BytesIO(content))


def test_a_newer_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    rewritten(backup, format=2, version="9.0")
    with pytest.raises(StoreError, match=r"newer version \(9.0, format 2\)"):
        restore(backup, tmp_path / "new", now_ms=MADE_MS)


def test_newer_state_is_refused(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(backup) as archive:
        files = json.load(archive.extractfile("vigil-backup.json"))["files"]  # type: ignore[arg-type]
    files["state/journal.db"]["schema"] = 99
    rewritten(backup, files=files)
    with pytest.raises(StoreError, match=r"journal\.db: written by a newer version"):
        restore(backup, tmp_path / "new", now_ms=MADE_MS)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["config/../../evil", "config//etc/passwd", "elsewhere/x", "config/", "state/../x"])
def test_a_backup_writes_nothing_outside(backup: Path, tmp_path: Path, name: str) -> None:
    rewritten(backup, files={name: {"sha256": "0", "schema": 0}})
    with pytest.raises(StoreError, match="does not belong there"):
        restore(backup, tmp_path / "new", now_ms=MADE_MS)


def test_nothing_is_restored_over_something(backup: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").write_text("x")
    with pytest.raises(StoreError, match="not an empty folder"):
        restore(backup, tmp_path / "new", now_ms=MADE_MS)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]


def test_damaged_state_gives_no_backup(site_file: Path, tmp_path: Path) -> None:
    open_store(site_file.parent / "state").close()
    journal = site_file.parent / "state" / "journal.db"
    journal.write_bytes(journal.read_bytes()[:5000])
    with pytest.raises(StoreError):
        back_up(load(site_file), tmp_path / "b.tar.gz", secrets=False, made_ms=MADE_MS)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_the_commands_say_what_they_did(
    site_file: Path, running: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.tar.gz"
    assert main(["backup", str(site_file), str(file), "--lang", "en"]) == 0
    assert "not in it (secret): mqtt.secret" in capsys.readouterr().out
    assert main(["restore", str(file), "--into", str(tmp_path / "new"), "--lang", "zh"]) == 0
    assert "请放回：mqtt.secret" in capsys.readouterr().out
    assert main(["restore", str(file), "--into", str(tmp_path / "new"), "--lang", "en"]) == 1
    assert capsys.readouterr().err.endswith("is not an empty folder\n")
    assert main(["restore", str(tmp_path / "none"), "--into", str(tmp_path / "other"), "--lang", "en"]) == 1
    assert "none: No such file or directory" in capsys.readouterr().err
