"""What the engine tells its driver, in the order it happened.

Observations (SpeechStarted, TurnPaused, TurnEnded, FingerprintReady, Evidence, Verdict) and actions (Say,
StopSpeaking, Forward, TakeMessage, HangUp). TurnEnded wants a transcript back, FingerprintReady wants matches. Times
are seconds after answer.
"""

from dataclasses import dataclass, field
from typing import Literal

from detector.audio.frames import Samples
from detector.call import Language
from detector.decision.verdict import Verdict
from detector.dialogue.prompts import Prompt
from detector.signals.evidence import Evidence
from detector.signals.landmarks import Landmarks

__all__ = [
    "Event",
    "FailureKind",
    "FingerprintReady",
    "Forward",
    "HangUp",
    "PromptState",
    "Say",
    "SpeechStarted",
    "StopSpeaking",
    "TakeMessage",
    "TurnEnded",
    "TurnPaused",
    "TurnTranscribed",
]

PromptState = Literal["started", "ended", "cut"]
FailureKind = Literal[
    "recognition",
    "recognition_timeout",
    "store",
    "overload",
    "forward",
    "media",
    "internal",
    "stopping",
]


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    media_time: float


@dataclass(frozen=True, slots=True)
class TurnPaused:
    """The caller pauses. If he does not go on, this is the turn that ends: a driver may begin to transcribe it."""

    start: float
    end: float
    samples: Samples = field(repr=False)
    language: Language | None
    arrived: float


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The caller said something: transcribe it and answer with `receive_transcript`."""

    turn: int
    """Counts from 0 within the call."""
    start: float
    end: float
    samples: Samples = field(repr=False)
    """int16, 8 kHz, mono: the turn with a short lead-in and lead-out."""
    language: Language | None
    """None: detect it."""
    is_cut: bool
    """The caller still talks; the turn was only long."""
    arrived: float


@dataclass(frozen=True, slots=True)
class TurnTranscribed:
    """A turn has its text, for whoever shows or stores the talk."""

    turn: int
    start: float
    end: float
    text: str = field(repr=False)
    arrived: float


@dataclass(frozen=True, slots=True)
class FingerprintReady:
    """The opening is fingerprinted: look it up in other calls and answer with `receive_matches`."""

    landmarks: Landmarks = field(repr=False)
    arrived: float


@dataclass(frozen=True, slots=True)
class Say:
    """Play this prompt and report its state with `receive_prompt_state`."""

    prompt: Prompt
    arrived: float


@dataclass(frozen=True, slots=True)
class StopSpeaking:
    arrived: float


@dataclass(frozen=True, slots=True)
class Forward:
    reason: str
    arrived: float


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """From here on what the caller says is his message; HangUp follows when he is done."""

    reason: str
    arrived: float


@dataclass(frozen=True, slots=True)
class HangUp:
    reason: str
    arrived: float


Event = (
    SpeechStarted
    | TurnEnded
    | TurnPaused
    | TurnTranscribed
    | FingerprintReady
    | Evidence
    | Verdict
    | Say
    | StopSpeaking
    | Forward
    | TakeMessage
    | HangUp
)
