"""The demo as a newcomer meets it: says where things are, shows what flows, survives a busy port, ends on Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

from tests.processes import Vigil

PREFERRED = 8321


def fetch(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def test_the_demo_survives_a_busy_port_and_ends_on_ctrl_c(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            busy.bind(("127.0.0.1", PREFERRED))
            busy.listen()
        except OSError:
            pass  # somebody else has it: it is busy all the same
        with Vigil(tmp_path, "demo", "--lang", "en") as demo:
            demo.wait_for("polled", timeout_s=60)
            page = re.search(r"http://127.0.0.1:(\d+)/", demo.printed())
            assert page is not None
            assert int(page[1]) != PREFERRED
            devices = fetch(f"{page[0]}api/devices")["devices"]
            kinds = {device["id"].rpartition("-")[0] for device in devices}
            assert {"gen", "pump", "warehouse", "shelter"} <= kinds
            # Flow is printed every 5 s, the gateway reports on itself every 10 s: that is none of the samples.
            demo.wait_for("polled", timeout_s=60, times=3)
            assert demo.stop(signal.SIGINT) == 0, demo.printed()
            assert "The books balance" in demo.printed()
            assert "Traceback" not in demo.printed()
            assert "ERROR" not in demo.printed()
