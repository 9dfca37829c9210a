"""A backlog leaves in order, and live messages do not wait for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.backlog import drain

ROWS = 10_000


@pytest.mark.timeout(400)
def test_a_backlog_drains_in_order_beside_live_messages(tmp_path: Path) -> None:
    seen = drain(tmp_path, ROWS, lambda _pid: 0.0)
    assert seen.stored == ROWS
    assert seen.order == sorted(seen.order)
    assert len(seen.order) == ROWS
    assert seen.live_age_s
