"""What a backup says of itself: `vigil-backup.json`, which names every other member of the archive with its SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from gateway.errors import StoreError

NAME = "vigil-backup.json"
FORMAT = 1
CONFIG, STATE = "config/", "state/"
LARGEST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive; `schema` is 0 for what has none."""

    sha256: str
    schema: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """`files` by member name. `source` is the name of the site file; `state_dir` is where it expects the state, as a
    path below its folder or an absolute one."""

    version: str
    made: int
    site: str
    config: str
    outbox: str
    source: str
    state_dir: str
    secrets_left_out: tuple[str, ...]
    files: Mapping[str, Member]

    def dumps(self) -> bytes:
        members = {"format": FORMAT, **asdict(self)}
        return json.dumps(members, ensure_ascii=False, indent=1).encode()

    def place_of(self, member: str) -> PurePosixPath:
        """Where a member belongs, relative to the folder that is restored into."""
        if member.startswith(STATE):
            return self.state_place / member.removeprefix(STATE)
        return PurePosixPath(member.removeprefix(CONFIG))

    @property
    def state_place(self) -> PurePosixPath:
        """Where the state goes: as the site file says, if that is inside the folder."""
        place = PurePosixPath(self.state_dir)
        return place if _is_inside(place) else PurePosixPath(STATE.rstrip("/"))


def loads(data: bytes) -> Manifest:
    """StoreError for what is none, or of a newer format, or names places outside of the folder."""
    try:
        found = json.loads(data)
        if found["format"] > FORMAT:
            raise StoreError(f"written by a newer version ({found['version']}, format {found['format']})")
        manifest = Manifest(
            version=str(found["version"]),
            made=int(found["made"]),
            site=str(found["site"]),
            config=str(found["config"]),
            outbox=str(found["outbox"]),
            source=str(found["source"]),
            state_dir=str(found["state_dir"]),
            secrets_left_out=tuple(map(str, found["secrets_left_out"])),
            files={
                str(name): Member(str(each["sha256"]), int(each["schema"])) for name, each in found["files"].items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError("its list of contents cannot be read") from error
    for name in (*manifest.files, CONFIG + manifest.source):
        if not name.startswith((CONFIG, STATE)) or not _is_inside(manifest.place_of(name)):
            raise StoreError(f"it names a file that does not belong there: {name}")
    return manifest


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_inside(place: PurePosixPath) -> bool:
    return bool(place.parts) and not place.is_absolute() and ".." not in place.parts
