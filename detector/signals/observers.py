"""All extractors of one call, behind one face: observations in, evidence out.

They only observe: nothing here decides, speaks or waits.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from detector.audio.frames import Samples
from detector.audio.tones import ToneHeard
from detector.call import CallInfo
from detector.number_plan import classify
from detector.signals.evidence import Evidence
from detector.signals.history import history_evidence
from detector.signals.key_challenge import KeyChallengeExtractor
from detector.signals.known_names import KnownNames
from detector.signals.landmarks import Landmarks
from detector.signals.meaning import MeaningExtractor
from detector.signals.number import number_evidence
from detector.signals.opening import OpeningExtractor
from detector.signals.patter import PatterExtractor
from detector.signals.playback import KnownMatch, PlaybackExtractor
from detector.signals.reply_moves import is_puzzled
from detector.signals.responsiveness import ResponsivenessExtractor
from detector.signals.turn_taking import TurnTakingExtractor
from detector.speech.listening import Activity
from detector.speech.transcript import Transcript
from detector.speech.turns import SpeechEnded
from detector.text.intent import IntentModel
from detector.text.lexicon import Role
from detector.text.matcher import Matcher

__all__ = ["Observers"]

PURPOSE_SAID = 1.2
"""Score of one purpose, wanted or not, from which on it need not be asked for: one plain word for it."""
CLEAR_MEANING = 1.5
"""Log-odds of the words as a whole, either way, from which on it is clear what is wanted."""
LEAST = 0.05
"""Evidence weaker than this is not worth a line."""


class Observers:
    """Hands every observation to the extractors that want it."""

    def __init__(
        self,
        call: CallInfo,
        matcher: Matcher,
        known_names: tuple[str, ...] = (),
        intent: IntentModel | None = None,
    ) -> None:
        self._call = call
        self._opening = OpeningExtractor()
        self._patter = PatterExtractor(matcher)
        self._meaning = MeaningExtractor(intent)
        self._refusal = MeaningExtractor(intent, of_refusal=True)
        self._playback = PlaybackExtractor()
        self._turn_taking = TurnTakingExtractor(echo_seconds=self._playback.echo_seconds)
        self._responsiveness = ResponsivenessExtractor()
        self._key_challenge = KeyChallengeExtractor()
        self._names = KnownNames(known_names)
        self._purpose_known = False

    def before_the_call(self) -> list[Evidence]:
        """What number and history say."""
        found = [*number_evidence(self._call), *history_evidence(self._call)]
        return [item for item in found if abs(item.llr) >= LEAST]

    # What is heard.

    def audio(self, samples: Samples, media_time: float) -> None:
        self._playback.receive_audio(samples, media_time)

    def activity(self, activity: Activity, now: float) -> list[Evidence]:
        at, seconds, is_speech = activity.media_time, activity.seconds, activity.is_speech
        return [
            *self._opening.receive_activity(at, seconds, is_speech, activity.level),
            *self._turn_taking.receive_activity(at, seconds, is_speech, now),
            *self._key_challenge.time_passed(now),
        ]

    def tone(self, tone: ToneHeard, now: float) -> list[Evidence]:
        found = self._opening.receive_tone(tone.kind, tone.media_time, now)
        return found if tone.digit is None else [*found, *self.key(tone.digit, tone.media_time, now)]

    def key(self, key: str, media_time: float, now: float) -> list[Evidence]:
        """The caller pressed a key, be it told by his line or heard as a tone."""
        return self._key_challenge.receive_key(key, media_time, now)

    def turn_ended(self, boundary: SpeechEnded, now: float) -> list[Evidence]:
        return self._playback.turn_ended(boundary.start, boundary.end, now)

    def transcript(
        self, act: str | None, transcript: Transcript, media_time: float, now: float
    ) -> list[Evidence]:
        """What the words of a turn say, which began at `media_time` and followed the agent's `act`."""
        found: list[Evidence] = []
        if transcript.is_reliable:
            found += [
                replace(item, llr=item.llr * transcript.trust) if _is_against(item) else item
                for item in self._patter.observe(transcript.text, transcript.language, media_time, now)
            ]
            found += self._names.observe(transcript.text, media_time, now)
        reading = self._refusal if act == "refuse" else self._meaning
        found += reading.observe(
            transcript.text,
            transcript.language,
            act,
            # Who did not understand that he was refused has not been heard on it.
            reliable=transcript.is_reliable and not (act == "refuse" and is_puzzled(transcript.text)),
            media_time=media_time,
            arrived=now,
            trust=transcript.trust,
        )
        found += self._responsiveness.observe(
            act,
            transcript.text,
            transcript.language,
            reliable=transcript.is_reliable,
            media_time=media_time,
            arrived=now,
        )
        offered = max(self._patter.categories.values(), default=0.0)
        said = max(offered, self._patter.score(Role.WANTED))
        is_clear = abs(self._meaning.log_odds) >= CLEAR_MEANING
        self._purpose_known = self._purpose_known or said >= PURPOSE_SAID or is_clear
        return found

    def is_echo(self, boundary: SpeechEnded) -> bool:
        """Whether a turn is the agent's own voice, on a bad line, and nothing else."""
        return self._playback.is_echo(boundary.start, boundary.end)

    # What the agent does.

    def agent_started(
        self, act: str | None, now: float, sound: Landmarks | None = None, key: str | None = None
    ) -> list[Evidence]:
        """The agent begins to speak; `sound` is what it looks like, where that is known, `key` what it asks for."""
        if sound is not None:
            self._playback.prompt_started(sound, now)
        if key is not None:
            self._key_challenge.asked(key, now)
        return [
            *self._opening.receive_agent("started", now),
            *self._turn_taking.receive_agent("started", now, act),
        ]

    def agent_ended(self, act: str | None, now: float) -> list[Evidence]:
        self._key_challenge.prompt_ended(now)
        return [
            *self._opening.receive_agent("ended", now),
            *self._turn_taking.receive_agent("ended", now, act),
        ]

    # What other calls say.

    def fingerprint(self, *, at_end: bool = False) -> Landmarks | None:
        """The landmarks of the opening, once, as soon as enough was said to look it up in other calls."""
        return self._playback.fingerprint_ready(at_end=at_end)

    def matches(self, matches: Sequence[KnownMatch], now: float) -> list[Evidence]:
        return self._playback.receive_matches(matches, now)

    # What it comes to, for planner and policy.

    @cached_property
    def is_protected_number(self) -> bool:
        """Whether his number alone keeps a caller from being hung up on.

        The number plan says so of some. A bank's own number or an authority's does, unless the network knows another:
        in noise the real fraud desk reads like a false one, and who sells under such a number leaves a message.
        """
        shown, asserted = classify(self._call.number), self._call.asserted_number
        is_known_otherwise = bool(asserted) and classify(asserted).claims != shown.claims
        return shown.never_hang_up or (shown.is_institution and not is_known_otherwise)

    @property
    def category(self) -> str | None:
        """The category of unwanted calls that the words fit best; plain words for one go before the whole."""
        return self._patter.best_category or self._meaning.category

    @property
    def notice(self) -> float:
        """Natural log of how much it sounds like an announcement that the callee wants."""
        return self._patter.notice_score

    @property
    def is_emergency(self) -> bool:
        return self._patter.is_emergency

    @property
    def is_assistant(self) -> bool:
        """Whether another answering assistant is on the line."""
        return self._patter.is_assistant

    @property
    def purpose_known(self) -> bool:
        """Whether the caller has said what he wants, for good or ill."""
        return self._purpose_known


def _is_against(item: Evidence) -> bool:
    """Terms of a sale; what takes back words that spoke for the caller is no such thing, and counts in full."""
    return item.llr > 0 and item.source.startswith("patter.")
