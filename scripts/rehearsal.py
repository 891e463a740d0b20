#!/usr/bin/env python3
"""Rehearsals: simulated calls without rendered speech, for a detector that has to learn from many calls.

    scripts/rehearsal.py SCENARIOS.jsonl… --out CALLS.jsonl [--intent FILE] [--seed N] [--jobs N]
    detector evaluate --calls CALLS.jsonl --out DIR

Everything is as in `detector simulate`, but for the voice and the recognition. The caller's utterances are played by
carrier speech: stretches of the demo's clips, as long as the words take, never two alike in a call except where the
scenario repeats a take. The words come from the scenario itself, cut to what was said in a turn, and are misheard on
purpose (see text_corpus.spoil): a simulation of recognition, with the shares of wrong syllables that telephone speech
has, each call with its own. So every scenario can be played in about a second, before its clips are rendered.

What recognition really makes of a voice, and how alike two voices sound, cannot be learned here.
"""

import argparse
import hashlib
import json
import math
import os
import random
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track

from detector.agents.channel import Channel
from detector.agents.clips import Clips
from detector.agents.scenario import Scenario, load_scenarios
from detector.agents.scenario_caller import ScenarioCaller
from detector.agents.simulator import Conversation
from detector.agents.virtual import Latency, VirtualDriver
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.call import Language
from detector.cli.parts import load_parts
from detector.errors import ScenarioError
from detector.events import TurnEnded
from detector.resources import fixtures_dir
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.latency import LatencyModel
from detector.speech.transcript import Transcript
from detector.text.pinyin import default_table
from eval_lexicon import Homophones
from text_corpus import Turn, spoil

__all__ = ["rehearse"]

SYLLABLES_PER_SECOND = 4.6
WORDS_PER_SECOND = 2.6
MISHEARD: dict[Language, tuple[float, ...]] = {"zh": (0.03, 0.08, 0.14, 0.28), "en": (0.05, 0.1)}
"""Shares of syllables or words that recognition gets wrong; a call draws one. Those in Mandarin are the means of the
quarters of 395 rendered calls at 15 dB."""
DOUBT = (-0.36, -0.49, 0.11)
"""Average log-probability of a transcript: without an error, what an error in every syllable adds, and the standard
deviation about that, fitted to 887 turns of the same calls (correlation -0.56)."""
SHORTEST_PIECE = 0.15
"""Seconds of an utterance within a turn below which nothing of it is heard."""


def seconds_of(text: str, language: Language) -> float:
    """Return how long it takes to say `text`."""
    if language == "zh":
        return max(0.5, sum(character.isalnum() for character in text) / SYLLABLES_PER_SECOND)
    return max(0.5, len(text.split()) / WORDS_PER_SECOND)


@lru_cache(maxsize=1)
def _carrier() -> Samples:
    files = sorted((fixtures_dir() / "demo" / "clips").glob("*.*"))
    return np.concatenate([read_clip(file) for file in files if file.suffix in (".wav", ".opus")])


