"""A session for each test, with two hosts 20 ms apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from halfopen import Session

SCENARIO = {"scenario": "test", "hosts": {"client": {}, "server": {}}, "network": {"latency": "20ms"}}


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(SCENARIO) as session:
        yield session
