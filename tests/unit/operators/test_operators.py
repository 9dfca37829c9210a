"""Credentials: who is known, whose token it is, and how guessing is slowed down."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from gateway.operators import FREE_FAILURES, LONGEST_TOKEN, Operators, operator_line, parse_operators

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
DUTY = f"duty-1 duty {CHEAP.hash('correct horse')}"
CHIEF = f"值班长 chief {CHEAP.hash('battery staple')}"


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def operators(folder: Path, *lines: str) -> tuple[Operators, Path, Time]:
    path, time = folder / "operators", Time()
    path.write_text("\n".join(("# who may", "", *lines)) + "\n", encoding="utf-8")
    return Operators(path, time), path, time


async def test_a_token_opens_for_its_owner_alone(tmp_path: Path) -> None:
    known, _, _ = operators(tmp_path, DUTY, CHIEF)
    found = await known.check("duty-1", "correct horse")
    assert found is not None
    assert (found.name, found.role) == ("duty-1", "duty")
    assert await known.check("值班长", "correct horse") is None
    assert await known.check("nobody", "correct horse") is None
    assert await known.check("duty-1", "") is None
    assert await known.check("duty-1", "x" * (LONGEST_TOKEN + 1)) is None


async def test_without_a_file_nobody_is_known(tmp_path: Path) -> None:
    assert await Operators(None).check("duty-1", "correct horse") is None
    assert await Operators(tmp_path / "none").check("duty-1", "correct horse") is None


async def test_the_file_may_change_while_the_gateway_runs(tmp_path: Path) -> None:
    known, path, _ = operators(tmp_path, DUTY)
    assert await known.check("duty-1", "correct horse") is not None
    path.write_text(CHIEF + "\n", encoding="utf-8")
    assert await known.check("duty-1", "correct horse") is None
    assert await known.check("值班长", "battery staple") is not None
    path.unlink()
    assert await known.check("值班长", "battery staple") is None


async def test_guessing_is_slowed_down_per_name(tmp_path: Path) -> None:
    known, _, time = operators(tmp_path, DUTY, CHIEF)
    for _ in range(FREE_FAILURES):
        assert known.waits_s("duty-1") == 0
        assert await known.check("duty-1", "guess") is None
    assert known.waits_s("duty-1") == pytest.approx(1.0)
    assert await known.check("duty-1", "correct horse") is None
    assert await known.check("值班长", "battery staple") is not None
    time.now += 1.0
    assert await known.check("duty-1", "guess") is None
    assert known.waits_s("duty-1") == pytest.approx(2.0)
    time.now += 2.0
    assert await known.check("duty-1", "correct horse") is not None
    assert known.waits_s("duty-1") == 0


@pytest.mark.parametrize(
    "line",
    ["duty-1 duty", "duty-1 duty plain-text", "a/b duty " + DUTY.split()[2], "duty-1 Duty " + DUTY.split()[2]],
)
def test_a_wrong_line_is_told_and_knows_nobody(line: str) -> None:
    found, wrong = parse_operators(f"{CHIEF}\n{line}\n")
    assert list(found) == ["值班长"]
    assert [number for number, _ in wrong] == [2]
    assert all(text.zh and text.en.isascii() for _, text in wrong)


async def test_a_line_made_by_us_is_one_we_take(tmp_path: Path) -> None:
    known, _, _ = operators(tmp_path, operator_line("duty-2", "duty", "a b 密"))
    assert await known.check("duty-2", "a b 密") is not None


def test_a_name_stands_once() -> None:
    found, wrong = parse_operators(f"{DUTY}\n{DUTY}\n")
    assert list(found) == ["duty-1"]
    assert [number for number, _ in wrong] == [2]


@pytest.mark.parametrize(
    ("name", "role", "token"), [("", "duty", "x"), ("a b", "duty", "x"), ("a", "D", "x"), ("a", "d", "")]
)
def test_no_line_is_made_of_what_cannot_be(name: str, role: str, token: str) -> None:
    with pytest.raises(ValueError, match="cannot be used"):
        operator_line(name, role, token)
