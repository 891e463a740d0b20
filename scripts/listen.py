"""Transcribe rendered prompts or clips and list those that recognition gets wrong.

    python scripts/listen.py prompts [DIR]
    python scripts/listen.py clips SCENARIOS.jsonl --clips DIR

Prints the error rate over all characters (English: words folded to small letters), then the worst files. A synthetic
voice that recognition understands may still sound odd to a person; one that it does not understand is useless here.
"""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from detector.agents.clips import Clips
from detector.agents.scenario import load_scenarios
from detector.audio.files import read_clip
from detector.call import Language
from detector.dialogue.prompts import PromptLibrary
from detector.speech.model_files import recognition_model
from detector.speech.whisper import WhisperTranscriber
from detector.text.normalize import normalize_mandarin


@dataclass(frozen=True, slots=True)
class Spoken:
    name: str
    language: Language
    text: str
    path: Path


def prompts(folder: Path | None) -> Iterator[Spoken]:
    for prompt in PromptLibrary.load(folder).prompts:
        yield Spoken(prompt.id, prompt.language, prompt.text, prompt.path)


def clips(scenarios: Path, folder: Path) -> Iterator[Spoken]:
    library = Clips(folder)
    for scenario in load_scenarios(scenarios).scenarios:
        for utterance in scenario.utterances:
            for take in range(library.takes(scenario.id, utterance)):
                path = library.path(scenario.id, utterance, take)
                if path is not None:
                    yield Spoken(f"{scenario.id} take {take}", scenario.language, utterance, path)


def comparable(text: str, language: Language) -> str:
    """Return what a listener could tell apart: no punctuation, no capitals, numbers in words."""
    plain = normalize_mandarin(text).text if language == "zh" else text.lower()
    return re.sub(r"[\W_]+", "", plain)


def distance(said: str, heard: str) -> int:
    """Return the edit distance of two strings (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description="Transcribe rendered speech and list what is misheard.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("prompts").add_argument("folder", type=Path, nargs="?")
    of_clips = kinds.add_parser("clips")
    of_clips.add_argument("scenarios", type=Path)
    of_clips.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--worst", type=int, default=12, help="how many files to list")
    arguments = parser.parse_args()
    chosen = (
        prompts(arguments.folder)
        if arguments.kind == "prompts"
        else clips(arguments.scenarios, arguments.clips)
    )
    ears = WhisperTranscriber(recognition_model(), workers=1)
    console = Console(stderr=True)
    results: list[tuple[float, int, int, Spoken, str]] = []
    for spoken in track(list(chosen), console=console, disable=not console.is_terminal):
        heard = ears.transcribe(read_clip(spoken.path), spoken.language).text
        said = comparable(spoken.text, spoken.language)
        errors = distance(said, comparable(heard, spoken.language))
        results.append((errors / max(len(said), 1), errors, len(said), spoken, heard))
    for language in ("zh", "en"):
        rows = [row for row in results if row[3].language == language]
        if rows:
            rate = sum(row[1] for row in rows) / sum(row[2] for row in rows)
            print(f"{language}: {len(rows)} files, character error rate {rate:.3f}")
    for rate, _, _, spoken, heard in sorted(results, key=lambda row: -row[0])[: arguments.worst]:
        print(
            f"{rate:5.2f}  {spoken.name}  {spoken.path.name}\n       said  {spoken.text}\n       heard {heard}"
        )


if __name__ == "__main__":
    main()
