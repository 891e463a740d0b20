"""Recognition on a short window against faster-whisper's own padding: errors, loops, processor time.

Both contestants run on the same clips with the same weights, threads and number format, one clip after the
other and in turns, for a machine is never quiet. Processor time is what the operating system counts for this
process, threads included. Ratios travel from machine to machine; seconds do not.
"""

import os
import platform
import resource
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import detector
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.bench.clips import SpokenClip
from detector.bench.error_rate import Errors, Interval, bootstrap_difference, count_errors, error_rate
from detector.call import Language
from detector.speech.checks import has_loop
from detector.speech.whisper import WhisperTranscriber

__all__ = [
    "Comparison",
    "Contestant",
    "Machine",
    "Padded",
    "Score",
    "Windowed",
    "compare",
    "cpu_seconds",
    "describe_machine",
]

Progress = Callable[[int, int], None]
"""Called with clips done and clips in all."""


class Contestant(Protocol):
    def recognize(self, samples: Samples, language: Language) -> str: ...


class Windowed:
    """The product's own recognition."""

    def __init__(self, model_dir: Path, threads: int) -> None:
        self.transcriber = WhisperTranscriber(model_dir, threads=threads, workers=1)
        self.second_passes = 0

    def recognize(self, samples: Samples, language: Language) -> str:
        transcript = self.transcriber.transcribe(samples, language)
        self.second_passes += transcript.passes > 1
        return transcript.text


class Padded:
    """faster-whisper as it comes: 30 s of padding, beam 5, and its own fallbacks."""

    def __init__(self, model_dir: Path, threads: int) -> None:
        from faster_whisper import WhisperModel  # noqa: PLC0415 - heavy

        self._model: Any = WhisperModel(
            str(model_dir), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )

    def recognize(self, samples: Samples, language: Language) -> str:
        import soxr  # noqa: PLC0415 - loaded with the model

        audio = soxr.resample(samples.astype(np.float32) / 32768, SAMPLE_RATE, 16_000)
        segments, _ = self._model.transcribe(audio, language=language, beam_size=5)
        return "".join(segment.text for segment in segments)


@dataclass(frozen=True, slots=True)
class Score:
    """What one contestant did on all clips."""

    error_rate: float
    """Edits per character (word in English)."""
    loops: int
    """Clips whose text repeats itself."""
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    clips: int
    seconds: float
    """Of audio."""
    units: int
    """Characters, or words in English, of the references."""
    windowed: Score
    padded: Score
    second_passes: int
    difference: Interval
    """Error rate windowed less padded, with its 95 % interval over resampled clips."""

    @property
    def times_less_cpu(self) -> float:
        return self.padded.cpu_seconds / self.windowed.cpu_seconds

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "times_less_cpu": round(self.times_less_cpu, 2)}


@dataclass(frozen=True, slots=True)
class Machine:
    processor: str
    cores: int
    load: float
    """Runnable threads over the last minute, when it began."""
    python: str
    versions: dict[str, str]


def describe_machine() -> Machine:
    packages = ("faster-whisper", "ctranslate2", "numpy")
    return Machine(
        _processor(),
        os.cpu_count() or 1,
        round(os.getloadavg()[0], 2),
        platform.python_version(),
        {"detector": detector.__version__} | {name: version(name) for name in packages},
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def compare(
    clips: Sequence[SpokenClip], windowed: Windowed, padded: Contestant, progress: Progress | None = None
) -> Comparison:
    """Let both recognize every clip, in turns, and return how they did."""
    ours, theirs = _Tally(windowed), _Tally(padded)
    before = windowed.second_passes
    for warm_up in (ours, theirs):
        warm_up.contestant.recognize(clips[0].samples, clips[0].language)
    for number, clip in enumerate(clips):
        for tally in (ours, theirs) if number % 2 else (theirs, ours):
            tally.run(clip)
        if progress is not None:
            progress(number + 1, len(clips))
    return Comparison(
        clips=len(clips),
        seconds=round(sum(clip.seconds for clip in clips), 2),
        units=sum(one.units for one in ours.errors),
        windowed=ours.score(),
        padded=theirs.score(),
        second_passes=windowed.second_passes - before,
        difference=bootstrap_difference(ours.errors, theirs.errors),
    )


class _Tally:
    """One contestant's results, clip by clip."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        self.errors: list[Errors] = []
        self._loops = 0
        self._cpu = 0.0

    def run(self, clip: SpokenClip) -> None:
        start = cpu_seconds()
        text = self.contestant.recognize(clip.samples, clip.language)
        self._cpu += cpu_seconds() - start
        self.errors.append(count_errors(clip.text, text))
        self._loops += has_loop(text)

    def score(self) -> Score:
        return Score(round(error_rate(self.errors), 4), self._loops, round(self._cpu, 3))


def cpu_seconds() -> float:
    """Return the processor time of this process so far, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
