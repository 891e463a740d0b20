"""Measure the lexicon: what it finds in unwanted calls, and what it wrongly finds in ordinary talk.

    scripts/eval_lexicon.py --data DIR [--half report] [--homophones 0.15] [--terms 40]

DIR holds teleantifraud.tsv.gz (fraud dialogues written by a language model), ftc_robocalls_en.tsv (transcripts of real
robocalls), crosswoz.tsv.gz and lccc_toy.tsv.gz (ordinary talk, typed). Dialogues and campaigns are split in halves by
a hash of their name: terms are tuned on the development half alone, figures are quoted from the report half. Duplicate
texts are removed first. With --homophones that share of the Mandarin characters is replaced by others that sound
alike, to imitate a recognizer that writes the right sounds with the wrong characters: a simulation, not a measurement
of recognition.
"""

import argparse
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from detector.call import Language
from detector.corpora import texts
from detector.signals.patter import PatterExtractor
from detector.text.lexicon import Lexicon, Role
from detector.text.matcher import Exactness, Hit, Matcher
from detector.text.pinyin import PinyinTable, accent_class, default_table

SCORE = 2.0
"""Natural log: the sum of evidence from which on a text counts as flagged."""
STRONG = 1.0
"""Terms of less weight only name a topic; one of them alone is no alarm by any method."""
OPENING_TURNS = 3
METHODS: dict[str, Callable[[Hit], bool]] = {
    "characters": lambda hit: hit.exactness is Exactness.CHARACTERS,
    "pinyin": lambda _: True,
    "pinyin with rules": lambda hit: hit.supported and hit.offer,
}


@dataclass(frozen=True, slots=True)
class Sample:
    corpus: str
    name: str
    """Of the dialogue or campaign, by which samples are split."""
    text: str
    unwanted: bool
    language: Language


def half_of(name: str) -> str:
    return "report" if hashlib.sha1(name.encode(), usedforsecurity=False).digest()[0] % 2 else "development"


def read_samples(data: Path) -> Iterator[Sample]:
    for one in texts.ftc_robocalls(data / "ftc_robocalls_en.tsv"):
        yield Sample("ftc (en)", one.group, one.text, one.unwanted, one.language)
    openings: dict[str, list[str]] = {}
    for one in texts.teleantifraud(data / "teleantifraud.tsv.gz"):
        if not one.unwanted:
            yield Sample("teleantifraud normal", one.group, one.text, one.unwanted, one.language)
        elif one.role == "left" and len(turns := openings.setdefault(one.group, [])) < OPENING_TURNS:
            turns.append(one.text)
    for name, turns in openings.items():
        yield Sample("teleantifraud fraud", name, "\n".join(turns), unwanted=True, language="zh")
    for one in (*texts.crosswoz(data / "crosswoz.tsv.gz"), *texts.lccc(data / "lccc_toy.tsv.gz")):
        yield Sample(one.corpus, one.group, one.text, one.unwanted, one.language)


def distinct(samples: Iterable[Sample]) -> Iterator[Sample]:
    seen: set[str] = set()
    for sample in samples:
        if sample.text not in seen:
            seen.add(sample.text)
            yield sample


class Homophones:
    """Swaps characters for common ones of the same accent class."""

    def __init__(self, table: PinyinTable, share: float, seed: int) -> None:
        self._share, self._random = share, random.Random(seed)
        # The first level of GB 2312 is the 3,755 common characters.
        common = [
            bytes((row, cell)).decode("gb2312", "ignore")
            for row in range(0xB0, 0xD8)
            for cell in range(0xA1, 0xFF)
        ]
        self._class = {c: accent_class(table.spell(c)[0]) for c in common if c and table.spell(c)}
        self._common = list(self._class)
        self._members: dict[str, list[str]] = {}
        for character, sound in self._class.items():
            self._members.setdefault(sound, []).append(character)

    def begin(self, name: str) -> None:
        """Start again with the chances of `name`, whatever was drawn before."""
        self._random.seed(name)

    def spoil(self, text: str) -> str:
        return "".join(map(self._spoil_one, text))

    def swap(self, character: str) -> str:
        """Return a common character that sounds like `character`; one without a known sound stays."""
        sound = self._class.get(character)
        return character if sound is None else self._random.choice(self._members[sound])

    def any(self) -> str:
        """Return any common character."""
        return self._random.choice(self._common)

    def _spoil_one(self, character: str) -> str:
        return self.swap(character) if self._random.random() < self._share else character


