"""`vigil init` at the keyboard: Ctrl-C ends it while it waits for an answer, and nothing is written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("language", "question", "told"), [("zh", "站点编号", "没有写文件"), ("en", "site id", "nothing was written")]
)
def test_it_stops_at_a_question(language: str, question: str, told: str, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    command = [sys.executable, "-m", "gateway.cli", "init", "--out", str(out), "--lang", language]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as asked:
        assert asked.stdout is not None
        shown = b""
        while question not in shown.decode(errors="ignore"):
            piece = asked.stdout.read1(1)
            assert piece, shown
            shown += piece
        asked.send_signal(signal.SIGINT)
        _, said = asked.communicate(timeout=30)
    assert asked.returncode == 1
    assert told in said.decode()
    assert not out.exists()
