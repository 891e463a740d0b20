"""Voice activity: webrtcvad as a cheap gate, silero as judge behind it, hysteresis over both.

1. Audio is worked off in windows of 32 ms, in groups, whatever the pieces that it comes in: one run of silero over
   two windows costs little more than over one. Where speech or its absence has lasted, a group is of four windows;
   near a change, where a turn may begin or end, it is of two, so that nothing waits for the other two.
2. The gate is open while webrtcvad (mode 2, frames of 30 ms) heard something above -60 dBFS within the last
   half second. Behind a closed gate there is no speech; silence and a quiet line cost next to nothing.
3. Behind an open gate silero judges each window. Speech begins at `begin_probability` and ends below
   `end_probability`.
4. Should silero fail, webrtcvad alone decides for the rest of the call. Should webrtcvad fail too, nothing is
   known: `is_speech` is None.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from detector.audio.frames import SAMPLE_RATE, FrameBlocker, Samples
from detector.audio.level import levels_dbfs
from detector.audio.silero import WINDOW_SAMPLES, SileroStream

__all__ = ["Judge", "VadOptions", "VoiceActivityDetector", "VoiceDecision", "WebrtcGate"]

_logger = logging.getLogger(__name__)

_GATE_FRAME_SAMPLES = 240
"""30 ms, the longest that webrtcvad takes: one call for a window, not three. Every window completes one."""
_FEW, _MANY = 2, 4
"""Windows in a group."""
_LASTING_SPEECH, _LASTING_SILENCE = 5, 20
"""Windows alike from which on a group is of many: 0.16 s in which a turn has begun, 0.64 s in which it has ended and
a reply is due."""


@dataclass(frozen=True, slots=True)
class VoiceDecision:
    """Whether the caller speaks in one window.

    `is_speech` is None where nothing could be found out. `probability` (0 to 1) is silero's; 0.0 behind a
    closed gate; None where silero has failed.
    """

    media_time: float
    """Seconds of media time at which the window begins."""
    seconds: float
    is_speech: bool | None
    probability: float | None
    level: float
    """dBFS."""


@dataclass(frozen=True, slots=True)
class VadOptions:
    """What decides between speech and the rest; chosen by scripts/eval_vad.py."""

    begin_probability: float = 0.4
    end_probability: float = 0.15
    gate_mode: int = 2
    """webrtcvad's aggressiveness, 0 to 3."""
    gate_dbfs: float = -60.0
    """What is quieter than this is not looked at."""
    hold_windows: int = 16
    """How many windows the gate stays open after the last that opened it: 0.51 s, with which it changes
    nothing that the judge would say on the clips that it was chosen on."""


class Judge(Protocol):
    """What says how probable speech is. It may raise anything; the detector goes on without it.

    Both take windows that follow each other, int16, shape (256 * n,).
    """

    def skip(self, windows: Samples) -> None: ...

    def probabilities(self, windows: Samples) -> list[float]: ...


class WebrtcGate:
    """webrtcvad in frames of 30 ms: the share of the frames completed by a window that it calls speech."""

    def __init__(self, mode: int) -> None:
        import webrtcvad  # noqa: PLC0415 - native code, and on the way to `detector --help`

        self._vad: Any = webrtcvad.Vad(mode)
        self._blocker = FrameBlocker(_GATE_FRAME_SAMPLES)

    def share(self, window: Samples) -> float:
        """Take a window (int16, shape (n,), n >= 240) and return 0.0 to 1.0."""
        votes = [self._vad.is_speech(frame.tobytes(), SAMPLE_RATE) for frame in self._blocker.push(window)]
        return float(sum(votes)) / len(votes)


@dataclass(frozen=True, slots=True)
class _Gated:
    """What the gate found in one window."""

    share: float | None
    level: float
    is_loud: bool
    is_open: bool


