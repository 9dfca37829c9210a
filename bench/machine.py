"""What the kernel says of processes and of the machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def rss_mb(pid: int) -> float:
    return _status(pid, "VmRSS")


def peak_rss_mb(pid: int) -> float:
    return _status(pid, "VmHWM")


def _status(pid: int, key: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def written_bytes(pid: int) -> int:
    """What the process caused to be written to disks."""
    for line in Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    return 0


def busy_s(core: int) -> float:
    """Time a core was not idle, whoever used it."""
    for line in Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _, _, *rest = map(int, line.split()[1:])
            return (user + nice + system + sum(rest[:3])) * _TICK_S
    return 0.0


class Instructions:
    """Instructions a process runs within `seconds`, by perf: unlike time, they do not depend on who else is at work."""

    def __init__(self, pid: int, seconds: float, core: int) -> None:
        perf, taskset = shutil.which("perf"), shutil.which("taskset")
        self._counting: subprocess.Popen[str] | None = None
        if perf is not None and taskset is not None:
            events = ["-x", ",", "-e", "instructions:u,instructions:k", "-p", str(pid)]
            command = [taskset, "-c", str(core), perf, "stat", *events, "--", "sleep", str(seconds)]
            self._counting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def count(self) -> float:
        """After `seconds`; not a number where nobody can tell."""
        if self._counting is None:
            return float("nan")
        _, said = self._counting.communicate(timeout=60)
        counts = [line.split(",")[0] for line in said.splitlines() if "instructions" in line]
        return sum(map(float, counts)) if counts and all(count.isdigit() for count in counts) else float("nan")


def describe() -> str:
    """One line about the machine."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    said = subprocess.run([mosquitto, "-h"], capture_output=True, text=True, check=False).stdout.splitlines()
    broker = said[0] if said else "mosquitto"
    kernel = f"{platform.system()} {platform.release()}"
    return f"{os.cpu_count()} x {model}, {kernel}, Python {platform.python_version()}, {broker}"
