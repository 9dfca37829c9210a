"""`longest_interval` as written: seconds by response level."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.model import Text
from gateway.settings.durations import duration_text
from gateway.settings.files import PaceKeys
from gateway.settings.nodes import Section
from gateway.settings.pace import LEVELS
from gateway.settings.problems import Problems

PACE_KEY = "longest_interval"


def read_pace(section: Section, keys: PaceKeys | None, problems: Problems) -> Mapping[str, float]:
    """Seconds by response level; a problem where a more severe level would be asked more rarely than a milder one."""
    if keys is None:
        return MappingProxyType({})
    written = dict(zip(LEVELS, (keys.fourth, keys.third, keys.second, keys.first), strict=True))
    longest = {level: seconds for level, seconds in written.items() if seconds is not None}
    milder: str | None = None
    for level, seconds in longest.items():
        if milder is not None and seconds > longest[milder]:
            problems.add(
                (section.section(PACE_KEY) or section).place_of(level),
                Text(
                    f"{level} 级比 {milder} 级严重，间隔却更长",
                    f"level {level} is more severe than {milder}, and its interval is longer",
                ),
                Text(
                    f"最长 {duration_text(longest[milder])}，或删去",
                    f"{duration_text(longest[milder])} at most, or nothing",
                ),
            )
        milder = level
    return MappingProxyType(longest)
