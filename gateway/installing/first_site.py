"""From answers and a look at the lines to a first site file."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from gateway.app import PROTOCOLS
from gateway.commissioning.answers import (
    AUTO,
    NO,
    SKIP,
    are_lines,
    are_makers,
    are_units,
    is_broker,
    is_file_in,
    is_id,
    is_new_id,
    is_page,
    is_profile,
    is_speed,
    is_whole,
    is_zone,
    units_of,
    words_of,
)
from gateway.commissioning.catalogue import Card, catalogue
from gateway.commissioning.checks.ports import list_ports
from gateway.commissioning.fitting import Fit
from gateway.commissioning.interview import Interview, Question
from gateway.commissioning.line_faults import line_fault
from gateway.commissioning.site_file import Draft, DraftDevice, DraftLine
from gateway.installing.looking import Step, fits_of, line_settings, port_keys, search_once
from gateway.model import Text
from gateway.scanning import Found, LineDown, describe, settings_to_try
from gateway.scanning.search import BAUDRATES, PARITIES
from gateway.settings.bundled import config_dir
from gateway.settings.types import LineSettings
from gateway.settings.vocabulary import load_vocabulary

YES_NO = ("yes", "no")
_SHORT = {"generator": "gen", "light_tower": "light", "field_kitchen": "kitchen", "scba_compressor": "scba"}
_KINDS_THAT_COUNT = ("generator", "ats", "pump", "light_tower", "forklift", "field_kitchen", "scba_compressor", "ups")
#: Packs about what every site has: devices that may fall silent, and the gateway.
_OF_EVERY_SITE = ("communication", "gateway")
_SERIAL_S, _NETWORK_S = 0.15, 0.4


class Screen(Protocol):
    """What an installer sees beside the questions."""

    def say(self, text: Text) -> None: ...

    def progress(self, total: int) -> Step:
        """A search of so many steps begins."""
        ...


async def first_site(interview: Interview, screen: Screen, language: str, folder: Path) -> Draft:
    """Ask, look, propose; CannotAnswer where an answer is missing. Files that are named lie below `folder`."""
    draft = _about_the_site(interview, language)
    cards = catalogue(PROTOCOLS)
    for line in _lines(interview):
        units = await _look(interview, line, cards, screen)
        draft.lines.append(units.line)
        for unit, fits in units.found.items():
            _take(interview, draft, units.line.id, unit, fits, cards)
    _about_the_rest(interview, draft)
    _about_the_broker(interview, draft, folder)
    return draft


def _about_the_site(interview: Interview, language: str) -> Draft:
    ask = interview.ask
    id_ = ask(Question("site.id", Text("站点编号（小写字母、数字、-）", "site id (a-z, 0-9, -)"), check=is_id))
    zh = ask(Question("site.name.zh", Text("站点中文名", "name of the site in Chinese"), id_))
    en = ask(Question("site.name.en", Text("站点英文名", "name of the site in English"), id_))
    kind = ask(Question("site.kind", Text("站点类型", "what it is"), "warehouse", ("warehouse", "shelter", "vehicle")))
    zone = ask(Question("site.timezone", Text("时区", "time zone"), "Asia/Shanghai", check=is_zone))
    return Draft(id_, Text(zh, en), kind, zone, language)


def _lines(interview: Interview) -> list[DraftLine]:
    ports = [str(path) for path in list_ports()]
    shown = " ".join(ports)
    text = Text(
        f"线路：串口路径或 主机:端口，用空格或逗号分开（找到的串口：{shown or '无'}）",
        f"lines: serial ports or host:port, blanks or commas between (ports found: {shown or 'none'})",
    )
    words = words_of(interview.ask(Question("lines", text, shown or None, check=are_lines)))
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


def _where(line: DraftLine) -> str:
    return str(line.keys.get("serial") or line.keys.get("tcp"))


async def _look(interview: Interview, line: DraftLine, cards: Sequence[Card], screen: Screen) -> _Looked:
    looked = _Looked(line)
    makers = sorted({card.profile.split("/")[0] for card in cards})
    shown = " ".join(makers)
    screen.say(Text(f"{line.id}（{_where(line)}）可选厂家：{shown}", f"{line.id} ({_where(line)}), makers: {shown}"))
    text = Text(
        f"{line.id} 上有哪些厂家，用空格或逗号分开，不知道就回车",
        f"makers of what hangs on {line.id}, blanks or commas between, Enter if unknown",
    )
    wanted = words_of(interview.ask(Question(f"{line.id}.makers", text, "", check=are_makers(makers))))
    chosen = [card for card in cards if card.profile.split("/")[0] in wanted]
    search = interview.ask(
        Question(
            f"{line.id}.scan", Text(f"现在搜索 {line.id}（只读）", f"search {line.id} now (only reads)"), "yes", YES_NO
        )
    )
    if search == "no":
        _without_search(interview, looked)
        return looked
    setting, units = await _search(interview, line, screen)
    looked.line = DraftLine(line.id, {**line.keys, **port_keys(setting)})
    if units and describe(setting):
        screen.say(Text(f"  {line.id}：{describe(setting)}", f"  {line.id}: {describe(setting)}"))
    for unit in units:
        fits = await fits_of(setting, unit, chosen)
        looked.found[unit.unit] = fits
        screen.say(_told(line, unit.unit, fits, chosen))
    return looked


def _told(line: DraftLine, unit: int, fits: Sequence[Fit], chosen: Sequence[Card]) -> Text:
    """What was found at one unit, and how far to believe it."""
    if not fits:
        zh, en = ("值与所选厂家的型号都不符", "fits no model of these makers")
        if not chosen:
            zh, en = ("认不出型号，写出厂家后可再试", "unknown; name its maker to have its models tried")
    elif fits[0].by_identity:
        zh, en = ("身份寄存器相符", "by identity registers")
    else:
        zh, en = ("按数值推断，请核对铭牌", "by its values: compare the name plate")
    names = " ".join(fit.profile for fit in fits[:3]) or "?"
    return Text(f"  {line.id} 站号 {unit}：{names}（{zh}）", f"  {line.id} unit {unit}: {names} ({en})")


def _without_search(interview: Interview, looked: _Looked) -> None:
    line = looked.line
    if "serial" in line.keys:
        speed = interview.ask(Question(f"{line.id}.baudrate", Text("波特率", "speed"), "9600", check=is_whole))
        parity = interview.ask(Question(f"{line.id}.parity", Text("校验", "parity"), "N", PARITIES))
        looked.line = DraftLine(line.id, {**line.keys, "baudrate": int(speed), "parity": parity})
    words = interview.ask(
        Question(f"{line.id}.units", Text(f"{line.id} 上的站号", f"units on {line.id}"), check=are_units)
    )
    for unit in units_of(words):
        looked.found[unit] = []


async def _search(interview: Interview, line: DraftLine, screen: Screen) -> tuple[LineSettings, list[Found]]:
    words = interview.ask(
        Question(f"{line.id}.units", Text("搜索哪些站号", "units to look for"), "1-32", check=are_units)
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
                check=is_speed,
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
    plain = line_settings(line)
    timeout_s = _SERIAL_S if is_serial else _NETWORK_S
    settings, units = settings_to_try(plain, bauds, parities), units_of(words)
    step = screen.progress(len(settings) * len(units))
    for setting in settings:
        try:
            found = await search_once(setting, units, timeout_s, step, insists=len(settings) == 1)
        except LineDown as down:
            step(None, 0)
            why = line_fault(str(down))
            screen.say(Text(f"  {line.id} 不可用：{why.zh}", f"  {line.id} cannot be used: {why.en}"))
            return plain, []
        if found:
            step(None, 0)
            return setting, found
    step(None, 0)
    screen.say(
        Text(
            f"  {line.id} 没有站号应答：检查供电、A/B 线是否接反、站号和波特率",
            f"  no unit answered on {line.id}: check supply, whether A and B are exchanged, unit ids and speed",
        )
    )
    return plain, []


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
            check=is_profile(known),
        )
    )
    if profile == SKIP:
        return
    card = known[profile]
    short = _SHORT.get(card.kind, card.kind.replace("_", "-"))
    number = 1 + sum(device.kind == card.kind for device in draft.devices)
    taken = {device.id for device in draft.devices}
    free = next(f"{short}-{each}" for each in itertools.count(number) if f"{short}-{each}" not in taken)
    id_ = interview.ask(Question(f"{key}.id", Text("  设备编号", "  id of the device"), free, check=is_new_id(taken)))
    zh = interview.ask(Question(f"{key}.name.zh", Text("  中文名", "  Chinese name"), f"{number}号{card.kind_name.zh}"))
    en = interview.ask(Question(f"{key}.name.en", Text("  英文名", "  English name"), f"{card.kind_name.en} {number}"))
    draft.devices.append(DraftDevice(id_, Text(zh, en), card.kind, profile, line, unit, _missing(card), card.caveats))


def _missing(card: Card) -> list[str]:
    """Mandatory points of the kind that no point of the profile meets, where no fact decides."""
    given = {source.name for entry in card.points.values() for source in entry.sources}
    needed = [each.points for each in load_vocabulary()[card.kind].mandatory if not each.when]
    return ["/".join(points) for points in needed if not given & set(points)]


def _about_the_rest(interview: Interview, draft: Draft) -> None:
    ask = interview.ask
    packs = {path.stem for path in (config_dir() / "rules").glob("*.yaml")}
    kinds = list(dict.fromkeys(device.kind for device in draft.devices))
    draft.rules = [f"builtin/{name}" for name in (*(kind for kind in kinds if kind in packs), *_OF_EVERY_SITE)]
    for kind in (kind for kind in kinds if kind in _KINDS_THAT_COUNT):
        count = sum(device.kind == kind for device in draft.devices)
        name = load_vocabulary()[kind].label
        text = Text(f"{name.zh}至少要有几台可用", f"how many must be usable: {name.en.lower()}")
        draft.required[kind] = int(ask(Question(f"required.{kind}", text, str(count), check=is_whole)))
    page = Text("本地页面地址（no 不要）", "address of the local page (no for none)")
    listen = ask(Question("web", page, "127.0.0.1:8321", check=is_page))
    draft.web = None if listen == NO else listen


def _about_the_broker(interview: Interview, draft: Draft, folder: Path) -> None:
    ask = interview.ask

    is_there = is_file_in(folder)
    text = Text("消息服务器地址（mqtt:// 或 mqtts://，可空）", "broker (mqtt:// or mqtts://, may be empty)")
    url = ask(Question("mqtt.url", text, "", check=is_broker))
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
