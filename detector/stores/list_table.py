"""Entries of lists in the store. Functions on an open transaction; `Store` opens and closes it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from detector.errors import StoreConflict
from detector.stores.lists import ListEntry
from detector.stores.schema import list_entries as table

__all__ = ["delete_entry", "put_entry", "read_entries"]


def put_entry(connection: Connection, entry: ListEntry, now: datetime) -> ListEntry:
    """Keep `entry`; one that is there already gets its tag and note. Returns it as it is stored."""
    same = _same_as(entry)
    found = connection.execute(select(table.c.id, table.c.created_at).where(same)).one_or_none()
    if found is not None:
        connection.execute(update(table).where(same).values(tag=entry.tag, note=entry.note))
        return replace(entry, id=found.id, created_at=found.created_at)
    row: dict[str, Any] = {
        "owner": entry.owner,
        "verdict": entry.verdict,
        "kind": entry.kind,
        "value": entry.value,
        "tag": entry.tag,
        "note": entry.note,
        "created_at": now,
    }
    new_id = connection.execute(insert(table).returning(table.c.id), row).scalar_one()
    return replace(entry, id=new_id, created_at=now)


def read_entries(connection: Connection) -> tuple[ListEntry, ...]:
    """Return all entries, the oldest first."""
    rows = connection.execute(
        select(
            table.c.owner,
            table.c.verdict,
            table.c.kind,
            table.c.value,
            table.c.tag,
            table.c.note,
            table.c.created_at,
            table.c.id,
        ).order_by(table.c.id)
    )
    return tuple(ListEntry(*row) for row in rows)


def delete_entry(connection: Connection, entry_id: int) -> None:
    """Delete one entry. Raises StoreConflict where there is none."""
    if connection.execute(delete(table).where(table.c.id == entry_id)).rowcount == 0:
        raise StoreConflict(f"there is no list entry {entry_id}")


def _same_as(entry: ListEntry) -> ColumnElement[bool]:
    return (
        (table.c.owner == entry.owner)
        & (table.c.verdict == entry.verdict)
        & (table.c.kind == entry.kind)
        & (table.c.value == entry.value)
    )
