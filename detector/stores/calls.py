"""Calls: writing one down while it goes on, and reading it back.

Functions on an open transaction; `Store` opens and closes it.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from detector.agents.record import Turn
from detector.call import CallInfo
from detector.decision.verdict import Axes, Verdict
from detector.errors import StoreConflict
from detector.number_plan import normalize
from detector.signals.evidence import Evidence
from detector.stores import schema
from detector.stores.records import CallDetail, EndReason, StoredCall

__all__ = [
    "add_evidence",
    "add_turn",
    "begin_call",
    "change_call",
    "ids_beginning",
    "read_call",
    "read_calls",
    "recover",
    "set_verdict",
]

_LONGEST_NAME = 200
"""Characters: a display name comes from the caller, who may send any length."""


def begin_call(connection: Connection, call: CallInfo, agent: str, now: datetime) -> None:
    row = {
        "id": call.call_id,
        "agent": agent,
        "started_at": now,
        "number": normalize(call.number),
        "display_name": call.display_name[:_LONGEST_NAME] if call.display_name else None,
        "lost": False,
    }
    connection.execute(insert(schema.calls), row)


def change_call(connection: Connection, call_id: str, **values: Any) -> None:
    """Set columns of one call. Raises StoreConflict where there is no such call."""
    changed = connection.execute(update(schema.calls).where(schema.calls.c.id == call_id).values(**values))
    if changed.rowcount == 0:
        raise StoreConflict("the call to be changed is not in the store")


def add_turn(connection: Connection, call_id: str, turn: Turn) -> None:
    row = {"speaker": turn.speaker, "start": turn.start, "end": turn.end, "text": turn.text}
    connection.execute(insert(schema.turns), {"call_id": call_id, **row})


def add_evidence(connection: Connection, call_id: str, item: Evidence) -> None:
    row = {
        "source": item.source,
        "axis": item.axis,
        "llr": item.llr,
        "media_time": item.media_time,
        "arrived": item.arrived,
        "detail": item.detail,
    }
    connection.execute(insert(schema.evidence), {"call_id": call_id, **row})


def set_verdict(connection: Connection, call_id: str, verdict: Verdict) -> None:
    change_call(
        connection,
        call_id,
        label=verdict.label,
        action=verdict.action,
        unwanted=verdict.unwanted,
        playback=verdict.axes.playback,
        patter=verdict.axes.patter,
        unresponsive=verdict.axes.unresponsive,
        decided_at=verdict.decided_at,
        reason=verdict.reason,
    )


def recover(connection: Connection, agent: str, now: datetime) -> int:
    """Mark the calls that `agent` never saw the end of as lost; return how many they were."""
    ended: EndReason = "lost"
    table = schema.calls
    statement = (
        update(table)
        .where(table.c.agent == agent, table.c.ended_at.is_(None))
        .values(lost=True, ended_at=now, end_reason=ended)
    )
    return connection.execute(statement).rowcount


def read_call(connection: Connection, call_id: str) -> CallDetail | None:
    row = connection.execute(select(schema.calls).where(schema.calls.c.id == call_id)).one_or_none()
    return None if row is None else _detail(connection, row)


def ids_beginning(connection: Connection, beginning: str, limit: int) -> tuple[str, ...]:
    """Return the ids of up to `limit` calls that begin so."""
    table = schema.calls
    query = select(table.c.id).where(func.substr(table.c.id, 1, len(beginning)) == beginning)
    return tuple(connection.scalars(query.order_by(table.c.id).limit(limit)))


def read_calls(
    connection: Connection,
    *,
    number: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
) -> Iterator[CallDetail]:
    """Yield calls, the newest first; `since` is included, `until` is not."""
    table = schema.calls
    query: Select[Any] = select(table).order_by(table.c.started_at.desc(), table.c.id).limit(limit)
    if number is not None:
        query = query.where(table.c.number == normalize(number))
    if since is not None:
        query = query.where(table.c.started_at >= since)
    if until is not None:
        query = query.where(table.c.started_at < until)
    for row in connection.execute(query).yield_per(200):
        yield _detail(connection, row)


def _detail(connection: Connection, row: Row[Any]) -> CallDetail:
    turns, evidence = schema.turns, schema.evidence
    said = connection.execute(
        select(turns.c.speaker, turns.c.start, turns.c.end, turns.c.text)
        .where(turns.c.call_id == row.id)
        .order_by(turns.c.start, turns.c.id)
    )
    items = connection.execute(
        select(
            evidence.c.source,
            evidence.c.llr,
            evidence.c.media_time,
            evidence.c.arrived,
            evidence.c.detail,
            evidence.c.axis,
        )
        .where(evidence.c.call_id == row.id)
        .order_by(evidence.c.id)
    )
    return CallDetail(
        _stored_call(row), tuple(Turn(*each) for each in said), tuple(Evidence(*each) for each in items)
    )


def _stored_call(row: Row[Any]) -> StoredCall:
    has_axes = row.playback is not None
    return StoredCall(
        id=row.id,
        agent=row.agent,
        started_at=row.started_at,
        number=row.number,
        display_name=row.display_name,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        label=row.label,
        action=row.action,
        unwanted=row.unwanted,
        axes=Axes(row.playback, row.patter, row.unresponsive) if has_axes else None,
        decided_at=row.decided_at,
        reason=row.reason,
        lost=row.lost,
        refused_at=row.refused_at,
        audio_path=row.audio_path,
        rating=row.rating,
    )
