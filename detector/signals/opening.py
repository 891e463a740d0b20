"""How a call opens: dead air, a click, another background, a ringing tone, the murmur of a call centre.

A predictive dialer waits for the answer first and looks for an agent (or a recording) afterwards. Heard from
here: silence after the answer, then a click or another room. A person waits too, but for the greeting to end,
so only silence counts in which it was the caller's turn. A person speaks at once, or lets the greeting pass; who
begins in the middle of it was connected, or started, only then.

Silence, slow starts and noisy rooms are also what the old, the hesitant and anyone in a street have: every
weight here is small, and none of it comes from words.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from detector.signals.background import CELL_SECONDS, BackgroundFloor, LevelCells
from detector.signals.evidence import Evidence, clock_time

__all__ = ["OpeningExtractor", "OpeningOptions"]


@dataclass(frozen=True, slots=True)
class OpeningOptions:
    """Durations in seconds, levels in decibels."""

    speech_onset: float = 0.2
    """Speech, without a longer pause than `speech_gap`, that makes a first word of a noise."""
    speech_gap: float = 0.3
    slow_start: float = 2.5
    """People take up to about 2 s to answer a machine, and the old longer."""
    dead_air: tuple[float, ...] = (4.0, 8.0)
    late_start: float = 1.5
    """Whoever says hello to whoever picks up has begun by then."""
    late_into_greeting: float = 0.8
    """Of the greeting, heard by then."""
    click_above: float = 20.0
    click_longest: float = 0.12
    click_before_speech: float = 1.5
    background_before: float = 0.6
    background_after: float = 0.8
    background_step: float = 10.0
    """Noise suppression and comfort noise move the floor by less."""
    silent_line: float = -70.0
    """dBFS below which a line carries no room at all."""
    murmur_seconds: float = 4.0
    murmur_levels: tuple[float, float] = (-55.0, -28.0)
    """dBFS. Softer is any room, louder is talk beside the telephone."""
    murmur_steps: tuple[float, float] = (0.6, 2.6)
    """Median change between neighbouring 0.2 s levels, in dB: 4 to 12 voices at once have 0.5 to 2.6, steady
    noise under 0.4, a single voice 1.6 to 9. Traffic can have the same, hence the small weight."""
    murmur_spread: tuple[float, float] = (0.9, 3.3)
    """Standard deviation of the same levels, in dB: 4 to 12 voices 0.8 to 3.3, a single voice over 6."""


_LLR_SLOW_START = 0.2
_ROUNDING = 1e-9
"""Seconds by which a sum of blocks may miss what its blocks are together."""
_LLR_DEAD_AIR = 0.35
_LLR_LATE_START = 0.6
_LLR_CLICK = 0.2
_LLR_BACKGROUND = 0.3
_LLR_BACKGROUND_FROM_NOTHING = 0.45
_LLR_RINGBACK = 0.7
"""A line that rings after it was answered is being transferred: dialers do that, people hardly."""
_LLR_FAX = 1.0
_LLR_MURMUR = 0.15
_RINGBACK_FROM = 1.0
"""Seconds after answer: earlier ringing is the tail of our own."""
_ECHO = 0.15
"""Seconds after speech in which the room still answers it."""


class OpeningExtractor:
    """Watches levels and voice activity, in order and without gaps; media time 0 is the answer."""

    def __init__(self, options: OpeningOptions | None = None) -> None:
        self._options = options or OpeningOptions()
        self._agent_speaking = False
        self._agent_since = 0.0
        self._prompts = 0
        self._waited = 0.0
        self._dead_air_said = 0
        self._onset = _Onset(self._options)
        self._click = _Click(self._options)
        self._before = BackgroundFloor()
        self._after = BackgroundFloor()
        self._since_speech = 0.0
        self._background_judged = False
        self._murmur = _Murmur(self._options)
        self._tones_said: set[str] = set()

    @property
    def first_speech(self) -> float | None:
        """Media time of the caller's first word, None before it."""
        return self._onset.at

    @property
    def waited(self) -> float:
        """Seconds of silence, up to the first word, in which it was the caller's turn."""
        return self._waited

    def receive_agent(self, state: Literal["started", "ended"], now: float) -> list[Evidence]:
        """The agent's own speech started or ended (or was cut)."""
        self._agent_speaking, self._agent_since = state == "started", now
        self._prompts += state == "started"
        return []

    def receive_tone(self, kind: str, media_time: float, arrived: float | None = None) -> list[Evidence]:
        """A call-progress tone of the caller's line was heard; `kind` as the tone detector names it."""
        when = media_time if arrived is None else arrived
        if kind in self._tones_said or (kind == "ringback" and media_time < _RINGBACK_FROM):
            return []  # the end of our own ringing says nothing, and hides no later one
        self._tones_said.add(kind)
        if kind == "ringback":
            detail = f"ringing tone at {clock_time(media_time)}, after the answer"
            return [Evidence("dialer.ringback", _LLR_RINGBACK, media_time, when, detail, "dialer")]
        if "cng" in kind or "fax" in kind:
            return [Evidence("dialer.fax", _LLR_FAX, media_time, when, "fax machine", "dialer")]
        return []

    def receive_activity(
        self, media_time: float, seconds: float, is_speech: bool | None, level_dbfs: float
    ) -> list[Evidence]:
        """Take the next `seconds` from `media_time` on; `is_speech` None where nobody can tell."""
        end = media_time + seconds
        found: list[Evidence] = []
        if self._onset.at is None:
            found += self._open(media_time, seconds, is_speech, level_dbfs)
        if is_speech is not False:
            self._since_speech = 0.0
            return found
        self._since_speech += seconds
        beyond_echo = min(seconds, max(0.0, self._since_speech - _ECHO))
        room = seconds if self._onset.at is None else beyond_echo
        return found + self._hear_room(media_time, end, room, level_dbfs)

    def _hear_room(self, media_time: float, now: float, seconds: float, level: float) -> list[Evidence]:
        """Work on `seconds` of background without speech."""
        found: list[Evidence] = []
        if self._onset.at is None:
            self._before.push(seconds, level)
        elif not self._background_judged:
            self._after.push(seconds, level)
            found += self._background(media_time, now)
        if not self._agent_speaking and self._murmur.push(seconds, level):
            detail = "murmur of several voices in the background"
            found.append(Evidence("dialer.murmur", _LLR_MURMUR, media_time, now, detail, "dialer"))
        return found

    def _open(
        self, media_time: float, seconds: float, is_speech: bool | None, level: float
    ) -> list[Evidence]:
        """Work on what comes before the first word, up to it."""
        end = media_time + seconds
        if is_speech is False:
            if not self._agent_speaking:
                self._waited += seconds
            self._click.push(media_time, seconds, level, self._before.level)
        if not self._onset.push(media_time, seconds, is_speech):
            return self._dead_air(end)
        return self._first_word(end)

    def _dead_air(self, now: float) -> list[Evidence]:
        steps = self._options.dead_air
        found = []
        while self._dead_air_said < len(steps) and self._waited >= steps[self._dead_air_said] - _ROUNDING:
            detail = f"{steps[self._dead_air_said]:.0f} s of dead air"
            found.append(Evidence("dialer.dead_air", _LLR_DEAD_AIR, now, now, detail, "dialer"))
            self._dead_air_said += 1
        return found

    def _first_word(self, now: float) -> list[Evidence]:
        start = self._onset.at or 0.0
        found = []
        if not self._dead_air_said and self._waited >= self._options.slow_start - _ROUNDING:
            detail = f"first word after {self._waited:.1f} s of dead air"
            found.append(Evidence("dialer.dead_air", _LLR_SLOW_START, start, now, detail, "dialer"))
        is_late = start >= self._options.late_start and self._prompts == 1
        if is_late and self._agent_speaking and start - self._agent_since >= self._options.late_into_greeting:
            detail = f"began {start:.1f} s after the answer, in the middle of the greeting"
            found.append(Evidence("dialer.late_start", _LLR_LATE_START, start, now, detail, "dialer"))
        click = self._click.at
        if (
            click is not None
            and start - click <= self._options.click_before_speech
            and self._waited >= 1.0 - _ROUNDING
        ):
            detail = f"click at {clock_time(click)}, just before the first word"
            found.append(Evidence("dialer.click", _LLR_CLICK, click, now, detail, "dialer"))
        return found

    def _background(self, media_time: float, now: float) -> list[Evidence]:
        """Compare the room before the first word with the room after it, once both are known."""
        options, before, after = self._options, self._before, self._after
        if after.seconds < options.background_after - 1e-9:
            return []
        self._background_judged = True
        if before.seconds < options.background_before - 1e-9:
            return []
        step = after.level - before.level
        if step < options.background_step - 1e-6:
            return []
        from_nothing = before.level < options.silent_line
        llr = _LLR_BACKGROUND_FROM_NOTHING if from_nothing else _LLR_BACKGROUND
        detail = f"the background rose by {min(step, 60.0):.0f} dB when the caller came on the line"
        return [Evidence("dialer.background", llr, media_time, now, detail, "dialer")]


