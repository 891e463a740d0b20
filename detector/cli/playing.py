"""Playing scenarios in several processes: what `simulate` and `evaluate` share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from detector.agents.scenario import Scenario
    from detector.agents.simulator import Simulator
    from detector.evaluation.conditions import Condition
    from detector.screener import ScreenerOptions

__all__ = ["PlaySettings", "clips_folder", "play"]


@dataclass(frozen=True, slots=True)
class PlaySettings:
    """What a process needs to play calls; travels to worker processes."""

    clips: Path
    model: str | None = None
    """Recognition: a directory or a hub name."""
    fusion: Path | None = None
    """Weights of the evidence, None for those that ship."""
    intent: Path | None = None
    """Settings of the text model, None for the one that ships."""
    options: ScreenerOptions | None = None
    real_latency: bool = False
    """Recognition takes the time that it takes here, not the model's, and nothing comes from the cache."""


def clips_folder(given: Path | None, scenarios: Path) -> Path:
    """Return the folder of the clips: the one that was given, or clips/ beside the file of scenarios.

    Raises ConfigurationError where it holds no clips, before anything is loaded.
    """
    from detector.agents.clips import SUFFIXES
    from detector.errors import ConfigurationError

    folder = given or scenarios.parent / "clips"
    try:
        if any(path.suffix in SUFFIXES for path in folder.iterdir()):
            return folder
        what = f"holds no clips ({' or '.join(SUFFIXES)})"
    except OSError as error:
        what = f"cannot be read ({error.strerror})"
    if given:
        raise ConfigurationError(
            f"--clips {folder}: {what}; name the folder that holds the utterances' clips"
        )
    raise ConfigurationError(f"{folder}: {what}; name the folder of the utterances' clips by --clips")


def play(
    calls: Sequence[tuple[Scenario, Condition]], settings: PlaySettings, jobs: int
) -> Iterator[dict[str, Any] | str]:
    """Play the calls in their order; yield each one's row, or in words what was wrong with it."""
    from detector.cli.in_parallel import ProcessDied, in_parallel

    if not calls:
        return
    # What is wrong with a model or a prompt is told once, here, and not by every process.
    _prepare(settings)
    if min(jobs, len(calls)) == 1:
        yield from map(_play_one, calls)
        return
    outcomes = in_parallel(_play_one, calls, jobs, partial(_prepare, settings))
    for (scenario, _), outcome in zip(calls, outcomes, strict=True):
        if isinstance(outcome, ProcessDied):
            yield f"scenario {scenario.id}: the process that played it died; is there enough memory? Try --jobs 1"
        else:
            yield outcome


_simulator: Any = None


def _prepare(settings: PlaySettings) -> None:
    """Load the engine's parts and recognition once a process."""
    global _simulator  # noqa: PLW0603 - a worker process has one simulator
    from detector.agents.clips import Clips
    from detector.agents.measured import MeasuredRecognition
    from detector.agents.recognition_cache import RecognitionCache
    from detector.agents.simulator import Simulator
    from detector.cli.parts import load_parts, load_transcriber
    from detector.screener import ScreenerOptions
    from detector.speech.latency import LatencyModel
    from detector.speech.model_files import cache_dir

    parts = load_parts(fusion=settings.fusion, intent=settings.intent)
    transcriber = load_transcriber(settings.model, threads=1)
    options, clips = settings.options or ScreenerOptions(), Clips(settings.clips)
    if settings.real_latency:
        measured = MeasuredRecognition(transcriber.transcribe)
        _simulator = Simulator(parts, options, measured.recognize, measured.latency, clips)
        return
    cache = RecognitionCache(
        cache_dir() / "simulated-transcripts.sqlite", transcriber.transcribe, transcriber.name
    )
    _simulator = Simulator(parts, options, cache, LatencyModel.load().seconds, clips)


def _under(simulator: Simulator, condition: Condition) -> Simulator:
    from detector.evaluation.conditions import without_family

    parts = simulator.parts
    if condition.without is not None:
        parts = replace(parts, fusion=without_family(parts.fusion, condition.without))
    return replace(
        simulator,
        parts=parts,
        snr=condition.snr,
        loss=condition.loss,
        seed=condition.seed,
        jitter=condition.jitter,
    )


def _play_one(call: tuple[Scenario, Condition]) -> dict[str, Any] | str:
    from detector.errors import DetectorError, where

    scenario, condition = call
    try:
        record = _under(_simulator, condition).run(scenario)
    except DetectorError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 - one scenario of many; the others are played all the same
        return f"scenario {scenario.id}: could not be played, please report this ({where(error)})"
    about = {name: getattr(scenario, name) for name in ("id", "wanted", "caller", "category")}
    return {**about, **record.to_json(), "agent_acts": record.acts_to_json()}
