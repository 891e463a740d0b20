"""Character error rate that does not count how numbers are written, and the interval of a difference.

Units are Chinese characters and, in other scripts, words. Before counting, text is put into simplified
script and lower case, and punctuation and spaces go. Recognition writes 300 where a reader says 三百 and a
transcript spells it: each number in digits is read as a cardinal (三百, 两百 for 200) and digit by digit
(三零零, with 一 or 幺), and the reading nearest to the reference counts, whoever wrote it.
"""

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["Errors", "Interval", "bootstrap_difference", "cardinal", "count_errors", "error_rate"]

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_PER_CENT = re.compile(r"(\d+(?:\.\d+)?)\s*[%％]")
_GROUPED = re.compile(r"(?<=\d)[,，](?=\d{3}(?:\D|$)|\d{4}(?:\D|$))")
_UNIT = re.compile(r"[㐀-䶿一-鿿]|[^\W_㐀-䶿一-鿿]+(?:['’][^\W_]+)*")
_DIGITS = "零一二三四五六七八九"
_MOST_READINGS = 256


@dataclass(frozen=True, slots=True)
class Errors:
    """Edits between a reference and what was heard, and the units of the reference."""

    edits: int
    units: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference and the bounds that hold 95 % of its resamples."""

    value: float
    low: float
    high: float


def count_errors(reference: str, heard: str) -> Errors:
    """Count the edits from `reference` to the reading of `heard` that is nearest to it."""
    expected = _units(_plain(reference))
    edits = min(_distance(expected, _units(reading)) for reading in _readings(_plain(heard)))
    return Errors(edits, len(expected))


def error_rate(counted: Sequence[Errors]) -> float:
    """Return edits per unit over all of `counted`."""
    return sum(one.edits for one in counted) / max(1, sum(one.units for one in counted))


def bootstrap_difference(
    ours: Sequence[Errors], theirs: Sequence[Errors], *, resamples: int = 10_000, seed: int = 1
) -> Interval:
    """Return our error rate less theirs on the same clips, with its 95 % interval over resampled clips."""
    draw = random.Random(seed)
    pairs = list(zip(ours, theirs, strict=True))
    differences = sorted(_difference(draw.choices(pairs, k=len(pairs))) for _ in range(resamples))
    low, high = differences[round(resamples * 0.025)], differences[round(resamples * 0.975) - 1]
    return Interval(_difference(pairs), low, high)


def _difference(pairs: Sequence[tuple[Errors, Errors]]) -> float:
    return sum(ours.edits - theirs.edits for ours, theirs in pairs) / max(
        1, sum(ours.units for ours, _ in pairs)
    )


def cardinal(number: int) -> str:
    """Read a whole number below 10^16 in Mandarin: 1105 is 一千一百零五."""
    if number == 0:
        return _DIGITS[0]
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    text = ""
    for place in range(len(groups) - 1, -1, -1):
        group = groups[place]
        if not group:
            continue
        gap = bool(text) and (group < 1000 or groups[place + 1] == 0)
        text += ("零" if gap else "") + _below_ten_thousand(group) + ("", "万", "亿", "万亿")[place]
    return text.removeprefix("一") if text.startswith("一十") else text


def _below_ten_thousand(number: int) -> str:
    text, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if gap and text else "") + _DIGITS[digit] + name
        gap = not digit
    return text


def _plain(text: str) -> str:
    simplified: str = _converter().convert(text)
    return _PER_CENT.sub(r"百分之\1", _GROUPED.sub("", simplified.lower()))


@cache
def _converter() -> Any:
    from opencc import OpenCC  # noqa: PLC0415 - reads its tables

    return OpenCC("t2s")


def _readings(text: str) -> Iterator[str]:
    """Yield `text` with its numbers read aloud in every way, and as it is."""
    yield text
    spans = [match.span() for match in _NUMBER.finditer(text)]
    bounds = [0, *itertools.chain.from_iterable(spans), len(text)]
    between = [text[start:end] for start, end in zip(bounds[::2], bounds[1::2], strict=True)]
    spoken = [_read_number(text[start:end]) for start, end in spans]
    for chosen in itertools.islice(itertools.product(*spoken), _MOST_READINGS):
        yield "".join(itertools.chain.from_iterable(itertools.zip_longest(between, chosen, fillvalue="")))


def _read_number(number: str) -> tuple[str, ...]:
    whole, _, fraction = number.partition(".")
    tail = "点" + _digit_by_digit(fraction) if fraction else ""
    digits = _digit_by_digit(whole) + tail
    readings = [digits, digits.replace("一", "幺")]
    if len(whole) <= 16:
        read = cardinal(int(whole))
        readings += [read + tail, re.sub("二(?=[百千万亿]|$)", "两", read) + tail]
    return tuple(dict.fromkeys(readings))


def _digit_by_digit(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _units(text: str) -> list[str]:
    return _UNIT.findall(text)


def _distance(left: Sequence[str], right: Sequence[str]) -> int:
    """Return the edits (insert, delete, replace) between two sequences."""
    row = list(range(len(right) + 1))
    for number, one in enumerate(left, 1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(right, 1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (one != other)),
            )
    return row[-1]
