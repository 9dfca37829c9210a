"""Passwords and tokens, which stand in files of their own."""

from __future__ import annotations

from pathlib import Path

from gateway.errors import SinkMisconfigured


def read_secret(file: Path) -> str:
    """The first line of `file`; SinkMisconfigured where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SinkMisconfigured(f"secret file {file} cannot be read: {error}") from error
