"""Playback of recorded material: the same audio twice in a call or in other calls, and pauses that no room makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.signals.echo import ECHO_DEPTH_DB, EchoFinder
from detector.signals.evidence import Evidence, clock_time
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import Landmarks
from detector.signals.matching import Stretch
from detector.signals.repeats import SelfMatcher
from detector.signals.zero_runs import ZeroRuns

__all__ = ["KnownMatch", "MatchLabel", "PlaybackExtractor"]

MatchLabel = Literal["unwanted", "notice", "wanted", "unlabelled"]
"""What the calls were that held the same audio; "wanted": people who were put through, so it proves nothing."""

_OPENING_SECONDS: Final = 5.0
_SHORT_OPENING_SECONDS: Final = 3.0
"""Enough of a call that is over: no more will come."""
_CONTINUES_SECONDS: Final = 0.4
"""A turn that begins this soon after the last one is its continuation."""
_LOOK_BACK_SECONDS: Final = 3.0
_LEAST_NEWS_SECONDS: Final = 0.8
_PIECE_SAMPLES: Final = 30 * SAMPLE_RATE
_CLIP_PAUSE: Final = (0.15, 3.0)
"""Seconds. Shorter zeros are lost packets, longer ones a muted line."""
_BOUNDARY_SECONDS: Final = 0.3
_LEAST_PAUSES: Final = 2

_PEAKS_OF_A_WORD: Final = 10
"""The strong peaks of 0.15 s of speech; speech has 50 to 80 in a second."""

_LLR_REPEAT = (1.5, 0.5, 3.5)
"""At the shortest stretch, for each further second, and at most: a parcel locker's announcement repeats too."""
_SHORTEST: Final = 1.9
_LLR_KNOWN_UNWANTED = 4.0
_LLR_UNWANTED_SAME_NUMBER = 1.5
"""It may be one mistake of ours made twice: the number's history holds that call as well."""
_LLR_KNOWN_NOTICE = -2.5
_LLR_KNOWN_WANTED = -0.3
_LLR_OTHER_NUMBERS = 2.0
"""Unlabelled audio in calls from other numbers: sent to many, mostly sales."""
_LLR_NO_OTHER_NUMBERS = 0.5
"""Played from a recording, which is not the same as unwanted."""
_LLR_DIGITAL_SILENCE = 0.4
"""Gates of headsets and silence suppression make zeros as well."""


@dataclass(frozen=True, slots=True)
class KnownMatch:
    """Audio of this call that other calls held: the store's answer to landmarks."""

    seconds: float
    """How much of it is the same."""
    media_time: float
    """Seconds after answer at which it begins in this call."""
    label: MatchLabel
    calls: int = 1
    """Calls that held it, this one aside."""
    numbers: int | None = 1
    """Numbers that they came from, other than the one that calls now; 0 where only this one did, None where no
    number is known: recordings, and fingerprints from elsewhere."""


class PlaybackExtractor:
    """Hears the caller's audio and says where the same was heard before; the agent's echo is not his."""

    def __init__(self) -> None:
        self._audio = FingerprintExtractor()
        self._matcher = SelfMatcher()
        self._echo = EchoFinder()
        self._zeros = _ClipPauses()
        self._turns: list[tuple[float, float]] = []
        self._repeated: list[tuple[float, float]] = []
        self._opening: Landmarks | None = None
        self._opening_known = False

    def receive_audio(self, samples: Samples, media_time: float) -> None:
        """Take caller audio (int16, shape (n,), 8 kHz) that begins at `media_time`; gaps become silence."""
        missing = round((media_time - self._audio.seconds) * SAMPLE_RATE)
        while missing > 0:
            self._push(np.zeros(min(missing, _PIECE_SAMPLES), np.int16))
            missing = round((media_time - self._audio.seconds) * SAMPLE_RATE)
        self._push(samples[max(0, -missing) :])

    def prompt_started(self, prompt: Landmarks, now: float) -> None:
        """The agent plays what looks like `prompt` from `now` on."""
        self._echo.prompt_started(prompt, now)

    def echo_seconds(self, start: float, end: float) -> float:
        """Return for how long from `start` to `end` (seconds of media time) nothing but the agent's echo sounded.

        What is still too new to be known, the last 160 ms, is no echo.
        """
        return _covered(self._echo.spans(self._audio.landmarks(start, end)))

    def is_echo(self, start: float, end: float) -> bool:
        """Whether the agent's echo was heard from `start` to `end`, and beside it nothing as long as a word."""
        heard = self._audio.landmarks(start, end)
        own = self._without_echo(heard)
        strong = int(np.count_nonzero(own.peaks[:, 2] <= ECHO_DEPTH_DB))
        return own is not heard and strong < _PEAKS_OF_A_WORD

    def turn_ended(self, start: float, end: float, arrived: float) -> list[Evidence]:
        """Compare the speech from `start` to `end` (seconds of media time) with the call before it."""
        begin = self._begin_of(start)
        self._turns.append((start, end))
        stretches = self._matcher.hear(self._without_echo(self._audio.landmarks(begin, end)))
        found = [self._repeat(stretch, arrived) for stretch in stretches]
        silence = self._zeros.evidence(start, end, arrived)
        return [item for item in (*found, silence) if item is not None]

    def fingerprint_ready(self, *, at_end: bool = False) -> Landmarks | None:
        """Return the landmarks of the first speech, once: after 5 s of it, or 3 s where the call is over."""
        least = _SHORT_OPENING_SECONDS if at_end else _OPENING_SECONDS
        if self._opening_known or sum(end - start for start, end in self._turns) < least:
            return None
        heard = [self._audio.landmarks(start, end) for start, end in self._turns]
        if sum(part.seconds - _covered(self._echo.spans(part)) for part in heard) < least:
            return None
        self._opening_known = True
        parts = [self._without_echo(part).peaks for part in heard]
        return Landmarks.of_peaks(self._turns[0][0], self._turns[-1][1], np.concatenate(parts))

    def receive_matches(self, matches: Sequence[KnownMatch], arrived: float) -> list[Evidence]:
        """Weigh what the store found; of several matches the longest speaks for all."""
        if not matches:
            return []
        return [_known(max(matches, key=lambda match: match.seconds), arrived)]

    def _without_echo(self, landmarks: Landmarks) -> Landmarks:
        for start, end in self._echo.spans(landmarks):
            landmarks = landmarks.without(start, end)
        return landmarks

    def _push(self, samples: Samples) -> None:
        self._audio.push(samples)
        self._zeros.push(samples)

    def _begin_of(self, start: float) -> float:
        """Return from where to compare: a repeat may begin in the part that was cut off."""
        if not self._turns or start - self._turns[-1][1] > _CONTINUES_SECONDS:
            return start
        return max(self._turns[-1][0], start - _LOOK_BACK_SECONDS)

    def _repeat(self, stretch: Stretch, arrived: float) -> Evidence | None:
        """Weigh what is new in a stretch: evidence adds up, and successive looks overlap."""
        before = _covered(self._repeated)
        self._repeated.append((stretch.start, stretch.end))
        after = _covered(self._repeated)
        if after - before < _LEAST_NEWS_SECONDS:
            self._repeated.pop()
            return None
        llr = _repeat_llr(after) - _repeat_llr(before)
        detail = f"the same {stretch.seconds:.1f} s of audio as at {clock_time(stretch.earlier)}"
        return Evidence("playback.repeat", llr, stretch.start, arrived, detail, "playback")