class CarrierClips(Clips):
    """Stretches of other speech in place of the clips of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(Path())
        digest = hashlib.sha256(scenario.id.encode()).digest()
        self._next = int.from_bytes(digest[:6], "big") % len(_carrier())
        self._said: dict[tuple[str, int], Samples] = {}

    def check(self, scenario: Scenario) -> None:
        """Whatever a caller says can be carried."""

    def clip(self, scenario: Scenario, utterance: str, said_before: int, seed: int) -> Samples:
        del seed
        key = utterance, 0 if scenario.repeats_take else said_before
        if key not in self._said:
            count = round(seconds_of(utterance, scenario.language) * SAMPLE_RATE)
            self._said[key] = np.take(_carrier(), np.arange(self._next, self._next + count), mode="wrap")
            self._next += count
        return self._said[key]


class _Listener(VirtualDriver):
    """Answers for transcripts with what the caller really said, misheard."""

    def __init__(self, screener: CallScreener, caller: ScenarioCaller, latency: Latency, seed: int) -> None:
        super().__init__(screener, _unused, latency)
        self._caller = caller
        self._language: Language = caller.scenario.language
        self._random = random.Random(f"{seed}|{caller.scenario.id}")
        self._share = self._random.choice(MISHEARD[self._language])
        _homophones().begin(f"{seed}|{caller.scenario.id}")

    def _transcribe(self, turn: TurnEnded) -> None:
        text = self._words(turn)
        if text:
            text = spoil(Turn("opening", text), self._language, self._share, _homophones(), self._random).text
        self.answer(turn, Transcript(text, self._language, self._doubt() if text else -1.6))

    def _doubt(self) -> float:
        surest, per_error, spread = DOUBT
        return min(surest + per_error * self._share + self._random.gauss(0.0, spread), -0.05)

    def _words(self, turn: TurnEnded) -> str:
        pieces = []
        for said in self._caller.said:
            start, end = max(turn.start, said.start), min(turn.end, said.end)
            if end - start < SHORTEST_PIECE:
                continue
            rate = len(said.text) / seconds_of(said.text, self._language)
            first, last = math.floor(rate * (start - said.start)), math.ceil(rate * (end - said.start))
            pieces.append(said.text[first:last])
        return (" " if self._language == "en" else "").join(pieces)


def _unused(_samples: Samples, _language: Language | None) -> Transcript:
    raise NotImplementedError


@lru_cache(maxsize=1)
def _homophones() -> Homophones:
    return Homophones(default_table(), 0.0, 1)


_parts: ScreenerParts
_options: ScreenerOptions
_latency: Latency


def _prepare(options: ScreenerOptions, intent: Path | None) -> None:
    global _parts, _options, _latency
    _parts, _options, _latency = load_parts(intent=intent), options, LatencyModel.load().seconds


def _play(call: tuple[Scenario, int]) -> dict[str, Any]:
    scenario, seed = call
    screener = CallScreener(scenario.call, _options, _parts)
    caller = ScenarioCaller(scenario, CarrierClips(scenario), seed)
    channel = Channel("none", seed=seed, name=scenario.id, dead_air=scenario.connect_silence)
    record = Conversation(screener, _Listener(screener, caller, _latency, seed), caller, channel).play()
    about = {name: getattr(scenario, name) for name in ("id", "wanted", "caller", "category", "language")}
    return {**about, **record.to_json(), "agent_acts": record.acts_to_json()}


def rehearse(
    scenarios: Sequence[Scenario], options: ScreenerOptions, intent: Path | None, seed: int, jobs: int
) -> Iterator[dict[str, Any]]:
    """Play every scenario; yield rows as `detector simulate --json` prints them, in their order.

    `intent`: settings of another text model than the one that ships.
    """
    with ProcessPoolExecutor(jobs, initializer=_prepare, initargs=(options, intent)) as pool:
        yield from pool.map(_play, [(scenario, seed) for scenario in scenarios], chunksize=4)


def main() -> None:
    """Rehearse every scenario with the settings that ship, and write its call as `detector simulate --json` would."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--intent", type=Path, help="another text model than the one that ships")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    settings = parser.parse_args()
    try:
        files = [load_scenarios(path) for path in settings.scenarios]
    except ScenarioError as error:
        parser.error(str(error))
    for problem in (each for file in files for each in file.errors):
        print(problem, file=sys.stderr)
    scenarios = [one for file in files for one in file.scenarios]
    rows = rehearse(scenarios, ScreenerOptions(), settings.intent, settings.seed, settings.jobs)
    settings.out.parent.mkdir(parents=True, exist_ok=True)
    with settings.out.open("w", encoding="utf-8") as out:
        for row in track(rows, "rehearsing", len(scenarios), console=Console(stderr=True)):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
    if any(file.errors for file in files):
        sys.exit(1)


if __name__ == "__main__":
    main()
