"""`vigil check`: every problem of a site, ingest, profile or rule file, or what it will do."""

from __future__ import annotations

import argparse
from pathlib import Path

from gateway.cli.plan_text import describe
from gateway.dispatch.review import review_names
from gateway.model import Text
from gateway.rules.book import load_rules, read_packs
from gateway.settings.document import read
from gateway.settings.ingest import load_ingest
from gateway.settings.nodes import Section
from gateway.settings.problems import Problems
from gateway.settings.profiles import load_profile
from gateway.settings.protocol import Protocols
from gateway.settings.site import load_site


def arguments(parser: argparse.ArgumentParser) -> None:
    language = parser.get_default("lang")
    config = Text("站点文件、中心（ingest）文件、型号文件或规则包", "site file, ingest file, profile or rule pack")
    plan = Text(
        "列出请求、线路负载、主题、序列和每天字节数", "show requests, load of each line, topics, series, bytes per day"
    )
    parser.add_argument("config", type=Path, metavar="CONFIG", help=config[language])
    parser.add_argument("--plan", action="store_true", help=plan[language])


def run(options: argparse.Namespace) -> int:
    """Print the plan or one line that all is well; ConfigError with every problem."""
    from gateway.app import PROTOCOLS

    for line in check(options.config, PROTOCOLS, options.lang, plan=options.plan):
        print(line)
    return 0


def check(path: Path, protocols: Protocols, language: str, *, plan: bool = False) -> list[str]:
    """What to say of a good file; ConfigError otherwise."""
    keys = _top_keys(path)
    if "influx" in keys and "site" not in keys:
        settings = load_ingest(path, language)
        where = f"{settings.mqtt.host}:{settings.mqtt.port} -> {settings.influx.url} ({settings.influx.api})"
        return [Text(f"{path}: 正确：{where}", f"{path}: ok: {where}")[language]]
    if "vendor" in keys and "site" not in keys:
        profile = load_profile(path, protocols, language)
        points = sum(len(entry.sources) for entry in profile.points.values())
        return [
            Text(f"{path}: 正确：{profile.kind}，测点 {points} 个", f"{path}: ok: {profile.kind}, points: {points}")[
                language
            ]
        ]
    if "rules" in keys and "site" not in keys:
        pack = read_packs([(str(path), path)], language)[0]
        return [
            Text(
                f"{path}: 正确：{pack.kind}，规则 {len(pack.rules)} 条",
                f"{path}: ok: {pack.kind}, rules: {len(pack.rules)}",
            )[language]
        ]
    site = load_site(path, protocols, language)
    review_names(site, [rule for pack in load_rules(site, language).packs for rule in pack.rules], language)
    points = sum(len(device.points) for device in site.devices)
    summary = Text(
        f"{path}: 正确：{site.id}，线路 {len(site.lines)} 条，设备 {len(site.devices)} 台，测点 {points} 个",
        f"{path}: ok: {site.id}, lines: {len(site.lines)}, devices: {len(site.devices)}, points: {points}",
    )[language]
    return [*describe(site, protocols, language), "", summary] if plan else [summary]


def _top_keys(path: Path) -> set[object]:
    """The keys a file starts with, which tell what kind of file it is; what is wrong with it is told by its reader."""
    root, _ = read(path, Problems())
    return set(root.entries) if isinstance(root, Section) else set()
