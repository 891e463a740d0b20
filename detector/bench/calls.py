"""Whole recordings of calls, against what a user would do instead.

The contestant: faster-whisper's transcribe, with its own voice filter and its defaults, over each file, and a search
for literal keywords in the text (those of the lexicon's unwanted categories). Same weights, threads and number format;
each recording goes to all in turn. Processor time is this process's own, threads included, without loading.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import soxr

from detector.agents.clips import Clips
from detector.agents.replay import Replay
from detector.agents.scenario import Scenario
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE
from detector.bench.call_audio import write_call
from detector.bench.recognition import cpu_seconds
from detector.screener import ScreenerOptions, ScreenerParts
from detector.speech.whisper import WhisperTranscriber
from detector.text.lexicon import Lexicon, Role

__all__ = ["CallsReport", "Judged", "LengthReport", "compare_calls", "recall_at"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One recording and what each contestant made of it."""

    scenario: Scenario
    screen_cpu: float
    full_cpu: float
    baseline_cpu: float
    unwanted: float
    """Probability, by `screen`."""
    hits: int
    """Distinct keywords in the baseline's text."""
    heard: float
    """Seconds that `screen` listened to."""


@dataclass(frozen=True, slots=True)
class LengthReport:
    """All recordings of one length."""

    seconds: float
    judged: tuple[Judged, ...]

    @property
    def screen_ratio(self) -> float:
        """How many times less processor time `screen` takes than the baseline."""
        return _total(self.judged, "baseline_cpu") / max(_total(self.judged, "screen_cpu"), 1e-9)

    @property
    def full_ratio(self) -> float:
        return _total(self.judged, "baseline_cpu") / max(_total(self.judged, "full_cpu"), 1e-9)


@dataclass(frozen=True, slots=True)
class CallsReport:
    lengths: tuple[LengthReport, ...]

    def lines(self) -> Iterator[str]:
        yield "whole calls (simulated, synthetic voices); baseline: faster-whisper with its voice filter, then keywords"
        for report in self.lengths:
            heard = sum(item.heard for item in report.judged) / len(report.judged)
            yield (
                f"{report.seconds:4.0f} s, {len(report.judged)} calls: screen {report.screen_ratio:.1f} times less "
                f"processor time (hears {heard:.0f} s), with --full {report.full_ratio:.1f} times less"
            )
            for hits in (1, 2, 3):
                yield "        " + _found(report.judged, hits)

    def as_json(self) -> dict[str, Any]:
        return {
            "lengths": [
                {
                    "seconds": report.seconds,
                    "calls": len(report.judged),
                    "screen_times_less_cpu": round(report.screen_ratio, 2),
                    "full_times_less_cpu": round(report.full_ratio, 2),
                    "found": [_operating_point(report.judged, hits) for hits in (1, 2, 3)],
                }
                for report in self.lengths
            ]
        }


def compare_calls(
    scenarios: Sequence[Scenario],
    clips: Clips,
    parts: ScreenerParts,
    model_dir: Path,
    *,
    lengths: Sequence[float] = (30, 60, 120),
    threads: int = 1,
    deadline: float = 45.0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> CallsReport:
    """Put together a recording of each length for each scenario and judge all of them all three ways."""
    transcriber = WhisperTranscriber(model_dir, threads=threads, workers=1)
    options = ScreenerOptions(interactive=False)
    options = replace(options, policy=replace(options.policy, deadline=deadline))
    screen = Replay(parts, options, transcriber.transcribe)
    full = replace(screen, options=replace(options, listen_on=True))
    baseline = _Baseline(model_dir, threads)
    reports, done = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for seconds in lengths:
            judged = []
            for scenario in scenarios:
                path = write_call(Path(folder), scenario, clips, seconds)
                judged.append(_judge(scenario, path, screen, full, baseline))
                path.unlink()
                done += 1
                progress(done, len(lengths) * len(scenarios))
            reports.append(LengthReport(seconds, tuple(judged)))
    return CallsReport(tuple(reports))


class _Baseline:
    """faster-whisper as it comes, then keywords as they are written."""

    def __init__(self, model_dir: Path, threads: int) -> None:
        from faster_whisper import WhisperModel  # noqa: PLC0415 - heavy

        self._model: Any = WhisperModel(
            str(model_dir), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        terms = (term for group in Lexicon.load().with_role(Role.CATEGORY) for term in group.terms)
        self._keywords = sorted({term.text.lower() for term in terms})

    def hits(self, path: Path) -> int:
        audio = soxr.resample(read_clip(path).astype("float32") / 32768, SAMPLE_RATE, 16_000)
        segments, _ = self._model.transcribe(audio, vad_filter=True)
        text = "".join(segment.text for segment in segments).lower()
        return sum(keyword in text for keyword in self._keywords)


def _judge(scenario: Scenario, path: Path, screen: Replay, full: Replay, baseline: _Baseline) -> Judged:
    start = cpu_seconds()
    result = screen.screen(path)
    after_screen = cpu_seconds()
    full.screen(path)
    after_full = cpu_seconds()
    hits = baseline.hits(path)
    after_baseline = cpu_seconds()
    verdict = result.record.verdict
    assert verdict is not None  # noqa: S101 - every recording ends with one
    return Judged(
        scenario,
        after_screen - start,
        after_full - after_screen,
        after_baseline - after_full,
        verdict.unwanted,
        hits,
        result.heard,
    )


def recall_at(judged: Sequence[Judged], false_alarms: int) -> tuple[float, float]:
    """Return `screen`'s recall where it raises at most `false_alarms`, and the probability that this takes."""
    wanted = sorted((item.unwanted for item in judged if item.scenario.wanted), reverse=True)
    threshold = wanted[false_alarms] if false_alarms < len(wanted) else 0.0
    unwanted = [item.unwanted for item in judged if not item.scenario.wanted]
    return sum(value > threshold for value in unwanted) / max(len(unwanted), 1), threshold


def _operating_point(judged: Sequence[Judged], hits: int) -> dict[str, Any]:
    flagged = [item for item in judged if item.hits >= hits]
    false_alarms = sum(item.scenario.wanted for item in flagged)
    unwanted = sum(not item.scenario.wanted for item in judged)
    recall = (len(flagged) - false_alarms) / max(unwanted, 1)
    return {
        "keywords": hits,
        "false_alarms": false_alarms,
        "wanted": len(judged) - unwanted,
        "unwanted": unwanted,
        "recall_keywords": round(recall, 3),
        "recall_screen": round(recall_at(judged, false_alarms)[0], 3),
    }


def _found(judged: Sequence[Judged], hits: int) -> str:
    point = _operating_point(judged, hits)
    return (
        f"at {point['false_alarms']} false alarms in {point['wanted']} wanted calls ({hits} or more keywords): "
        f"keywords find {point['recall_keywords']:.0%}, screen {point['recall_screen']:.0%} of {point['unwanted']}"
    )


def _total(judged: Sequence[Judged], name: str) -> float:
    return float(sum(getattr(item, name) for item in judged))
