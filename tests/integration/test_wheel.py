"""Installed from the wheel, away from the checkout, everything works, data files included."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with the wheel unpacked and the dependencies, but without the checkout."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    # Without `site`, the link to the checkout among the dependencies is not followed.
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{sysconfig.get_path('purelib')}", "LC_ALL": "C.UTF-8"}


def vigil(installed: dict[str, str], cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", "-m", "gateway.cli", *arguments]
    return subprocess.run(command, env=installed, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_the_wheel_holds_every_data_file(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "config", "dashboards", "gateway", "drivers"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    for name in listed:
        if (ROOT / name).exists() and not name.startswith("dashboards/source/"):
            place = f"gateway/data/{name}" if name.startswith(("config/", "dashboards/")) else name
            assert place in inside


def test_check_finds_profiles_and_vocabulary(installed: dict[str, str], tmp_path: Path) -> None:
    where = vigil_python(installed, tmp_path, "import gateway; print(gateway.__file__)")
    assert not where.startswith(str(ROOT))
    demo = vigil_python(installed, tmp_path, "from gateway.settings.bundled import config_dir; print(config_dir())")
    answer = vigil(installed, tmp_path, "check", f"{demo}/sites/demo.yaml", "--plan")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "genset-bus" in answer.stdout


def test_dashboards_come_with_the_wheel(installed: dict[str, str], tmp_path: Path) -> None:
    answer = vigil(installed, tmp_path, "dashboards", "export", "out", "--lang", "en")
    assert answer.returncode == 0, answer.stderr
    shipped = {path.relative_to(ROOT / "dashboards") for path in (ROOT / "dashboards" / "zh").rglob("*.json")}
    assert shipped <= {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.json")}


def test_the_demo_runs_and_its_books_balance(installed: dict[str, str], tmp_path: Path) -> None:
    answer = vigil(installed, tmp_path, "demo", "--for", "5", "--lang", "en")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "The books balance" in answer.stdout


def vigil_python(installed: dict[str, str], cwd: Path, code: str) -> str:
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=installed, cwd=cwd, capture_output=True, text=True, timeout=30, check=True)
    return done.stdout.strip()
