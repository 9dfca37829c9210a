"""What nobody understood is counted where a maintainer looks."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from gateway import app
from gateway.model import MaybeValue
from gateway.mqtt import Link, Message
from gateway.store import open_store

SITE = """
schema: 1
site: {id: depot-1, name: {zh: 库, en: Depot}, kind: warehouse}
lines: {lan: {tcp: "127.0.0.1:1502"}}
devices:
  - {id: tank-1, kind: tank, line: lan, unit: 1, interval: 1s, points: {level: {at: "holding:0", unit: m}}}
state_dir: state
"""
UPLINK = """uplink: {mqtt: {url: "mqtt://127.0.0.1:1883"}}
"""


def not_understood(gateway: app.Gateway) -> MaybeValue:
    reading = gateway.health.reading()
    return reading.values[reading.points.index("not_understood")]


@pytest.mark.parametrize("has_uplink", [True, False])
async def test_commands_and_messages_that_are_not_understood_are_counted(tmp_path: Path, has_uplink: bool) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(SITE + (UPLINK if has_uplink else ""), encoding="utf-8")
    site = app.load(path)
    store = open_store(site.state_dir)
    try:
        gateway = app.Gateway(site, store)
        assert not_understood(gateway) == 0
        gateway._apprise.not_understood += 1
        assert not_understood(gateway) == 1
        if gateway.uplink is not None:
            for topic, payload in (("tank-1/cmd", b"{"), ("_gateway/stored", b"[]")):
                message = Message(f"vigil/v1/depot-1/{topic}", payload, qos=1, retain=False, dup=False, mid=1)
                gateway.uplink._take(cast("Link", None), message)
            assert not_understood(gateway) == 3
        (known,) = [point for point in gateway.health.points if point.name == "not_understood"]
        assert known.label is not None
        assert "理解" in known.label.zh
    finally:
        store.close()
