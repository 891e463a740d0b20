"""Judged calls: the rows of `detector simulate --json` and `detector screen --json`, with what each caller was.

A row of `screen` knows nothing of the truth; `wanted` (and `caller`, `category`) must have been added to it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.dialogue.acts import Act
from detector.errors import InputError

__all__ = [
    "DEADLINE_REASONS",
    "QUESTIONS",
    "UNKNOWN",
    "JudgedCall",
    "call_from_row",
    "read_calls",
    "write_rows",
]

QUESTIONS = frozenset(str(act) for act in Act if act.examines)
"""Acts that examine a caller. The greeting is none: everybody hears it."""
DEADLINE_REASONS = frozenset({"nothing decided in time", "suspicious, but not proved in time"})
"""Reasons of decisions that time brought about, and no turn of the caller."""
ACTIONS = ("forward", "take_message", "hang_up", "none")
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class JudgedCall:
    """One call: what the caller was, what he was taken for, what was done."""

    id: str
    wanted: bool
    caller: str
    """Kind of caller, "unknown" where nobody said."""
    category: str
    language: str
    label: str
    action: str
    unwanted: float
    """Probability, by the detector."""
    decided_at: float | None
    """Seconds after answer, None while undecided."""
    reason: str
    why: str
    """What makes this caller hard or typical, in the scenario's words; may be empty."""
    row: Mapping[str, Any] = field(repr=False, hash=False, compare=False)
    """The whole row: evidence, turns and acts are shown from it."""

    @property
    def is_recording(self) -> bool:
        """Whether a recording was judged: nobody could be asked anything, and nothing was done."""
        return "agent_acts" not in self.row

    @property
    def is_error(self) -> bool:
        """Whether the person called would complain about it."""
        return self.action not in self.right_actions

    @property
    def right_actions(self) -> tuple[str, ...]:
        """What should have been done.

        An announcement is delivered by a message too. A recording that is kept from the person called by a message
        is told from the others well enough, and one left undecided harms no wanted caller.
        """
        if not self.wanted:
            return ("hang_up", "take_message") if self.is_recording else ("hang_up",)
        delivered = ("forward", "take_message") if self.caller == "notice" else ("forward",)
        return (*delivered, "none") if self.is_recording else delivered

    @property
    def questions(self) -> int:
        """Questions that the caller was asked before the decision."""
        until = float("inf") if self.decided_at is None else self.decided_at
        acts = self.row.get("agent_acts", ())
        return sum(act["act"] in QUESTIONS and act["start"] <= until for act in acts)

    @property
    def after_turn(self) -> float | None:
        """Seconds from the end of the caller's turn that sufficed to the decision; None where time decided."""
        if self.decided_at is None or self.reason in DEADLINE_REASONS:
            return None
        ends = [turn["end"] for turn in self.row.get("turns", ()) if turn["speaker"] == "caller"]
        before = [end for end in ends if end <= self.decided_at]
        return self.decided_at - max(before) if before else None


def call_from_row(row: Mapping[str, Any], where: str) -> JudgedCall:
    """Check one row. Raises InputError that begins with `where` and names the key."""
    for key, kinds, what in _NEEDED:
        if not isinstance(row.get(key), kinds) or (kinds != (bool,) and isinstance(row[key], bool)):
            raise InputError(f"{where}: key {key!r} {'is missing' if key not in row else f'must be {what}'}")
    name = row.get("id", row.get("file"))
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: neither 'id' nor 'file' names the call")
    if row["action"] not in ACTIONS:
        raise InputError(
            f"{where}: key 'action': {row['action']!r} is unknown; known are {', '.join(ACTIONS)}"
        )
    if not 0 <= row["unwanted"] <= 1:
        raise InputError(f"{where}: key 'unwanted' must lie between 0 and 1")
    decided = row.get("decided_at")
    if decided is not None and (isinstance(decided, bool) or not isinstance(decided, int | float)):
        raise InputError(f"{where}: key 'decided_at' must be seconds or null")
    _check_parts(row, where)
    return JudgedCall(
        id=name,
        wanted=row["wanted"],
        caller=str(row.get("caller") or UNKNOWN),
        category=str(row.get("category") or UNKNOWN),
        language=str(row.get("language") or UNKNOWN),
        label=row["label"],
        action=row["action"],
        unwanted=float(row["unwanted"]),
        decided_at=None if decided is None else float(decided),
        reason=str(row.get("reason") or ""),
        why=str(row.get("why") or ""),
        row=row,
    )


_NEEDED: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("wanted", (bool,), "true or false"),
    ("label", (str,), "a text"),
    ("action", (str,), "a text"),
    ("unwanted", (int, float), "a number"),
)
_PARTS: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "turns": {"speaker": str, "start": (int, float), "end": (int, float), "text": str},
    "agent_acts": {"act": str, "start": (int, float)},
    "evidence": {"source": str, "llr": (int, float), "arrived": (int, float), "detail": str},
}


def _check_parts(row: Mapping[str, Any], where: str) -> None:
    for key, fields in _PARTS.items():
        parts = row.get(key, [])
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            raise InputError(f"{where}: key {key!r} must be a list of objects")
        for number, part in enumerate(parts, 1):
            for name, kind in fields.items():
                if not isinstance(part.get(name), kind):
                    raise InputError(f"{where}: key {key!r}, entry {number}: {name!r} is missing or unfit")


def read_calls(path: Path) -> list[JudgedCall]:
    """Read rows, one JSON object a line. Raises InputError naming file, line and what is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a file of judged calls") from error
    calls: list[JudgedCall] = []
    lines: dict[str, int] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line.decode("utf-8-sig"), parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where}: is not JSON ({error})") from None
        if not isinstance(row, dict):
            raise InputError(f"{where}: is no JSON object")
        call = call_from_row(row, where)
        first = lines.setdefault(call.id, number)
        if first != number:
            raise InputError(f"{where}: call {call.id} stands in line {first} already")
        calls.append(call)
    if not calls:
        raise InputError(f"{path}: holds no judged call; it needs one JSON object a line")
    return calls


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], *, append: bool = False) -> None:
    """Write one JSON object a line."""
    with path.open("a" if append else "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
