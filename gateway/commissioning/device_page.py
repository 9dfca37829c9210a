"""`docs/devices.md`: every device model with what one must know before choosing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.commissioning.catalogue import Card
from gateway.model import Text

_HEAD = """# Devices 设备型号

Made from `config/profiles` by `make schema`; a test compares the two. How to add one is in
[CONTRIBUTING.md](../CONTRIBUTING.md).

- Port is the maker's default: speed, parity, stop bits, unit.
- Identity lists registers that are read after every connect and every silence and again all the time, at least every
  10 s; a device that shows something else there gives no values. Where there is none, the loop-check sheet says how
  far the identity could be told.
- Confidence: `high` address and meaning both stand in the named source; `medium` seen there, but a scale, unit or
  variant needs a look on site; `low` partly inferred.
- Choosing a profile never writes to a device.

本页由 `config/profiles` 生成（`make schema`），新增型号见 [CONTRIBUTING.md](../CONTRIBUTING.md)。

- 串口一栏为厂家默认值：波特率、校验、停止位、站号。
- 身份一栏为连接后、无应答恢复后读取，并至少每10秒复核一次的寄存器，内容不符的设备不给出数值；
  没有时，核对表上注明身份能核实到什么程度。
- 可信度：`high` 地址与含义均见于所列资料；`medium` 已见于资料，但系数、单位或变型须现场核对；`low` 部分为推断。
- 选用型号文件不会向设备写入任何内容。
"""
_COLUMNS = ("Profile 型号文件", "Model 型号", "Port 串口", "Identity 身份", "Points 测点", "Confidence 可信度")


def device_page(cards: Sequence[Card]) -> str:
    """The whole page, in both languages."""
    kinds: dict[str, list[Card]] = {}
    for card in cards:
        kinds.setdefault(card.kind, []).append(card)
    lines = [_HEAD]
    for kind in sorted(kinds):
        name = kinds[kind][0].kind_name
        lines += [f"## {name.en} {name.zh} (`{kind}`)", "", _row(_COLUMNS), _row("---" for _ in _COLUMNS)]
        lines += [_row(_cells(card)) for card in kinds[kind]]
        lines.append("")
        for card in kinds[kind]:
            lines += [*_details(card), ""]
    return "\n".join(lines).rstrip() + "\n"


def _cells(card: Card) -> list[str]:
    points = sum(len(entry.sources) for entry in card.points.values())
    link = f"[`{card.profile}`](#{_anchor(card)})"
    marks = ", ".join(f"`{mark}`" for mark in card.marks) or "-"
    return [link, f"{card.vendor} {card.model}", _port(card), marks, str(points), card.confidence]


def _details(card: Card) -> Iterable[str]:
    yield f"### {card.profile}"
    yield ""
    yield f"{card.name.en} · {card.name.zh}"
    yield ""
    yield f"- Source 资料: {'; '.join(card.sources)}"
    if card.firmware:
        yield f"- Firmware seen 见过的固件: {', '.join(card.firmware)}"
    for caveat in card.caveats:
        yield f"- {_both(caveat)}"
    names = [source.name for entry in card.points.values() for source in entry.sources]
    yield f"- Points 测点: {', '.join(f'`{name}`' for name in names)}"


def _both(text: Text) -> str:
    return f"{text.en} {text.zh}"


def _port(card: Card) -> str:
    parts = [str(card.port[key]) for key in ("baudrate", "parity", "stopbits") if key in card.port]
    port = "-".join(parts) if parts else "-"
    return port if card.unit is None else f"{port}, unit {card.unit}"


def _anchor(card: Card) -> str:
    """As Markdown renderers make it of the heading."""
    return "".join(letter for letter in card.profile.lower() if letter.isalnum() or letter in "-_")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
