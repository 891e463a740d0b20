"""What the words of a call mean as a whole: the text model's reading, as evidence.

Fed the transcripts of a call in order. After every turn the model judges everything said so far; what is given
out is the change of its log-odds, so that the evidence of a call adds up to the present reading, as far as that is
believed. What he says unasked is believed less far than what he adds to it: an opening is soon taken for a sale, and
what he answers must be able to clear it up, or to confirm it, however plain it sounded. Words of too few syllables say
nothing, and what recognition guessed is not read; what it was half sure of proves less against a caller, though not
less for him. Where the model breaks, the call goes on without it.

A call is observed three times: what the caller says unasked ("patter.meaning", "wanted.meaning"), what his answers
add to it when he is asked ("answers.sell", "answers.clear"), and how he takes a refusal, which is read by itself
("refusal.pushes_on", "refusal.explains"): a salesman pushes on, whoever is wanted explains himself.
"""

import math
from dataclasses import dataclass

from detector.call import Language
from detector.signals.evidence import Evidence
from detector.text.features import Keys, turn_features, units
from detector.text.intent import IntentModel, Reading

__all__ = ["CAP", "UNASKED_CAP", "MeaningExtractor"]

CAP = 4.0
"""Natural log: answers alone change the odds 55-fold at most, either way."""
UNASKED_CAP = 3.0
"""What is said unasked is no better proof than 20 to 1. When all words together were believed up to 55 to 1, 2.1 % of
the persons in 6,800 written calls would have been hung up on, by the words and the limits of policy; so it is 1.3 %."""
_LEAST_UNITS = 4
"""Syllables, in all, below which nothing is said of a call: "喂，你好" fits everybody."""
_UNASKED = ("patter.meaning", "wanted.meaning")
_ASKED = ("answers.sell", "answers.clear")
_REFUSAL = ("refusal.pushes_on", "refusal.explains")
"""Sources for an unwanted caller and for a wanted one."""
_UNASKED_ACTS = frozenset({None, "greeting"})
_NOTICE_USUAL = -2.2
"""Log-odds of an announcement that the text model gives where nothing is known: one call of ten."""
_NOTICE_STEP = 0.5
_NEGLIGIBLE = 0.05
"""A smaller change waits until more has come together."""


@dataclass(slots=True)
class _Part:
    """What one part of the words says, as the model has it and as it is believed."""

    cap: float
    raw: float = 0.0
    believed: float = 0.0

    def change(self, change: float, trust: float) -> None:
        """Take a change of the model's reading, when the turn that brought it is to be trusted so far.

        What speaks more against the caller than before counts by `trust`; what clears him counts in full, and takes
        back what was held against him in proportion.
        """
        before = self.clipped
        self.raw += change
        now = self.clipped
        if now >= before:
            self.believed += trust * (now - before)
        elif before > 0 and self.believed > 0:
            self.believed = self.believed * max(now, 0.0) / before + min(now, 0.0)
        else:
            self.believed += now - before
        self.believed = max(-self.cap, min(self.cap, self.believed))

    @property
    def clipped(self) -> float:
        return max(-self.cap, min(self.cap, self.raw))


