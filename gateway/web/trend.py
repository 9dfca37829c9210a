"""A trend as a small drawing (SVG): range as a band, mean as a line, gaps left open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import floor, log10

from markupsafe import escape

from gateway.store import Bucket

HEIGHT, LEFT, BOTTOM, TOP = 200, 56, 24, 10


def _nice(span: float) -> float:
    """A step of 1, 2 or 5 times a power of ten, about a third of `span`."""
    rough = span / 3 or 1.0
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough)


def _tick(value: float, step: float) -> str:
    decimals = max(0, -floor(log10(step)))
    return f"{value:.{decimals}f}"


def draw(
    points: Sequence[Bucket], since_ms: int, until_ms: int, clock_text: Sequence[tuple[int, str]], width: int, name: str
) -> str:
    """The drawing, `width` pixels wide, or an empty string where no bucket has a value.

    `clock_text` labels times on the axis, `name` says what it shows to who cannot see it.
    """
    known = [p for p in points if p.mean is not None and p.low is not None and p.high is not None]
    if not known:
        return ""
    low = min(p.low for p in known if p.low is not None)
    high = max(p.high for p in known if p.high is not None)
    step = _nice(high - low or abs(high) * 0.1 or 1.0)
    bottom, top = floor(low / step) * step, (floor(high / step) + 1) * step

    def x(ts: int) -> str:
        return f"{LEFT + (width - LEFT - 4) * (ts - since_ms) / max(1, until_ms - since_ms):.1f}"

    def y(value: float) -> str:
        return f"{TOP + (HEIGHT - TOP - BOTTOM) * (top - value) / (top - bottom):.1f}"

    spoken = f"{escape(name)}: {_tick(known[-1].mean or 0.0, step)} ({_tick(low, step)} … {_tick(high, step)})"
    parts = [f'<svg viewBox="0 0 {width} {HEIGHT}" class="trend" role="img" aria-label="{spoken}">']
    for number in range(round((top - bottom) / step) + 1):
        level = bottom + number * step
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{width - 4}" y1="{y(level)}" y2="{y(level)}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(level)}" class="left">{_tick(level, step)}</text>')
    parts.extend(f'<text x="{x(ts)}" y="{HEIGHT - 6}" class="under">{text}</text>' for ts, text in clock_text)
    for has_value, run in groupby(points, key=lambda p: p.mean is not None):
        piece = list(run)
        if not has_value:
            continue
        upper = " ".join(f"{x(p.ts)},{y(p.high)}" for p in piece if p.high is not None)
        lower = " ".join(f"{x(p.ts)},{y(p.low)}" for p in reversed(piece) if p.low is not None)
        middle = " ".join(f"{x(p.ts)},{y(p.mean)}" for p in piece if p.mean is not None)
        if len(piece) == 1:
            centre = middle.split(",")
            parts.append(f'<circle class="line" cx="{centre[0]}" cy="{centre[1]}" r="1.5"/>')
            continue
        parts.append(f'<polygon class="band" points="{upper} {lower}"/>')
        parts.append(f'<polyline class="line" points="{middle}"/>')
    parts.append("</svg>")
    return "".join(parts)
