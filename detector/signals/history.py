"""Evidence from earlier calls of the same number.

Two opposite things look alike: a dialer that calls again and a person who needs to get through. What tells
them apart is spacing and what happened before:

- A call after a refusal is a dialer's, unless it comes at once: a person who was refused by mistake rings
  again within minutes, a campaign's list comes round after hours or days.
- Calls that are spaced by minutes, few, and never refused are a person's. Redialling within two minutes earns
  nothing, for that is how dialers get past a phone that lets a second call ring through; nor do calls that rang once.
- A number of the same block, minutes after another of them was turned away, is the same dialer with its next
  number; or a colleague with his own line, so it weighs less than words do, and nothing where an earlier one of
  them was put through.
"""

from detector.call import CallInfo, NumberHistory
from detector.signals.evidence import Axis, Evidence

__all__ = ["NEED_WINDOW", "REDIAL", "RELATED_WINDOW", "ago", "history_evidence"]

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0

_AT_ONCE = 10 * _MINUTE
"""Within this a person who was turned away by mistake rings again."""
REDIAL = 2 * _MINUTE
"""Seconds. Calls closer than this are redials, which dialers do too."""
NEED_WINDOW = 4 * _HOUR
"""Seconds. A person who needs something tries again within this."""
_NEED_CALLS = 5
"""Earlier calls up to which trying again looks like need."""
RELATED_WINDOW = 30 * _MINUTE
"""Seconds in which calls from numbers of one block belong together."""
_RELATED_AT_ONCE = 10 * _MINUTE
_RELATED_BURST = 3
_BURST_CALLS = 8
"""Earlier calls, none of which came to anything, from which on they look like a list being worked off."""


_Found = tuple[str, float, str, Axis]


def history_evidence(call: CallInfo, arrived: float = 0.0) -> list[Evidence]:
    """Return what the earlier calls in `call.history` say; sources "history.…"."""
    history = call.history
    found = [_refused(history) or _hung_up_on(history), _rings_once(history), _burst(history)]
    found += [_related_burst(history), _put_through(history), _needs_it(history)]
    return [
        Evidence(source, llr, 0.0, arrived, detail, axis)
        for source, llr, detail, axis in (one for one in found if one is not None)
    ]


def _refused(history: NumberHistory) -> _Found | None:
    """Judge a call after a refusal: the longer ago within half a year, the less chance and the less habit."""
    since = history.since_refusal
    if since is None:
        return None
    if since < _AT_ONCE:
        llr = 0.3
    elif since < 30 * _DAY:
        llr = 1.5
    elif since < 180 * _DAY:
        llr = 1.0
    else:
        llr = 0.4  # numbers are handed on to new holders within months
    if history.put_through:
        llr *= 0.5  # somebody here did want to talk to this number
    return "history.refused", llr, f"refused {ago(since)}", "number"


def _hung_up_on(history: NumberHistory) -> _Found | None:
    """Judge a call after we hung up: our own verdict, so it proves less than words did."""
    since = history.since_hang_up
    if since is None or since < _AT_ONCE:
        return None
    llr = 0.8 if since < 30 * _DAY else 0.4
    if history.put_through:
        llr *= 0.5
    return "history.hung_up_on", llr, f"hung up on {ago(since)}", "number"


def _rings_once(history: NumberHistory) -> _Found | None:
    """Judge one-ring calls: once is a misdial, more is bait for being called back."""
    count = history.one_ring_calls
    if not count or history.put_through:
        return None
    llr = {1: 0.2, 2: 0.8}.get(count, 1.2)
    return "history.one_ring", llr, f"rang only once in {count} earlier {_calls(count)}", "number"


def _burst(history: NumberHistory) -> _Found | None:
    if history.calls < _BURST_CALLS or history.put_through:
        return None
    return "history.burst", 0.5, f"{history.calls} earlier calls, none put through", "number"


def _related_burst(history: NumberHistory) -> _Found | None:
    """Judge a call minutes after another number of the block was turned away."""
    since = history.since_related_refusal
    if since is None or since > RELATED_WINDOW or history.put_through or history.related_put_through:
        return None
    llr = 0.6 if since <= _RELATED_AT_ONCE else 0.3
    if history.related_calls >= _RELATED_BURST:
        llr += 0.4
    count = history.related_calls
    detail = f"{count} {_calls(count)} from related numbers, one turned away {ago(since)}"
    return "history.related_burst", llr, detail, "number"


def _put_through(history: NumberHistory) -> _Found | None:
    if not history.put_through or history.since_refusal is not None:
        return None
    llr = -0.6 if history.put_through == 1 else -1.0
    detail = f"put through {history.put_through} {'time' if history.put_through == 1 else 'times'} before"
    return "history.put_through", llr, detail, "wanted"


def _needs_it(history: NumberHistory) -> _Found | None:
    """Judge a person who tries again; a call that we lost ourselves is one more reason to."""
    if history.lost_by_us:
        return "history.lost_by_us", -1.0, "the last call was lost by a fault on this side", "wanted"
    since = history.since_last_call
    turned_away = history.since_refusal is not None or history.since_hang_up is not None
    one_ring = history.one_ring_calls > 1
    attempts = history.calls if history.attempts is None else history.attempts
    if since is None or turned_away or one_ring or not 1 <= attempts <= _NEED_CALLS:
        return None
    if not REDIAL <= since <= NEED_WINDOW:
        return None
    llr = -0.4 if attempts == 1 else -0.6
    return "history.tries_again", llr, f"tries again, last {ago(since)}", "wanted"


def _calls(count: int) -> str:
    return "call" if count == 1 else "calls"


def ago(seconds: float) -> str:
    """Say how long ago something was, in words."""
    if seconds < _HOUR:
        count, unit = int(seconds // _MINUTE), "minute"
    elif seconds < _DAY:
        count, unit = int(seconds // _HOUR), "hour"
    else:
        count, unit = int(seconds // _DAY), "day"
    return "just now" if count == 0 else f"{count} {unit}{'' if count == 1 else 's'} ago"
