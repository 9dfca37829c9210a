"""What the answers of an installer must be: None where one will do, else what to write instead."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Collection
from pathlib import Path

from gateway.commissioning.interview import Check
from gateway.model import Text

AUTO, SKIP, NO = "auto", "skip", "no"
_ID = r"[a-z0-9-]{1,32}"
_HOST_PORT = r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(\d{1,5})"


def words_of(answer: str) -> list[str]:
    """The words of an answer; blanks or commas stand between."""
    return re.sub("[,，、]", " ", answer).split()


def is_id(answer: str) -> Text | None:
    if re.fullmatch(_ID, answer):
        return None
    better = re.sub(r"[^a-z0-9-]+", "-", answer.lower()).strip("-")[:32] or "depot-07"
    return Text(
        f"只用小写字母、数字和 -，最多 32 个，例如 {better}", f"a to z, 0 to 9 and -, at most 32, such as {better}"
    )


def is_new_id(taken: Collection[str]) -> Check:
    def check(answer: str) -> Text | None:
        if answer in taken:
            return Text(f"编号 {answer} 已用过，换一个", f"{answer} is taken, write another")
        return is_id(answer)

    return check


def is_zone(answer: str) -> Text | None:
    known = zoneinfo.available_timezones()
    if answer in known:
        return None
    near = ", ".join(difflib.get_close_matches(answer, known, 3)) or "Asia/Shanghai, Asia/Urumqi"
    return Text(f"没有时区 {answer}，例如 {near}", f"there is no time zone {answer}; there are {near}")


def are_lines(answer: str) -> Text | None:
    """Paths of serial ports and host:port, blanks or commas between."""
    words = words_of(answer)
    if not words:
        return Text("至少写一条线路", "write one line at least")
    for word in words:
        if word.startswith(("/", ".")):
            if not Path(word).exists():
                return Text(f"{word} 不存在，检查适配器是否插好", f"{word} is not there; is the adapter plugged in?")
        elif not is_host_port(word):
            return Text(
                f"{word} 写成 /dev/... 或 主机:端口，例如 10.0.0.5:502",
                f"write {word} as /dev/... or host:port, such as 10.0.0.5:502",
            )
    if len(set(words)) < len(words):
        return Text("同一条线路写了两次", "one line stands twice")
    return None


def is_host_port(word: str) -> bool:
    found = re.fullmatch(_HOST_PORT, word)
    return found is not None and 1 <= int(found[2]) <= 65535


def are_makers(known: Collection[str]) -> Check:
    def check(answer: str) -> Text | None:
        strange = [word for word in words_of(answer) if word not in known]
        if not strange:
            return None
        near = difflib.get_close_matches(strange[0].lower(), known, 3, 0.5)
        hint = Text(f"，是不是 {'、'.join(near)}", f"; did you mean {', '.join(near)}?") if near else Text("", "")
        return Text(f"没有厂家 {strange[0]}{hint.zh}", f"there is no maker {strange[0]}{hint.en}")

    return check


def is_profile(known: Collection[str]) -> Check:
    def check(answer: str) -> Text | None:
        if answer in known or answer == SKIP:
            return None
        near = difflib.get_close_matches(answer, known, 3, 0.5)
        if near:
            return Text(
                f"没有型号文件 {answer}，是不是 {'、'.join(near)}",
                f"there is no profile {answer}; did you mean {', '.join(near)}?",
            )
        return Text(f"没有型号文件 {answer}，见 docs/devices.md", f"there is no profile {answer}; see docs/devices.md")

    return check


def is_whole(answer: str) -> Text | None:
    if answer.isascii() and answer.isdecimal():
        return None
    return Text("写一个整数，例如 1", "write a whole number, such as 1")


def is_speed(answer: str) -> Text | None:
    if answer == AUTO or (answer.isascii() and answer.isdecimal() and 300 <= int(answer) <= 4_000_000):
        return None
    return Text("写 auto 或波特率，例如 9600", "write auto or a speed, such as 9600")


def are_units(answer: str) -> Text | None:
    try:
        units = units_of(answer)
    except ValueError:
        units = ()
    if units and all(1 <= unit <= 247 or unit == 255 for unit in units):
        return None
    return Text("写成 1-10,32，站号 1 到 247", "write 1-10,32, units 1 to 247")


def units_of(text: str) -> tuple[int, ...]:
    """`1-10,32`; ValueError for anything else."""
    found: list[int] = []
    for part in words_of(text):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    return tuple(dict.fromkeys(found))


def is_page(answer: str) -> Text | None:
    if answer == NO or is_host_port(answer):
        return None
    return Text("写 地址:端口，例如 127.0.0.1:8321；不要页面写 no", "write address:port, such as 127.0.0.1:8321, or no")


def is_broker(answer: str) -> Text | None:
    if not answer or re.fullmatch(r"mqtts?://[^\s/@]+", answer):
        return None
    return Text("写成 mqtts://主机:8883 或 mqtt://主机:1883", "write mqtts://host:8883 or mqtt://host:1883")


def is_file_in(folder: Path) -> Check:
    def check(answer: str) -> Text | None:
        if not answer or (folder / answer).is_file():
            return None
        return Text(f"先建好文件 {folder / answer}", f"make the file {folder / answer} first")

    return check
