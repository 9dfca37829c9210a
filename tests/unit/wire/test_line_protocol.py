"""Line protocol against the database itself: what is written is what is read."""

from __future__ import annotations

import itertools
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.ports import Fact
from gateway.wire.line_protocol import encode
from tests.servers import Influxd


def test_one_line() -> None:
    fact = Fact("generator", (("site", "a"), ("city", "x y,z=1")), {"v": 12.5, "on": True, "mode": 'a"b\\c'}, 17)
    assert encode(fact) == b'generator,site=a,city=x\\ y\\,z\\=1 v=12.5,on=true,mode="a\\"b\\\\c" 17'


def test_no_field_no_line() -> None:
    assert encode(Fact("generator", (("site", "a"),), {}, 1)) == b""


def test_empty_tags_are_left_out() -> None:
    assert encode(Fact("m", (("site", "a"), ("city", "")), {"v": 1.0}, 1)) == b"m,site=a v=1.0 1"


def test_tags_have_no_line_breaks_and_no_backslashes() -> None:
    assert encode(Fact("m", (("city", "a\nb\\"),), {"v": 1.0}, 1)) == b"m,city=a\\ b/ v=1.0 1"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not a number"):
        encode(Fact("m", (), {"v": value}, 1))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    folder: Path = tmp_path_factory.mktemp("influxd")
    with Influxd(folder) as server:
        ask(server, "CREATE DATABASE t")
        yield server


def ask(server: Influxd, query: str) -> list[dict[str, object]]:
    body = urllib.parse.urlencode({"q": query, "db": "t", "epoch": "ms"}).encode()
    with urllib.request.urlopen(f"{server.url}/query", data=body, timeout=10) as answer:
        (result,) = json.load(answer)["results"]
    assert "error" not in result, result
    rows = []
    for series in result.get("series", []):
        rows += [dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
    return rows


def write(server: Influxd, facts: Sequence[Fact]) -> None:
    body = b"\n".join(map(encode, facts))
    urllib.request.urlopen(f"{server.url}/write?db=t&precision=ms", data=body, timeout=10).close()


serial = itertools.count()
printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
tag_values = printable.filter(lambda text: "\\" not in text and text == text.strip())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tags=st.fixed_dictionaries({"city": tag_values, "town": tag_values}),
    number=st.floats(allow_nan=False, allow_infinity=False),
    flag=st.booleans(),
    words=any_text,
    ts=st.integers(0, 4_000_000_000_000),
)
def test_the_database_reads_back_what_was_written(
    database: Influxd, tags: dict[str, str], number: float, flag: bool, words: str, ts: int
) -> None:
    name = f"m{next(serial)}"
    write(database, [Fact(name, tuple(tags.items()), {"number": number, "flag": flag, "words": words}, ts)])
    expected: dict[str, object] = {"time": ts, "number": number, "flag": flag, "words": words}
    (row,) = ask(database, f"SELECT * FROM {name}")
    got = {key: value for key, value in row.items() if value is not None}
    got["number"] = float(str(got["number"]))  # the database prints whole numbers without a point
    assert got == expected | {key: value for key, value in tags.items() if value}


def test_writing_a_fact_again_changes_nothing(database: Influxd) -> None:
    fact = Fact("twice", (("site", "a"),), {"number": 1.5}, 1763764800123)
    write(database, [fact, fact])
    write(database, [fact])
    assert ask(database, "SELECT * FROM twice") == [{"time": 1763764800123, "number": 1.5, "site": "a"}]
