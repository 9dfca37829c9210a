"""A small site that runs, for the tests of alarms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.alarms.small_site import SmallSite


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallSite]:
    made = SmallSite(tmp_path)
    made.pass_s(1)
    yield made
    made.close()
