"""Putting a backup back on another machine.

The outbox keeps its id, so that rows keep the ids they were queued with and what ingest still confirms of them is
honoured; the sequence leaps past everything the other box can have given out since.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from gateway.backup.make import sync_folder
from gateway.backup.manifest import LARGEST_BYTES, NAME, Manifest, digest, loads
from gateway.errors import StoreError
from gateway.store.copies import file_names, known_schema, leap


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back, and where."""

    site: str
    config: Path
    state: Path
    expected_state: Path | None
    """Where the site file expects the state, if that is not where it was put."""
    secrets_left_out: tuple[str, ...]
    outbox: str
    reserved: int
    """The sequence goes on behind this number."""


def restore(source: Path, into: Path, *, now_ms: int) -> Restored:
    """Put a backup back into `into`, a folder that is empty or not there.

    StoreError where the file is damaged or of a newer version, or where it cannot be written; then nothing was.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise StoreError(f"{into}: is not an empty folder", f"{into}：不是空目录")
    parent = into.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with (
            tarfile.open(source, "r:gz") as archive,
            tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=parent) as name,
        ):
            folder = Path(name) / "whole"
            folder.mkdir(mode=0o750)
            manifest = _manifest(archive)
            _refuse_newer(manifest)
            for member, facts in manifest.files.items():
                place = folder / manifest.place_of(member)
                _extract(archive, member, place)
                if digest(place) != facts.sha256:
                    raise StoreError(f"{source}: {member} is damaged", f"{source}：其中的 {member} 已损坏")
            state = folder / manifest.state_place
            reserved = leap(state / file_names()[-1], (now_ms - manifest.made) / 1000)
            for path, _, _ in os.walk(folder, topdown=False):
                sync_folder(Path(path))
            folder.replace(into)
            sync_folder(parent)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise StoreError(
            f"{source}: not a backup, or damaged: {error}", f"{source}：不是备份文件或已损坏：{error}"
        ) from error
    except OSError as error:
        raise StoreError(f"{error.filename or source}: {error.strerror or error}") from error
    is_inside = manifest.state_place.as_posix() == manifest.state_dir
    return Restored(
        site=manifest.site,
        config=into / manifest.source,
        state=into / manifest.state_place,
        expected_state=None if is_inside else Path(manifest.state_dir),
        secrets_left_out=manifest.secrets_left_out,
        outbox=manifest.outbox,
        reserved=reserved,
    )


def _manifest(archive: tarfile.TarFile) -> Manifest:
    first = archive.next()
    if first is None or first.name != NAME or not first.isfile() or first.size > LARGEST_BYTES:
        raise StoreError(f"{archive.name!r}: not a backup", f"{archive.name!r}：不是备份文件")
    content = archive.extractfile(first)
    return loads(content.read() if content is not None else b"")


def _refuse_newer(manifest: Manifest) -> None:
    for member, facts in manifest.files.items():
        known = known_schema(member.rpartition("/")[2])
        if facts.schema > known:
            raise StoreError(
                f"{member}: written by a newer version (schema {facts.schema}, this one knows {known})",
                f"{member}：由更新的版本写入（结构版本 {facts.schema}，本程序只认识到 {known}）",
            )


def _extract(archive: tarfile.TarFile, member: str, place: Path) -> None:
    """One regular file, on disk when this returns."""
    try:
        content = archive.extractfile(member)
    except KeyError as error:
        raise StoreError(f"{member} is missing from the backup", f"备份中缺少 {member}") from error
    if content is None:
        raise StoreError(f"{member} is no file", f"{member} 不是文件")
    place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    with content, os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        shutil.copyfileobj(content, out)
        out.flush()
        os.fsync(out.fileno())
