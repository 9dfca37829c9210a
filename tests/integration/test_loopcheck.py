"""`vigil loopcheck` where no gateway runs: read over the line, kept in the journal, told when the gateway starts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.devices.recordings import RECORDINGS
from tests.devices.serving import device, tcp_server
from tests.integration.mqtt_peer import peer
from tests.processes import Vigil, run
from tests.servers import Mosquitto, free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{lan: {{tcp: "127.0.0.1:{tcp}"}}}}
devices:
  - {{id: gen-1, kind: generator, profile: dse/gencomm, line: lan, unit: 10, interval: 1s}}
  - {{id: climate-1, kind: sensor, profile: generic/xy-md02, line: lan, unit: 2, interval: 1s}}
  - {{id: smoke-1, kind: sensor, profile: sonbest/xm7571, line: lan, unit: 5, interval: 1s}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}}}
state_dir: state
"""


async def test_a_check_without_a_gateway_is_kept_until_one_runs(tmp_path: Path, mosquitto: Mosquitto) -> None:
    known = {each.name: each for each in RECORDINGS}
    gen, climate = known["dse-gencomm/recording"], known["generic-xy-md02/recording"]
    smoke = known["sonbest-xm7571/recording"]
    port = free_port()
    site, expected, sheet = tmp_path / "site.yaml", tmp_path / "expected.yaml", tmp_path / "sheet.md"
    site.write_text(SITE.format(tcp=port, mqtt=mosquitto.port))
    values = {name: value for name, (value, status) in climate.readings.items() if status.is_good}
    expected.write_text(json.dumps({"climate-1": values}))
    nobody = tmp_path / "nobody.yaml"
    nobody.write_text("smoke-1: {}\n")
    async with (
        tcp_server(port, [device(10, gen.tables), device(2, climate.tables), device(5, smoke.tables)]),
        peer(mosquitto, "vigil/v1/depot-1/+/event") as heard,
    ):
        done = await asyncio.to_thread(
            run, "loopcheck", site, "--by", "安装一组", "--expected", expected, "--out", sheet, "--lang", "zh"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"climate-1：相符 {len(values)}" in done.stdout
        assert "身份寄存器相符" in done.stdout
        assert "安装一组" in sheet.read_text()
        assert "身份：身份无法核实" in sheet.read_text()
        printed = tmp_path / "sheet.html"
        english = await asyncio.to_thread(
            run, "loopcheck", site, "smoke-1", "--by", "crew-1", "--expected", nobody, "--out", printed, "--lang", "en"
        )
        assert english.returncode == 0, english.stderr
        assert '<p class="who">' in printed.read_text()
        assert "identity: identity not verifiable" in printed.read_text()
        strange = await asyncio.to_thread(
            run, "loopcheck", site, "gen-1", "--by", "安装一组", "--expected", expected, "--lang", "zh"
        )
        assert strange.returncode == 2
        with Vigil(tmp_path, "run", site) as gateway:
            await heard.until(lambda: sum(b"loop_check" in payload for _, payload in heard.heard) >= 4)
            assert await asyncio.to_thread(gateway.stop) == 0
    kept = {
        topic.split("/")[3]: json.loads(payload)["data"] for topic, payload in heard.heard if b"loop_check" in payload
    }
    assert kept["climate-1"]["by"] == "安装一组"
    assert kept["climate-1"]["fits"] == len(values)
    assert kept["gen-1"]["identity"] == "verified"
    assert kept["smoke-1"]["identity"] == "unverifiable"
