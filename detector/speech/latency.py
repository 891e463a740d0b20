"""How long recognition takes, as a model: for simulation and replay on a virtual clock.

seconds = base + per_second x speech + per_character x text, and once more where a second pass was needed.
Fitted by `detector bench --latency FILE` to processor time with one thread, which is the time that passes on a
machine with nothing else to do. A loaded machine takes longer: `scaled` says how much.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from detector.errors import ModelError
from detector.resources import models_dir
from detector.speech.transcript import Transcript

__all__ = ["LatencyModel"]


@dataclass(frozen=True, slots=True)
class LatencyModel:
    base: float
    """Seconds."""
    per_second: float
    """Seconds for each second of speech."""
    per_character: float
    """Seconds for each character of the text."""
    second_pass: float
    """Seconds for a second pass."""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the model (by default the one that ships).

        Raises ModelError where the file is missing or wrong.
        """
        path = path or models_dir() / "latency.json"
        try:
            numbers = json.loads(path.read_text(encoding="utf-8"))["coefficients"]
            return cls(**{name: float(numbers[name]) for name in cls.__slots__})
        except OSError:
            raise ModelError(f"{path}: missing; install the detector again") from None
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path}: no latency model ({error}); fit it with `detector bench`") from None

    def scaled(self, times: float) -> Self:
        """Return the model of a machine that takes `times` as long."""
        return replace(
            self,
            base=self.base * times,
            per_second=self.per_second * times,
            per_character=self.per_character * times,
            second_pass=self.second_pass * times,
        )

    def seconds(self, speech: float, transcript: Transcript) -> float:
        """Return how long it takes to make `transcript` of `speech` seconds."""
        first = self.base + self.per_second * speech + self.per_character * len(transcript.text)
        return first + (self.second_pass if transcript.passes > 1 else 0.0)

    __call__ = seconds
