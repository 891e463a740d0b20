"""What `detector bench` does and prints, in one run: clips, contestants, machine, versions."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from detector.bench.clips import SpokenClip, real_speakers, synthetic_voices
from detector.bench.fitting import LatencyFit, fit, time_clips
from detector.bench.recognition import (
    Comparison,
    Machine,
    Padded,
    Progress,
    Windowed,
    compare,
    describe_machine,
)
from detector.call import Language
from detector.errors import InputError

__all__ = ["BenchReport", "Half", "run_bench", "write_latency"]

_SPOKEN: dict[Language, str] = {"zh": "Mandarin", "en": "English"}
Half = Callable[[Sequence[SpokenClip]], Sequence[SpokenClip]]


@dataclass(frozen=True, slots=True)
class BenchReport:
    machine: Machine
    threads: int
    real: Comparison | None
    """On every second real speaker: the other half chose the settings. None without a folder of them."""
    synthetic: Mapping[Language, Comparison]
    """By what they speak; empty where no prompts ship with this copy."""
    latency: LatencyFit | None

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": asdict(self.machine),
            "threads": self.threads,
            "real": self.real and self.real.as_json(),
            "synthetic": {language: one.as_json() for language, one in self.synthetic.items()},
            "latency": self.latency and self.latency.as_json(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the report as text."""
        machine = self.machine
        versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
        yield f"{machine.processor}, {machine.cores} cores, load {machine.load}; Python {machine.python}; {versions}"
        yield f"int8, {self.threads} thread(s), processor time; padded: faster-whisper, 30 s, beam 5"
        yield from _lines_of("real speakers", self.real, "not measured: name a folder with --data")
        for language, one in self.synthetic.items():
            yield from _lines_of(f"synthetic voices, {_SPOKEN[language]}", one, "")
        if len(self.synthetic) > 1:
            padded = sum(one.padded.cpu_seconds for one in self.synthetic.values())
            ours = sum(one.windowed.cpu_seconds for one in self.synthetic.values())
            yield f"synthetic voices, all: {padded / ours:.1f} times less processor"
        elif not self.synthetic:
            yield "synthetic voices: not measured: no prompts ship with this copy"
        if self.latency is not None:
            model = self.latency.model
            yield (
                f"latency: {model.base:.3f} s + {model.per_second:.3f} x seconds + {model.per_character:.4f} x "
                f"characters, second pass {model.second_pass:.3f} s; misses {self.latency.p95:.3f} s (95 %)"
            )


def _lines_of(title: str, one: Comparison | None, absent: str) -> Iterator[str]:
    if one is None:
        yield f"{title}: {absent}"
        return
    yield f"{title}: {one.clips} clips, {one.seconds:.0f} s, {one.units} characters or words"
    for name, score in (("window", one.windowed), ("padded", one.padded)):
        yield (
            f"  {name}: error rate {score.error_rate:.3f}, loops {score.loops}, "
            f"{score.cpu_seconds / one.clips:.3f} s of processor a clip"
        )
    difference = one.difference
    yield (
        f"  {one.times_less_cpu:.1f} times less processor; error rate {difference.value:+.3f} "
        f"[{difference.low:+.3f}, {difference.high:+.3f}]; second passes {one.second_passes}"
    )


def run_bench(
    model_dir: Path,
    data: Path | None = None,
    *,
    threads: int = 1,
    with_latency: bool = False,
    half: Half = lambda clips: clips[1::2],
    progress: Progress | None = None,
) -> BenchReport:
    """Measure recognition on the real speakers in `data` and on the synthetic voices that ship.

    Raises ModelError and AudioFileError, and InputError where there is nothing to measure on.
    """
    speakers = half(real_speakers(data)) if data is not None else []
    voices = synthetic_voices()
    if not speakers and not voices:
        raise InputError("nothing to measure on: no prompts ship with this copy; name a folder with --data")
    windowed, padded = Windowed(model_dir, threads), Padded(model_dir, threads)
    machine = describe_machine()
    return BenchReport(
        machine,
        threads,
        compare(speakers, windowed, padded, progress) if speakers else None,
        {
            language: compare(spoken, windowed, padded, progress)
            for language in _SPOKEN
            if (spoken := [clip for clip in voices if clip.language == language])
        },
        fit(time_clips([*speakers, *voices], windowed.transcriber)) if with_latency else None,
    )


def write_latency(path: Path, report: BenchReport, day: str) -> None:
    """Write the fitted latency model for simulation; `day` is the date of the measurement."""
    if report.latency is None:
        raise InputError("the bench fitted no latency model")
    content = {
        "format": 1,
        "about": "seconds = base + per_second x speech + per_character x text (+ second_pass), one thread",
        **report.latency.as_json(),
        "machine": asdict(report.machine),
        "day": day,
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
