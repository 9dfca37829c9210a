"""The programs in C, built when they are first needed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

_LIBRARIES = {"slaves": [], "bus": [], "reference": ["-lmodbus", "-lmosquitto"]}


def build(name: str) -> Path | None:
    """The program, None where it cannot be built here: no gcc, or the -dev packages of its libraries are missing."""
    source = Path(__file__).parent / f"{name}.c"
    program = Path(__file__).parents[1] / "build" / name
    if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
        return program
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    program.parent.mkdir(exist_ok=True)
    command = [compiler, "-O2", "-o", str(program), str(source), *_LIBRARIES[name]]
    return program if subprocess.run(command, capture_output=True, check=False).returncode == 0 else None
