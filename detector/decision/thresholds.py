"""Thresholds of the sequential test: how much proof each of policy's rules takes.

They stand in the section `sequential_test` of the fusion weights (`models/fusion.json`), for they fit these weights
alone: log-odds that grow half as fast reach half as far. What they cost the two errors is written there in words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from detector.decision.checked import count, entries, number, numbers
from detector.errors import ModelError

__all__ = ["SECTION", "Thresholds"]

SECTION = "sequential_test"
_WORDS = frozenset({"about", "made", "costs"})
"""What the section tells its readers, beside the thresholds."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """In nats of log-odds, unless something else is said."""

    hang_up_at: float
    """Log-odds from which on an unwanted caller is hung up on."""
    unasked_margin: float
    """How much more proof it takes for a caller who was asked nothing and refused nothing: one exchange clears up most
    mistakes."""
    early_margin: float
    """How much more proof it takes against one who has had no more than a chance or two to explain himself: who sells
    mostly stands far above that by then, and who is wanted and was misread little above `hang_up_at`."""
    settled_after: int
    """Having answered so many questions and refusals, no such margin is needed."""
    unfinished_margin: float
    """How much more proof it takes while he is speaking: the end of an explanation may clear up its beginning."""
    persistent_after: int
    """Having answered so many questions and refusals, a caller needs no second kind of evidence against him: whoever
    is wanted and was misread has had that many chances to clear it up."""
    persistence_margin: float
    """How much more proof that takes."""
    share_after: tuple[float, ...]
    """The share of `hang_up_at` that suffices by how many questions and refusals he has answered, the last one for
    more, if all that he said is as much by itself: each answer would have cleared up a mistake."""
    well_heard: float
    """How sure recognition must be of his words, on average, for answers to lower the proof: words that were not heard
    clear up no mistake."""
    doubt_margin: float
    """How much more proof it takes for each unit of certainty that is missing."""
    notice_margin: float
    """How much more it takes for what sounds like an announcement, as long as there is something left to ask it."""
    hardly_notice: float
    """Probability of an announcement up to which no such margin is asked for; all of it is from `likely_notice` on."""
    kind_counts_at: float
    """What a family of evidence must add to count as a kind of its own: more than a late start or one question
    without an answer gives by itself."""
    refusal_counts_at: float
    """The same for the reaction to a refusal, which is read by itself: whoever is wanted clears himself."""
    words_alone_at: float
    """Log-odds by which a recording is judged, where nobody could be asked and nobody is hung up on."""
    forward_at: tuple[float, ...]
    """Log-odds up to which a caller is put through, by how many questions he has answered, the last one for more:
    openings are easily feigned, answers less."""
    questions: int
    """Having answered this many, a caller against whom nothing speaks is put through."""
    neutral_at: tuple[float, ...]
    """Log-odds below which nothing speaks against a caller who answered `questions` of our questions and refusals, one
    more, or more than that; above it he is asked on."""
    plain_notice: float
    """Log-likelihood ratio of the words of an announcement from which on it is one."""
    likely_notice: float
    """Probability of an announcement from which on one is believed that also behaves like a recording."""
    least_machine: float
    """Log-odds of a machine against a person, for the same."""
    doubt_emergency_at: float
    """Log-odds from which on words of an emergency, themselves counted, are not believed at once."""
    suspicious_at: float
    """Log-odds from which on an undecided caller leaves a message instead of being put through."""

    @classmethod
    def read(cls, weights: Mapping[str, Any]) -> "Thresholds":
        """Return those of a file of fusion weights. Raises ValueError or TypeError naming the key."""
        if SECTION not in weights:
            raise ValueError(f"{SECTION} is missing")
        section = entries(SECTION, weights[SECTION], {"thresholds"}, _WORDS)
        where = f"{SECTION}.thresholds"
        values = entries(where, section["thresholds"], {each.name for each in fields(cls)})
        read: Mapping[Any, Callable[[str, object], Any]] = {int: count, float: number}
        found = cls(
            **{
                each.name: read.get(each.type, numbers)(f"{where}.{each.name}", values[each.name])
                for each in fields(cls)
            }
        )
        if contradiction := _contradiction(found):
            raise ValueError(f"{where}.{contradiction}")
        return found

    def shifted(self, leniency: float) -> "Thresholds":
        """Return them with `leniency` nats more, or fewer, to hang up; nothing else moves.

        Raises ModelError where they contradict each other then.
        """
        if not leniency:
            return self
        # As decimal numbers are added, not as binary ones: 2.8 less 0.6 is 2.2.
        moved = replace(self, hang_up_at=round(self.hang_up_at + leniency, 12))
        if contradiction := _contradiction(moved):
            raise ModelError(f"the thresholds do not allow {leniency:+g} nats to hang up: {contradiction}")
        return moved

    def like_a_notice(self, probability: float) -> float:
        """How far something with this probability of an announcement is treated as one, 0 to 1."""
        share = (probability - self.hardly_notice) / (self.likely_notice - self.hardly_notice)
        return min(max(share, 0.0), 1.0)


_POSITIVE = (
    "hang_up_at",
    "kind_counts_at",
    "refusal_counts_at",
    "share_after",
    "plain_notice",
    "persistent_after",
    "likely_notice",
)
_NOT_NEGATIVE = (
    "unasked_margin",
    "early_margin",
    "settled_after",
    "unfinished_margin",
    "persistence_margin",
    "doubt_margin",
    "notice_margin",
    "questions",
)
_AT_MOST_ONE = ("share_after", "well_heard", "likely_notice")
_RISING = ("forward_at", "neutral_at")
"""With each answer it becomes easier to be put through."""
_FALLING = ("share_after",)
"""And to be hung up on."""
_BELOW = (
    ("forward_at", "suspicious_at"),
    ("neutral_at", "hang_up_at"),
    ("suspicious_at", "hang_up_at"),
    ("suspicious_at", "words_alone_at"),
    ("doubt_emergency_at", "hang_up_at"),
    ("hardly_notice", "likely_notice"),
)
"""Each value of the first lies below each of the second."""


def _contradiction(thresholds: Thresholds) -> str | None:
    """Return what makes no sense about them, the key first; None where all is well."""

    def values(name: str) -> tuple[float, ...]:
        value: float | tuple[float, ...] = getattr(thresholds, name)
        return value if isinstance(value, tuple) else (value,)

    demands: tuple[tuple[tuple[str, ...], str, Callable[[tuple[float, ...]], bool]], ...] = (
        (_POSITIVE, "must be above 0", lambda found: min(found) > 0),
        (_NOT_NEGATIVE, "must not be below 0", lambda found: min(found) >= 0),
        (_AT_MOST_ONE, "must not be above 1", lambda found: max(found) <= 1),
        (_RISING, "must not fall", lambda found: sorted(found) == list(found)),
        (_FALLING, "must not rise", lambda found: sorted(found, reverse=True) == list(found)),
    )
    for names, demand, is_met in demands:
        for name in names:
            if not is_met(values(name)):
                return f"{name}: {demand}"
    for low, high in _BELOW:
        if max(values(low)) >= min(values(high)):
            return f"{low}: must lie below {high}, {min(values(high)):g}"
    least = thresholds.hang_up_at * min(thresholds.share_after)
    if least <= thresholds.suspicious_at:
        return f"share_after: {least:g}, its least of hang_up_at, must lie above suspicious_at"
    return None
