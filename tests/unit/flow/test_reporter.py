"""Report by exception, seen from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from gateway.flow import Reporter
from gateway.model import MaybeValue, Point, QualityCount, Reading, Report, ReportPolicy, Status, ValueType

GOOD, TIMEOUT, DOWN = Status.Good, Status.BadTimeout, Status.BadNoCommunication
HIGH = Status.UncertainEngineeringUnitsExceeded


def point(name: str, *, every_s: float = 60.0, deadband: float | None = None, poll: bool = False) -> Point:
    return Point(name, ValueType.NUMBER, "V", 1.0, ReportPolicy(every_s, deadband, poll), None)


class Device:
    """One device polled once a second; `poll` takes a value or a status for each point."""

    def __init__(self, *points: Point) -> None:
        self.reporter = Reporter("d", points)
        self.names = tuple(item.name for item in points)

    def poll(self, at: float, *given: MaybeValue | Status | tuple[MaybeValue, Status]) -> Report | None:
        pairs = [split(item) for item in given]
        reading = Reading("d", int(at * 1000), self.names, tuple(v for v, _ in pairs), tuple(s for _, s in pairs))
        return self.reporter.report(reading, at)


def split(given: MaybeValue | Status | tuple[MaybeValue, Status]) -> tuple[MaybeValue, Status]:
    if isinstance(given, tuple):
        return given
    return (None, given) if isinstance(given, Status) else (given, GOOD)


def sent(report: Report | None) -> dict[str, object]:
    return {} if report is None else {**report.values, **report.bad}


def test_first_reading_is_sent_whole_with_its_quality() -> None:
    device = Device(point("a"), point("b"))
    report = device.poll(0.0, 1.5, TIMEOUT)
    assert report == Report("d", 0, {"a": 1.5}, {}, {"b": TIMEOUT}, ("a",), QualityCount(1, 0, 1, "BadTimeout"), 0)


def test_nothing_new_gives_no_message() -> None:
    device = Device(point("a"))
    device.poll(0.0, 1.5)
    assert device.poll(1.0, 1.5) is None
    assert device.reporter.counts.polled == 2
    assert device.reporter.counts.sent == 1
    assert device.reporter.counts.unchanged == 1


def test_a_change_is_sent_alone() -> None:
    device = Device(point("a"), point("b"))
    device.poll(0.0, 1, 2)
    assert device.poll(1.0, 1, 3) == Report("d", 1000, {"b": 3}, {}, {}, (), None, unchanged=1)


def test_deadband_is_measured_from_what_was_sent_and_must_be_passed() -> None:
    device = Device(point("a", deadband=0.5))
    device.poll(0.0, 10.0)
    assert device.poll(1.0, 10.25) is None
    assert device.poll(2.0, 10.5) is None
    assert sent(device.poll(3.0, 10.75)) == {"a": 10.75}
    assert device.poll(4.0, 10.25) is None


def test_deadband_between_exact_and_float_numbers() -> None:
    device = Device(point("a", deadband=0.5))
    device.poll(0.0, Decimal("10.00000000000000000001"))
    assert device.poll(1.0, 10.25) is None
    assert device.poll(2.0, 10) is None
    assert sent(device.poll(3.0, Decimal(12))) == {"a": Decimal(12)}


def test_deadband_does_not_hold_back_words_and_booleans() -> None:
    device = Device(point("a", deadband=5), point("b", deadband=5))
    device.poll(0.0, False, "off")
    assert sent(device.poll(1.0, True, "auto")) == {"a": True, "b": "auto"}


def test_every_point_is_sent_at_least_every_minute() -> None:
    device = Device(point("a"))
    moments = [at for at in range(181) if sent(device.poll(float(at), 1.5))]
    assert moments == [0, 60, 120, 180]


def test_a_jittery_poll_is_not_later_than_every() -> None:
    device = Device(point("a", every_s=10))
    moments = [at for at in (0.0, 1.0, 9.0, 9.99, 10.98) if sent(device.poll(at, 1.5))]
    assert moments == [0.0, 9.99]


def test_poll_policy_sends_every_poll() -> None:
    device = Device(point("a", poll=True), point("b"))
    device.poll(0.0, 1, 2)
    assert sent(device.poll(1.0, 1, 2)) == {"a": 1}
    assert sent(device.poll(2.0, 1, 2)) == {"a": 1}


def test_status_changes_are_always_sent() -> None:
    device = Device(point("a", deadband=100))
    device.poll(0.0, 1.5)
    assert sent(device.poll(1.0, TIMEOUT)) == {"a": TIMEOUT}
    assert device.poll(2.0, TIMEOUT) is None
    assert sent(device.poll(3.0, DOWN)) == {"a": DOWN}
    report = device.poll(4.0, 1.5)
    assert report
    assert report.values == {"a": 1.5}
    assert report.recovered == ("a",)
    report = device.poll(5.0, (1.5, HIGH))
    assert report
    assert (report.values, report.uncertain, report.recovered) == ({"a": 1.5}, {"a": HIGH}, ())
    report = device.poll(6.0, 1.5)
    assert report
    assert (report.uncertain, report.recovered) == ({}, ("a",))


def test_bad_repeats_every_minute() -> None:
    device = Device(point("a"))
    moments = [at for at in range(125) if sent(device.poll(float(at), TIMEOUT))]
    assert moments == [0, 60, 120]


def test_quality_counts_points_never_polled() -> None:
    reporter = Reporter("d", [point("a"), point("b")])
    report = reporter.report(Reading("d", 0, ("a",), (1,), (GOOD,)), 0.0)
    assert report
    assert report.quality == QualityCount(1, 0, 1, "BadWaitingForInitialData")
    report = reporter.report(Reading("d", 0, ("b",), (1,), (GOOD,)), 1.0)
    assert report
    assert report.quality == QualityCount(2, 0, 0, "Good")


def test_due_quality_alone_makes_a_message() -> None:
    device = Device(point("a", every_s=3600))
    device.poll(0.0, 1.5)
    assert device.poll(59.0, 1.5) is None
    assert device.poll(60.0, 1.5) == Report("d", 60_000, {}, {}, {}, (), QualityCount(1, 0, 0, "Good"), unchanged=1)
    assert device.poll(61.0, 1.5) is None


def test_overlapping_sets_of_points_share_what_was_sent() -> None:
    reporter = Reporter("d", [point("a"), point("b")])
    both, one = ("a", "b"), ("a",)
    reporter.report(Reading("d", 0, both, (1, 1), (GOOD, GOOD)), 0.0)
    assert sent(reporter.report(Reading("d", 0, one, (2,), (GOOD,)), 1.0)) == {"a": 2}
    assert sent(reporter.report(Reading("d", 0, both, (1, 1), (GOOD, GOOD)), 2.0)) == {"a": 1}


@dataclass
class Oracle:
    """The contract again, as slowly and plainly as possible."""

    points: tuple[Point, ...]
    sent: dict[str, tuple[MaybeValue, Status, float]] = field(default_factory=dict)

    def due(self, item: Point, value: MaybeValue, status: Status, now: float) -> bool:
        if item.report.poll or item.name not in self.sent:
            return True
        old, before, at = self.sent[item.name]
        if status != before or now - at >= item.report.every_s - item.interval_s / 2:
            return True
        numbers = isinstance(value, (int, float)) and isinstance(old, (int, float))
        if item.report.deadband is not None and numbers and not isinstance(value, bool):
            return abs(value - old) > item.report.deadband  # type: ignore[operator]
        return value != old

    def take(self, item: Point, value: MaybeValue, status: Status, now: float) -> None:
        self.sent[item.name] = (value, status, now)


policies = st.builds(ReportPolicy, st.sampled_from([3.0, 60.0]), st.sampled_from([None, 0.0, 2.0]), st.booleans())
Outcome = tuple[MaybeValue, Status]
Poll = tuple[tuple[str, ...], list[Outcome], int]
outcomes = st.one_of(
    st.integers(0, 4).map(lambda n: (n, GOOD)),
    st.integers(0, 4).map(lambda n: (n, HIGH)),
    st.sampled_from([(None, TIMEOUT), (None, DOWN)]),
)
SETS = (("a", "b", "c"), ("a",), ("b", "c"))
polls = st.lists(
    st.tuples(st.sampled_from(SETS), st.lists(outcomes, min_size=3, max_size=3), st.integers(1, 4)), max_size=30
)


plain_policies = st.builds(ReportPolicy, st.sampled_from([3.0, 60.0]))
mostly_good = st.one_of(*[st.integers(0, 2).map(lambda n: (n, GOOD))] * 9, outcomes)
plain_polls = st.lists(
    st.tuples(st.sampled_from(SETS), st.lists(mostly_good, min_size=3, max_size=3), st.integers(1, 2)), max_size=40
)


@given(st.lists(policies, min_size=3, max_size=3), polls)
def test_agrees_with_the_contract(chosen: list[ReportPolicy], taken: list[Poll]) -> None:
    check_against_the_contract(chosen, taken)


@given(st.lists(plain_policies, min_size=3, max_size=3), plain_polls)
def test_agrees_with_the_contract_where_most_is_good(chosen: list[ReportPolicy], taken: list[Poll]) -> None:
    check_against_the_contract(chosen, taken)


def check_against_the_contract(chosen: list[ReportPolicy], taken: list[Poll]) -> None:
    points = tuple(Point(n, ValueType.NUMBER, "", 1.0, p, None) for n, p in zip("abc", chosen, strict=True))
    by_name = {item.name: item for item in points}
    reporter, oracle, now = Reporter("d", points), Oracle(points), 0.0
    for names, given_, step in taken:
        now += step
        found = dict(zip(names, given_, strict=False))
        reading = Reading("d", 0, names, tuple(v for v, _ in found.values()), tuple(s for _, s in found.values()))
        expected = {n: pair for n, pair in found.items() if oracle.due(by_name[n], *pair, now)}
        waiting = (None, Status.BadWaitingForInitialData, 0.0)
        recovered = [n for n, (_, s) in expected.items() if s is GOOD and oracle.sent.get(n, waiting)[1] is not GOOD]
        for name, (value, status) in expected.items():
            oracle.take(by_name[name], value, status, now)
        report = reporter.report(reading, now) or Report("d", 0, {}, {}, {}, unchanged=len(names))
        assert report.values == {n: v for n, (v, s) in expected.items() if s.is_usable}
        assert report.uncertain == {n: s for n, (_, s) in expected.items() if s.is_uncertain}
        assert report.bad == {n: s for n, (_, s) in expected.items() if s.is_bad}
        assert list(report.recovered) == recovered
        assert report.unchanged == len(names) - len(expected)
        if report.quality:
            statuses = [oracle.sent.get(n, waiting)[1] for n in by_name]
            assert report.quality.good == statuses.count(GOOD)
            assert report.quality.worst == max(statuses).name
    counts = reporter.counts
    assert counts.polled == counts.sent + counts.unchanged
