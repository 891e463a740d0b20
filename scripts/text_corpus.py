"""Calls as text, from everything the text model may learn from; and what recognition might make of them.

Sources: calls written for this project (scripts/texts/*.jsonl), the development scenarios, and public corpora
(--data). A corpus that is lopsided weighs little: in TeleAntiFraud the role, the topic and the label go together,
so only the words of its swindlers are taken, and ordinary talk comes from elsewhere.
"""

import csv
import gzip
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from detector.call import Language
from detector.text.categories import UNWANTED, WANTED
from eval_lexicon import Homophones

__all__ = [
    "CATEGORIES",
    "CLASSES",
    "STAGES",
    "UNWANTED",
    "UNWANTED_CLASSES",
    "Call",
    "Turn",
    "read_corpora",
    "read_robocalls",
    "read_scenarios",
    "read_texts",
    "spoil",
]

CATEGORIES = (*UNWANTED, *WANTED)
SIDES = {"ftc": "any_robocall", "teleantifraud": "any_fraud", "crosswoz": "any_talk", "lccc_toy": "any_talk"}
"""Categories of corpora that name none: classes of their own, so that their style says nothing about the others."""
UNWANTED_CLASSES = (*UNWANTED, "any_robocall", "any_fraud")
CLASSES = (*UNWANTED_CLASSES, *WANTED, "any_talk")
STAGES = ("开场", "探需", "加恐", "规划", "产介", "答疑", "截杀")
_PUNCTUATION = str.maketrans("", "", "，。！？、；：,.!?;:")
_PAIR = re.compile(r"(.+?)-[uw](?:-|$)")
_LONGEST = 12
"""Turns taken of a call; a dialogue of a corpus goes on for longer than any screening."""


@dataclass(frozen=True, slots=True)
class Turn:
    act: str
    """What the agent said before; "opening" where nothing or the greeting."""
    text: str
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    source: str
    language: Language
    wanted: bool
    caller: str
    category: str
    """One of CLASSES."""
    turns: tuple[Turn, ...]
    weight: float = 1.0
    group: str = ""
    """Calls of one group never lie on both sides of a split; by default each is a group of its own."""


def read_texts(folder: Path, half: int | None = None) -> Iterator[Call]:
    """Yield the calls written for this project; `half`: those of every second file, from the first (1) or second (2).

    So no writer is in both halves.
    """
    for path in sorted(folder.glob("*.jsonl"))[slice(None) if half is None else slice(half - 1, None, 2)]:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            try:
                yield _written(json.loads(line), path.stem)
            except (ValueError, KeyError) as error:
                print(f"{path.name}:{number}: not a call, left out ({error!r})")


def _written(row: Mapping[str, Any], file: str) -> Call:
    """Return one call of the file called `file`. Raises ValueError or KeyError where the row is none."""
    turns = tuple(Turn(turn["after"], turn["text"], turn.get("stage")) for turn in row["turns"])
    if not turns:
        raise ValueError("nothing is said")
    name, said = row["id"], (row["language"], row["wanted"], row["caller"], row["category"])
    # A wanted and an unwanted call that grow from one opening are named alike: they are split together.
    pair = _PAIR.match(name)
    return Call(name, "texts", *said, turns, group=f"{file}-{pair[1]}" if pair else "")


def read_scenarios(paths: list[Path]) -> Iterator[Call]:
    """Yield scenarios as calls: the opening, then the replies to each act."""
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            turns = [Turn("opening", text) for text in row["opening"]]
            turns += [Turn(act, text) for act, texts in row["replies"].items() for text in texts[:2]]
            yield Call(
                row["id"],
                "scenarios",
                row["language"],
                row["wanted"],
                row["caller"],
                row["category"],
                tuple(turns),
            )


