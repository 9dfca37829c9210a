"""What the kernel says of this run of the machine: its boot, and whether it has a clock that runs while it is off."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("proc/sys/kernel/random/boot_id")
_CLOCKS = Path("sys/class/rtc")
_PROCESSORS = Path("proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Boot:
    """`id` changes with every boot. `has_clock`: the time at boot came from a clock chip, or from the host of a virtual
    machine."""

    id: str
    has_clock: bool


def this_boot(root: Path = Path("/")) -> Boot:
    """This boot; without an id every start counts as a boot of its own."""
    boot_id = _read(root / _BOOT_ID).strip() or secrets.token_hex(16)
    return Boot(boot_id, _has_clock_chip(root) or " hypervisor" in _read(root / _PROCESSORS))


def _has_clock_chip(root: Path) -> bool:
    """Whether the kernel set its clock from one (`hctosys`); a chip that is only there proves nothing."""
    try:
        return any(_read(clock / "hctosys").strip() == "1" for clock in (root / _CLOCKS).iterdir())
    except OSError:
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
