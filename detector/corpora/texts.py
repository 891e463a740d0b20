"""Published dialogues and transcripts as text, one typed utterance at a time.

What they are good for, and not, stands beside each reader: none of them is labelled talk of real Mandarin calls.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from detector.call import Language
from detector.corpora.tables import OnError, Row, read_table, stop
from detector.errors import InputError

__all__ = ["Utterance", "crosswoz", "ftc_robocalls", "lccc", "teleantifraud"]


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something said or typed."""

    corpus: str
    group: str
    """Dialogue or campaign: what must not be torn apart when a corpus is split."""
    turn: int
    """Its place in the dialogue, from 0."""
    role: str
    """Who says it, in the corpus's own word; empty where it tells no roles."""
    text: str
    language: Language
    unwanted: bool
    """Whether the call or dialogue is of a kind that nobody wants."""


def teleantifraud(path: Path, on_error: OnError = stop) -> Iterator[Utterance]:
    """Read Mandarin telephone dialogues, fraud and normal (JimmyMa99/TeleAntiFraud, Apache-2.0).

    Written by a language model. "left" is the swindler in fraud but the service agent in normal dialogues, and normal
    covers seven topics alone: whatever tells the two apart by topic looks too good here.
    """

    def utterance(row: Row) -> Utterance:
        label = row["label"]
        if label not in ("fraud", "normal"):
            raise InputError(f"{row.where}: column 'label': {label!r} is neither 'fraud' nor 'normal'")
        return _of_dialogue("teleantifraud", row, unwanted=label == "fraud")

    return _each(
        read_table(path, ("label", "dialogue", "turn", "role", "text"), on_error), utterance, on_error
    )


def crosswoz(path: Path, on_error: OnError = stop) -> Iterator[Utterance]:
    """Read typed Mandarin dialogues about travel (thu-coai/CrossWOZ, Apache-2.0): nothing unwanted."""
    rows = read_table(path, ("dialogue", "turn", "role", "text"), on_error)
    return _each(rows, partial(_of_dialogue, "crosswoz"), on_error)


def lccc(path: Path, on_error: OnError = stop) -> Iterator[Utterance]:
    """Read typed Mandarin chit-chat (thu-coai/CDial-GPT, MIT): nothing unwanted."""
    rows = read_table(path, ("dialogue", "turn", "text"), on_error)
    return _each(rows, partial(_of_dialogue, "lccc_toy"), on_error)


def ftc_robocalls(path: Path, on_error: OnError = stop) -> Iterator[Utterance]:
    """Read transcripts of recorded US robocalls (wspr-ncsu, public domain): all unwanted, real calls.

    Transcribed by machine and unchecked. A recording without a campaign is a group of its own.
    """

    def utterance(row: Row) -> Utterance:
        group = row["campaign"] or row["id"]
        return Utterance("ftc_robocalls", group, 0, "", row["transcript"], "en", unwanted=True)

    return _each(read_table(path, ("id", "campaign", "transcript"), on_error), utterance, on_error)


def _of_dialogue(corpus: str, row: Row, *, unwanted: bool = False) -> Utterance:
    return Utterance(
        corpus, row["dialogue"], row.number("turn"), row.get("role"), row["text"], "zh", unwanted
    )


def _each(rows: Iterator[Row], make: Callable[[Row], Utterance], on_error: OnError) -> Iterator[Utterance]:
    for row in rows:
        try:
            utterance = make(row)
        except InputError as error:
            on_error(error)
        else:
            yield utterance
