"""Making a backup, whether or not the gateway runs."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway import __version__
from gateway.backup.manifest import CONFIG, NAME, STATE, Manifest, Member, digest
from gateway.errors import StoreError
from gateway.settings.packs import BUILTIN, pack_path
from gateway.settings.types import SiteSettings
from gateway.store.copies import copy_file, file_names, outbox_id

COMPRESSION = 3
"""Most of a state is compressed already."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup holds, and what it does not."""

    files: tuple[str, ...]
    bytes: int
    secrets_left_out: tuple[str, ...]
    outside: tuple[Path, ...]
    """Files of the configuration that stand outside the folder of the site file."""


def back_up(site: SiteSettings, target: Path, *, secrets: bool, made_ms: int) -> Made:
    """Write the backup of a site; `target` is there, or replaced, only once the new one is complete.

    StoreError where the state cannot be read or the file cannot be written.
    """
    base = site.source.absolute().parent
    hidden = [path for path in _secret_files(site) if not secrets]
    wanted = [path for path in dict.fromkeys([*_plain_files(site), *_secret_files(site)]) if path not in hidden]
    outside = tuple(path for path in wanted if not path.is_relative_to(base))
    members = {f"{CONFIG}{path.relative_to(base).as_posix()}": path for path in wanted if path not in outside}
    folder_of_target = target.absolute().parent
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=folder_of_target) as name:
            folder = Path(name)
            copies = {f"{STATE}{each}": copy_file(site.state_dir / each, folder / each) for each in file_names()}
            members |= {member: copied.path for member, copied in copies.items()}
            schemas = {member: copied.schema for member, copied in copies.items()}
            manifest = Manifest(
                version=__version__,
                made=made_ms,
                site=site.id,
                config=site.digest,
                outbox=outbox_id(folder / file_names()[-1]),
                source=site.source.name,
                state_dir=_relative(site.state_dir.absolute(), base),
                secrets_left_out=tuple(_relative(path, base) for path in hidden),
                files={member: Member(digest(path), schemas.get(member, 0)) for member, path in members.items()},
            )
            whole = folder / "whole"
            _write(whole, manifest, members)
            size = whole.stat().st_size
            whole.replace(target)
            sync_folder(folder_of_target)
    except (OSError, ValueError) as error:
        raise StoreError(f"{target}: {error}") from error
    return Made(tuple(sorted(members)), size, manifest.secrets_left_out, outside)


def _plain_files(site: SiteSettings) -> Iterable[Path]:
    base = site.source.absolute().parent
    yield site.source.absolute()
    yield from sorted(path for path in (base / "profiles").rglob("*") if path.is_file())
    yield from (pack_path(name, base) for name in site.rules if not name.startswith(BUILTIN))
    tls = site.mqtt.tls if site.mqtt is not None else None
    if tls is not None:
        yield from (path.absolute() for path in (tls.ca_file, tls.cert_file) if path is not None)


def _secret_files(site: SiteSettings) -> list[Path]:
    found = [site.operators_file]
    if site.mqtt is not None:
        found += [site.mqtt.password_file, site.mqtt.tls.key_file if site.mqtt.tls is not None else None]
    return [path.absolute() for path in found if path is not None]


def _relative(path: Path, base: Path) -> str:
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)


def _write(path: Path, manifest: Manifest, members: Mapping[str, Path]) -> None:
    """The archive, on disk when this returns, and nobody else's to read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=COMPRESSION) as archive:
            head = tarfile.TarInfo(NAME)
            content = manifest.dumps()
            head.size, head.mtime = len(content), manifest.made // 1000
            archive.addfile(head, io.BytesIO(content))
            for member, source in sorted(members.items()):
                archive.add(source, member, recursive=False)
        out.flush()
        os.fsync(out.fileno())


def sync_folder(path: Path) -> None:
    """See to it that names in this folder are on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
