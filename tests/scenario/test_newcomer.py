"""An installer's first hour, by script: ten devices of six makers on one bus, from nothing to a signed sheet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.test_chain import Recorder
from tests.processes import Vigil, run
from tests.servers import Mosquitto

#: Unit, profile, kind.
BUS = (
    (3, "smartgen/hgm4000n", "generator"),
    (4, "smartgen/hgm6100n", "generator"),
    (7, "generic/xy-md02", "sensor"),
    (9, "generic/qdy30a", "tank"),
    (10, "dse/gencomm", "generator"),
    (15, "peacefair/pzem-016", "meter"),
    (16, "peacefair/pzem-017", "sensor"),
    (21, "eastron/sdm630", "meter"),
    (22, "eastron/sdm120", "meter"),
    (30, "chint/dtsu666", "meter"),
)
THERE = """
schema: 1
site: {{id: there, name: {{zh: 现场, en: There}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{bus: {{serial: {port}, baudrate: 115200, parity: N, stopbits: 1}}}}
devices:
{devices}
state_dir: there
"""
#: Who made what hangs there, and names; no model is named.
ANSWERS = """
site.id: depot-07
site.name.zh: 城东库
site.name.en: Chengdong depot
lines: {port}
bus-1.makers: [smartgen, generic, dse, peacefair, eastron, chint]
bus-1.scan: yes
bus-1.units: 1-30
bus-1.baudrate: 115200
bus-1.parity: N
bus-1.3.name.zh: 东侧发电机
bus-1.3.name.en: East generator
mqtt.url: "mqtt://127.0.0.1:{mqtt}"
web: no
"""


@pytest.mark.timeout(240)
def test_ten_devices_of_six_makers_are_commissioned_without_editing(tmp_path: Path, mosquitto: Mosquitto) -> None:
    port = tmp_path / "ports" / "bus"
    port.parent.mkdir()
    there, answers, site = tmp_path / "there.yaml", tmp_path / "answers.yaml", tmp_path / "site.yaml"
    devices = [
        f"  - {{id: d-{unit}, kind: {kind}, profile: {name}, line: bus, unit: {unit}, interval: 10s}}"
        for unit, name, kind in BUS
    ]
    there.write_text(THERE.format(port=port, devices="\n".join(devices)))
    answers.write_text(ANSWERS.format(port=port, mqtt=mosquitto.port))
    with Vigil(tmp_path, "simulate", there, name="there") as simulated:
        simulated.wait_for("serial:")
        made = run("init", "--answers", answers, "--out", site, timeout_s=150)
        assert made.returncode == 0, made.stdout + made.stderr
        again = run("init", "--answers", answers, "--out", site)
        assert again.returncode == 2
        written = site.read_text()
        for unit, name, kind in BUS:
            assert f"kind: {kind}, profile: {name}, line: bus-1, unit: {unit}}}" in written, (name, made.stdout)
        assert "东侧发电机" in written
        (rules,) = (line for line in written.splitlines() if line.startswith("rules:"))
        assert "builtin/communication" in rules
        assert "builtin/gateway" in rules

        scanned = run("scan", f"{site}:bus-1", "--units", "1-30", "--json", timeout_s=120)
        assert scanned.returncode == 0, scanned.stderr
        there_now = {each["unit"]: each["proposals"] for each in json.loads(scanned.stdout)["found"]}
        assert sorted(there_now) == [unit for unit, _, _ in BUS]
        assert "dse/gencomm" in there_now[10]

        assert run("check", site).returncode == 0
        plan = run("check", site, "--plan")
        assert plan.returncode == 0, plan.stdout
        expected = tmp_path / "expected.yaml"
        expected.write_text("meter-4: {voltage_l1: 999999}\n")
        recorder = Recorder(mosquitto.port)
        with Vigil(tmp_path, "run", site, name="gateway") as gateway:
            recorder.wait_until(
                lambda messages: (
                    {topic.split("/")[3] for topic, _ in messages if topic.endswith("/telemetry")}
                    >= {
                        "gen-1",
                        "gen-2",
                        "gen-3",
                        "tank-1",
                        "meter-1",
                        "meter-2",
                        "meter-3",
                        "meter-4",
                        "sensor-1",
                        "sensor-2",
                    }
                )
            )
            sheet = tmp_path / "sheet.html"
            checked = run("loopcheck", site, "--by", "crew-1", "--expected", expected, "--out", sheet)
            assert checked.returncode == 1, checked.stderr
            recorder.wait_until(lambda messages: any(payload.get("type") == "loop_check" for _, payload in messages))
            assert gateway.stop() == 0, gateway.printed()
        recorder.close()
        told = checked.stdout.splitlines()
        assert len(told) == 10
        who = {line.split(":")[0]: line.partition("; ")[2] for line in told}
        assert who["gen-3"] == "identity registers fit"
        assert who["tank-1"] == "identity registers fit"
        assert who["gen-1"] == "no identity registers; all values are within their range"
        page = sheet.read_text()
        assert "crew-1" in page
        assert "999999" in page
        assert page.count("<table>") == 10
        kept = [payload for _, payload in recorder.messages if payload.get("type") == "loop_check"]
        assert {event["data"]["by"] for event in kept} == {"crew-1"}
        (differing,) = (event["data"] for event in kept if event["data"]["differs"])
        assert differing["points"]["voltage_l1"]["expected"] == 999999
