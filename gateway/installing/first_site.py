"""From answers and a look at the lines to a first site file."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from drivers.modbus import compile_device, open_line
from drivers.modbus.options import ModbusLine
from gateway.app import PROTOCOLS, load
from gateway.clock import SystemClock
from gateway.commissioning.catalogue import Card, catalogue
from gateway.commissioning.checks.ports import list_ports
from gateway.commissioning.fitting import Fit, best_first, fit_of
from gateway.commissioning.interview import Interview, Question
from gateway.commissioning.site_file import Draft, DraftDevice, DraftLine
from gateway.model import Answer, Fault, FaultKind, Job, Text
from gateway.polling.identification import marks_of
from gateway.ports import DevicePlan, Line, Values
from gateway.scanning import Found, LineDown, Search, ask_directly, load_candidates, settings_to_try
from gateway.scanning.search import BAUDRATES, PARITIES
from gateway.settings.bundled import config_dir
from gateway.settings.types import DeviceSettings, LineSettings
from gateway.settings.vocabulary import load_vocabulary

YES_NO = ("yes", "no")
AUTO, SKIP = "auto", "skip"
ID = r"[a-z0-9-]{1,32}"
_SHORT = {"generator": "gen", "light_tower": "light", "field_kitchen": "kitchen", "scba_compressor": "scba"}
_KINDS_THAT_COUNT = ("generator", "ats", "pump", "light_tower", "forklift", "field_kitchen", "scba_compressor", "ups")
_SERIAL_S, _NETWORK_S = 0.15, 0.4
#: A profile is given up after so many single places that the device does not have.
_MOST_REFUSALS = 6
_TRIAL = """
schema: 1
site: {id: trial, name: {zh: 试, en: Trial}, kind: warehouse, timezone: UTC}
lines: {%s: {%s}}
devices: [{id: it, kind: %s, profile: %s, line: %s, unit: %d, interval: 1h, timeout: 1s}]
"""

NO_VALUES = Values((), (), ())

Say = Callable[[Text], None]


async def first_site(interview: Interview, say: Say, language: str, folder: Path) -> Draft:
    """Ask, look, propose; CannotAnswer where an answer is missing. Files that are named lie below `folder`."""
    draft = _about_the_site(interview, language)
    cards = catalogue(PROTOCOLS)
    for line in _lines(interview):
        units = await _look(interview, line, cards, say)
        draft.lines.append(units.line)
        for unit, fits in units.found.items():
            _take(interview, draft, units.line.id, unit, fits, cards)
    _about_the_rest(interview, draft)
    _about_the_broker(interview, draft, folder)
    return draft


def _about_the_site(interview: Interview, language: str) -> Draft:
    ask = interview.ask
    id_ = ask(Question("site.id", Text("站点编号（小写字母、数字、-）", "site id (a-z, 0-9, -)"), check=_is_id))
    zh = ask(Question("site.name.zh", Text("站点中文名", "name of the site in Chinese"), id_))
    en = ask(Question("site.name.en", Text("站点英文名", "name of the site in English"), id_))
    kind = ask(Question("site.kind", Text("站点类型", "what it is"), "warehouse", ("warehouse", "shelter", "vehicle")))
    zone = ask(Question("site.timezone", Text("时区", "time zone"), "Asia/Shanghai"))
    return Draft(id_, Text(zh, en), kind, zone, language)


def _is_id(answer: str) -> Text | None:
    if re.fullmatch(ID, answer):
        return None
    return Text("只用小写字母、数字和 -，最多 32 个", "a to z, 0 to 9 and -, at most 32 of them")


def _lines(interview: Interview) -> list[DraftLine]:
    ports = [str(path) for path in list_ports()]
    shown = " ".join(ports)
    text = Text(
        f"线路：串口路径或 主机:端口，用空格分开（找到的串口：{shown or '无'}）",
        f"lines: serial ports or host:port, blanks between (ports found: {shown or 'none'})",
    )
    words = interview.ask(Question("lines", text, shown or None)).split()
    found: list[DraftLine] = []
    for word in words:
        medium = "serial" if word.startswith(("/", ".")) else "tcp"
        prefix = "bus" if medium == "serial" else "lan"
        number = 1 + sum(line.id.startswith(prefix) for line in found)
        found.append(DraftLine(f"{prefix}-{number}", {medium: word}))
    return found


class _Looked:
    """A line, and what fits each unit on it."""

    def __init__(self, line: DraftLine) -> None:
        self.line = line
        self.found: dict[int, list[Fit]] = {}


async def _look(interview: Interview, line: DraftLine, cards: Sequence[Card], say: Say) -> _Looked:
    looked = _Looked(line)
    makers = sorted({card.profile.split("/")[0] for card in cards})
    wanted = interview.ask(
        Question(
            f"{line.id}.makers",
            Text(f"{line.id} 上有哪些厂家（{' '.join(makers)}）", f"makers on {line.id} ({' '.join(makers)})"),
            "",
        )
    ).split()
    chosen = [card for card in cards if card.profile.split("/")[0] in wanted]
    search = interview.ask(
        Question(
            f"{line.id}.scan", Text(f"现在搜索 {line.id}（只读）", f"search {line.id} now (only reads)"), "yes", YES_NO
        )
    )
    if search == "no":
        _without_search(interview, looked)
        return looked
    setting, units = await _search(interview, line, say)
    looked.line = DraftLine(line.id, {**line.keys, **_port_keys(setting)})
    for unit in units:
        fits = await _fits(setting, unit, chosen)
        looked.found[unit.unit] = fits
        names = " ".join(fit.profile for fit in fits[:3]) or "?"
        say(Text(f"  {line.id} 站号 {unit.unit}：{names}", f"  {line.id} unit {unit.unit}: {names}"))
    if not units:
        say(Text(f"  {line.id} 没有站号应答", f"  no unit answered on {line.id}"))
    return looked


def _without_search(interview: Interview, looked: _Looked) -> None:
    line = looked.line
    if "serial" in line.keys:
        speed = interview.ask(Question(f"{line.id}.baudrate", Text("波特率", "speed"), "9600", check=_is_whole))
        parity = interview.ask(Question(f"{line.id}.parity", Text("校验", "parity"), "N", PARITIES))
        looked.line = DraftLine(line.id, {**line.keys, "baudrate": int(speed), "parity": parity})
    words = interview.ask(
        Question(f"{line.id}.units", Text(f"{line.id} 上的站号", f"units on {line.id}"), check=_are_units)
    )
    for unit in _units_of(words):
        looked.found[unit] = []


async def _search(interview: Interview, line: DraftLine, say: Say) -> tuple[LineSettings, list[Found]]:
    words = interview.ask(
        Question(f"{line.id}.units", Text("搜索哪些站号", "units to look for"), "1-32", check=_are_units)
    )
    bauds: Sequence[int] | None = None
    parities: Sequence[str] | None = None
    is_serial = "serial" in line.keys
    if is_serial:
        speed = interview.ask(
            Question(
                f"{line.id}.baudrate",
                Text("波特率（auto 逐个试）", "speed (auto tries them all)"),
                AUTO,
                check=_is_speed,
            )
        )
        parity = interview.ask(
            Question(
                f"{line.id}.parity",
                Text("校验（auto 逐个试）", "parity (auto tries them all)"),
                AUTO,
                (*PARITIES, AUTO),
            )
        )
        bauds = BAUDRATES if speed == AUTO else (int(speed),)
        parities = PARITIES if parity == AUTO else (parity,)
    plain = _line_settings(line)
    timeout_s = _SERIAL_S if is_serial else _NETWORK_S
    for setting in settings_to_try(plain, bauds, parities):
        try:
            found = await _search_once(setting, _units_of(words), timeout_s)
        except LineDown as down:
            say(Text(f"  {line.id} 不可用：{down}", f"  {line.id} cannot be used: {down}"))
            return plain, []
        if found:
            return setting, found
    return plain, []


async def _search_once(setting: LineSettings, units: Sequence[int], timeout_s: float) -> list[Found]:
    """Every unit at one setting. A port that something else just looks at gets another chance."""
    clock = SystemClock()
    candidates = load_candidates(PROTOCOLS)
    for wait_s in (0.5, 1.5, None):
        opened = open_line(setting, clock)
        try:
            search = Search(ask_directly(opened, setting, clock, timeout_s), candidates)
            return [unit async for unit in search.run(units, lambda _unit: None)]
        except LineDown:
            if wait_s is None:
                raise
        finally:
            await opened.close()
        await asyncio.sleep(wait_s)
    raise AssertionError("the last chance raises")


def _line_settings(line: DraftLine) -> LineSettings:
    protocol = PROTOCOLS["modbus"]
    options = protocol.line_options.model_validate(dict(line.keys))
    return LineSettings(line.id, protocol.name, protocol.endpoint(options), options)


def _port_keys(setting: LineSettings) -> Mapping[str, str | int]:
    options = setting.options
    if not isinstance(options, ModbusLine) or options.serial is None:
        return {}
    return {"baudrate": options.baudrate, "parity": options.parity, "stopbits": options.stopbits}


async def _fits(setting: LineSettings, unit: Found, chosen: Sequence[Card]) -> list[Fit]:
    """Profiles for one unit: by identity, else by how well those of the makers named read."""
    if unit.proposals:
        return [Fit(profile, True, 1, 0, 0, 0) for profile in unit.proposals]
    clock = SystemClock()
    line = open_line(setting, clock)
    try:
        fits = [await _try(line, setting, unit.unit, card, clock) for card in chosen if not card.identity]
    finally:
        await line.close()
    return best_first(fits)


async def _try(line: Line, setting: LineSettings, unit: int, card: Card, clock: SystemClock) -> Fit:
    device = _trial_device(setting, unit, card)
    plan = compile_device(setting, device)
    for mark in marks_of(compile_device, setting, device):
        outcomes = await _poll(line, mark.plan, clock)
        if not mark.fits(mark.plan.decode(outcomes, 0.0).values[0]):
            return fit_of(card.profile, NO_VALUES)
    return fit_of(card.profile, plan.decode(await _poll(line, plan, clock), 0.0), len(card.family))


def _trial_device(setting: LineSettings, unit: int, card: Card) -> DeviceSettings:
    with tempfile.TemporaryDirectory(prefix="vigil-init-") as folder:
        path = Path(folder) / "site.yaml"
        path.write_text(_TRIAL % (setting.id, 'tcp: "127.0.0.1:502"', card.kind, card.profile, setting.id, unit))
        (device,) = load(path).devices
    return replace(device, id=f"{setting.id}-{unit}")


async def _poll(line: Line, plan: DevicePlan, clock: SystemClock) -> list[tuple[Job, Answer | Fault]]:
    """One poll; given up where the device has another map or does not answer."""
    outcomes: list[tuple[Job, Answer | Fault]] = []
    waiting, refusals = list(plan.together(plan.jobs())), 0
    while waiting:
        job = waiting.pop(0)
        outcome = await line.run(job, clock.monotonic() + job.timeout_s + job.wire_ms / 1000)
        given_up = isinstance(outcome, Fault) and outcome.kind is not FaultKind.REFUSED
        if isinstance(outcome, Fault) and outcome.kind is FaultKind.REFUSED:
            pieces = plan.refused(job, outcome.code, outcome.at)
            if pieces:
                waiting = [*pieces, *waiting]
                continue
            refusals += 1
            given_up = refusals > _MOST_REFUSALS
        outcomes.append((job, outcome))
        if given_up:
            fault = outcome if isinstance(outcome, Fault) else Fault(FaultKind.TIMEOUT, 0.0)
            return [*outcomes, *((each, fault) for each in waiting)]
    return outcomes


def _take(interview: Interview, draft: Draft, line: str, unit: int, fits: Sequence[Fit], cards: Sequence[Card]) -> None:
    known = {card.profile: card for card in cards}
    key = f"{line}.{unit}"
    profile = interview.ask(
        Question(
            f"{key}.profile",
            Text(
                f"{line} 站号 {unit} 的型号文件（skip 跳过）",
                f"profile of unit {unit} on {line} (skip to leave it out)",
            ),
            fits[0].profile if fits else SKIP,
            check=lambda answer: None if answer in known or answer == SKIP else _no_profile(answer),
        )
    )
    if profile == SKIP:
        return
    card = known[profile]
    short = _SHORT.get(card.kind, card.kind.replace("_", "-"))
    number = 1 + sum(device.kind == card.kind for device in draft.devices)
    id_ = interview.ask(Question(f"{key}.id", Text("设备编号", "id of the device"), f"{short}-{number}", check=_is_id))
    zh = interview.ask(Question(f"{key}.name.zh", Text("中文名", "Chinese name"), f"{number}号{card.kind_name.zh}"))
    en = interview.ask(Question(f"{key}.name.en", Text("英文名", "English name"), f"{card.kind_name.en} {number}"))
    draft.devices.append(DraftDevice(id_, Text(zh, en), card.kind, profile, line, unit, _missing(card), card.caveats))


def _no_profile(answer: str) -> Text:
    return Text(f"没有型号文件 {answer}，见 docs/devices.md", f"there is no profile {answer}; see docs/devices.md")


def _missing(card: Card) -> list[str]:
    """Mandatory points of the kind that no point of the profile meets, where no fact decides."""
    given = {source.name for entry in card.points.values() for source in entry.sources}
    needed = [each.points for each in load_vocabulary()[card.kind].mandatory if not each.when]
    return ["/".join(points) for points in needed if not given & set(points)]


def _about_the_rest(interview: Interview, draft: Draft) -> None:
    ask = interview.ask
    packs = {path.stem for path in (config_dir() / "rules").glob("*.yaml")}
    kinds = list(dict.fromkeys(device.kind for device in draft.devices))
    draft.rules = [f"builtin/{kind}" for kind in kinds if kind in packs]
    for kind in (kind for kind in kinds if kind in _KINDS_THAT_COUNT):
        count = sum(device.kind == kind for device in draft.devices)
        text = Text(f"至少要有几台 {kind} 可用", f"how many of kind {kind} must be usable")
        draft.required[kind] = int(ask(Question(f"required.{kind}", text, str(count), check=_is_whole)))
    page = Text("本地页面地址（no 不要）", "address of the local page (no for none)")
    listen = ask(Question("web", page, "127.0.0.1:8321"))
    draft.web = None if listen == "no" else listen


def _about_the_broker(interview: Interview, draft: Draft, folder: Path) -> None:
    ask = interview.ask

    def is_there(answer: str) -> Text | None:
        if not answer or (folder / answer).is_file():
            return None
        return Text(f"先建好文件 {folder / answer}", f"make the file {folder / answer} first")

    text = Text("消息服务器地址（mqtt:// 或 mqtts://，可空）", "broker (mqtt:// or mqtts://, may be empty)")
    url = ask(Question("mqtt.url", text, ""))
    if not url:
        return
    draft.mqtt["url"] = url
    user = ask(Question("mqtt.username", Text("用户名（可空）", "user name (may be empty)"), ""))
    if user:
        text = Text("存放口令的文件（先建好，权限 600）", "file that holds the password (make it first, mode 600)")
        secret = ask(Question("mqtt.password_file", text, "mqtt.secret", check=is_there))
        draft.mqtt |= {"username": user, "password_file": secret}
    if url.startswith("mqtts:"):
        text = Text("CA 证书文件（公共机构签发的可空）", "CA file (empty for public authorities)")
        ca = ask(Question("mqtt.ca_file", text, "", check=is_there))
        draft.mqtt |= {"ca_file": ca} if ca else {}


def _is_whole(answer: str) -> Text | None:
    return None if answer.isascii() and answer.isdecimal() else Text("写一个整数", "write a whole number")


def _is_speed(answer: str) -> Text | None:
    return None if answer == AUTO else _is_whole(answer)


def _are_units(answer: str) -> Text | None:
    try:
        units = _units_of(answer)
    except ValueError:
        units = ()
    if units and all(1 <= unit <= 247 or unit == 255 for unit in units):
        return None
    return Text("写成 1-10,32，站号 1 到 247", "write 1-10,32, units 1 to 247")


def _units_of(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.replace(",", " ").split():
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return tuple(dict.fromkeys(found))
