"""What a call's words look like to the text model: hashed n-grams of characters, sounds and words.

Recognition writes the right sounds with the wrong characters, so Mandarin is looked at twice: as normalized
characters and as accent classes of toneless pinyin. English is looked at as words and as letters. Every n-gram
counts on its own and once more together with the agent's act before it: "我是小王" means one thing after "who is
calling?" and another as an opening. Hashes are stable over runs, machines and changes of the pinyin table.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detector.call import Language
from detector.text.english import fold_word
from detector.text.normalize import normalize_mandarin
from detector.text.pinyin import accent_class, default_table

__all__ = ["ACTS", "Keys", "act_class", "call_features", "turn_features", "units"]

Keys = NDArray[np.int64]
"""Hashes of n-grams, 32 bits each, with repetition: shape (n,)."""

ACTS = (
    "opening",
    "ask_name",
    "ask_callee",
    "ask_purpose",
    "ask_repeat",
    "hold",
    "challenge",
    "refuse",
    "other",
)
"""What the agent had said before a turn. What is said unasked or to the greeting is an opening."""

_OPENINGS = frozenset({None, "greeting", "opening"})
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[.?!]", re.ASCII)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = np.uint64(0x9E3779B97F4A7C15)
_CHARACTERS, _SOUNDS, _WORDS, _LETTERS = 1, 2, 3, 4
_LENGTHS: dict[int, tuple[int, ...]] = {
    _CHARACTERS: (1, 2, 3),
    _SOUNDS: (1, 2, 3),
    _WORDS: (1, 2, 3),
    _LETTERS: (3, 4, 5),
}
_ACT_LENGTHS = (1, 2)
"""Lengths of the n-grams that also count together with the act before them."""


def act_class(act: str | None) -> str:
    """Return which of ACTS an act of the agent (None: none yet) counts as."""
    if act in _OPENINGS:
        return "opening"
    return act if act in ACTS else "other"


def units(text: str, language: Language) -> int:
    """Return how much was said: Mandarin characters, or two for every English word."""
    if language == "zh":
        return len(normalize_mandarin(text).text.replace("。", ""))
    return 2 * len(_WORD.findall(text.lower()))


def turn_features(text: str, language: Language, act: str | None) -> Keys:
    """Return the hashed n-grams of what was said in one turn after the agent's `act`."""
    kinds = _mandarin(text) if language == "zh" else _english(text)
    grams = [(length, found) for kind, codes in kinds for length, found in _grams(codes, kind)]
    salt = np.uint64(_crc(act_class(act)) + (1 << 40))
    salted = [_mixed(found ^ salt) for length, found in grams if length in _ACT_LENGTHS]
    return (np.concatenate([*(found for _, found in grams), *salted]) >> np.uint64(32)).astype(np.int64)


def call_features(turns: Sequence[Keys]) -> tuple[Keys, NDArray[np.float32]]:
    """Return the distinct n-grams of some turns and their weights (both of shape (n,)).

    Counts grow as 1 + ln(count), and the weights have length 1: a long call is no louder than a short one.
    """
    if not turns or not (joined := np.concatenate(turns)).size:
        return np.zeros(0, np.int64), np.zeros(0, np.float32)
    keys, counts = np.unique(joined, return_counts=True)
    weights = 1.0 + np.log(counts)
    return keys, (weights / np.linalg.norm(weights)).astype(np.float32)


def _mandarin(text: str) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Yield characters and sounds, each with a mark at both ends."""
    normalized = normalize_mandarin(text).text
    yield _CHARACTERS, _points(f"。{normalized}。")
    yield _SOUNDS, np.array([0, *map(_class_code, default_table().spell(normalized)), 0], np.uint64)


def _english(text: str) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Yield words, with a mark at both ends, and letters."""
    words = [fold_word(word) for word in _WORD.findall(text.lower().replace("’", "'"))]
    yield _WORDS, np.array([0, *map(_crc, words), 0], np.uint64)
    yield _LETTERS, _points(f" {' '.join(words)} ")


def _points(text: str) -> NDArray[np.uint64]:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).astype(np.uint64)


def _grams(codes: NDArray[np.uint64], kind: int) -> Iterator[tuple[int, NDArray[np.uint64]]]:
    """Yield the hashes of every run of so many codes, length by length; `kind` keeps their sorts apart."""
    lengths = _LENGTHS[kind]
    state = np.full(len(codes) + 1, kind, np.uint64)
    for length in range(1, min(max(lengths), len(codes)) + 1):
        state = _mixed(state[:-1] * _STEP + codes[length - 1 :])
        if length in lengths:
            yield length, state


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stir the bits (the finalizer of splitmix64), so that any of them are as good as random."""
    state = (state ^ (state >> np.uint64(30))) * _MIX[0]
    state = (state ^ (state >> np.uint64(27))) * _MIX[1]
    mixed: NDArray[np.uint64] = state ^ (state >> np.uint64(31))
    return mixed


@lru_cache(maxsize=65536)
def _crc(text: str) -> int:
    return zlib.crc32(text.encode())


@lru_cache(maxsize=1024)
def _class_code(syllable: str) -> int:
    return _crc(accent_class(syllable))
