#!/usr/bin/env python3
"""Scenarios out of written calls, for rehearsals of far more callers than the development set has.

    scripts/text_scenarios.py --texts scripts/texts/held_out --half 2 --manner SCENARIOS.jsonl… --out FILE [--limit N]
    scripts/text_scenarios.py --robocalls DIR --manner SCENARIOS.jsonl… --out FILE
    scripts/rehearsal.py FILE --out CALLS.jsonl

The words are those of the written call. How it is said (number, delays, what he does when he is spoken over, when he
hangs up) is that of a scenario of the same kind of caller and language, drawn with the seed: a simulation, and the
same few manners again and again. What the written call has no answer to, that scenario answers if it is about
nothing ("hold", "challenge"); asked to repeat, the caller says his opening again, and anything else gets his purpose.

With --robocalls the words are those of real recordings: the transcripts in DIR/ftc_robocalls_en.tsv, each once.

Halves are of files, one in turn, so that no writer is in both: the first to learn or choose from, the second to test.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from text_corpus import Call, read_robocalls, read_texts

MANNER = (
    *("number", "display_name", "connect_silence", "barge_in", "reply_delay", "waits_for_greeting"),
    *("repeats_take", "hangs_up_after", "noise"),
)
OPENINGS = frozenset({"opening", "greeting"})
ROBOCALL = "other_sales"
"""Category of the transcripts, which name none."""
SAYS_NOTHING = ("hold", "challenge")
Row = dict[str, Any]


def read_manners(paths: Sequence[Path]) -> Mapping[tuple[str, str], list[Row]]:
    """Return the scenarios by kind of caller and language."""
    manners: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            manners[row["caller"], row["language"]].append(row)
    return manners


def scenario_of(call: Call, like: Row) -> Row:
    """Return `call` in the manner of the scenario `like`."""
    said: dict[str, list[str]] = defaultdict(list)
    for turn in call.turns:
        said[turn.act or "opening"].append(turn.text)
    opening = said.pop("opening", None) or said.pop("greeting", [])
    answers = bool(like["replies"]) and bool(said)
    if answers:
        for act in SAYS_NOTHING:
            if act in like["replies"]:
                said.setdefault(act, like["replies"][act])
        said.setdefault("ask_repeat", opening[:1])
        said.setdefault("other", said.get("ask_purpose", opening)[:1])
    return {
        **{key: like[key] for key in MANNER},
        "id": call.name,
        "language": call.language,
        "wanted": call.wanted,
        "caller": call.caller,
        "category": call.category,
        "opening": opening,
        "replies": dict(said) if answers else {},
        "why": "a written call",
    }


def scenarios(
    calls: Sequence[Call], manners: Mapping[tuple[str, str], list[Row]], seed: int
) -> Iterator[Row]:
    """Yield a scenario for each call that has an opening, and somebody to be like."""
    for call in calls:
        alike = manners.get((call.caller, call.language))
        if alike and any(turn.act in OPENINGS for turn in call.turns):
            yield scenario_of(call, random.Random(f"{seed}|{call.name}").choice(alike))


def _read(options: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Call]:
    if options.texts is not None:
        if not (calls := list(read_texts(options.texts, options.half))):
            parser.error(f"{options.texts}: no calls there (*.jsonl)")
        return calls
    try:
        return [replace(call, category=ROBOCALL) for call in read_robocalls(options.robocalls)]
    except OSError as error:
        parser.error(f"{error.filename}: cannot be read ({error.strerror})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    words = parser.add_mutually_exclusive_group(required=True)
    words.add_argument("--texts", type=Path, help="folder of written calls")
    words.add_argument("--robocalls", type=Path, metavar="DIR", help="folder of the public corpora")
    parser.add_argument("--half", type=int, choices=(1, 2), help="of the files; default: all")
    parser.add_argument("--manner", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, help="so many calls, drawn with the seed (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.robocalls is not None and options.half is not None:
        parser.error("--half is of the files of --texts")
    calls = _read(options, parser)
    try:
        manners = read_manners(options.manner)
    except OSError as error:
        parser.error(f"{error.filename}: cannot be read ({error.strerror})")
    except (ValueError, KeyError) as error:
        parser.error(f"--manner: not a scenario ({error!r}); scripts/check_scenarios.py says where")
    random.Random(options.seed).shuffle(calls)
    rows = list(scenarios(calls[: options.limit], manners, options.seed))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    print(f"{len(rows)} scenarios in {options.out}, {len(calls[: options.limit]) - len(rows)} calls left out")


if __name__ == "__main__":
    main()
