"""Files a configuration points to; paths are relative to the file they stand in."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.model import Text
from gateway.settings.nodes import Section
from gateway.settings.problems import Place, Problems


def named_file(section: Section, key: str, value: str | None, base: Path, problems: Problems) -> Path | None:
    """The file `key` names, which must be there and readable; None where the key is absent or wrong."""
    if value is None:
        return None
    path = base / value
    return path if check_file(path, section.place_of(key), problems) else None


def check_file(path: Path, place: Place, problems: Problems) -> bool:
    """Whether `path` is a file that can be read."""
    try:
        there, readable = path.is_file(), os.access(path, os.R_OK)
    except (OSError, ValueError):
        there, readable = False, False
    if not there:
        problems.add(
            place,
            Text(f"没有这个文件：{path}", f"there is no file {path}"),
            Text("建立它，或改正路径", "create it, or correct the path"),
        )
    elif not readable:
        problems.add(
            place,
            Text(f"没有权限读取 {path}", f"{path} may not be read"),
            Text("检查文件权限", "check its permissions"),
        )
    return there and readable
