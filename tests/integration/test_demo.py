"""The demo as a newcomer meets it: says where things are, shows what flows, survives a busy port, ends on Ctrl-C."""

from __future__ import annotations

import json
import re
import signal
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.in_process import vigil
from tests.processes import Vigil

PREFERRED = 8321


def fetch(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


def acts_as_told(printed: str, page: str) -> None:
    """Whoever reads what the demo prints can act, at the machine and by the page's password."""
    file, password = re.search(r"list alarms +vigil alarms (\S+)", printed), re.search(r"of each is (\S+)", printed)
    assert file is not None
    assert password is not None
    shelved = vigil("alarms", "shelve", file[1], "gen-1/not_in_auto", "--by", "duty", "--for", "1h", "--note", "tried")
    assert (shelved.code, shelved.out.strip()) == (0, "shelved"), shelved.err
    assert "gen-1" in vigil("alarms", file[1]).out
    assert vigil("alarms", "unshelve", file[1], "gen-1/not_in_auto", "--by", "stranger").code == 1
    for auth, expected in (("guessed", "not_allowed"), (password[1], None)):
        order = {"id": f"by {auth}", "cmd": "unshelve", "args": {"rule": "not_in_auto"}, "by": "chief", "auth": auth}
        asked = urllib.request.Request(f"{page}api/cmd/gen-1", json.dumps(order).encode())
        asked.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                reply = json.load(answer)
        except urllib.error.HTTPError as error:
            reply = json.load(error)
        assert reply.get("error") == expected, reply


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
            acts_as_told(demo.printed(), page[0])
            # Flow is printed every 5 s, the gateway reports on itself every 10 s: that is none of the samples.
            demo.wait_for("polled", timeout_s=60, times=3)
            assert demo.stop(signal.SIGINT) == 0, demo.printed()
            assert "The books balance" in demo.printed()
            assert "Traceback" not in demo.printed()
            assert "ERROR" not in demo.printed()
