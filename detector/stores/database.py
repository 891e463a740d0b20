"""Opening the database: its address, its engine, its migrations, and errors in one line.

SQLite in a file is the default; any other SQLAlchemy URL works where its driver is installed. SQLite runs in
WAL mode, so that readers and the writer do not wait for each other, and overwrites what is deleted.
"""

import errno
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from detector.errors import StoreConflict, StoreError

__all__ = ["Database", "parse_url"]

log = logging.getLogger(__name__)

_BUSY_MILLISECONDS: Final = 5000
_OPENING_ATTEMPTS: Final = 4
_CONNECT_SECONDS: Final = 5
_MIGRATION_LOCK: Final = 0x0DE7EC70
"""Any number, the same for all that share a PostgreSQL server."""
_WRITES: Final = "writes"


def parse_url(address: str | Path | URL) -> URL:
    """Return the database URL of `address`: a URL, or the path of an SQLite file. Raises StoreError."""
    if isinstance(address, URL):
        return address
    written = str(address)
    if "://" not in written:
        return URL.create("sqlite", database=str(Path(written).expanduser()))
    try:
        url = make_url(written)
    except (ArgumentError, ValueError):
        raise StoreError(
            "store.url is no address of a database; write a path, or postgresql+psycopg://user@host/name"
        ) from None
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


class _LockedError(StoreError):
    """Another program held the lock for too long."""


class Database:
    """An open database with the newest shape. Safe to use from several threads."""

    def __init__(self, address: str | Path | URL, *, only_look: bool = False) -> None:
        """Open and migrate. Raises StoreError where the database cannot be opened, read or written.

        With `only_look` that is found out, and nothing is made there and nothing migrated.
        """
        self._url = parse_url(address)
        self.name = self._url.render_as_string(hide_password=True)
        """For messages: the address without a password."""
        self._file: Path | None = None
        if self._is_sqlite and self._url.database not in (None, "", ":memory:"):
            self.name = str(self._url.database)
            self._file = Path(self.name)
            (self._check_file if only_look else self._make_file)(self._file)
        self._identity, self._pin = _pinned(self._file)
        self._log_identity: tuple[int, int] | None = None
        self._reopening = threading.Lock()
        self.files = 1
        """How many files it has been in, one after the other."""
        self._engine = self._make_engine()
        try:
            self._look() if only_look else self._open(self._engine)
        except BaseException:
            self.close()
            raise

    def _look(self) -> None:
        if self._file is None or self._file.exists():
            with self.reading() as connection:
                connection.execute(text("SELECT 1"))

    def _open(self, engine: Engine) -> None:
        """Migrate. SQLite's lock is not fair: where several programs start at once, one may wait in vain."""
        for attempt in range(1, _OPENING_ATTEMPTS + 1):
            try:
                with self._writing_by(engine) as connection:
                    self._migrate(connection)
            except _LockedError:
                if attempt == _OPENING_ATTEMPTS:
                    raise
            else:
                self._log_identity = None if self._file is None else _identity(_log_of(self._file))
                return

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that only reads. Raises StoreError."""
        self._follow_the_file()
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction, committed at the end and rolled back on any exception. Raises StoreError."""
        self._follow_the_file()
        with self._writing_by(self._engine) as connection:
            yield connection

    @contextmanager
    def _writing_by(self, engine: Engine) -> Iterator[Connection]:
        with self._translated(), engine.connect() as connection:
            writer = connection.execution_options(**{_WRITES: True})
            with writer.begin():
                yield writer

    def truncate_log(self) -> None:
        """Bring what was deleted out of SQLite's log as well, so that no copy of it stays on disk."""
        if self._is_sqlite:
            with self._translated(), self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert isinstance(raw, SqliteConnection)  # noqa: S101 - the only driver for SQLite
                ((is_busy, *_),) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                if is_busy:
                    log.warning(
                        "%s: another program reads it: what was deleted stays in the file's log until it is done",
                        self.name,
                    )

    def close(self) -> None:
        self._engine.dispose()
        _unpin(self._pin)
        self._pin = None

    def _follow_the_file(self) -> None:
        """Go on in the file that stands there now, where ours was removed or replaced: nobody would find what we write.

        What is left of our log goes: SQLite would take it for the new file's.
        """
        if self._file is None or self._identity is None or _identity(self._file) == self._identity:
            return
        with self._reopening:
            if _identity(self._file) == self._identity:
                return  # another thread was first
            log.error("%s: was removed or replaced while in use; going on with what is there now", self.name)
            log_file = _log_of(self._file)
            is_ours = _identity(log_file) == self._log_identity
            self._engine.dispose()
            if is_ours:
                log_file.unlink(missing_ok=True)
            self._make_file(self._file)
            engine = self._make_engine()
            try:
                self._open(engine)
            except BaseException:
                engine.dispose()
                raise  # the next transaction tries again
            _unpin(self._pin)
            self._engine, (self._identity, self._pin) = engine, _pinned(self._file)
            self.files += 1

    def _make_file(self, path: Path) -> None:
        """Create the file readable by its owner only: it holds numbers and transcripts."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise self._unwritable(path, error.strerror) from None

    def _check_file(self, path: Path) -> None:
        """Raise StoreError where `path` could not be written, or made with the folders that it lacks."""
        way = (path, *path.absolute().parents)
        there = next(place for place in way if place.exists())
        reason = None
        if there == path:
            reason = errno.EISDIR if path.is_dir() else None
        elif not there.is_dir():
            reason = errno.ENOTDIR
        if reason is None and not os.access(there, os.R_OK | os.W_OK):
            reason = errno.EACCES
        if reason is not None:
            raise self._unwritable(path, os.strerror(reason))

    def _unwritable(self, path: Path, reason: str | None) -> StoreError:
        return StoreError(
            f"{path}: cannot be opened for writing ({reason}); check who owns the folder, or set store.url"
        )

    def _make_engine(self) -> Engine:
        try:
            # A server that went away is noticed before a statement is sent, and an address that is silent soon.
            is_psycopg = self._url.drivername == "postgresql+psycopg"
            engine = create_engine(
                self._url,
                pool_pre_ping=not self._is_sqlite,
                connect_args={"connect_timeout": _CONNECT_SECONDS} if is_psycopg else {},
            )
        except ModuleNotFoundError as error:
            raise StoreError(
                f"{self.name}: the driver {error.name} is not installed; "
                f"{'install robocall-detector[postgresql]' if is_psycopg else 'use a path or postgresql+psycopg://'}"
            ) from None
        except (NoSuchModuleError, ArgumentError, SQLAlchemyError):
            raise StoreError(
                f"{self._url.drivername}: no such kind of database is known; use a path or postgresql+psycopg://"
            ) from None
        if self._is_sqlite:
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    def _migrate(self, connection: Connection) -> None:
        """Bring the tables to their newest shape; two programs that start at once wait for each other."""
        from alembic import command  # noqa: PLC0415 - only where a database is opened
        from alembic.config import Config  # noqa: PLC0415 - likewise
        from alembic.util import CommandError  # noqa: PLC0415 - likewise

        if not self._is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config = Config()
        config.set_main_option("script_location", "detector.stores:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise StoreError(
                f"{self.name}: was written by a newer version of the detector; install that one, "
                "or use another store"
            ) from None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the library raises into one line without the statement, whose values are personal."""
        try:
            yield
        except IntegrityError as error:
            raise StoreConflict(
                f"{self.name}: a change does not fit what is there ({_cause(error)})"
            ) from None
        except DBAPIError as error:
            kind = _LockedError if _cause(error).startswith("SQLITE_BUSY") else StoreError
            raise kind(f"{self.name}: {_reason(error)}") from None
        except SQLAlchemyError as error:
            raise StoreError(f"{self.name}: failed inside ({type(error).__name__})") from None


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands under a name now, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _pinned(path: Path | None) -> tuple[tuple[int, int] | None, int | None]:
    """Return which file stands there, and what keeps its number from being given to another one, where the system can.

    `O_PATH` opens nothing: closing it drops none of SQLite's locks, as closing another descriptor of the file would.
    """
    identity = None if path is None else _identity(path)
    if path is None or identity is None or not hasattr(os, "O_PATH"):
        return identity, None
    try:
        return identity, os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return identity, None


