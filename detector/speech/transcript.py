"""Transcripts, and what anything that makes them promises."""

from dataclasses import dataclass
from typing import Protocol

from detector.audio.frames import Samples
from detector.call import Language

__all__ = ["Transcriber", "Transcript"]

_SURE, _GUESSED = -0.4, -0.85
"""Average log-probabilities between which the trust in a transcript falls: where a quarter and seven tenths of the
characters of 400 noisy clips were misheard (-0.5 and -0.95 before recognition had learned telephone speech)."""
_LEAST_RELIABLE = -1.1


@dataclass(frozen=True, slots=True)
class Transcript:
    """What recognition heard in one stretch of speech.

    An empty `text` means that no speech was recognized; a failure is an exception, never an empty text.
    """

    text: str
    """Normalized: simplified script, no recognition artefacts."""
    language: Language
    average_log_probability: float
    """Natural log per token; below about -1.1 the text is a guess."""
    passes: int = 1
    """2 where the first pass failed a check and a longer window was tried."""
    is_language_certain: bool = True
    """False where the language had to be detected and the sound was too short or too noisy to tell."""

    @property
    def is_reliable(self) -> bool:
        return bool(self.text) and self.average_log_probability > _LEAST_RELIABLE

    @property
    def trust(self) -> float:
        """How much words like these prove, 0.5 to 1, by how sure recognition was of them.

        Chosen after simulated calls at 30, 15 and 8 dB: the log-odds of the text model deserve about two thirds of
        their usual slope where the average is below -0.5, which clean speech seldom is.
        """
        unsure = (_SURE - self.average_log_probability) / (_SURE - _GUESSED)
        return 1.0 - 0.5 * min(max(unsure, 0.0), 1.0)


class Transcriber(Protocol):
    """Speech recognition. Thread-safe: several calls are transcribed at once."""

    def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
        """Transcribe `samples` (int16, shape (n,), mono, 8 kHz).

        With `language` None it is detected (costs another encoder pass).
        Raises RecognitionError where recognition broke.
        """
        ...
