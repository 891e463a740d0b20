"""Shares with exact confidence intervals.

The interval is that of C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the
case of the binomial", Biometrika 26 (1934): the rates at which the observed count, or one further out, would still
have half of the remaining chance. It never covers less than it promises, whatever the true rate.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Share", "binomial_tail", "clopper_pearson", "share"]

CONFIDENCE = 0.95
STEPS = 60
"""Bisections: the bounds are exact to the last digit that is ever shown."""


@lru_cache(maxsize=256)
def _log_choices(trials: int) -> NDArray[np.float64]:
    """Natural logs of the binomial coefficients of `trials`, shape (trials + 1,)."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    return np.asarray(logs[-1] - logs - logs[::-1])


def binomial_tail(least: int, trials: int, rate: float) -> float:
    """Chance of at least `least` events in `trials` at `rate` (0 to 1)."""
    if least <= 0:
        return 1.0
    if least > trials or rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    counts = np.arange(least, trials + 1)
    logs = _log_choices(trials)[least:] + counts * np.log(rate) + (trials - counts) * np.log1p(-rate)
    return min(1.0, float(np.exp(logs).sum()))


@lru_cache(maxsize=4096)
def clopper_pearson(events: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval of a rate of which `events` of `trials` were seen; (0, 1) without trials.

    Raises ValueError where there are more events than trials.
    """
    if not 0 <= events <= trials:
        raise ValueError(f"{events} events of {trials}")
    rest = (1 - confidence) / 2
    low = 0.0 if events == 0 else _rate_at(events, trials, rest)
    high = 1.0 if events == trials else _rate_at(events + 1, trials, 1 - rest)
    return low, high


def _rate_at(least: int, trials: int, chance: float) -> float:
    """The rate at which `least` or more of `trials` have this chance; the tail grows with the rate."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if binomial_tail(least, trials, middle) < chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, and what that says of the rate behind it."""

    count: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """None of nothing."""
        return self.count / self.of if self.of else None

    def as_json(self) -> dict[str, Any]:
        value = self.value
        return {
            "count": self.count,
            "of": self.of,
            "share": None if value is None else round(value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
        }

    def __str__(self) -> str:
        """As in "3 of 40, 7.5 % (1.6 to 20.4)"."""
        value = self.value
        if value is None:
            return "none"
        return (
            f"{self.count} of {self.of}, {100 * value:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f})"
        )


def share(count: int, of: int) -> Share:
    """Return the share with its exact 95 % interval."""
    return Share(count, of, *clopper_pearson(count, of))
