"""A command that fails says why in its last line, and never shows a traceback for what may happen."""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.errors import GatewayError, StoreError
from tests.processes import run


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Replace `vigil run` by something that raises."""

    def install(error: BaseException) -> None:
        module = types.ModuleType("gateway.cli.run")

        def arguments(_parser: argparse.ArgumentParser) -> None:
            return

        def fail(_options: argparse.Namespace) -> int:
            raise error

        module.arguments, module.run = arguments, fail  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "gateway.cli.run", module)

    return install


def test_errors_out_of_task_groups_are_said_once_each(
    failing: Callable[[BaseException], None], capsys: pytest.CaptureFixture[str]
) -> None:
    same = [StoreError("the disk is full", "磁盘已满"), StoreError("the disk is full", "磁盘已满")]
    failing(BaseExceptionGroup("", [BaseExceptionGroup("", same)]))
    assert main(["run"]) == 1
    assert capsys.readouterr().err == "vigil run: the disk is full\n"
    assert main(["run", "--lang", "zh"]) == 1
    assert capsys.readouterr().err == "vigil run: 磁盘已满\n"


def test_what_was_not_raised_on_purpose_falls(failing: Callable[[BaseException], None]) -> None:
    failing(BaseExceptionGroup("", [GatewayError("expected"), ZeroDivisionError()]))
    with pytest.raises(BaseExceptionGroup):
        main(["run"])


@pytest.mark.parametrize(
    "words",
    [("demo", "--speed", "0"), ("demo", "--speed", "nan"), ("demo", "--for", "-1"), ("demo", "--for", "nan")],
)
def test_numbers_that_make_no_sense_are_wrong_usage(words: tuple[str, ...]) -> None:
    answer = run(*words)
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr


def test_a_copy_that_cannot_be_written_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("schema: 1\nsite: {id: a, name: {zh: 甲, en: A}, kind: warehouse}\n")
    answer = run("simulate", site, "--rewrite", tmp_path / "nowhere" / "copy.yaml")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert str(tmp_path / "nowhere" / "copy.yaml") in answer.stderr.splitlines()[-1]