class _Onset:
    """Finds the first word: enough speech without too long a pause."""

    def __init__(self, options: OpeningOptions) -> None:
        self.at: float | None = None
        self._options = options
        self._start = 0.0
        self._voiced = 0.0
        self._gap = 0.0

    def push(self, media_time: float, seconds: float, is_speech: bool | None) -> bool:
        """Return whether the first word has just been found."""
        if is_speech:
            if self._voiced == 0.0:
                self._start = media_time
            self._voiced, self._gap = self._voiced + seconds, 0.0
            if self._voiced >= self._options.speech_onset - 1e-9:
                self.at = self._start
                return True
        elif is_speech is False:
            self._gap += seconds
            if self._gap > self._options.speech_gap:
                self._voiced = 0.0
        return False


class _Click:
    """Remembers the last short burst far above the floor that silence followed."""

    def __init__(self, options: OpeningOptions) -> None:
        self.at: float | None = None
        self._options = options
        self._start = 0.0
        self._loud = 0.0

    def push(self, media_time: float, seconds: float, level: float, floor: float) -> None:
        if level > max(floor, self._options.silent_line) + self._options.click_above:
            if self._loud == 0.0:
                self._start = media_time
            self._loud += seconds
            return
        if 0.0 < self._loud <= self._options.click_longest + 1e-9:
            self.at = self._start
        self._loud = 0.0


class _Murmur:
    """Judges once whether a background sounds like a room of people talking, by its level alone."""

    def __init__(self, options: OpeningOptions) -> None:
        self._options = options
        self._cells = LevelCells(longest=60)
        self._wanted = round(options.murmur_seconds / CELL_SECONDS)
        self._judged = False

    def push(self, seconds: float, level: float) -> bool:
        """Return whether it has just been found to be murmur."""
        if self._judged or not self._cells.push(seconds, level) or len(self._cells.levels) < self._wanted:
            return False
        self._judged = True
        levels = np.array(self._cells.levels)[: self._wanted]
        low, high = self._options.murmur_levels
        smallest, largest = self._options.murmur_steps
        least, most = self._options.murmur_spread
        in_level = low <= float(np.median(levels)) <= high
        in_steps = smallest <= float(np.median(np.abs(np.diff(levels)))) <= largest
        return in_level and in_steps and least <= float(levels.std()) <= most
