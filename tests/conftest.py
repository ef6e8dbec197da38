"""Fixtures of every test; the way in is `front_door.desk`."""

import pytest
from front_door import ERAS


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    """The protocol era: 2026-07-28 (auto) or the handshake revisions (legacy)."""
    return request.param