def read_corpora(data: Path, seed: int, limit: int = 600, *, with_robocalls: bool = True) -> Iterator[Call]:
    """Yield calls of the public corpora: robocalls and the words of swindlers, and ordinary talk.

    At most `limit` dialogues of a corpus, drawn by the seed; they weigh little beside whole calls.
    """
    if with_robocalls:
        yield from read_robocalls(data)
    random_ = random.Random(seed)
    for corpus, role, weight in (
        ("teleantifraud", "left", 0.01),
        ("crosswoz", "usr", 0.03),
        ("lccc_toy", None, 0.03),
    ):
        wanted = corpus != "teleantifraud"
        dialogues = list(_dialogues(data / f"{corpus}.tsv.gz", None if wanted else "fraud"))
        for name, rows in random_.sample(dialogues, min(limit, len(dialogues))):
            turns = [row["text"] for row in rows if role is None or row["role"] == role][:4]
            said = tuple(Turn("other" if index else "opening", text) for index, text in enumerate(turns))
            caller = "person" if wanted else "live_agent"
            if said:
                yield Call(f"{corpus}-{name}", corpus, "zh", wanted, caller, SIDES[corpus], said, weight)


def read_robocalls(data: Path) -> Iterator[Call]:
    """Yield each transcript of `data`/ftc_robocalls_en.tsv once; those of one campaign share a weight and a group."""
    campaigns: dict[str, list[str]] = {}
    seen: set[str] = set()
    for row in _rows(data / "ftc_robocalls_en.tsv"):
        bare = "".join(character for character in row["transcript"].lower() if character.isalnum())
        if bare and bare not in seen:
            seen.add(bare)
            campaigns.setdefault(row["campaign"] or row["id"], []).append(row["transcript"])
    for campaign, texts in campaigns.items():
        weight, group = 0.15 / len(texts), f"ftc-{campaign}"
        for index, text in enumerate(texts):
            name, turns = f"{group}-{index}", _sentences(text)
            yield Call(name, "ftc", "en", False, "recording", SIDES["ftc"], turns, weight, group)


def _sentences(text: str) -> tuple[Turn, ...]:
    """Cut a long transcript in pieces of about a turn."""
    words = text.split()
    pieces = [" ".join(words[at : at + 18]) for at in range(0, len(words), 18)]
    return tuple(Turn("opening", piece) for piece in pieces[:_LONGEST])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    opener: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def _dialogues(path: Path, label: str | None) -> Iterator[tuple[str, list[dict[str, str]]]]:
    for name, rows in groupby(_rows(path), key=lambda row: row["dialogue"]):
        kept = [row for row in rows if label is None or row["label"] == label]
        if kept:
            yield name, kept


def spoil(
    turn: Turn, language: Language, share: float, homophones: Homophones, random_: random.Random
) -> Turn:
    """Return the turn as recognition might write it with about `share` of its characters or words wrong."""
    text = turn.text
    if random_.random() < 0.3:
        text = text.translate(_PUNCTUATION)
    if random_.random() < 0.15:
        text = text[random_.randint(1, max(1, min(8, len(text) // 3))) :]
    return replace(
        turn,
        text=_spoil_zh(text, share, homophones, random_)
        if language == "zh"
        else _spoil_en(text, share, random_),
    )


def _spoil_zh(text: str, share: float, homophones: Homophones, random_: random.Random) -> str:
    out = []
    for character in text:
        chance = random_.random()
        if chance < 0.15 * share:
            continue
        if chance < 0.85 * share:
            out.append(homophones.swap(character))
        elif chance < share:
            out += [character, homophones.any()]
        else:
            out.append(character)
    return "".join(out)


def _spoil_en(text: str, share: float, random_: random.Random) -> str:
    out = []
    words = text.split()
    for word in words:
        chance = random_.random()
        if chance < 0.2 * share:
            continue
        if chance < 0.85 * share:
            out.append(_misheard(word, random_))
        elif chance < share:
            out += [word, random_.choice(words)]
        else:
            out.append(word)
    return " ".join(out)


_CONFUSED: Mapping[str, str] = dict(zip("bpdtgkvfzscmnlraeiou", "pbtdkgfvszsnmrleiaeo", strict=True))


def _misheard(word: str, random_: random.Random) -> str:
    """Swap a sound for its neighbour or lose an end, as a recognizer does with a word that it half hears."""
    if len(word) > 4 and random_.random() < 0.4:
        return word[: random_.randint(2, len(word) - 2)]
    at = random_.randrange(len(word))
    return word[:at] + _CONFUSED.get(word[at].lower(), "") + word[at + 1 :]
