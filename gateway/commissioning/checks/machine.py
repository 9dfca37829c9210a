"""Clock, disk, Python and the packages it needs."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway.commissioning.findings import Finding, Grade, fine
from gateway.model import Text

OLDEST_PYTHON = (3, 11)
DISTRIBUTION = "vigil-gateway"
#: Days without a link at a busy site; below the second figure the store cannot work.
ENOUGH_BYTES, LEAST_BYTES = 1_000_000_000, 100_000_000
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)")
_VOLATILE = ("tmpfs", "ramfs", "overlay")


def check_clock(*, is_synced: bool, root: Path = Path("/")) -> Iterator[Finding]:
    """Whether time stamps can be believed, now and after a power cut."""
    if is_synced:
        yield fine("clock", "系统时间已同步", "the clock is synchronised")
    else:
        yield Finding(
            "clock",
            Grade.WARNING,
            Text("系统时间没有同步", "the clock is not synchronised"),
            Text(
                "执行 sudo timedatectl set-ntp true，并确认能访问 NTP 服务器",
                "run: sudo timedatectl set-ntp true, and see that an NTP server can be reached",
            ),
        )
    if not (root / "dev/rtc0").exists():
        yield Finding(
            "clock",
            Grade.NOTE,
            Text("没有硬件时钟", "there is no clock chip"),
            Text(
                "断电重启后要等联网同步；可加装 DS3231 一类的时钟模块",
                "after a power cut the time is known only once the network is there; a DS3231 module helps",
            ),
        )


def check_disk(folder: Path, mounts: Path = Path("/proc/mounts")) -> Iterator[Finding]:
    """Room and rights where the state is kept."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        yield Finding(
            "disk",
            Grade.FAILURE,
            Text(f"不能写入 {there}", f"{there} cannot be written"),
            Text(
                f"执行 sudo chown 运行用户 {there}，或改 state_dir",
                f"run: sudo chown USER {there}, or change state_dir",
            ),
        )
    usage = shutil.disk_usage(there)
    free = f"{usage.free / 1e9:.1f} GB"
    if usage.free < ENOUGH_BYTES:
        yield Finding(
            "disk",
            Grade.FAILURE if usage.free < LEAST_BYTES else Grade.WARNING,
            Text(f"{there} 只剩 {free}", f"only {free} are free at {there}"),
            Text("清理磁盘，或把 state_dir 放到更大的盘上", "make room, or put state_dir on a larger disk"),
        )
    else:
        yield fine("disk", f"{there} 剩余 {free}", f"{free} are free at {there}")
    if _kind_of_mount(there, mounts) in _VOLATILE:
        yield Finding(
            "disk",
            Grade.WARNING,
            Text(f"{there} 在内存或临时文件系统上", f"{there} is on a file system that a restart may empty"),
            Text("把 state_dir 放到真正的磁盘上", "put state_dir on a real disk"),
        )


def _kind_of_mount(folder: Path, mounts: Path) -> str:
    """The type of the file system that holds `folder`."""
    best, kind = "", ""
    wanted = str(folder.resolve())
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        point = fields[1].rstrip("/")
        if (wanted == point or wanted.startswith(f"{point}/")) and len(point) >= len(best):
            best, kind = point, fields[2]
    return kind


def check_python() -> Iterator[Finding]:
    """The interpreter and every package that is always needed."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        yield Finding(
            "python",
            Grade.FAILURE,
            Text(f"Python {version} 太旧", f"Python {version} is too old"),
            Text("安装 Python 3.11 或更新的版本", "install Python 3.11 or newer"),
        )
    missing = [name for name in _required() if not _is_installed(name)]
    if missing:
        names = ", ".join(missing)
        yield Finding(
            "python",
            Grade.FAILURE,
            Text(f"缺少软件包：{names}", f"packages are missing: {names}"),
            Text(f"执行 pip install --upgrade {DISTRIBUTION}", f"run: pip install --upgrade {DISTRIBUTION}"),
        )
    else:
        yield fine("python", f"Python {version}，软件包齐全", f"Python {version}, all packages are there")


def _required() -> list[str]:
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return [DISTRIBUTION]
    found = (_REQUIREMENT.match(line) for line in lines if "extra ==" not in line)
    return [match.group(1) for match in found if match is not None]


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
