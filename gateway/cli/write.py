"""`vigil write`: one point of a device, where profile and site allow it; machines are armed and confirmed first."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from gateway.cli.at_site import WrongWords, add_device, check_points, complain, find_device
from gateway.model import Text
from gateway.settings.types import SiteSettings

_HELP = {
    "point": Text("测点", "the point"),
    "value": Text("要写的值", "the value to write"),
    "by": Text("写入人，记入事件", "who writes, for the record"),
    "confirm": Text("两步写入时代替人工确认：再写一次设备编号", "the id of the device again, instead of asking for it"),
}
_ASK = Text(
    "{device} {point}：{before} → {value}。输入设备编号以确认：",
    "{device} {point}: {before} -> {value}. Type the id of the device to confirm: ",
)
_NOT_CONFIRMED = Text("没有确认，未写入", "not confirmed; nothing was written")
_DONE = Text("{device} {point}：{before} → {after}，{text}", "{device} {point}: {before} -> {after}, {text}")


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    add_device(parser)
    parser.add_argument("point", metavar="POINT", help=_HELP["point"][language])
    parser.add_argument("value", metavar="VALUE", help=_HELP["value"][language])
    parser.add_argument("--by", metavar="NAME", help=_HELP["by"][language])
    parser.add_argument("--confirm", metavar="DEVICE", help=_HELP["confirm"][language])


def run(options: argparse.Namespace) -> int:
    from gateway.app import load
    from gateway.control import ControlFailed
    from gateway.ports import Refused

    site = load(options.config, options.lang)
    try:
        device = find_device(site, options.device)
        check_points(device, [options.point])
        result = asyncio.run(_write(site, options, two_step=_is_two_step(device.writes.get(options.point))))
    except WrongWords as wrong:
        complain("write", wrong.text, options.lang)
        return 2
    except (ControlFailed, Refused) as failure:
        complain("write", failure.text, options.lang)
        return 1
    except KeyboardInterrupt:
        complain("write", _NOT_CONFIRMED, options.lang)
        return 1
    if result["result"] != "done":
        complain("write", Text(result["text"]["zh"], result["text"]["en"]), options.lang)
        return 1
    print(
        _DONE[options.lang].format(
            device=options.device,
            point=options.point,
            before=_shown(result["before"]),
            after=_shown(result["after"]),
            text=result["text"][options.lang],
        )
    )
    return 0


def _is_two_step(policy: Any) -> bool:
    return policy is not None and bool(policy.two_step)


async def _write(site: SiteSettings, options: argparse.Namespace, *, two_step: bool) -> Mapping[str, Any]:
    from gateway.control import ControlClient
    from gateway.store import StateInUse, hold_state

    try:
        with hold_state(site.state_dir):
            pass
    except StateInUse:
        with ControlClient(site.state_dir) as client:

            async def ask_gateway(name: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
                return await asyncio.to_thread(client.ask, name, args, ask_s=90.0)

            return await _order(ask_gateway, options, two_step=two_step)
    return await _write_directly(site, options, two_step=two_step)


async def _write_directly(site: SiteSettings, options: argparse.Namespace, *, two_step: bool) -> Mapping[str, Any]:
    from gateway.installing.direct import local_request, orders_taken

    async with orders_taken(site) as registry:

        async def ask_here(name: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
            entry = registry.get(name)
            if entry is None:
                raise AssertionError(f"{name} is not registered")
            return await entry.answer(local_request(name, args))

        return await _order(ask_here, options, two_step=two_step)


async def _order(ask: Any, options: argparse.Namespace, *, two_step: bool) -> Mapping[str, Any]:
    args = {"device": options.device, "point": options.point, "value": options.value}
    if options.by is not None:
        args["by"] = options.by
    if two_step:
        armed = await ask("arm", args)
        if not await _is_confirmed(options, armed["before"]):
            return {"result": "not_confirmed", "text": _NOT_CONFIRMED.as_dict()}
        args["arm"] = armed["arm"]
    result: Mapping[str, Any] = await ask("write", args)
    return result


async def _is_confirmed(options: argparse.Namespace, before: object) -> bool:
    device: str = options.device
    confirmed: str | None = options.confirm
    if confirmed is not None:
        return confirmed == device
    question = _ASK[options.lang].format(
        device=options.device, point=options.point, before=_shown(before), value=options.value
    )
    print(question, end="", file=sys.stderr, flush=True)
    typed: str = await asyncio.to_thread(sys.stdin.readline)
    return typed.strip() == device


def _shown(value: object) -> str:
    if value is None:
        return "?"
    return str(value).lower() if isinstance(value, bool) else str(value)
