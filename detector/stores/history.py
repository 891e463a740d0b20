"""The history of a number: what earlier calls from it came to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Connection, Row, and_, case, func, not_, or_, select

from detector.call import NumberHistory
from detector.number_plan import block_of, normalize
from detector.signals.history import NEED_WINDOW, REDIAL, RELATED_WINDOW
from detector.stores.schema import calls

__all__ = ["ONE_RING", "read_history"]

ONE_RING: Final = timedelta(seconds=3)
"""A caller who is gone this soon after the answer, or before it, rang to be called back."""
LOSSES_WITHIN: Final = timedelta(days=1)
"""One call lost within this was bad luck. Two are a pattern: a caller may be able to make us lose them."""
_MOST_ATTEMPTS: Final = 200
"""Calls looked at: who called more often in a few hours needs no exact count."""


def read_history(connection: Connection, number: str | None, now: datetime) -> NumberHistory:
    """Return what is known of `number` before a call that begins at `now`; nothing where it is withheld."""
    spelled = normalize(number)
    if not spelled:
        return NumberHistory()
    # The call that is being screened may be in the store already.
    earlier = and_(calls.c.number == spelled, calls.c.started_at < now)
    totals = connection.execute(
        select(
            func.count(),
            func.max(calls.c.started_at),
            func.max(_REFUSED_AT),
            func.max(_HUNG_UP_AT),
            func.count(_PUT_THROUGH),
        ).where(earlier)
    ).one()
    count, last_call, last_refusal, last_hang_up, put_through = totals
    related = _read_related(connection, spelled, now)
    if not count:
        return NumberHistory(**related)
    return NumberHistory(
        calls=count,
        since_last_call=_since(last_call, now),
        since_refusal=_since(last_refusal, now),
        since_hang_up=_since(last_hang_up, now),
        put_through=put_through,
        lost_by_us=_is_unlucky(connection, spelled, now),
        one_ring_calls=_count_one_ring(connection, spelled, now),
        attempts=_count_attempts(connection, spelled, now),
        **related,
    )


_IS_WANTED: Final = calls.c.rating.is_not_distinct_from("wanted")
"""So says the user, whatever we did with the call."""
_REFUSED_AT: Final = case((not_(_IS_WANTED), calls.c.refused_at))
_HUNG_UP_AT: Final = case((and_(calls.c.action == "hang_up", not_(_IS_WANTED)), calls.c.started_at))
_PUT_THROUGH: Final = case(
    (_IS_WANTED, 1),
    (
        and_(
            calls.c.action == "forward",
            calls.c.end_reason == "forwarded",  # and not only tried
            calls.c.rating.is_distinct_from("unwanted"),
        ),
        1,
    ),
)


def _is_unlucky(connection: Connection, spelled: str, now: datetime) -> bool:
    """Whether the last call was lost by a fault on this side, and no other one within a day."""
    earlier = and_(calls.c.number == spelled, calls.c.started_at < now)
    was_lost = and_(calls.c.lost, calls.c.rating.is_distinct_from("unwanted"))
    last = select(was_lost).where(earlier).order_by(calls.c.started_at.desc(), calls.c.id).limit(1)
    if not connection.scalar(last):
        return False
    recent = and_(earlier, calls.c.lost, calls.c.started_at >= now - LOSSES_WITHIN)
    return (connection.scalar(select(func.count()).where(recent)) or 0) <= 1


def _since(when: datetime | None, now: datetime) -> float | None:
    return None if when is None else max(0.0, (now - when).total_seconds())


def _is_one_ring(row: Row[Any]) -> bool:
    """Compared here and not in the query, for databases subtract times in different ways."""
    if row.end_reason != "caller_hung_up":
        return False
    return row.answered_at is None or bool(row.ended_at and row.ended_at - row.answered_at <= ONE_RING)


_RINGING: Final[tuple[Column[Any], ...]] = (
    calls.c.started_at,
    calls.c.answered_at,
    calls.c.ended_at,
    calls.c.end_reason,
)


def _count_one_ring(connection: Connection, spelled: str, now: datetime) -> int:
    """Count calls that the caller ended within a ring."""
    rows = connection.execute(
        select(*_RINGING).where(
            calls.c.number == spelled,
            calls.c.started_at < now,
            calls.c.end_reason == "caller_hung_up",
            or_(calls.c.answered_at.is_(None), calls.c.ended_at.is_not(None)),
        )
    )
    return sum(_is_one_ring(row) for row in rows)


def _count_attempts(connection: Connection, spelled: str, now: datetime) -> int:
    """Count the times that the caller tried in the last hours, and stayed."""
    begin = now - timedelta(seconds=NEED_WINDOW)
    rows = connection.execute(
        select(*_RINGING)
        .where(calls.c.number == spelled, calls.c.started_at >= begin, calls.c.started_at < now)
        .order_by(calls.c.started_at.desc())
        .limit(_MOST_ATTEMPTS)
    ).all()
    return _count_spaced([row.started_at for row in reversed(rows) if not _is_one_ring(row)])


def _count_spaced(times: Sequence[datetime]) -> int:
    """Count `times`, in order, without those that follow the one before within a redial."""
    gap = timedelta(seconds=REDIAL)
    return sum(at == 0 or time - times[at - 1] >= gap for at, time in enumerate(times))


def _read_related(connection: Connection, spelled: str, now: datetime) -> dict[str, Any]:
    """Return what other numbers of the block did within the last minutes, for a NumberHistory.

    The index of times leads: a block has ten thousand numbers, half an hour has few calls.
    """
    block = block_of(spelled)
    if not block:
        return {}
    count, last_refusal, last_hang_up, put_through = connection.execute(
        select(
            func.count(),
            func.max(_REFUSED_AT),
            func.max(_HUNG_UP_AT),
            func.count(_PUT_THROUGH),
        ).where(
            calls.c.started_at >= now - timedelta(seconds=RELATED_WINDOW),
            calls.c.started_at < now,
            calls.c.number.startswith(block, autoescape=True),
            calls.c.number != spelled,
        )
    ).one()
    turned_away = [when for when in (last_refusal, last_hang_up) if when is not None]
    return {
        "related_calls": count,
        "since_related_refusal": _since(max(turned_away, default=None), now),
        "related_put_through": bool(put_through),
    }
