"""Labels of one's own recordings: a table of tab-separated values, one recording a line.

    file                    wanted  caller      category  caller_channel  language
    2024-03/courier.wav     yes     person      delivery  left            zh
    2024-03/loan.wav        no      clip_bot    loan                      zh

`file` (from the table's folder) and `wanted` (yes or no) must be there; the others may be missing or empty.
"""

import difflib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from detector.call import Language
from detector.corpora.tables import Row, read_table
from detector.errors import InputError
from detector.evaluation.calls import UNKNOWN
from detector.evaluation.naming import KINDS

__all__ = ["LabelledRecording", "RecordingLabels", "read_labels"]

Channel = Literal["left", "right"]
COLUMNS = ("file", "wanted", "caller", "category", "caller_channel", "language")
_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class LabelledRecording:
    """One recording and what its caller was."""

    name: str
    """As the table writes it."""
    path: Path
    wanted: bool
    caller: str
    category: str
    caller_channel: Channel | None
    """The caller's side of a stereo recording; None for the default."""
    language: Language | None
    """None: to be detected."""


@dataclass(frozen=True, slots=True)
class RecordingLabels:
    """What a table holds: the recordings that can be judged, and one error for each line that is wrong."""

    recordings: tuple[LabelledRecording, ...]
    errors: tuple[InputError, ...]


def read_labels(path: Path) -> RecordingLabels:
    """Read a table of labels. Raises InputError where the file as a whole cannot be used."""
    errors: list[InputError] = []
    found: dict[str, LabelledRecording] = {}
    for row in read_table(path, ("file", "wanted"), errors.append):
        for column in row.fields:
            if column not in COLUMNS:
                known = difflib.get_close_matches(column, COLUMNS, n=1, cutoff=0.5) or COLUMNS
                raise InputError(f"{path}:1: column {column!r} is unknown; known: {', '.join(known)}")
        try:
            one = _recording(row, path.parent, found.keys())
        except InputError as error:
            errors.append(error)
        else:
            found[one.name] = one
    if not found and not errors:
        raise InputError(f"{path}: names no recording")
    return RecordingLabels(tuple(found.values()), tuple(errors))


def _recording(row: Row, folder: Path, earlier: Collection[str]) -> LabelledRecording:
    name = row["file"].strip()
    if not name:
        raise InputError(f"{row.where}: column 'file' is empty")
    if name in earlier:
        raise InputError(f"{row.where}: {name} stands in an earlier line too")
    if not (folder / name).is_file():
        raise InputError(f"{row.where}: {folder / name} is not there")
    wanted = _YES_NO.get(row["wanted"].strip().lower())
    if wanted is None:
        raise InputError(f"{row.where}: column 'wanted': {row['wanted']!r} is neither 'yes' nor 'no'")
    return LabelledRecording(
        name,
        folder / name,
        wanted,
        _one_of(row, "caller", KINDS) or UNKNOWN,
        row.get("category").strip() or UNKNOWN,
        cast("Channel | None", _one_of(row, "caller_channel", get_args(Channel))),
        cast("Language | None", _one_of(row, "language", get_args(Language))),
    )


def _one_of(row: Row, column: str, known: tuple[str, ...]) -> str | None:
    """Return the word that stands in the column, None where it is empty or missing."""
    word = row.get(column).strip()
    if word and word not in known:
        near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        raise InputError(f"{row.where}: column {column!r}: {word!r} is unknown; {hint}")
    return word or None
