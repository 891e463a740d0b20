"""Retention and erasure: which rows and recordings go, once they are old or their caller asks for it.

Files go before rows: if a file cannot be deleted, its row still names it and the next try finds it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, update

from detector.number_plan import normalize
from detector.stores.schema import calls, list_entries, messages

__all__ = [
    "audio_of_calls",
    "audio_paths",
    "begun_before",
    "delete_calls",
    "delete_list_entries",
    "detach_audio",
    "from_number",
]


def begun_before(when: datetime) -> ColumnElement[bool]:
    """Calls that began before `when`, and are over."""
    return (calls.c.started_at < when) & calls.c.ended_at.is_not(None)


def from_number(number: str) -> ColumnElement[bool]:
    return calls.c.number == normalize(number)


def audio_of_calls(connection: Connection, which: ColumnElement[bool]) -> list[str]:
    """Return the recordings of these calls and of the messages left in them."""
    of_messages: Any = select(messages.c.audio_path).join_from(messages, calls).where(which)
    found = connection.scalars(select(calls.c.audio_path).where(which).union_all(of_messages))
    return [path for path in found if path is not None]


def audio_paths(connection: Connection) -> frozenset[str]:
    """Return every recording that the store knows."""
    found = connection.scalars(select(calls.c.audio_path).union_all(select(messages.c.audio_path)))
    return frozenset(path for path in found if path is not None)


def detach_audio(connection: Connection, which: ColumnElement[bool]) -> None:
    """Forget the recordings of these calls, keep the calls."""
    ids = select(calls.c.id).where(which).scalar_subquery()
    connection.execute(update(messages).where(messages.c.call_id.in_(ids)).values(audio_path=None))
    connection.execute(update(calls).where(which).values(audio_path=None))


def delete_calls(connection: Connection, which: ColumnElement[bool]) -> int:
    """Delete calls with everything that hangs on them; return how many."""
    return connection.execute(delete(calls).where(which)).rowcount


def delete_list_entries(connection: Connection, number: str) -> int:
    """Delete the entries of lists that name exactly this number."""
    statement = delete(list_entries).where(
        list_entries.c.kind == "number", list_entries.c.value == normalize(number)
    )
    return connection.execute(statement).rowcount
