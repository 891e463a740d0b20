"""Evidence: one observation about the caller, weighed as a log-likelihood ratio."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

__all__ = ["Axis", "Evidence", "clock_time", "known_source"]

Axis = Literal["playback", "patter", "unresponsive", "dialer", "number", "wanted"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one extractor observed.

    `llr` is the natural log of P(observation | unwanted) / P(observation | wanted): positive speaks for an
    unwanted caller. It is the extractor's own estimate; fusion scales and caps it per source.
    """

    source: str
    """The extractor and the kind of observation, dotted: "patter.lexicon", "playback.repeat"."""
    llr: float
    media_time: float
    """Seconds after answer of what it describes."""
    arrived: float
    """Seconds after answer when it was known."""
    detail: str
    """Words that a user can read: "the same 4.2 s of audio as at 0:07"."""
    axis: Axis
    """What it is about. What each axis of the verdict makes of its source stands in the fusion weights."""


def known_source(source: str, names: Container[str]) -> str | None:
    """Return which of `names` stands for `source`: its own or its longest dotted prefix; None where there is none."""
    while source and source not in names:
        source = source.rpartition(".")[0]
    return source or None


def clock_time(seconds: float) -> str:
    """Write a time of the call for a user: "0:07"."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02}"