def _unpin(descriptor: int | None) -> None:
    if descriptor is not None:
        os.close(descriptor)


def _log_of(path: Path) -> Path:
    """SQLite's write-ahead log."""
    return path.with_name(f"{path.name}-wal")


def _configure_sqlite(connection: SqliteConnection, _record: object) -> None:
    # Transactions are begun by us: the driver would leave changes of tables outside of them.
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: one that read first would fail instead of waiting its turn.
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_SQLITE_HINTS: Final = {
    "SQLITE_NOTADB": "is not an SQLite database; move it away, or name another file in store.url",
    "SQLITE_CORRUPT": "is damaged; move it away and restore a copy",
    "SQLITE_FULL": "the disk is full; free space there",
    "SQLITE_READONLY": "cannot be written; check its owner and its folder's",
    "SQLITE_CANTOPEN": "cannot be opened; check its owner and its folder's",
    "SQLITE_BUSY": f"was locked by another program for {_BUSY_MILLISECONDS // 1000} s",
    "SQLITE_IOERR": "the disk failed to read or write it",
}


def _reason(error: DBAPIError) -> str:
    """What broke, in our words: the driver's own may quote values of rows."""
    cause = _cause(error)
    for prefix, hint in _SQLITE_HINTS.items():
        if cause.startswith(prefix):
            return hint
    return f"cannot be reached or failed ({cause}); is the database server running?"


def _cause(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlite_errorname", type(error.orig).__name__))