@dataclass(slots=True)
class Judgement:
    hits: dict[str, list[Hit]]
    """What speaks against the caller, by method."""
    patter: float
    """Sum of the evidence of patter; natural log."""
    net: float
    """The same less what speaks for a wanted call."""
    emergency: bool


def judge(matcher: Matcher, sample: Sample) -> Judgement:
    hits: dict[str, list[Hit]] = {method: [] for method in METHODS}
    extractor, patter, net = PatterExtractor(matcher), 0.0, 0.0
    for at, turn in enumerate(sample.text.split("\n")):
        against = [hit for hit in matcher.candidates(turn, sample.language) if _is_patter(hit)]
        for method, accepts in METHODS.items():
            hits[method] += filter(accepts, against)
        evidence = extractor.observe(turn, sample.language, float(at), float(at))
        patter += sum(item.llr for item in evidence if item.axis == "patter")
        net += sum(item.llr for item in evidence)
    return Judgement(hits, patter, net, extractor.is_emergency)


def _is_patter(hit: Hit) -> bool:
    weak = hit.role in {Role.STAGE, Role.MONEY_DEMAND} or hit.term.weight < STRONG
    return hit.role.speaks_against and not weak


def report(matcher: Matcher, samples: list[Sample], terms: int) -> None:
    names = (*METHODS, f"patter >= {SCORE:g}", f"net >= {SCORE:g}", "emergency")
    print(f"{'corpus':24}{'samples':>9}" + "".join(f"{name:>20}" for name in names))
    wrong: Counter[tuple[str, str, str]] = Counter()
    for corpus in dict.fromkeys(sample.corpus for sample in samples):
        chosen = [sample for sample in samples if sample.corpus == corpus]
        flagged: Counter[str] = Counter()
        for sample in chosen:
            judged = judge(matcher, sample)
            flagged.update(method for method, found in judged.hits.items() if found)
            flagged.update(
                dict(
                    zip(
                        names[3:],
                        (judged.patter >= SCORE, judged.net >= SCORE, judged.emergency),
                        strict=True,
                    )
                )
            )
            for hit in judged.hits["pinyin with rules"] if not sample.unwanted else ():
                wrong[hit.term.group, hit.term.text, hit.exactness.name.lower()] += 1
        unit = 100 if chosen[0].unwanted else 1000
        figures = "".join(f"{flagged[name] * unit / len(chosen):>20.1f}" for name in names)
        print(
            f"{corpus:24}{len(chosen):>9}{figures}   {'% found' if unit == 100 else 'false alarms in 1,000'}"
        )
    if terms:
        print("\nTerms with the most false alarms:")
        for (group, text, exactness), count in wrong.most_common(terms):
            print(f"{count:6} {group}: {text} ({exactness})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--half", choices=("development", "report"), default="report")
    parser.add_argument("--homophones", type=float, default=0.0, metavar="SHARE")
    parser.add_argument(
        "--limit", type=int, default=4000, help="samples a corpus, drawn by the seed (0: all)"
    )
    parser.add_argument("--terms", type=int, default=0, help="list so many terms with false alarms")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lexicon", type=Path)
    options = parser.parse_args()
    samples = [
        sample for sample in distinct(read_samples(options.data)) if half_of(sample.name) == options.half
    ]
    random.Random(options.seed).shuffle(samples)
    taken: Counter[str] = Counter()
    kept: list[Sample] = []
    for sample in samples:
        taken[sample.corpus] += 1
        if not options.limit or taken[sample.corpus] <= options.limit:
            kept.append(sample)
    if options.homophones:
        homophones = Homophones(default_table(), options.homophones, options.seed)
        kept = [replace(sample, text=homophones.spoil(sample.text)) for sample in kept]
    report(Matcher(Lexicon.load(options.lexicon)), sorted(kept, key=lambda s: s.corpus), options.terms)


if __name__ == "__main__":
    main()
