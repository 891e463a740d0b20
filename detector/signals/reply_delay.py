"""How long a caller takes to reply: the pace of people, or that of a machine.

A machine takes what endpointing, recognition and synthesis (or picking a clip) take: about a second, each time. People
take 0.2 s to 1 s in conversation (Stivers et al., 2009, "Universals and cultural variation in turn-taking": 0.2 s on
the average over ten languages; a question from a machine takes longer), and never the same twice.

Both are a mean that differs from caller to caller and a spread about it, so that several delays of one call are
judged together: as the marginal likelihood of all of them. Unwanted callers are machines or people, as likely one as
the other; a caller at a person's pace is therefore cleared of little. The old, the slow and those on a line with much
latency take longer, hence the broad mean of people and the bound of the whole.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["delay_evidence"]

MOST = (0.5, 1.6, 2.2)
"""Natural log, by the number of delays: the old and hard of hearing take a second, too, before they answer. No number
of delays is better proof than 9 to 1."""


@dataclass(frozen=True, slots=True)
class _Pace:
    """Seconds. The mean of a caller is drawn about `mean`, his delays about it with one of `spreads`."""

    mean: float
    mean_spread: float
    spreads: tuple[float, ...]
    outliers: float
    """Share of callers whose delays follow nothing: anything up to `_LONGEST`."""


_PERSON = _Pace(mean=0.6, mean_spread=0.35, spreads=(0.25, 0.45), outliers=0.15)
_MACHINE = _Pace(mean=1.2, mean_spread=0.27, spreads=(0.06, 0.14), outliers=0.1)
_LONGEST = 4.0


def delay_evidence(delays: Sequence[float]) -> float:
    """Return the log-likelihood ratio (nats) of these delays (seconds) for an unwanted caller against a person."""
    if not delays:
        return 0.0
    machine = math.exp(min(_log_likelihood(delays, _MACHINE) - _log_likelihood(delays, _PERSON), 30.0))
    return min(math.log(0.5 * machine + 0.5), MOST[min(len(delays), len(MOST)) - 1])


def _log_likelihood(delays: Sequence[float], pace: _Pace) -> float:
    regular = sum(math.exp(_normal(delays, pace, spread)) for spread in pace.spreads) / len(pace.spreads)
    anything = _LONGEST ** -len(delays)
    return math.log((1 - pace.outliers) * regular + pace.outliers * anything)


def _normal(delays: Sequence[float], pace: _Pace, spread: float) -> float:
    """Log density of delays that share a normal mean: the normal-normal marginal, in closed form."""
    count, within = len(delays), spread**2
    centre = sum(delays) / count
    of_mean = pace.mean_spread**2 + within / count
    squares = sum((delay - centre) ** 2 for delay in delays)
    return (
        -0.5 * (count - 1) * math.log(2 * math.pi * within)
        - 0.5 * math.log(count)
        - 0.5 * squares / within
        - 0.5 * math.log(2 * math.pi * of_mean)
        - 0.5 * (centre - pace.mean) ** 2 / of_mean
    )
