"""The tables, as the newest migration leaves them.

Times of day are UTC. Times within a call are seconds after answer. Deleting a call deletes what hangs on it.
"""

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

__all__ = [
    "CALL_ID_LENGTH",
    "UtcDateTime",
    "calls",
    "evidence",
    "fingerprint_hashes",
    "fingerprints",
    "list_entries",
    "messages",
    "metadata",
    "turns",
]

CALL_ID_LENGTH: Final = 128
_NUMBER_LENGTH: Final = 32

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC. SQLite has no time zones, so they are taken off on the way in and put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _of_call() -> Column[Any]:
    return Column("call_id", ForeignKey("calls.id", ondelete="CASCADE"), nullable=False)


calls = Table(
    "calls",
    metadata,
    Column("id", String(CALL_ID_LENGTH), primary_key=True),
    Column("agent", String(64), nullable=False),  # which service took it, where several share a store
    Column("started_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("end_reason", String(32)),
    Column("number", String(_NUMBER_LENGTH), nullable=False),  # as number_plan spells it; "" where withheld
    Column("display_name", Text),
    Column("language", String(8)),  # no longer written
    Column("label", String(32)),
    Column("action", String(32)),
    Column("unwanted", Float),
    Column("playback", Float),
    Column("patter", Float),
    Column("unresponsive", Float),
    Column("decided_at", Float),
    Column("reason", Text),
    Column("lost", Boolean, nullable=False, default=False),
    Column("refused_at", UtcDateTime),
    Column("audio_path", Text),  # below the recordings folder
    Column("rating", String(16)),  # what the user said afterwards
    Index(None, "number", "started_at"),
    Index(None, "started_at"),
)

turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_call(),
    Column("speaker", String(8), nullable=False),
    Column("start", Float, nullable=False),
    Column("end", Float, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "call_id"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_call(),
    Column("source", String(64), nullable=False),
    Column("axis", String(16), nullable=False),
    Column("llr", Float, nullable=False),
    Column("media_time", Float, nullable=False),
    Column("arrived", Float, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "call_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),
    _of_call(),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("text", Text, nullable=False),
    Column("audio_path", Text),
    Column("read_at", UtcDateTime),
    Index(None, "call_id"),
    Index(None, "taken_at"),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("call_id", ForeignKey("calls.id", ondelete="CASCADE")),  # none: read in from elsewhere
    Column("landmarks", LargeBinary, nullable=False),
    Column("campaign", Integer),  # the id of the first fingerprint of the same audio
    Column("label", String(12)),  # unwanted, notice, wanted
    Column("name", String(64)),
    Index(None, "call_id"),
    Index(None, "campaign"),
)

# Every eighth hash of each fingerprint: where to look first. No foreign key: deleting a call would search them all.
fingerprint_hashes = Table(
    "fingerprint_hashes",
    metadata,
    Column("hash", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint_id", Integer, primary_key=True, autoincrement=False),
    Column("frame", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

list_entries = Table(
    "list_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(8), nullable=False),  # own, system
    Column("verdict", String(8), nullable=False),  # allow, deny, tag
    Column("kind", String(16), nullable=False),  # number, prefix, pattern, category
    Column("value", String(64), nullable=False),
    Column("tag", String(64)),
    Column("note", Text),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("owner", "verdict", "kind", "value"),
)
