#!/usr/bin/env python3
"""Check scenario files: the format, the kinds of caller, and that no two callers say the same.

    scripts/check_scenarios.py FILE… [--against FILE]…

Every problem is printed on its own line and the script then ends with 1; otherwise it prints how many scenarios
there are by caller, category and language. Two scenarios, in one file or in two, may not share a sentence of more
than eight characters (Mandarin) or six words (English), nor say nearly the same sentence: a development set of
templates with swapped nouns would flatter every figure that is measured on it. The demo's scenarios, and those of
each --against FILE, are compared with as well.
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from detector.agents.scenario import Scenario, load_scenarios
from detector.agents.scenario_fields import REPLY_ACTS
from detector.call import Language
from detector.errors import ScenarioError
from detector.resources import fixtures_dir
from detector.text.categories import UNWANTED, WANTED

__all__ = ["UNWANTED", "WANTED", "likenesses", "main", "misfits"]

LANGUAGES: tuple[Language, ...] = ("zh", "en")
WANTED_CALLERS = frozenset(("person", "notice"))
DEAF_CALLERS = frozenset(("recording", "notice"))
"""They play one recording and answer nothing."""
SHARED_CHARACTERS = 8
SHARED_WORDS = 6
"""The longest sentence that two scenarios may share, counted without punctuation."""
LIKENESS = 0.6
"""Share of pairs of neighbouring characters (or words) that two sentences have in common, from 0 to 1 (Dice);
this much or more is the same sentence with another noun."""
LONGEST_UTTERANCE = {"zh": 45, "en": 190}
"""In characters."""
_SENTENCE_END = re.compile(r"[。！？!?；;…]+|(?<!Mr)(?<!Mrs)(?<!Dr)\.(?:\s|$)")
_MARKS = re.compile(r"[^\w\s]|_")
_NOT_SPOKEN = re.compile(r"[0-9()（）\[\]【】<>《》*#]")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a scenario: who says it, where, and its characters or words without punctuation."""

    where: str
    scenario: str
    text: str
    units: tuple[str, ...]

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        return frozenset(zip(self.units, self.units[1:], strict=False))


def misfits(scenario: Scenario) -> Iterator[str]:
    """Yield what does not fit together in one scenario, though each of its keys is well formed."""
    if scenario.wanted != (scenario.caller in WANTED_CALLERS):
        yield f"wanted is {scenario.wanted}, the caller is {scenario.caller}"
    if scenario.category not in (WANTED if scenario.wanted else UNWANTED):
        yield f"category {scenario.category!r} is none of {'wanted' if scenario.wanted else 'unwanted'} calls"
    if missing := [act for act in REPLY_ACTS if act not in scenario.replies]:
        yield f"replies lack {', '.join(missing)}"
    if scenario.caller in DEAF_CALLERS:
        if any(scenario.replies.values()):
            yield f"a {scenario.caller} replies"
        if not scenario.repeats_take:
            yield f"a {scenario.caller} says nothing anew: repeats_take must be true"
    elif not any(scenario.replies.values()):
        yield f"a {scenario.caller} never replies"
    if scenario.caller == "clip_bot" and not scenario.repeats_take:
        yield "a clip_bot plays clips: repeats_take must be true"
    if scenario.caller in {"person", "live_agent"} and scenario.repeats_take:
        yield f"a {scenario.caller} says everything anew: repeats_take must be false"
    if not scenario.why.strip():
        yield "why is empty"
    for text in scenario.utterances:
        yield from _misspoken(scenario, text)


def _misspoken(scenario: Scenario, text: str) -> Iterator[str]:
    longest = LONGEST_UTTERANCE[scenario.language]
    if len(text) > longest:
        yield f"{text!r} has {len(text)} characters; nobody says more than {longest} in one breath"
    if found := _NOT_SPOKEN.search(text):
        yield f"{text!r} holds {found[0]!r}; write it as it is spoken"
    has_han = re.search(r"[\u4e00-\u9fff]", text) is not None
    if has_han != (scenario.language == "zh"):
        yield f"{text!r} is not in the language of the scenario, {scenario.language}"


