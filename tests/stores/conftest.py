"""A store for each test: an SQLite file, and a PostgreSQL server's where DETECTOR_TEST_POSTGRESQL names one."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from detector.stores.database import parse_url
from detector.stores.store import Store

NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)


@pytest.fixture
def at() -> Callable[[float], datetime]:
    """A time of day, in seconds after noon."""
    return lambda seconds: NOON + timedelta(seconds=seconds)


SERVER = os.environ.get("DETECTOR_TEST_POSTGRESQL", "")


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        url = str(tmp_path / "calls.sqlite3")
    else:
        url = SERVER
        engine = create_engine(parse_url(url))
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
    with Store(url, recordings=tmp_path / "recordings") as opened:
        yield opened
