"""The history of a number: what earlier calls from it came to."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, case, func, or_, select

from detector.call import NumberHistory
from detector.number_plan import normalize
from detector.stores.schema import calls

__all__ = ["ONE_RING", "read_history"]

ONE_RING: Final = timedelta(seconds=3)
"""A caller who is gone this soon after the answer, or before it, rang to be called back."""


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
            func.max(calls.c.refused_at),
            func.max(case((calls.c.action == "hang_up", calls.c.started_at))),
            func.count(case((calls.c.action == "forward", 1))),
        ).where(earlier)
    ).one()
    count, last_call, last_refusal, last_hang_up, put_through = totals
    if not count:
        return NumberHistory()
    return NumberHistory(
        calls=count,
        since_last_call=_since(last_call, now),
        since_refusal=_since(last_refusal, now),
        since_hang_up=_since(last_hang_up, now),
        put_through=put_through,
        lost_by_us=bool(
            connection.scalar(
                select(calls.c.lost).where(earlier).order_by(calls.c.started_at.desc(), calls.c.id).limit(1)
            )
        ),
        one_ring_calls=_count_one_ring(connection, spelled, now),
    )


def _since(when: datetime | None, now: datetime) -> float | None:
    return None if when is None else max(0.0, (now - when).total_seconds())


def _count_one_ring(connection: Connection, spelled: str, now: datetime) -> int:
    """Count calls that the caller ended within a ring.

    Compared here and not in the query, for databases subtract times in different ways.
    """
    rows = connection.execute(
        select(calls.c.answered_at, calls.c.ended_at).where(
            calls.c.number == spelled,
            calls.c.started_at < now,
            calls.c.end_reason == "caller_hung_up",
            or_(calls.c.answered_at.is_(None), calls.c.ended_at.is_not(None)),
        )
    )
    return sum(answered is None or ended - answered <= ONE_RING for answered, ended in rows)
