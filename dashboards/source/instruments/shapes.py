"""How an instrument panel is described, and the parts that several kinds share.

Limits are those of `config/rules`; a colour means the same as an alarm of that colour. Where a limit depends on the
single device (rated current, height of a well), none is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.source.palette import GREEN, ORANGE, PURPLE, RED, YELLOW
from dashboards.source.panels import TEXT, Step
from gateway.model import Text

#: A battery of $nominal volts, as if it had 12.
PER_12_V = " * 12 / $nominal"


_CANNOT_TELL = Text("算不出", "Cannot tell")


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number. `base` is its colour below the first of `steps`."""

    point: str
    low: float | None
    high: float | None
    about: Text
    base: str = TEXT
    steps: Sequence[Step] = ()
    decimals: int | None = None
    per_12_v: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A switch or state. Values without a colour stay plain."""

    point: str
    colours: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """What the database does not know and the reader gives."""

    name: str
    title: Text
    about: Text
    value: str


@dataclass(frozen=True, slots=True)
class Autonomy:
    """How many hours it lasts: `hours` over the latest values of `points`, where `only` holds."""

    title: Text
    about: Text
    points: Sequence[str]
    hours: str
    only: str | None = None
    inputs: Sequence[Input] = ()
    high: float = 48
    base: str = RED
    steps: Sequence[Step] = ((1, ORANGE), (4, YELLOW), (8, GREEN))
    empty: Text = _CANNOT_TELL


@dataclass(frozen=True, slots=True)
class Instrument:
    gauges: Sequence[Gauge]
    words: Sequence[Word] = ()
    autonomy: Sequence[Autonomy] = ()


SELECTOR = {
    "auto": GREEN,
    "auto_manual_restore": GREEN,
    "test": PURPLE,
    "test_on_load": PURPLE,
    "test_off_load": PURPLE,
}
MODE = Word("mode", SELECTOR, otherwise=ORANGE)
RUNNING = Word("running", {"true": PURPLE})


def must_not(point: str, colour: str = RED) -> Word:
    """Something that should be no."""
    return Word(point, {"true": colour, "false": GREEN})


def must(point: str, colour: str = ORANGE) -> Word:
    """Something that should be yes."""
    return Word(point, {"true": GREEN, "false": colour})


def battery(
    point: str = "battery_voltage",
    *,
    low: float,
    watch: float | None = None,
    dead: float | None = None,
    high: float | None = None,
) -> Gauge:
    """A battery; limits hold for 12 V: yellow below `watch`, orange below `low`, red below `dead`."""
    known = ((dead, RED, "红", "red"), (low, ORANGE, "橙", "orange"), (watch, YELLOW, "黄", "yellow"))
    limits = [(limit, colour, zh, en) for limit, colour, zh, en in known if limit is not None]
    said = Text(
        "，".join(f"低于 {limit} V {zh}" for limit, _, zh, _ in reversed(limits)),
        ", ".join(f"below {limit} V {en}" for limit, _, _, en in reversed(limits)),
    )
    if high is not None:
        said = Text(f"{said.zh}；高于 {high} V 为过充（橙）", f"{said.en}; above {high} V overcharged (orange)")
    colours = [*(colour for _, colour, _, _ in limits[1:]), GREEN]
    steps = [(limit, colour) for (limit, *_), colour in zip(limits, colours, strict=True)]
    if high is not None:
        steps.append((high, ORANGE))
    about = Text(f"静置电压，折算到 12 V：{said.zh}。", f"At rest, as if at 12 V: {said.en}.")
    return Gauge(point, 10, 15.5, about, base=limits[0][1], steps=steps, decimals=2, per_12_v=True)


def percentage(point: str, about: Text, *, low: float, watch: float) -> Gauge:
    return Gauge(point, 0, 100, about, base=ORANGE, steps=((low, YELLOW), (watch, GREEN)), decimals=0)


RAIN_OF_AN_HOUR = Gauge(
    "rainfall_1h",
    0,
    80,
    Text("小时雨量高于 20 毫米黄，40 橙，60 红。", "In an hour above 20 mm yellow, 40 orange, 60 red."),
    base=GREEN,
    steps=((20, YELLOW), (40, ORANGE), (60, RED)),
    decimals=1,
)

TANK = Input(
    "tank", Text("油箱容量（L）", "Tank (L)"), Text("数据库里没有，请填写。", "The database does not know it."), "200"
)
BURN = Input(
    "burn",
    Text("预计油耗（L/h）", "Expected use (L/h)"),
    Text("没有实测时：0.27 L/kWh × 预计负荷。", "Where it is not measured: 0.27 L/kWh × expected load."),
    "8.1",
)
FUEL_ESTIMATED = Autonomy(
    Text("燃油续航（估算）", "Fuel lasts (estimate)"),
    Text(
        "油位 × 油箱容量 ÷ 预计油耗，后两项在页面上方填写。低于 8 小时黄，4 小时橙，1 小时红。",
        "Fuel level × tank ÷ expected use, both given above. Below 8 h yellow, 4 h orange, 1 h red.",
    ),
    ("fuel_level",),
    '"fuel_level" / 100 * $tank / $burn',
    inputs=(TANK, BURN),
)
FUEL = Text("低于 40 % 橙，67 % 黄（满三分之二为合格）。", "Below 40 % orange, 67 % yellow (two thirds is the rule).")