class VoiceActivityDetector:
    """Says for every 32 ms of a call whether the caller speaks. Fed in pieces of any size it says the same.

    Trouble inside never leaves it as an exception.
    """

    def __init__(
        self,
        options: VadOptions | None = None,
        *,
        start: float = 0.0,
        judge: Judge | None = None,
        gate: Callable[[int], WebrtcGate] = WebrtcGate,
    ) -> None:
        """`start`: media time of the first sample to come. `judge`: silero, unless a test brings its own."""
        self._options = options or VadOptions()
        self._pending: list[Samples] = []
        self._missing = _FEW * WINDOW_SAMPLES
        self._alike = 0
        self._start = start
        self._windows = 0
        self._open_for = 0
        self._is_speech = False
        self._judge: Judge | None = judge or SileroStream()
        self._gate = self._guarded(gate)

    @property
    def missing(self) -> int:
        """How many samples more bring the next decisions."""
        return self._missing

    def push(self, samples: Samples) -> Iterator[VoiceDecision]:
        """Take `samples` (int16, shape (n,), mono, 8 kHz) and yield a decision for each window completed."""
        if len(samples) < self._missing:
            self._pending.append(samples)
            self._missing -= len(samples)
            return
        waiting = np.concatenate([*self._pending, samples])
        size = len(waiting) - len(samples) + self._missing
        while len(waiting) >= size:
            yield from self._group(waiting[:size])
            waiting = waiting[size:]
            size = self._group_windows() * WINDOW_SAMPLES
        self._pending, self._missing = [waiting], size - len(waiting)

    def _group(self, group: Samples) -> Iterator[VoiceDecision]:
        windows = group.reshape(-1, WINDOW_SAMPLES)
        levels = levels_dbfs(windows)
        gated = [self._gated(window, level) for window, level in zip(windows, levels, strict=True)]
        probabilities = self._probabilities(group, [one.is_open for one in gated])
        for one, probability in zip(gated, probabilities, strict=True):
            begin = self._start + self._windows * WINDOW_SAMPLES / SAMPLE_RATE
            self._windows += 1
            before = self._is_speech
            is_speech = self._decide(one, probability)
            self._alike = self._alike + 1 if self._is_speech == before else 1
            yield VoiceDecision(begin, WINDOW_SAMPLES / SAMPLE_RATE, is_speech, probability, one.level)

    def _group_windows(self) -> int:
        lasting = _LASTING_SPEECH if self._is_speech else _LASTING_SILENCE
        return _MANY if self._alike >= lasting else _FEW

    def _gated(self, window: Samples, level: float) -> "_Gated":
        share = self._gate_share(window)
        is_loud = level >= self._options.gate_dbfs
        if is_loud and share != 0.0:
            self._open_for = self._options.hold_windows + 1
        is_open = self._open_for > 0
        self._open_for = max(0, self._open_for - 1)
        return _Gated(share, level, is_loud, is_open)

    def _decide(self, gated: "_Gated", probability: float | None) -> bool | None:
        if probability is not None:
            threshold = self._options.end_probability if self._is_speech else self._options.begin_probability
            self._is_speech = probability >= threshold
        elif gated.share is not None:
            self._is_speech = gated.is_loud and gated.share > 0.5
        else:
            return None
        return self._is_speech

    def _probabilities(self, group: Samples, are_open: Sequence[bool]) -> Sequence[float | None]:
        """Have the judge hear what lies behind an open gate, each stretch of it at once."""
        if self._judge is None:
            return [None] * len(are_open)
        found: list[float | None] = []
        try:
            for is_open, alike in groupby(are_open):
                count = len(list(alike))
                begin = len(found) * WINDOW_SAMPLES
                part = group[begin : begin + count * WINDOW_SAMPLES]
                if is_open:
                    found += self._judge.probabilities(part)
                else:
                    self._judge.skip(part)
                    found += [0.0] * count
        except Exception:
            _logger.exception("silero failed; voice activity goes on with webrtcvad alone")
            self._judge = None
            found += [None] * (len(are_open) - len(found))
        return found

    def _gate_share(self, window: Samples) -> float | None:
        if self._gate is None:
            return None
        try:
            return self._gate.share(window)
        except Exception:
            _logger.exception("webrtcvad failed; voice activity goes on without it")
            self._gate = None
            return None

    def _guarded(self, gate: Callable[[int], WebrtcGate]) -> WebrtcGate | None:
        try:
            return gate(self._options.gate_mode)
        except Exception:
            _logger.exception("webrtcvad cannot be used; voice activity goes on without it")
            return None
