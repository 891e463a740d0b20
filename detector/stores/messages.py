"""Messages that callers left. Functions on an open transaction; `Store` opens and closes it."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from detector.errors import StoreConflict
from detector.stores.records import StoredMessage
from detector.stores.schema import calls, messages

__all__ = ["add_message", "mark_read", "read_messages"]


def add_message(
    connection: Connection, call_id: str, text: str, audio_path: str | None, now: datetime
) -> int:
    row = {"call_id": call_id, "text": text, "audio_path": audio_path, "taken_at": now}
    return int(connection.execute(insert(messages).returning(messages.c.id), row).scalar_one())


def read_messages(
    connection: Connection, *, unread_only: bool, call_id: str | None
) -> Iterator[StoredMessage]:
    """Yield messages, the newest first; `call_id`: only those left in this call."""
    query = (
        select(
            messages.c.id,
            messages.c.call_id,
            messages.c.taken_at,
            calls.c.number,
            messages.c.text,
            # A message is spoken within its call, whose recording holds it too.
            func.coalesce(messages.c.audio_path, calls.c.audio_path),
            messages.c.read_at,
        )
        .join_from(messages, calls)
        .order_by(messages.c.taken_at.desc(), messages.c.id.desc())
    )
    if unread_only:
        query = query.where(messages.c.read_at.is_(None))
    if call_id is not None:
        query = query.where(messages.c.call_id == call_id)
    for row in connection.execute(query).yield_per(200):
        yield StoredMessage(*row)


def mark_read(connection: Connection, message_id: int, now: datetime) -> None:
    """Note when a message was read. Raises StoreConflict where there is no such message."""
    changed = connection.execute(update(messages).where(messages.c.id == message_id).values(read_at=now))
    if changed.rowcount == 0:
        raise StoreConflict(f"there is no message {message_id}")
