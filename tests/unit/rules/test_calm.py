"""Values that move between the numbers they are compared with are passed over, and nothing is said differently."""

from __future__ import annotations

from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model import MaybeValue, Priority, Text
from gateway.rules.bind import Binding, bind
from gateway.rules.engine import DeviceRules
from gateway.rules.readiness import Effect
from gateway.rules.types import Combine, Formula, Level, Pack, Rule

NOTHING = Text("", "")
POINTS = ("a", "b", "c", "d")


def level(raise_: Formula, clear: str | None = None, *, for_s: float = 0.0, on_s: float = 0.0) -> Level:
    cleared = None if clear is None else Formula((clear,))
    return Level(Priority.HIGH, raise_, cleared, Effect.DEGRADED, for_s=for_s, on_s=on_s, off_s=on_s)


def rule(name: str, *levels: Level, when: str | None = None) -> Rule:
    only = None if when is None else Formula((when,))
    return Rule(name, "pump", (), NOTHING, NOTHING, "duty", None, levels, when=only)


RULES = (
    rule("plain", level(Formula(("a > 10",)), "a < 8")),
    rule("slow", level(Formula(("a >= 12",)), for_s=3.0, on_s=2.0)),
    rule("gated", level(Formula(("b < 5",))), when="c > 1"),
    rule("several", level(Formula(("b > 9", "d"), Combine.ANY))),
    rule("alternatives", level(Formula(("c < -2", "b > 7")))),
    rule("reckoned", level(Formula(("b - c > 3",)))),
)


def binding() -> Binding:
    pack = Pack("pump", "pump", NOTHING, {}, {}, None, RULES)
    return bind([pack], None, POINTS, {})


def test_only_what_is_compared_with_numbers_alone_is_passed_over() -> None:
    assert dict(binding().cuts) == {"a": (8.0, 10.0, 12.0)}


def remembered(rules: DeviceRules) -> dict[tuple[str, str], list[object]]:
    """All but when a condition was last looked at, which counts only for one that waits."""
    kept = rules.export()["rules"]
    return {(name, part): row[:-1] for name, rows in kept.items() for part, row in rows.items()}


numbers = st.one_of(st.none(), st.integers(-4, 14), st.floats(-4, 14), st.sampled_from([8.0, 10.0, 12.0]))
readings = st.lists(
    st.tuples(st.integers(200, 4000), st.tuples(numbers, numbers, numbers, st.sampled_from([None, True, False]))),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(readings)
def test_it_says_what_an_engine_that_looks_at_everything_says(
    readings: list[tuple[int, tuple[MaybeValue, ...]]],
) -> None:
    quick, thorough = (DeviceRules("d", binding(), {}, UTC) for _ in range(2))
    ts = 1_700_000_000_000
    for wait_ms, values in readings:
        ts += wait_ms
        thorough._knowledge._calm.clear()
        assert quick.update(ts, POINTS, values) == thorough.update(ts, POINTS, values)
        assert quick.holding() == thorough.holding()
        assert remembered(quick) == remembered(thorough)