class MeaningExtractor:
    """Listens to one call. Without a model it observes nothing.

    `of_refusal`: it is handed only what is said to a refusal.
    """

    def __init__(self, model: IntentModel | None, *, of_refusal: bool = False) -> None:
        self._model = model
        self._of_refusal = of_refusal
        self._turns: list[Keys] = []
        self._units = 0
        self._unasked = _Part(CAP if of_refusal else UNASKED_CAP)
        self._asked = _Part(CAP)
        self._given = 0.0
        self._notice_given = 0.0
        self._reading: Reading | None = None

    def observe(
        self,
        text: str,
        language: Language,
        act: str | None,
        *,
        reliable: bool,
        media_time: float,
        arrived: float,
        trust: float = 1.0,
    ) -> list[Evidence]:
        """Take what the caller said in one turn, after the agent's `act`, and return what it changes.

        `media_time`: seconds after answer when the turn began; `arrived`: when its transcript came; `trust`: how much
        its words prove against the caller, 0 to 1.
        """
        said = units(text, language) if reliable and self._model is not None else 0
        if self._model is None or not said:
            return []
        turn = turn_features(text, language, act)
        self._turns.append(turn)
        self._units += said
        if self._units < _LEAST_UNITS:
            return []
        try:
            reading = self._model.read(self._turns, self._units, language)
            stage = self._model.stage(turn)[0]
        except Exception:  # noqa: BLE001 - onnxruntime has no base class for what it raises
            self._model = None  # what was read so far stands
            return []
        before, self._reading = self._reading, reading
        return [
            *self._changed(reading, before, trust, stage, act, media_time, arrived),
            *self._announcement(reading, media_time, arrived),
        ]

    def _changed(
        self,
        reading: Reading,
        before: Reading | None,
        trust: float,
        stage: str,
        act: str | None,
        media_time: float,
        arrived: float,
    ) -> list[Evidence]:
        is_unasked = self._of_refusal or act in _UNASKED_ACTS
        part = self._unasked if is_unasked else self._asked
        part.change(reading.log_odds - (before.log_odds if before else 0.0), trust)
        change = self._believed(reading.log_odds) - self._given
        if abs(change) < _NEGLIGIBLE:
            return []
        self._given += change
        source = (_REFUSAL if self._of_refusal else _UNASKED if is_unasked else _ASKED)[change < 0]
        what = "after a refusal:" if self._of_refusal else "the words so far:"
        return [
            Evidence(source, change, media_time, arrived, f"{what} {_describe(reading, stage)}", "patter")
        ]

    def _believed(self, reading: float) -> float:
        """Return what all words count for: never more than the model's own reading of them, and on the same side."""
        unasked, asked = self._unasked, self._asked
        total = unasked.believed + asked.believed
        if asked.believed < 0 < unasked.believed:
            # Answers clear a half heard caller as far as one who was heard well, and no further.
            total = unasked.clipped + asked.believed
            total *= unasked.believed / unasked.clipped if total > 0 else 1.0
        return max(min(reading, 0.0), min(max(reading, 0.0), total))

    def _announcement(self, reading: Reading, media_time: float, arrived: float) -> list[Evidence]:
        """How much it sounds like an announcement that is wanted, against a person: nothing about who is unwanted."""
        if self._of_refusal:
            return []
        share = min(max(reading.notice, 0.01), 0.99)
        change = math.log(share / (1 - share)) - _NOTICE_USUAL - self._notice_given
        if abs(change) < _NOTICE_STEP:
            return []
        self._notice_given += change
        like = "like an announcement" if reading.notice >= 0.5 else "not like an announcement"
        detail = f"if wanted: sounds {like} ({reading.notice:.2f})"
        return [Evidence("notice.meaning", -change, media_time, arrived, detail, "wanted")]

    @property
    def log_odds(self) -> float:
        """What the words so far say: natural log, positive for an unwanted caller."""
        return self._given

    @property
    def category(self) -> str | None:
        """The likeliest unwanted category; None where the words rather speak for a wanted call."""
        if self._reading is None or self._given <= 0:
            return None
        return self._reading.unwanted_category

    @property
    def notice(self) -> float:
        """Probability of an announcement that the callee wants; 0 before anything was said."""
        return 0.0 if self._reading is None else self._reading.notice


_STAGES = {
    "开场": "opening",
    "探需": "sounding out",
    "加恐": "frightening",
    "规划": "proposing",
    "产介": "describing the product",
    "答疑": "meeting objections",
    "截杀": "closing the sale",
}
"""The stages of a sales script, as sellers call them, in the words for the user."""


def _describe(reading: Reading, stage: str) -> str:
    kind = f"{reading.category} ({reading.category_probability:.2f})"
    if reading.log_odds > 0:
        return f"{kind}, {_STAGES.get(stage, stage)}"
    return f"{kind}"
