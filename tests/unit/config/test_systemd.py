"""The unit files, as systemd itself reads them; it exits 0 on mistakes and only prints them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gateway.settings.bundled import config_dir
from tests.servers import program

FOLDER = config_dir() / "systemd"
UNITS = ("vigil.service", "vigil-ingest.service")
EXPOSURE = 20
"""Tenths; mosquitto's own unit has 96."""


def unit(name: str) -> dict[str, list[str]]:
    """Every key of a unit with all its values in order."""
    keys: dict[str, list[str]] = {}
    for line in (FOLDER / name).read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            keys.setdefault(key, []).append(value)
    return keys


@pytest.fixture(params=UNITS)
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    copy = tmp_path / str(request.param)
    copy.write_text((FOLDER / str(request.param)).read_text().replace("/opt/vigil/bin/vigil", "/bin/true"))
    return copy


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    command = [program("systemd-analyze"), "verify", "--man=no", str(installed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_would_find_a_mistake(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.service"
    wrong.write_text("[Service]\nExecStart=/bin/true\nWatchdogSek=3\n")
    command = [program("systemd-analyze"), "verify", "--man=no", str(wrong)]
    assert "WatchdogSek" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stderr


def test_little_is_exposed(installed: Path) -> None:
    tool = [program("systemd-analyze"), "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}"]
    done = subprocess.run([*tool, str(installed)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", UNITS)
def test_a_wrong_file_is_not_started_again_and_again(name: str) -> None:
    keys = unit(name)
    assert keys["Restart"] == ["always"]
    assert keys["RestartPreventExitStatus"] == ["2"]
    assert keys["StartLimitIntervalSec"] == ["0"]


def test_the_gateway_may_ask_whether_the_clock_is_synchronised() -> None:
    keys = unit("vigil.service")
    assert {"adjtimex", "clock_adjtime"} <= set(" ".join(keys["SystemCallFilter"]).split())
    assert "ProtectClock" not in keys
    assert keys["CapabilityBoundingSet"] == [""]
