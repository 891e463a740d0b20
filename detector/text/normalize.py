"""Bringing what recognition wrote into one spelling, and finding the way back to the original.

Whisper writes the same Mandarin sentence in traditional or simplified script, 二十万 or 20万, with or
without 嗯 and commas. Matching compares one spelling only; hits are reported in the caller's text, so every
character carries the place where it came from.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["SENTENCE_BREAK", "Normalized", "normalize_mandarin", "read_number", "to_simplified"]

SENTENCE_BREAK = "。"
"""The one character that stands for any end of a sentence."""

_SENTENCE_ENDS = frozenset("。！？!?；;\n…")
_DIGITS = "零一二三四五六七八九"
_UNITS = frozenset("万千百亿元块折天年月日号期个点分套平米岁层倍厘小周次节堂斤瓶箱兆")
_NUMBER = re.compile(r"(?P<number>\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)(?P<percent>%)?", re.ASCII)
_YEAR = re.compile(r"(?:19|20)\d\d年", re.ASCII)
_ROUND = re.compile(r"[1-9]\d?00", re.ASCII)
_PREFIXES = frozenset({"400", "800"})
"""Round numbers that are dialled."""
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_FILLERS = re.compile(r"嗯+|呃+|唔+|那个(?=[^人月时小])|就是说(?=[^不])")
# 儿 is a mere ending after these, a syllable that recognition drops or writes at will.
_ERHUA = re.compile(r"(?<=[事会点块哪这那劲门活份])儿(?![子童女媳孙科])")
# One spelling for forms that differ in courtesy, gender or dialect only.
_SAME = str.maketrans({"您": "你", "妳": "你", "她": "他", "它": "他", "两": "二", "幺": "一", "〇": "零"})

_HALF_WIDTH = {code: code - 0xFEE0 for code in range(ord("！"), ord("～") + 1)} | {ord("　"): ord(" ")}


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text in the spelling of the matcher.

    `starts` and `ends`: for every character of `text`, the half-open range of the original that it stands
    for.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Turn a non-empty range of `text` into the range of the original."""
        return self.starts[start], self.ends[end - 1]


@lru_cache(maxsize=1)
def _opencc() -> Any:
    from opencc import OpenCC  # noqa: PLC0415 - loads dictionaries; only when traditional script turns up

    return OpenCC("t2s")


@lru_cache(maxsize=16384)
def _is_traditional(character: str) -> bool:
    return character >= "\u3400" and _opencc().convert(character) != character


def to_simplified(text: str) -> str:
    """Convert traditional script to simplified, keeping the length; other text comes back as it is."""
    if not any(map(_is_traditional, text)):
        return text
    converted: str = _opencc().convert(text)
    if len(converted) == len(text):
        return converted
    return "".join(_opencc().convert(character)[:1] or character for character in text)


def _read_section(value: int) -> str:
    """Read 1 to 9999."""
    words, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, unit)
        if digit:
            words += ("零" if gap and words else "") + _DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return words


def _read_cardinal(value: int) -> str:
    if value == 0:
        return _DIGITS[0]
    high, low = divmod(value, 10_000)
    words = f"{_read_section(high)}万" if high else ""
    if low:
        words += ("零" if high and low < 1000 else "") + _read_section(low)
    return words[1:] if words.startswith("一十") else words


def read_number(digits: str, *, counts: bool) -> str:
    """Read a run of ASCII digits, with at most one point, as Mandarin.

    With `counts` it is an amount (20 is 二十); otherwise a code, read digit by digit (10086 is 一零零八六).
    Numbers of one or two digits are amounts in either case, those of nine and more digits codes.
    """
    whole, _, fraction = digits.partition(".")
    short = len(whole) <= 2
    amount = (
        (counts or short or bool(fraction)) and len(whole) <= 8 and not (len(whole) > 1 and whole[0] == "0")
    )
    words = _read_cardinal(int(whole)) if amount else "".join(_DIGITS[int(digit)] for digit in whole)
    return words + ("点" + "".join(_DIGITS[int(digit)] for digit in fraction) if fraction else "")


def _number_words(match: re.Match[str]) -> str:
    following = match.string[match.end() : match.end() + 1]
    percent = match["percent"] is not None
    digits = match["number"].replace(",", "")
    is_year = _YEAR.match(match.string, match.start()) is not None
    is_round = _ROUND.fullmatch(digits) is not None and digits not in _PREFIXES
    is_amount = digits != match["number"] or is_round or following in _UNITS
    counts = percent or (is_amount and not is_year)
    words = read_number(digits, counts=counts)
    return f"百分之{words}" if percent else words


def normalize_mandarin(text: str) -> Normalized:
    """Return `text` in the matcher's spelling: simplified, half width, numbers in words.

    Ends of sentences become SENTENCE_BREAK; fillers and every other mark and blank go, except a blank
    between Latin letters or digits. Latin letters are lower case.
    """
    source = to_simplified(text.translate(_HALF_WIDTH)).translate(_SAME)
    dropped = {
        index
        for rule in (_FILLERS, _ERHUA)
        for match in rule.finditer(source)
        for index in range(*match.span())
    }
    if not dropped and source.isalpha() and not _LATIN.search(source):
        return Normalized(source, tuple(range(len(source))), tuple(range(1, len(source) + 1)))
    pieces: list[tuple[str, int, int]] = []
    at = 0
    while at < len(source):
        character = source[at]
        if character.isdigit() and (number := _NUMBER.match(source, at)):
            pieces += [(word, at, number.end()) for word in _number_words(number)]
            at = number.end()
            continue
        if at not in dropped and (kept := _keep(source, at, pieces)):
            pieces.append((kept, at, at + 1))
        at += 1
    return Normalized(
        text="".join(piece[0] for piece in pieces),
        starts=tuple(piece[1] for piece in pieces),
        ends=tuple(piece[2] for piece in pieces),
    )


def _keep(source: str, at: int, pieces: list[tuple[str, int, int]]) -> str:
    character = source[at]
    if character in _SENTENCE_ENDS or (character == "." and not source[at + 1 : at + 2].isdigit()):
        return SENTENCE_BREAK
    if character.isalnum():
        lowered = character.lower()
        return lowered if len(lowered) == 1 else character
    before, after = pieces[-1][0] if pieces else "", source[at + 1 : at + 2]
    between_latin = before.isascii() and before.isalnum() and after.isascii() and after.isalnum()
    return " " if character.isspace() and between_latin else ""
