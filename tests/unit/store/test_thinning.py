"""Thinning keeps what matters and counts the rest."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from gateway.ports import Row
from gateway.store.thinning import BUCKET_MS, count_values, thin

TOPIC = "vigil/v1/a/gen-1/telemetry"


def row(seq: int, ts: int, **members: object) -> Row:
    body = json.dumps({"kind": "generator", "labels": {}, "clock": "synced", "v": {}} | members)
    return Row(seq, ts, TOPIC, body[1:].encode(), False, 2)


def members(found: Row) -> dict[str, object]:
    return dict(json.loads(b"{" + found.body))


def test_last_lowest_and_highest_of_a_minute_stay() -> None:
    rows = [row(at, at * 1000, v={"a": value}) for at, value in enumerate([5, 7, 3, 4, 6, 5.5])]
    got = thin(rows)
    assert [found.seq for found in got.dropped] == [3, 4]
    assert got.kept == ()
    assert got.lost == {TOPIC: 2}


def test_changes_of_words_switches_and_statuses_stay() -> None:
    rows = [
        row(0, 0, v={"a": True, "m": "auto", "t": 5}),
        row(1, 1000, v={"a": True, "m": "auto", "t": 5}),
        row(2, 2000, v={"a": False, "m": "off"}, bad={"t": "BadTimeout"}),
        row(3, 3000, bad={"t": "BadTimeout"}),
        row(4, 4000, v={"a": True, "m": "auto", "t": 5}, recovered=["t"]),
        row(5, 5000, v={"a": True, "m": "auto", "t": 5}),
        row(6, 6000, v={"a": True, "m": "auto", "t": 6}, uncertain={"t": "UncertainEngineeringUnitsExceeded"}),
    ]
    got = thin(rows)
    assert [found.seq for found in got.dropped] == [1, 3, 5]
    assert [(found.seq, members(found)["v"]) for found in got.kept] == []
    assert got.lost == {TOPIC: 7}


def test_a_row_keeps_what_stays_of_it() -> None:
    rows = [row(0, 0, v={"a": 1, "b": 1}), row(1, 1, v={"a": 1, "b": 9}), row(2, 2, v={"a": 1, "b": 5})]
    got = thin(rows)
    (kept,) = got.kept
    assert (kept.seq, kept.ts, kept.topic) == (1, 1, TOPIC)
    assert members(kept) == {"kind": "generator", "labels": {}, "clock": "synced", "v": {"b": 9}}
    assert got.lost == {TOPIC: 1}


def test_quality_stays_where_it_changes_and_at_the_end() -> None:
    one, two = ({"good": n, "uncertain": 0, "bad": 0, "worst": "Good"} for n in (1, 2))
    rows = [row(at, at, v={}, q=q) for at, q in enumerate([one, one, two, two, two])]
    got = thin(rows)
    assert [found.seq for found in got.dropped] == [1, 3]
    assert got.lost == {}


def test_every_digit_stays() -> None:
    body = b'"kind":"m","labels":{},"clock":"synced","v":{"a":1,"e":%s}}'
    numbers = [b"1", b"12345678901234567.125", b"2"]
    rows = [Row(at, at, TOPIC, body % number, False, 2) for at, number in enumerate(numbers)]
    (kept,) = thin(rows).kept
    assert kept.seq == 1
    assert kept.body.endswith(b'"v":{"e":12345678901234567.125}}')


def test_losses_are_counted_in_values() -> None:
    assert count_values(row(0, 0, v={"a": 1, "b": 2}, bad={"c": "BadTimeout"}).body) == 3
    assert count_values(b'"type":"gap","data":{}}') == 1
    assert count_values(b"") == 1


points = st.dictionaries(st.sampled_from("abc"), st.integers(0, 5), max_size=3)
readings = st.lists(st.tuples(st.integers(0, 90_000), points), max_size=25)


@given(readings)
def test_extremes_and_last_of_every_minute_survive(taken: list[tuple[int, dict[str, int]]]) -> None:
    rows, ts = [], 0
    for seq, (step, values) in enumerate(taken):
        ts += step
        rows.append(row(seq, ts, v=values))
    got = thin(rows)
    smaller = {found.seq: found for found in got.kept}
    gone = {found.seq for found in got.dropped}
    left = [smaller.get(found.seq, found) for found in rows if found.seq not in gone]
    assert summary(left) == summary(rows)
    assert sum(got.lost.values()) == size(rows) - size(left)


def summary(rows: list[Row]) -> dict[tuple[str, int], tuple[int, int, int]]:
    found: dict[tuple[str, int], list[int]] = {}
    for item in rows:
        values = members(item)["v"]
        assert isinstance(values, dict)
        for name, number in values.items():
            found.setdefault((name, item.ts // BUCKET_MS), []).append(number)
    return {key: (min(numbers), max(numbers), numbers[-1]) for key, numbers in found.items()}


def size(rows: list[Row]) -> int:
    return sum(len(json.loads(b"{" + item.body)["v"]) for item in rows)