def sentences(where: str, scenario: Scenario) -> Iterator[Sentence]:
    """Yield each sentence that the caller may say, once."""
    seen: set[tuple[str, ...]] = set()
    for text in scenario.utterances:
        for part in _SENTENCE_END.split(text):
            bare = _MARKS.sub("", part.replace("’", "'")).lower()
            units = tuple(bare.split()) if scenario.language == "en" else tuple("".join(bare.split()))
            if units and units not in seen:
                seen.add(units)
                yield Sentence(where, scenario.id, part.strip(), units)


def likenesses(spoken: Iterable[Sentence], language: Language, checked: Container[str]) -> Iterator[str]:
    """Yield each sentence of a `checked` scenario that is found, or nearly found, in a scenario before it."""
    longest = SHARED_WORDS if language == "en" else SHARED_CHARACTERS
    earlier: list[Sentence] = []
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for sentence in spoken:
        if len(sentence.units) <= longest:
            continue
        is_checked = sentence.scenario in checked
        shared = Counter(index for pair in sentence.pairs for index in holders[pair] if is_checked)
        for index, count in shared.items():
            other = earlier[index]
            alike = 2 * count / (len(sentence.pairs) + len(other.pairs))
            if other.scenario != sentence.scenario and alike >= LIKENESS:
                yield (
                    f"{sentence.where}: scenario {sentence.scenario}: {sentence.text!r} is "
                    f"{'the same as' if sentence.units == other.units else 'nearly the same as'} "
                    f"{other.text!r} of scenario {other.scenario} ({other.where}); word it otherwise"
                )
        for pair in sentence.pairs:
            holders[pair].append(len(earlier))
        earlier.append(sentence)


def _read(paths: Sequence[Path]) -> tuple[list[tuple[Path, Scenario]], list[str]]:
    found: list[tuple[Path, Scenario]] = []
    problems: list[str] = []
    for path in paths:
        try:
            file = load_scenarios(path)
        except ScenarioError as error:
            problems.append(str(error))
            continue
        problems += [str(error) for error in file.errors]
        found += [(path, scenario) for scenario in file.scenarios]
    return found, problems


def find_problems(files: Sequence[Path], against: Sequence[Path] = ()) -> tuple[list[Scenario], list[str]]:
    """Return the scenarios of `files`, and every problem of them on one line each."""
    named = {path.resolve() for path in files}
    known, problems = _read([path for path in against if path.resolve() not in named])
    own, own_problems = _read(files)
    problems += own_problems
    times = Counter(scenario.id for _, scenario in known + own)
    problems += [f"id {name} stands in {count} scenarios" for name, count in times.items() if count > 1]
    for path, scenario in own:
        problems += [f"{path}: scenario {scenario.id}: {misfit}" for misfit in misfits(scenario)]
    for language in LANGUAGES:
        spoken = (
            sentence
            for path, scenario in known + own
            if scenario.language == language
            for sentence in sentences(str(path), scenario)
        )
        problems += likenesses(spoken, language, {scenario.id for _, scenario in own})
    return [scenario for _, scenario in own], problems


def _print_counts(scenarios: Sequence[Scenario]) -> None:
    unwanted = sum(not scenario.wanted for scenario in scenarios)
    print(f"{len(scenarios)} scenarios: {unwanted} unwanted, {len(scenarios) - unwanted} wanted")
    for key in ("language", "caller", "category", "barge_in", "noise"):
        counts = Counter(str(getattr(scenario, key)) for scenario in scenarios)
        print(f"{key:>9}: " + ", ".join(f"{name} {count}" for name, count in counts.most_common()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the files named on the command line; return 0 where nothing is wrong, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--against", action="append", type=Path, default=[], metavar="FILE")
    options = parser.parse_args(arguments)
    demo = fixtures_dir() / "demo" / "scenarios.jsonl"
    scenarios, problems = find_problems(
        options.files, [*options.against, *([demo] if demo.is_file() else [])]
    )
    for problem in problems:
        print(problem, file=sys.stderr)
    _print_counts(scenarios)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
