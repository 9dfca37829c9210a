"""`vigil simulate`: the devices of a site file as real Modbus servers over a simulated plant."""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.usage import seconds, speed
from gateway.errors import ConfigError, GatewayError, Problem
from gateway.model import Text
from gateway.settings.bundled import config_dir

if TYPE_CHECKING:
    from gateway.settings.types import SiteSettings
    from gateway.sim.scenario import Scenario
    from gateway.sim.simulation import Simulation

_SERVING = Text("已启动，按 Ctrl-C 结束：", "Serving; Ctrl-C ends it:")
_ENDED = Text("已结束：{requests} 次请求，{answers} 次应答", "Ended: {requests} requests, {answers} answers")
_REWRITTEN = Text("已写入指向这些端点的配置：{file}", "Configuration that points at these endpoints: {file}")


_HELP = {
    "config": Text("站点配置文件", "site file"),
    "scenario": Text("剧本文件，或自带剧本的名字：{names}", "scenario file, or the name of a shipped one: {names}"),
    "inputs": Text("列出剧本在此站点可以做的事，然后结束", "list what a scenario can do to this site, then end"),
    "seed": Text("随机种子，相同则过程相同", "same seed, same course of events"),
    "speed": Text("时间倍速", "how many times faster than real time"),
    "ports": Text("虚拟串口所在目录", "folder of the virtual serial ports"),
    "free_ports": Text("TCP 使用空闲端口", "serve TCP at free ports"),
    "strict": Text("拒绝读测点之间的空地址", "refuse reads of addresses between points"),
    "rewrite": Text(
        "把指向这些端点的配置写到此文件，放在原配置旁", "write a copy of CONFIG that points here; keep it beside CONFIG"
    ),
    "seconds": Text("到时自动结束", "end by itself after that many seconds"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    texts = {name: text[parser.get_default("lang")] for name, text in _HELP.items()}
    add = parser.add_argument
    add("config", type=Path, help=texts["config"])
    add("--scenario", type=Path, metavar="FILE", help=texts["scenario"].format(names=_shipped_names()))
    add("--inputs", action="store_true", help=texts["inputs"])
    add("--seed", type=int, default=1, help=texts["seed"])
    add("--speed", type=speed, default=1.0, help=texts["speed"])
    add("--ports", type=Path, metavar="DIR", help=texts["ports"])
    add("--free-ports", action="store_true", help=texts["free_ports"])
    add("--strict", action="store_true", help=texts["strict"])
    add("--rewrite", type=Path, metavar="FILE", help=texts["rewrite"])
    add("--for", dest="seconds", type=seconds, metavar="SECONDS", help=texts["seconds"])


def run(options: argparse.Namespace) -> int:
    from gateway import app
    from gateway.sim.scenario import EMPTY
    from gateway.sim.scenario_file import load_scenario

    site = app.load(options.config, options.lang)
    if options.inputs:
        _print_inputs(site, options.seed)
        return 0
    scenario = (
        EMPTY
        if options.scenario is None
        else load_scenario(_scenario_path(options.scenario, options.lang), options.lang)
    )
    asyncio.run(_serve(site, scenario, options))
    return 0


async def _serve(site: SiteSettings, scenario: Scenario, options: argparse.Namespace) -> None:
    from gateway.sim.rewrite import rewrite
    from gateway.sim.simulation import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serve(
        site,
        seed=options.seed,
        speed=options.speed,
        scenario=scenario,
        ports=options.ports,
        free_ports=options.free_ports,
        strict=options.strict,
        language=options.lang,
    ) as simulation:
        print(_SERVING[options.lang])
        for row in _rows(simulation, options.lang):
            print(f"  {row}")
        if options.rewrite is not None:
            try:
                options.rewrite.write_text(rewrite(options.config, simulation.endpoints), encoding="utf-8")
            except OSError as error:
                raise GatewayError(f"{options.rewrite}: {error.strerror}") from error
            print(_REWRITTEN[options.lang].format(file=options.rewrite))
        print(end="", flush=True)
        try:
            async with asyncio.timeout(options.seconds):
                await simulation.run_until(stop)
        except TimeoutError:
            pass
        counters = simulation.counters
    print(_ENDED[options.lang].format(requests=counters["requests"], answers=counters["answers"]))


def _rows(simulation: Simulation, language: str) -> list[str]:
    """One line per endpoint: line, address, its devices with their unit ids."""
    from gateway.sim.binding import unit_of

    rows = []
    for line, endpoint in simulation.endpoints.items():
        devices = [device for device in simulation.site.devices if device.line == line]
        names = "，" if language == "zh" else ", "
        listed = names.join(f"{device.id} ({unit_of(device)})" for device in devices)
        rows.append(f"{line:<16} {endpoint:<44} {listed}")
    return rows


def _shipped() -> Path:
    return config_dir() / "scenarios"


def _shipped_names() -> str:
    return ", ".join(path.stem for path in sorted(_shipped().glob("*.yaml")))


def _scenario_path(given: Path, language: str) -> Path:
    """A file, or the shipped scenario of that name where there is no such file; ConfigError where there is neither."""
    if given.exists() or given.name != str(given) or given.suffix:
        return given
    shipped = _shipped() / f"{given}.yaml"
    if not shipped.exists():
        names = _shipped_names()
        text = Text(f"没有剧本 {given}", f"there is no scenario {given}")
        hint = Text(f"写文件，或其中之一：{names}", f"write a file, or one of {names}")
        raise ConfigError([Problem(str(given), 1, 1, ".", text[language], hint[language])])
    return shipped


def _print_inputs(site: SiteSettings, seed: int) -> None:
    """Targets and what may be set on them, one line each."""
    from gateway.sim.plant.site import Plant

    plant = Plant(site, seed)
    surroundings = {target: plant.surroundings(target) for target in ("mains", "weather")}
    for target, inputs in (*surroundings.items(), *((device, part.inputs) for device, part in plant.parts.items())):
        for name, given in inputs.items():
            print(f"{target}.{name}: {given.expected}")
