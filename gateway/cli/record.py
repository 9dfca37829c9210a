"""`vigil record`: a recording of a device for the library, with nothing in it that tells one device from another."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.at_site import WrongWords, add_device, complain, find_device
from gateway.cli.logs import quiet_lines
from gateway.model import Text

if TYPE_CHECKING:
    from gateway.installing.capture import Captured
    from gateway.settings.types import DeviceSettings, SiteSettings

_HELP = {
    "out": Text("写入文件（默认输出到屏幕）", "file to write (default: standard output)"),
    "note": Text("说明，例如固件版本和当时的状态", "a note, such as the firmware and what the device was doing"),
}
_NO_PROFILE = Text(
    "这台设备没有型号文件，先把它的测点写成型号文件", "this device has no profile; put its points into one first"
)
_TAKEN = Text("取自设备", "taken from a device")
_WRITTEN = Text(
    "{path}：测点 {points} 个，已抹去 {blanked}；放进 tests/devices/{folder}/ 之前请逐项核对 readings",
    "{path}: {points} points, blanked: {blanked}; check each reading before it goes to tests/devices/{folder}/",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    add_device(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help=_HELP["out"][language])
    parser.add_argument("--note", default="", help=_HELP["note"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.commissioning.recording import Recording, recording_text
    from gateway.control import ControlFailed

    site = load(options.config, options.lang)
    quiet_lines()
    try:
        device = find_device(site, options.device)
        if device.profile is None:
            raise WrongWords(_NO_PROFILE)
        found = asyncio.run(_capture(site, device))
    except WrongWords as wrong:
        complain("record", wrong.text, options.lang)
        return 2
    except ControlFailed as failure:
        complain("record", failure.text, options.lang)
        return 1
    note = options.note.strip()
    told = Text(f"{_TAKEN.zh}：{note}", f"{_TAKEN.en}: {note}") if note else _TAKEN
    recording = Recording(
        device.profile,
        time.strftime("%Y-%m-%d"),
        told,
        found.unit,
        found.tables,
        found.readings,
    )
    text = recording_text(recording)
    if options.out is None:
        sys.stdout.write(text)
        return 0
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    said = _WRITTEN[options.lang].format(
        path=options.out,
        points=len(found.readings),
        blanked=" ".join(found.blanked) or "-",
        folder=device.profile.replace("/", "-"),
    )
    print(said)
    return 0


async def _capture(site: SiteSettings, device: DeviceSettings) -> Captured:
    """Through the running gateway, or over the line itself where none runs."""
    from drivers.modbus import open_line
    from gateway.clock import SystemClock
    from gateway.control import ControlClient
    from gateway.installing.capture import capture
    from gateway.installing.capture_request import RECORD_S, captured_from
    from gateway.model import Answer, Fault, Job
    from gateway.store import StateInUse, hold_state

    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hold_state(site.state_dir))
        except StateInUse:
            client = stack.enter_context(ControlClient(site.state_dir))
            return captured_from(await asyncio.to_thread(client.ask, "record", {"device": device.id}, ask_s=RECORD_S))
        clock = SystemClock()
        settings = next(each for each in site.lines if each.id == device.line)
        line = open_line(settings, clock)

        async def ask(job: Job) -> Answer | Fault:
            return await line.run(job, clock.monotonic() + job.timeout_s + job.wire_ms / 1000)

        try:
            return await capture(ask, settings, device)
        finally:
            await line.close()
