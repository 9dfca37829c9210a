"""A gateway that runs writes the health that the dashboards ask for."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.dashboards import grafana
from tests.dashboards.files import load, panels
from tests.integration.influx_rows import ask, field_types
from tests.integration.test_chain import INGEST
from tests.processes import Vigil
from tests.servers import Influxd, Mosquitto, free_port

SITE = """
schema: 1
site: {{id: depot-07, name: {{zh: 城东库, en: Chengdong}}, kind: warehouse, timezone: Asia/Shanghai}}
lines:
  lan: {{tcp: "127.0.0.1:{tcp}"}}
devices:
  - {{id: tank-1, kind: tank, line: lan, unit: 1, interval: 1s, points: {{level: {{at: "holding:40", unit: m}}}}}}
required: {{tank: 1}}
uplink: {{mqtt: {{url: "mqtt://127.0.0.1:{mqtt}"}}}}
state_dir: state
"""
#: What only some machines can measure.
_HARDWARE = {"processor_temperature"}


def test_a_running_gateway_fills_the_fleet_dashboard(tmp_path: Path, mosquitto: Mosquitto, influxd: Influxd) -> None:
    site, ingest = tmp_path / "site.yaml", tmp_path / "ingest.yaml"
    site.write_text(SITE.format(tcp=free_port(), mqtt=mosquitto.port))
    ingest.write_text(INGEST.format(mqtt=mosquitto.port, influx=influxd.port))
    fleet = load("zh/fleet/gateway.json")
    asked = {
        name
        for panel in panels(fleet)
        for target in panel["targets"]
        if 'FROM "gateway"' in target["query"]
        for name in re.findall(r'(?:last|mean|max)\("(\w+)"\)', target["query"])
    }
    assert len(asked) > 20
    with Vigil(tmp_path, "ingest", ingest, name="ingest"), Vigil(tmp_path, "run", site, name="gateway"):
        give_up = time.monotonic() + 40
        while "gateway" not in (found := _fields(influxd)) or not asked - _HARDWARE <= set(found["gateway"]):
            missing = asked - _HARDWARE - set(found.get("gateway", ()))
            assert time.monotonic() < give_up, f"never written: {sorted(missing)}"
            time.sleep(0.1)
        (listed,) = [panel for panel in panels(fleet) if panel["title"] == "网关"]
        now = int(time.time() * 1000)
        variables = grafana.opened(lambda query: ask(influxd, query, "vigil"), fleet)
        query = grafana.interpolate(listed["targets"][0]["query"], variables, now - 3_600_000, now, "1m")
        (series,) = ask(influxd, query, "vigil")
        row = dict(zip(series["columns"], series["values"][0], strict=True))
        assert row["uplink_connected"] is True
        assert row["uptime"] > 0


def _fields(influxd: Influxd) -> dict[str, dict[str, str]]:
    databases = ask(influxd, "SHOW DATABASES")[0].get("values", [])
    return field_types(influxd) if ["vigil"] in databases else {}
