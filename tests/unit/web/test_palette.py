"""Every ink of the page stands out on every paper it is written on, by day and by night (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.model import Priority, ReadinessState
from gateway.web import page

CSS = (Path(page.__file__).parent / "static" / "page.css").read_text(encoding="utf-8")
ENOUGH = 4.5
INKS = (
    "ink",
    "soft",
    "ready",
    "degraded",
    "not_ready",
    "unknown",
    "in_use",
    "other",
    "critical",
    "high",
    "medium",
    "low",
)
PAPERS = ("paper", "card", "sunk")


def colours(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z_-]+): (#[0-9a-f]{3,6})", text))


def palettes() -> dict[str, dict[str, str]]:
    day = colours(CSS.partition("@media")[0])
    night = colours(CSS.partition("prefers-color-scheme: dark")[2].partition("/*")[0])
    return {"light": day, "dark": night}


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(each * 2 for each in digits)
    linear = []
    for place in (0, 2, 4):
        channel = int(digits[place : place + 2], 16) / 255
        linear.append(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#fff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("ink", INKS)
def test_every_ink_stands_out(scheme: str, paper: str, ink: str) -> None:
    palette = palettes()[scheme]
    assert contrast(palette[ink], palette[paper]) >= ENOUGH


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"), [("bar-ink", "bar"), ("bar-soft", "bar"), ("paper", "not_ready"), ("card", "ink")]
)
def test_the_bars_and_buttons_are_readable(scheme: str, ink: str, paper: str) -> None:
    palette = palettes()[scheme]
    assert contrast(palette[ink], palette[paper]) >= ENOUGH


@pytest.mark.parametrize("priority", list(Priority))
def test_what_is_written_on_a_priority_is_readable(priority: Priority) -> None:
    found = re.search(rf"\.fill-{priority.value} {{ --fill: (#\w+); --on: (#\w+); }}", CSS)
    assert found is not None
    assert contrast(*found.groups()) >= ENOUGH


def test_every_state_and_priority_has_its_colour() -> None:
    for state in ReadinessState:
        assert f".state-{state.value}" in CSS
    for priority in Priority:
        assert f".priority-{priority.value}" in CSS
