"""`vigil record` against a device that is not ours: by itself, and through a running gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path
from subprocess import CompletedProcess

from tests.devices.recordings import RECORDINGS, Recording, recording
from tests.devices.serving import device, tcp_server
from tests.processes import Vigil, run
from tests.servers import free_port

SITE = """
schema: 1
site: {{id: depot-1, name: {{zh: 库, en: Depot}}, kind: warehouse, timezone: Asia/Shanghai}}
lines: {{lan: {{tcp: "127.0.0.1:{port}"}}}}
devices:
  - {{id: gen-1, kind: generator, profile: smartgen/hgm4000n, line: lan, unit: 3, interval: 1s}}
  - {{id: gen-2, kind: generator, profile: dse/gencomm, line: lan, unit: 4, interval: 1s,
     identity: [{{at: "holding:770", type: uint32, equals: 20431}}]}}
  - {{id: gps-1, kind: sensor, profile: victron/gx-gps, line: lan, unit: 5, interval: 1s}}
  - {{id: gone-1, kind: sensor, profile: generic/xy-md02, line: lan, unit: 6, interval: 1s, timeout: 200ms}}
  - {{id: bare-1, kind: sensor, line: lan, unit: 3, points: {{smoke: {{at: "holding:0"}}}}}}
state_dir: state
"""
SERIAL = {770: 0, 771: 20431}


def known(name: str) -> Recording:
    return next(each for each in RECORDINGS if each.name == f"{name}/recording")


async def vigil(*arguments: str | Path) -> CompletedProcess[str]:
    return await asyncio.to_thread(run, *arguments)


async def test_a_recording_holds_what_the_device_said_and_nothing_private(tmp_path: Path) -> None:
    smartgen, dse, gps = known("smartgen-hgm4000n"), known("dse-gencomm"), known("victron-gx-gps")
    holding = dict(dse.tables["holding"]) | SERIAL
    devices = [device(3, smartgen.tables), device(4, {"holding": holding}), device(5, gps.tables)]
    port = free_port()
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(port=port))
    async with tcp_server(port, devices):
        made = await vigil("record", site, "gen-1", "--out", tmp_path / "gen-1.yaml", "--note", "firmware 2.1")
        assert made.returncode == 0, made.stderr
        copy = recording(tmp_path / "gen-1.yaml")
        assert (copy.origin, copy.unit, copy.profile) == ("hardware", 3, "smartgen/hgm4000n")
        assert copy.tables == smartgen.tables
        assert copy.readings == smartgen.readings
        assert "firmware 2.1" in (tmp_path / "gen-1.yaml").read_text()

        made = await vigil("record", site, "gen-2", "--out", tmp_path / "gen-2.yaml")
        assert made.returncode == 0, made.stderr
        copy = recording(tmp_path / "gen-2.yaml")
        assert copy.tables["holding"][768] == 1
        assert not SERIAL.keys() & copy.tables["holding"].keys()

        made = await vigil("record", site, "gps-1")
        assert made.returncode == 0, made.stderr
        (tmp_path / "gps-1.yaml").write_text(made.stdout)
        copy = recording(tmp_path / "gps-1.yaml")
        assert (copy.readings["latitude"][0], copy.readings["longitude"][0]) == (0, 0)
        assert copy.readings["position_fixed"] == gps.readings["position_fixed"]

        silent = await vigil("record", site, "gone-1", "--out", tmp_path / "gone-1.yaml")
        assert silent.returncode == 1
        assert not (tmp_path / "gone-1.yaml").exists()
        bare = await vigil("record", site, "bare-1")
        assert bare.returncode == 2


async def test_a_running_gateway_records_for_the_command(tmp_path: Path) -> None:
    smartgen, gps = known("smartgen-hgm4000n"), known("victron-gx-gps")
    port = free_port()
    site = tmp_path / "site.yaml"
    site.write_text(SITE.format(port=port))
    async with tcp_server(port, [device(3, smartgen.tables), device(5, gps.tables)]) as server:
        with Vigil(tmp_path, "run", site) as gateway:
            await asyncio.to_thread(gateway.wait_for, "control_open")
            made = await vigil("record", site, "gen-1", "--out", tmp_path / "gen-1.yaml")
            assert made.returncode == 0, made.stderr
            assert len(server.active_connections) == 1
            silent = await vigil("record", site, "gone-1", "--lang", "zh")
            assert silent.returncode == 1
            assert "无法记录" in silent.stderr
            assert await asyncio.to_thread(gateway.stop) == 0
    copy = recording(tmp_path / "gen-1.yaml")
    assert copy.tables == smartgen.tables
    assert copy.readings == smartgen.readings
