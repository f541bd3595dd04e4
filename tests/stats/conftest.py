"""Stats is tested on both logs."""

import pytest

from bus import Bus


@pytest.fixture
def log(either: Bus) -> Bus:
    return either
