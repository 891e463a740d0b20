"""Speak every utterance of a scenario file into a folder of clips.

    python scripts/render_clips.py SCENARIOS.jsonl --clips DIR [--format wav|opus] [--jobs N] [--takes N]

Files that are there are kept, so a run that was stopped goes on where it was. `DIR/manifest.jsonl` gets a line for
each clip: file, scenario, take, voice, fold, language, seconds, SHA-256. Exit code 1 where some scenarios are wrong
or a clip could not be spoken; each is named on standard error.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from casting import Voice, cast, fold_of
from detector.agents.clips import clip_name
from detector.agents.scenario import Scenario, load_scenarios
from detector.audio.frames import SAMPLE_RATE
from detector.call import Language
from detector.errors import ScenarioError
from voices import Kokoro, prepare_cache

MANIFEST = "manifest.jsonl"
FORMATS = {"wav": ("WAV", "ALAW"), "opus": ("OGG", "OPUS")}


@dataclass(frozen=True, slots=True)
class Job:
    scenario_id: str
    language: Language
    utterance: str
    take: int
    voice: Voice
    file: Path

    @property
    def row(self) -> dict[str, Any]:
        return {
            "file": self.file.name,
            "id": self.scenario_id,
            "take": self.take,
            "voice": str(self.voice),
            "fold": fold_of(self.scenario_id),
            "language": self.language,
        }


def takes_of(scenario: Scenario, utterance: str, most: int) -> int:
    """Return how many takes are worth speaking: one, unless a person may say the string again."""
    if scenario.repeats_take:
        return 1
    places = Counter([*scenario.opening, *(text for texts in scenario.replies.values() for text in texts)])
    last = {texts[-1] for texts in scenario.replies.values() if texts}
    return most if utterance in last or places[utterance] > 1 else 1


def jobs_of(scenario: Scenario, folder: Path, suffix: str, most_takes: int) -> Iterator[Job]:
    voice = cast(scenario.id, scenario.language)
    for utterance in scenario.utterances:
        for take in range(takes_of(scenario, utterance, most_takes)):
            file = folder / f"{clip_name(scenario.id, utterance, take)}.{suffix}"
            yield Job(scenario.id, scenario.language, utterance, take, voice.take(take), file)


_engine: Kokoro | None = None


def speak(job: Job) -> dict[str, Any]:
    """Render one clip in a worker process and return its manifest row."""
    import soundfile  # noqa: PLC0415 - heavy

    global _engine  # noqa: PLW0603 - one model for each worker process
    _engine = _engine or Kokoro(prepare_cache())
    voice = job.voice
    samples = _engine.speak(job.utterance, job.language, dict(voice.blend), voice.speed, voice.pitch)
    form, subtype = FORMATS[job.file.suffix[1:]]
    partial = job.file.with_suffix(".partial")
    soundfile.write(partial, samples, SAMPLE_RATE, format=form, subtype=subtype)
    partial.replace(job.file)
    digest = hashlib.sha256(job.file.read_bytes()).hexdigest()
    return {**job.row, "seconds": round(len(samples) / SAMPLE_RATE, 3), "sha256": digest}


def known_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the manifest's rows by file name; a line that a stopped run left half written is dropped."""
    rows: dict[str, dict[str, Any]] = {}
    manifest = folder / MANIFEST
    for line in manifest.read_text("utf-8").splitlines() if manifest.exists() else []:
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[row["file"]] = row
    return rows


def render(jobs: list[Job], folder: Path, processes: int) -> int:
    """Render what is missing; return how many clips failed."""
    rows = known_rows(folder)
    missing = [
        job
        for job in jobs
        if not (job.file.exists() and rows.get(job.file.name, {}).items() >= job.row.items())
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    failed = 0
    with (
        (folder / MANIFEST).open("a", encoding="utf-8") as manifest,
        ProcessPoolExecutor(processes) as pool,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        bar = progress.add_task("clips", total=len(missing))
        waiting = {pool.submit(speak, job): job for job in missing}
        for done in as_completed(waiting):
            job = waiting[done]
            try:
                row = done.result()
            except Exception as error:  # noqa: BLE001 - one clip fails, the others go on
                failed += 1
                print(f"scenario {job.scenario_id}: {job.utterance!r}: {error}", file=sys.stderr)
            else:
                rows[row["file"]] = row
                manifest.write(json.dumps(row, ensure_ascii=False) + "\n")
                manifest.flush()
            progress.advance(bar)
    write_manifest(rows, folder)
    print(f"{len(jobs)} clips wanted, {len(missing) - failed} spoken, {failed} failed", file=sys.stderr)
    return failed


def write_manifest(rows: dict[str, dict[str, Any]], folder: Path) -> None:
    ordered = sorted(rows.values(), key=lambda row: (row["id"], row["file"]))
    partial = folder / f"{MANIFEST}.partial"
    partial.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ordered), "utf-8")
    partial.replace(folder / MANIFEST)


def main() -> int:
    parser = argparse.ArgumentParser(description="Speak every utterance of a scenario file.")
    parser.add_argument("scenarios", type=Path)
    parser.add_argument("--clips", type=Path, required=True, help="folder for the clips")
    parser.add_argument("--format", choices=sorted(FORMATS), default="wav", help="A-law WAV or Ogg Opus")
    parser.add_argument("--jobs", type=int, default=1, help="processes, one thread each")
    parser.add_argument(
        "--takes", type=int, choices=(1, 2, 3), default=2, help="takes of what a person may repeat"
    )
    arguments = parser.parse_args()
    try:
        content = load_scenarios(arguments.scenarios)
    except ScenarioError as error:
        parser.error(str(error))
    for problem in content.errors:
        print(problem, file=sys.stderr)
    folder: Path = arguments.clips
    folder.mkdir(parents=True, exist_ok=True)
    prepare_cache()
    jobs = [
        job for row in content.scenarios for job in jobs_of(row, folder, arguments.format, arguments.takes)
    ]
    failed = render(jobs, folder, arguments.jobs)
    return 1 if failed or content.errors else 0


if __name__ == "__main__":
    sys.exit(main())
