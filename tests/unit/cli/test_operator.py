"""`vigil operator` makes lines that the gateway takes."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.operators import Operators


async def test_a_line_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert main(["operator", "duty-1", "duty", "--lang", "en"]) == 0
    path = tmp_path / "operators"
    path.write_text(capsys.readouterr().out, encoding="utf-8")
    found = await Operators(path).check("duty-1", "correct horse")
    assert found is not None
    assert found.role == "duty"


@pytest.mark.parametrize(("name", "token"), [("a b", "x\n"), ("a", "\n")])
def test_what_cannot_be(
    name: str, token: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(token))
    assert main(["operator", name, "duty", "--lang", "zh"]) == 2
    assert "角色" in capsys.readouterr().err
