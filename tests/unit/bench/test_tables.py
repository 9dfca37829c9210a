"""What was not measured, or means nothing, leaves its cell empty."""

from __future__ import annotations

from math import nan

import pytest

from bench.serial_lines import Found, settings
from bench.tables import serial_table, shown


@pytest.mark.parametrize(
    ("values", "cell"),
    [((1.256,), "1.26"), ((nan,), ""), ((nan, nan), ""), ((1.0, nan), "1.00 / -"), ((0.0, 2.0), "0.00 / 2.00")],
)
def test_a_figure_without_meaning_is_not_written(values: tuple[float, ...], cell: str) -> None:
    assert shown(".2f", *values) == cell


def test_a_serial_line_without_transactions_in_a_row_has_no_idle_time() -> None:
    found = Found(settings()[0], nan, 10.0, 10.0, nan, (nan, nan, nan), 7, None)
    row = serial_table([found]).splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == [
        "dense-9600-5", "", "10.0", "10.0", "1.000", "", "", "7", "",
    ]  # fmt: skip