class _ClipPauses:
    """Pauses of exact zeros right beside speech, on a line whose other pauses carry noise."""

    def __init__(self) -> None:
        self._zeros = ZeroRuns(round(_CLIP_PAUSE[0] * SAMPLE_RATE))
        self._silent, self._noisy = 0, 0
        self._last_end: float | None = None
        self._said = False

    def push(self, samples: Samples) -> None:
        self._zeros.push(samples)

    def evidence(self, start: float, end: float, arrived: float) -> Evidence | None:
        """Count the pause between the last turn and this one, and speak once of two that were of zeros."""
        last, self._last_end = self._last_end, end
        runs = self._zeros.take()
        if last is None or self._said or start - last < _CLIP_PAUSE[0]:
            return None
        shortest, longest = _CLIP_PAUSE
        beside = [run for run in runs if last - _BOUNDARY_SECONDS <= run[0] <= start]
        if not beside:
            self._noisy += 1
        elif all(shortest <= run[1] <= longest for run in beside):
            self._silent += 1
        if self._silent < _LEAST_PAUSES or not self._noisy:
            return None
        self._said = True
        detail = f"{self._silent} pauses of digital silence on a line with noise"
        return Evidence("playback.digital_silence", _LLR_DIGITAL_SILENCE, last, arrived, detail, "playback")


def _known(match: KnownMatch, arrived: float) -> Evidence:
    said = f"the same {match.seconds:.1f} s of audio as in {match.calls} other call{'s' * (match.calls != 1)}"
    if match.label in ("notice", "wanted"):
        is_notice = match.label == "notice"
        llr = _LLR_KNOWN_NOTICE if is_notice else _LLR_KNOWN_WANTED
        detail = f"{said}, {'an announcement that was wanted' if is_notice else 'which were put through'}"
        # A name of its own: it speaks for a wanted caller, but it is played audio all the same.
        return Evidence("playback.known.wanted", llr, match.media_time, arrived, detail, "wanted")
    if match.numbers == 0:
        llr, detail = _LLR_NO_OTHER_NUMBERS, f"{said} from this number"
    elif match.numbers is None:
        llr, detail = _LLR_NO_OTHER_NUMBERS, said
    else:
        llr = _LLR_OTHER_NUMBERS
        detail = f"{said} from {match.numbers} other number{'s' * (match.numbers != 1)}"
    if match.label == "unwanted":
        llr = _LLR_UNWANTED_SAME_NUMBER if match.numbers == 0 else _LLR_KNOWN_UNWANTED
        detail = f"{detail}, unwanted"
    return Evidence("playback.known", llr, match.media_time, arrived, detail, "playback")


def _repeat_llr(seconds: float) -> float:
    least, slope, most = _LLR_REPEAT
    return min(most, least + slope * (seconds - _SHORTEST)) if seconds > 0 else 0.0


def _covered(stretches: Sequence[tuple[float, float]]) -> float:
    """Return how many seconds at least one of the stretches covers."""
    covered, until = 0.0, float("-inf")
    for start, end in sorted(stretches):
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return covered
