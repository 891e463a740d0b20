import os
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine

from detector.call import CallInfo
from detector.errors import StoreError
from detector.stores.database import Database, _LockedError, parse_url
from detector.stores.schema import metadata
from detector.stores.store import Store

At = Callable[[float], datetime]


def message_of(path: Path | str) -> str:
    with pytest.raises(StoreError) as caught:
        Store(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_migrations_make_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    Store(tmp_path / "calls.sqlite3").close()
    engine = create_engine(f"sqlite:///{tmp_path}/calls.sqlite3")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_store_can_be_opened_again_and_keeps_what_it_had(tmp_path: Path, at: At) -> None:
    path = tmp_path / "new folder" / "calls.sqlite3"
    with Store(path) as store:
        store.begin_call(CallInfo("a"), at(0))
    with Store(f"sqlite:///{path}") as store:
        assert store.call("a") is not None
    assert path.stat().st_mode & 0o077 == 0


def test_several_programs_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def open_store() -> None:
        start.wait()
        try:
            Store(tmp_path / "calls.sqlite3").close()
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            errors.append(error)

    threads = [threading.Thread(target=open_store) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


def test_several_threads_may_write_at_once(tmp_path: Path, at: At) -> None:
    errors: list[BaseException] = []

    def write(store: Store, first: int) -> None:
        try:
            for index in range(first, first + 25):
                store.begin_call(CallInfo(str(index), number="13800138000"), at(0))
                store.history("13800138000", at(1))
        except BaseException as error:  # noqa: BLE001 - handed to the test's thread
            errors.append(error)

    with Store(tmp_path / "calls.sqlite3") as one, Store(tmp_path / "calls.sqlite3") as other:
        threads = [
            threading.Thread(target=write, args=(store, 25 * index))
            for index, store in enumerate((one, one, other, other))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert errors == []
        assert one.history("13800138000", at(1)).calls == 100


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my phone numbers: 13800138000\n" * 100)
    message = message_of(path)
    assert "not an SQLite database" in message
    assert "notes.txt" in message
    assert "13800138000" not in message


def test_a_damaged_database(tmp_path: Path, at: At) -> None:
    path = tmp_path / "calls.sqlite3"
    with Store(path) as store:
        for index in range(200):
            store.begin_call(CallInfo(str(index), number="13800138000", display_name="x" * 200), at(index))
    whole = bytearray(path.read_bytes())
    # Everything but the first page, which names the file as a database and lists its tables.
    whole[4096:] = os.urandom(len(whole) - 4096)
    path.write_bytes(whole)
    with pytest.raises(StoreError, match="damaged") as caught, Store(path) as store:
        list(store.calls())
    assert "\n" not in str(caught.value)


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    assert "cannot be opened" in message_of(tmp_path)


def test_a_place_that_nobody_can_write() -> None:
    assert "cannot be opened" in message_of("/proc/nowhere/calls.sqlite3")


def test_a_look_at_a_store_makes_and_changes_nothing(tmp_path: Path, at: At) -> None:
    path = tmp_path / "new" / "calls.sqlite3"
    Database(path, only_look=True).close()
    assert not path.parent.exists()
    with Store(path) as store:
        store.begin_call(CallInfo("one"), at(0))
    before = path.read_bytes()
    Database(path, only_look=True).close()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("file/calls.sqlite3", "cannot be opened for writing (Not a directory)"),
        (".", "cannot be opened for writing (Is a directory)"),
        ("file", "is not an SQLite database"),
    ],
)
def test_a_look_at_a_store_finds_what_opening_it_would(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "file").write_text("my phone numbers: 13800138000\n" * 100)
    with pytest.raises(StoreError, match=re.escape(problem)):
        Database(tmp_path / name, only_look=True).close()
    message_of(tmp_path / name)


def test_a_store_of_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "calls.sqlite3"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert "newer version" in message_of(path)


def test_a_store_that_others_are_opening_too_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, opened = [], Database._writing_by

    @contextmanager
    def held_by_others(self: Database, engine: Engine) -> Iterator[Connection]:
        tries.append(self)
        if len(tries) < 3:
            raise _LockedError("was locked")
        with opened(self, engine) as connection:
            yield connection

    monkeypatch.setattr(Database, "_writing_by", held_by_others)
    Database(tmp_path / "calls.sqlite3").close()
    assert len(tries) == 3


def test_a_locked_database_is_named_as_such(tmp_path: Path, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("detector.stores.database._BUSY_MILLISECONDS", 50)
    path = tmp_path / "calls.sqlite3"
    with Store(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(StoreError, match="locked"):
                store.begin_call(CallInfo("a"), at(0))
            assert store.history("13800138000", at(1)).calls == 0  # readers go on
        finally:
            other.close()
        store.begin_call(CallInfo("a"), at(0))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://user:hunter2@127.0.0.1:1/calls", "postgresql"),
        ("nosuchdatabase://host/name", "no such kind"),
        ("mysql://user:hunter2@host/name", "use a path or postgresql"),
        ("://", "no address"),
        ("http://example.org:port/x", "no address"),
    ],
)
def test_addresses_that_lead_nowhere(url: str, said: str) -> None:
    message = message_of(url)
    assert said in message
    assert "hunter2" not in message


def test_postgresql_means_the_driver_that_the_project_names() -> None:
    assert parse_url("postgresql://db/calls").drivername == "postgresql+psycopg"
    assert parse_url("postgresql+pg8000://db/calls").drivername == "postgresql+pg8000"


def test_a_failed_transaction_leaves_nothing(tmp_path: Path, at: At) -> None:
    with Store(tmp_path / "calls.sqlite3") as store:
        store.begin_call(CallInfo("a"), at(0))

        def delete_and_fail() -> None:
            with store._database.writing() as connection:
                connection.exec_driver_sql("DELETE FROM calls")
                connection.exec_driver_sql("INSERT INTO calls VALUES (1)")

        with pytest.raises(StoreError):
            delete_and_fail()
        assert store.call("a") is not None


def test_a_time_without_a_zone_is_refused(tmp_path: Path, at: At) -> None:
    with Store(tmp_path / "calls.sqlite3") as store, pytest.raises(StoreError):
        store.begin_call(CallInfo("a"), at(0).replace(tzinfo=None))


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_file_that_is_taken_away_while_in_use_is_told_and_followed(
    tmp_path: Path, at: At, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    path, other = tmp_path / "calls.sqlite3", tmp_path / "other.sqlite3"
    with Store(path) as store:
        store.begin_call(CallInfo("before"), at(0))
        if how == "removed":
            for each in tmp_path.glob("calls.sqlite3*"):
                each.unlink()
        else:
            Store(other).close()
            other.replace(path)
        store.begin_call(CallInfo("after"), at(1))
        assert "was removed or replaced" in caplog.text
    with Store(path) as again:
        assert [each.call.id for each in again.calls()] == ["after"]


def test_it_is_told_where_something_deleted_cannot_be_taken_from_the_log_yet(
    tmp_path: Path, at: At, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.stores.database._BUSY_MILLISECONDS", 50)
    path = tmp_path / "calls.sqlite3"
    with Store(path) as store:
        store.begin_call(CallInfo("call", "13800138000"), at(0))
        store.forget("13800138000")
        assert "another program" not in caplog.text
        store.begin_call(CallInfo("again", "13800138000"), at(1))
        reader = sqlite3.connect(path, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM calls").fetchall()
        store.forget("13800138000")
        reader.close()
        assert "another program reads it" in caplog.text


def test_a_file_that_cannot_be_followed_at_once_is_tried_again(
    tmp_path: Path, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "calls.sqlite3"

    def locked(*_: object) -> None:
        raise StoreError("locked")

    with Store(path) as store:
        for each in tmp_path.glob("calls.sqlite3*"):
            each.unlink()
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(Database, "_migrate", locked)
            with pytest.raises(StoreError, match="locked"):
                store.begin_call(CallInfo("too early"), at(0))
        store.begin_call(CallInfo("later"), at(1))
        assert [each.call.id for each in store.calls()] == ["later"]
