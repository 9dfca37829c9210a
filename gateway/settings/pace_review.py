"""Whether every line can be asked as often as `longest_interval` wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.model import Text
from gateway.settings.devices import DeviceEntry
from gateway.settings.durations import USUAL_INTERVALS_S, duration_text
from gateway.settings.lines import LineEntry
from gateway.settings.nodes import Section
from gateway.settings.pace import LEVELS, at_level
from gateway.settings.pace_keys import PACE_KEY
from gateway.settings.problems import Place, Problems
from gateway.settings.types import DeviceSettings, LineSettings


def review_pace(
    entry: LineEntry, line: LineSettings, devices: Sequence[DeviceEntry], root: Section, problems: Problems
) -> None:
    """A plan that fits while no response is active has to fit at each level; told at the mildest where it does not."""
    there = [each for each in devices if each.line == line.id and each.settings is not None]
    settings = [each.settings for each in there if each.settings is not None]
    for level in LEVELS:
        quicker = at_level(settings, level)
        if quicker == settings or not (findings := entry.protocol.review(line, quicker)):
            continue
        text = findings[0].text
        said = text if isinstance(text, Text) else Text(text, text)
        problems.add(
            _place(level, there, root),
            Text(
                f"{level} 级响应时线路 {line.id}：{said.zh}",
                f"line {line.id} at response level {level}: {said.en}",
            ),
            _hint(level, entry, line, settings),
        )
        return


def _place(level: str, devices: Iterable[DeviceEntry], root: Section) -> Place:
    """Where the interval of this level stands: with a device of the line, else with the site."""
    for section in (*(device.section for device in devices), root):
        pace = section.section(PACE_KEY)
        if pace is not None and level in pace.entries:
            return pace.place_of(level)
    return root.place_of(PACE_KEY)


def _hint(level: str, entry: LineEntry, line: LineSettings, devices: Sequence[DeviceSettings]) -> Text:
    for seconds in USUAL_INTERVALS_S:
        tried = [_at_most(each, level, seconds) for each in devices]
        if not entry.protocol.review(line, at_level(tried, level)):
            shown = duration_text(seconds)
            return Text(f"写 {level}: {shown} 或更长", f"write {level}: {shown} or longer")
    return Text("删去这一级", "leave this level out")


def _at_most(device: DeviceSettings, level: str, seconds: float) -> DeviceSettings:
    """The device with an interval at `level` that is `seconds` or longer, where it has one."""
    longest = device.longest_interval_s
    if level not in longest:
        return device
    return replace(device, longest_interval_s={**longest, level: max(seconds, longest[level])})
