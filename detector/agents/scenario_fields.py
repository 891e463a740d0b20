"""The keys of a scenario: which there are, and what each may hold."""

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["REPLY_ACTS", "Problem", "read_fields"]

REPLY_ACTS = (
    "greeting",
    "ask_name",
    "ask_callee",
    "ask_purpose",
    "ask_repeat",
    "hold",
    "challenge",
    "refuse",
    "other",
)
LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one key of a row."""

    key: str
    what: str

    def __str__(self) -> str:
        return f"key {self.key!r}: {self.what}"


class _Unfit(ValueError):  # noqa: N818 - never leaves this module
    """A value that its key may not hold; says what it must be."""


def read_fields(row: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values of a Scenario and every problem found; the values are usable where there is no problem."""
    fields: dict[str, Any] = {}
    problems = [Problem(key, _unknown(key)) for key in row if key not in _KEYS]
    for key, read in _KEYS.items():
        if key not in row:
            if key != "why":
                problems.append(Problem(key, "is missing"))
            continue
        try:
            fields[key] = read(row[key])
        except _Unfit as error:
            problems.append(Problem(key, str(error)))
    if "replies" in fields and not fields.get("opening", True) and not any(fields["replies"].values()):
        problems.append(Problem("opening", "is empty and so is every reply: the caller would never speak"))
    return fields, problems


def _unknown(key: str) -> str:
    return "is unknown" + _nearest(key, _KEYS)


def _nearest(word: str, known: Mapping[str, Any] | tuple[str, ...]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else f"; known are {', '.join(known)}"


def _choice(*known: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise _Unfit(f"must be one of {', '.join(known)}, not {_kind(value)}")
        if value not in known:
            raise _Unfit(f"{value!r} is unknown{_nearest(value, known)}")
        return value

    return read


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unfit(f"must be a text, not {_kind(value)}")
    return value


def _filled(value: Any) -> str:
    text = _text(value)
    if not text.strip():
        raise _Unfit("must not be empty")
    return text


def _identifier(value: Any) -> str:
    text = _text(value)
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text):
        raise _Unfit("must be kebab-case: small letters and digits with single hyphens between")
    return text


def _name(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Unfit(f"must be a text or null, not {_kind(value)}")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Unfit(f"must be true or false, not {_kind(value)}")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unfit(f"must be a number of seconds, not {_kind(value)}")
    if not math.isfinite(value) or not 0 <= value <= LONGEST_SECONDS:
        raise _Unfit(f"must lie between 0 and {LONGEST_SECONDS:.0f} seconds")
    return float(value)


def _delay(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise _Unfit("must be two numbers: mean and standard deviation in seconds")
    return _seconds(value[0]), _seconds(value[1])


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Unfit(f"must be a list of texts, not {_kind(value)}")
    for number, item in enumerate(value, 1):
        if not isinstance(item, str) or not item.strip():
            raise _Unfit(f"entry {number} must be a text that is not empty")
    return tuple(value)


def _replies(value: Any) -> Mapping[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise _Unfit(f"must be an object of lists by act, not {_kind(value)}")
    replies: dict[str, tuple[str, ...]] = {}
    for act, texts in value.items():
        if act not in REPLY_ACTS:
            raise _Unfit(f"act {act!r} is unknown{_nearest(act, REPLY_ACTS)}")
        try:
            replies[act] = _texts(texts)
        except _Unfit as error:
            raise _Unfit(f"act {act!r} {error}") from None
    return replies


def _acts(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unfit(f"must be a whole number of acts or null, not {_kind(value)}")
    if value < 1:
        raise _Unfit("must be at least 1, or null for never")
    return value


def _kind(value: Any) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")


_KEYS: dict[str, Callable[[Any], Any]] = {
    "id": _identifier,
    "language": _choice("zh", "en"),
    "wanted": _flag,
    "caller": _choice("recording", "clip_bot", "tts_bot", "live_agent", "person", "notice"),
    "category": _filled,
    "number": _filled,
    "display_name": _name,
    "connect_silence": _seconds,
    "barge_in": _choice("continues", "stops", "slows"),
    "reply_delay": _delay,
    "opening": _texts,
    "waits_for_greeting": _flag,
    "replies": _replies,
    "repeats_take": _flag,
    "hangs_up_after": _acts,
    "noise": _choice("none", "office", "street", "car", "home_tv", "wind"),
    "why": _text,
}
