"""Published clips of speech and what is known of each."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from detector.corpora.tables import OnError, read_table, stop
from detector.errors import InputError

__all__ = ["LabelledClip", "ReadClip", "SpeechSpan", "aishell3", "read_spans", "ten_vad"]


@dataclass(frozen=True, slots=True)
class ReadClip:
    """A sentence read aloud."""

    path: Path
    speaker: str
    text: str


def aishell3(folder: Path, on_error: OnError = stop) -> Iterator[ReadClip]:
    """Read `folder`/manifest.tsv: real Mandarin speakers, a clip a line (AISHELL-3, Apache-2.0)."""
    for row in read_table(folder / "manifest.tsv", ("file", "speaker", "transcript"), on_error):
        path = folder / row["file"]
        if not path.is_file():
            on_error(InputError(f"{row.where}: {path} is not there"))
            continue
        yield ReadClip(path, row["speaker"], row["transcript"])


@dataclass(frozen=True, slots=True)
class SpeechSpan:
    """Seconds of a clip that are speech or not."""

    start: float
    end: float
    is_speech: bool


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip whose speech was marked by hand."""

    path: Path
    spans: tuple[SpeechSpan, ...]


def ten_vad(folder: Path) -> Iterator[LabelledClip]:
    """Read the clips (.wav) of `folder` that have labels (.scv), by name (TEN VAD's test set, Apache-2.0, conditions).

    Raises InputError naming file and field.
    """
    found = False
    for labels in sorted(folder.glob("*.scv")):
        found = True
        audio = labels.with_suffix(".wav")
        if not audio.is_file():
            raise InputError(f"{labels}: has no {audio.name} beside it")
        yield LabelledClip(audio, read_spans(labels))
    if not found:
        raise InputError(f"{folder}: holds no labels (.scv)")


def read_spans(path: Path) -> tuple[SpeechSpan, ...]:
    """Read one line: the clip's name, then start, end and flag (0 or 1) again and again."""
    try:
        fields = path.read_text("utf-8").strip().split(",")[1:]
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path}: cannot be read as text") from None
    if not fields or len(fields) % 3:
        raise InputError(
            f"{path}:1: has {len(fields)} fields after the name, not start, end and flag by turns"
        )
    triples = zip(fields[0::3], fields[1::3], fields[2::3], strict=True)
    spans = tuple(_span(f"{path}:1: field {2 + 3 * at}", *triple) for at, triple in enumerate(triples))
    for at, (one, two) in enumerate(pairwise(spans), 1):
        if two.start < one.end:
            raise InputError(f"{path}:1: field {2 + 3 * at}: begins before the last span ended")
    return spans


def _span(where: str, start: str, end: str, flag: str) -> SpeechSpan:
    try:
        begins, ends = float(start), float(end)
    except ValueError:
        raise InputError(f"{where}: {start!r} and {end!r} must be seconds") from None
    if not (math.isfinite(ends) and 0 <= begins <= ends):
        raise InputError(f"{where}: a span from {start} to {end} s cannot be")
    if flag not in ("0", "1"):
        raise InputError(f"{where}: the flag is {flag!r}, it must be 0 or 1")
    return SpeechSpan(begins, ends, flag == "1")
