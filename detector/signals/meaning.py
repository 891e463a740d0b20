"""What the words of a call mean as a whole: the text model's reading, as evidence.

Fed the transcripts of a call in order. After every turn the model judges everything said so far; what is given
out is the change of its log-odds, so that the evidence of a call adds up to the present reading, as far as that is
believed. Words of too few syllables say nothing, and what recognition guessed is not read; what it was half sure of
proves less against a caller, though not less for him. Where the model breaks, the call goes on without it.

A call is observed three times: what the caller says unasked ("patter.meaning", "wanted.meaning"), what his answers
add to it when he is asked ("answers.sell", "answers.clear"), and how he takes a refusal, which is read by itself
("refusal.pushes_on", "refusal.explains"): a salesman pushes on, whoever is wanted explains himself.
"""

import math

from detector.call import Language
from detector.signals.evidence import Evidence
from detector.text.features import Keys, turn_features, units
from detector.text.intent import IntentModel, Reading

__all__ = ["MeaningExtractor"]

CAP = 4.0
"""Natural log: no words alone are better proof than 55 to 1, either way."""
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


class MeaningExtractor:
    """Listens to one call. Without a model it observes nothing.

    `of_refusal`: it is handed only what is said to a refusal.
    """

    def __init__(self, model: IntentModel | None, *, of_refusal: bool = False) -> None:
        self._model = model
        self._of_refusal = of_refusal
        self._turns: list[Keys] = []
        self._units = 0
        self._raw = 0.0
        self._believed_so_far = 0.0
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
            reading = self._model.read(self._turns, self._units)
            stage = self._model.stage(turn)[0]
        except Exception:  # noqa: BLE001 - onnxruntime has no base class for what it raises
            self._model = None  # what was read so far stands
            return []
        self._reading = reading
        return [
            *self._changed(self._believed(reading.log_odds, trust), reading, stage, act, media_time, arrived),
            *self._announcement(reading, media_time, arrived),
        ]

    def _believed(self, log_odds: float, trust: float) -> float:
        """Return what the model's reading counts for, when the last turn of it is to be trusted so far.

        What speaks more against the caller than before counts by `trust`; what clears him counts in full, and takes
        back what was held against him in proportion.
        """
        before, raw = self._raw, max(-CAP, min(CAP, log_odds))
        self._raw = raw
        if raw >= before:
            return self._believed_so_far + trust * (raw - before)
        if before > 0 and self._believed_so_far > 0:
            return self._believed_so_far * max(raw, 0.0) / before + min(raw, 0.0)
        return self._believed_so_far + raw - before

    def _changed(
        self,
        log_odds: float,
        reading: Reading,
        stage: str,
        act: str | None,
        media_time: float,
        arrived: float,
    ) -> list[Evidence]:
        self._believed_so_far = max(-CAP, min(CAP, log_odds))
        change = self._believed_so_far - self._given
        if abs(change) < _NEGLIGIBLE:
            return []
        self._given += change
        asked = _REFUSAL if self._of_refusal else _UNASKED if act in _UNASKED_ACTS else _ASKED
        source = asked[change < 0]
        what = "after a refusal:" if self._of_refusal else "the words so far:"
        detail = f"{what} {_describe(reading, stage)}"
        return [Evidence(source, change, media_time, arrived, detail, "patter")]

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
        """What the words so far say: natural log, positive for an unwanted caller, at most CAP either way."""
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


def _describe(reading: Reading, stage: str) -> str:
    kind = f"{reading.category} ({reading.category_probability:.2f})"
    if reading.log_odds > 0:
        return f"{kind}, stage {stage}"
    return f"{kind}"
