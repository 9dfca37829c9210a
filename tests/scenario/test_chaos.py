"""Everything breaks once, in an order that is always the same; `make chaos` does it at length."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.chaos.faults import FAULTS
from tests.scenario.chaos.run import run


@pytest.mark.timeout(600)
def test_nothing_accepted_is_lost_whatever_breaks(tmp_path: Path) -> None:
    verdict = run(tmp_path, seed=7, for_s=300, most=len(FAULTS), pace=0.3)
    print(verdict)
    assert verdict.stored > 0
    assert verdict.dead > 0
