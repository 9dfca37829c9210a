"""`vigil doctor` as a person and as a script see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli import main
from tests.servers import free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{bus: {{serial: {folder}/no-such-port}}}}
devices: [{{id: climate-1, kind: sensor, profile: generic/xy-md02, line: bus, unit: 1}}]
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{port}"}}}}
state_dir: state
"""


def test_failures_say_what_to_do_and_end_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(folder=tmp_path, port=free_port()))
    assert main(["doctor", str(site), "--lang", "zh"]) == 1
    said = capsys.readouterr().out
    assert "no-such-port 不存在" in said
    assert "拒绝连接" in said
    assert said.count("->") >= 2
    assert main(["doctor", str(site), "--json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failed = {row["topic"] for row in rows if row["grade"] == "failure"}
    assert failed == {"ports", "broker"}
    assert all(row["do"]["zh"] and row["do"]["en"] for row in rows if row["grade"] != "fine")


def test_a_machine_alone_needs_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) in (0, 1)
    topics = {json.loads(line)["topic"] for line in capsys.readouterr().out.splitlines()}
    assert {"python", "ports", "clock", "disk"} <= topics


def test_a_wrong_file_is_2(tmp_path: Path) -> None:
    assert main(["doctor", str(tmp_path / "none.yaml")]) == 2
