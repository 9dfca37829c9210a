"""What an installer may answer: what will not do is refused at once, with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.commissioning import answers
from gateway.commissioning.interview import Check

HERE = str(Path(__file__))


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (answers.is_id, ("depot-07", "a"), ("Depot 07", "", "x" * 33, "库")),
        (answers.is_new_id({"gen-1"}), ("gen-2",), ("gen-1", "Gen")),
        (answers.is_zone, ("Asia/Shanghai", "UTC"), ("Asia/Shangai", "Beijing", "../etc/passwd")),
        (
            answers.are_lines,
            (HERE, f"{HERE} 10.0.0.5:502", f"{HERE},10.0.0.5:502", f"{HERE}、10.0.0.5:502", "[::1]:502"),
            ("", "/no/port", "10.0.0.5", "a:0", "a:502 a:502", ",", "a:502, a:502"),
        ),
        (
            answers.are_makers({"dse", "smartgen"}),
            ("", "dse", "dse smartgen", "dse, smartgen", "dse，smartgen"),
            ("dze", "dse, dze"),
        ),
        (answers.is_profile({"dse/gencomm"}), ("skip", "dse/gencomm"), ("dse/gencom", "zzz", "")),
        (answers.is_whole, ("0", "12"), ("-1", "1.5", "", "\u0664")),
        (answers.is_speed, ("auto", "9600"), ("fast", "1", "")),
        (answers.are_units, ("1-10,32", "7", "1，2", "255"), ("0", "248", "a", "", "10-1", "1-2-3")),
        (answers.is_page, ("no", "127.0.0.1:8321"), ("yes", "8321", "a:99999")),
        (answers.is_broker, ("", "mqtts://broker:8883"), ("broker", "http://x", "mqtt://u:p@x")),
        (answers.is_file_in(Path(__file__).parent), ("", "__init__.py"), ("mqtt.secret",)),
    ],
)
def test_answers(check: Check, good: tuple[str, ...], bad: tuple[str, ...]) -> None:
    assert [each for each in good if check(each) is not None] == []
    for each in bad:
        told = check(each)
        assert told is not None, each
        assert told.zh
        assert told.en


def test_near_misses_are_named() -> None:
    for check, word, meant in (
        (answers.is_zone, "Asia/Shangai", "Asia/Shanghai"),
        (answers.are_makers({"dse", "smartgen"}), "smartgn", "smartgen"),
        (answers.is_profile({"dse/gencomm"}), "dse/gencom", "dse/gencomm"),
        (answers.is_id, "Depot 07", "depot-07"),
    ):
        told = check(word)
        assert told is not None
        assert meant in told.zh
        assert meant in told.en
