"""How Mandarin sounds: toneless syllables, and classes of syllables that accents confuse.

Every syllable is one character of a string, so that ordinary string search is syllable-aligned. Two strings
of equal length are made for a text: its sounds, and its accent classes (zh/z, ch/c, sh/s, n/l, hu/f before
a vowel, ang/an, eng/en, ing/in: the confusions of the southern accents).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from detector.errors import ModelError
from detector.resources import models_dir
from detector.text.normalize import SENTENCE_BREAK

__all__ = ["PinyinTable", "Sounds", "accent_class", "default_table", "latin_code", "latin_runs"]

_FIRST_SYLLABLE = 0xE000
"""Syllables are private-use characters from here on; 410 are in use."""
_LATIN = re.compile(r"[a-z0-9]+")
_FIRST_LATIN = 0xF000
NO_LATIN: Mapping[str, str] = MappingProxyType({})
_OTHER = "\x01"
_BREAK = "\x02"
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_HU = {"hu": "fu", "hua": "fa", "huan": "fan", "huang": "fan", "hui": "fei", "hun": "fen", "huo": "fo"}
# iang stands for itself: whoever says an for ang still keeps liang and lian apart.
_FINALS = (("iang", "iang"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


def accent_class(syllable: str) -> str:
    """Return the representative of the syllables that an accent may turn `syllable` into."""
    if syllable in _HU:
        return _HU[syllable]
    if len(syllable) > 1:
        for initial, plain in _INITIALS:
            if syllable.startswith(initial) and syllable != "ng":
                syllable = plain + syllable[len(initial) :]
                break
    for final, plain in _FINALS:
        if syllable.endswith(final) and syllable != final:
            return syllable[: -len(final)] + plain
    return syllable


def latin_runs(text: str) -> tuple[str, ...]:
    """Return the runs of Latin letters and digits in a normalized text."""
    return tuple(_LATIN.findall(text))


def latin_code(index: int) -> str:
    """Return a code for the index-th run of Latin letters that a caller of `PinyinTable.read` cares about."""
    return chr(_FIRST_LATIN + index)


@dataclass(frozen=True, slots=True)
class Sounds:
    """How a normalized text sounds.

    `sounds` and `classes` hold one character per unit: a syllable, a run of Latin letters or digits, or a
    mark for the end of a sentence. `starts` and `ends`: the half-open range of the normalized text of each
    unit.
    """

    sounds: str
    classes: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.sounds)


class PinyinTable:
    """Readings of characters, and of words whose reading differs from their characters one by one."""

    def __init__(self, characters: dict[str, str], words: dict[str, tuple[str, ...]]) -> None:
        syllables = sorted({*characters.values(), *(s for reading in words.values() for s in reading)})
        groups = sorted({accent_class(syllable) for syllable in syllables})
        self._code = {syllable: chr(_FIRST_SYLLABLE + index) for index, syllable in enumerate(syllables)}
        group_code = {group: chr(_FIRST_SYLLABLE + index) for index, group in enumerate(groups)}
        self._class = {self._code[s]: group_code[accent_class(s)] for s in syllables}
        self._characters = {character: self._code[syllable] for character, syllable in characters.items()}
        self._words: dict[str, dict[str, str]] = {}
        for word, reading in words.items():
            coded = "".join(self._code[syllable] for syllable in reading)
            self._words.setdefault(word[:2], {})[word] = coded
        self._longest = max((len(word) for word in words), default=1)
        self._spelling = {code: syllable for syllable, code in self._code.items()}

    @classmethod
    def load(cls, path: Path | None = None) -> "PinyinTable":
        """Read the table that ships, or another like it; raises ModelError where it is broken."""
        path = path or models_dir() / "pinyin.tsv"
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(
                f"{path.name}: the pinyin table cannot be read; install the detector again"
            ) from error
        rows = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
        characters: dict[str, str] = {}
        words: dict[str, tuple[str, ...]] = {}
        in_words = False
        for number, line in rows:
            if line == "words":
                in_words = True
                continue
            key, tab, value = line.partition("\t")
            if not tab or not key or not value:
                raise ModelError(f"{path.name}:{number}: expected two columns; install the detector again")
            if not in_words:
                characters.update(dict.fromkeys(value, key))
            elif len(reading := tuple(value.split())) == len(key) > 1:
                words[key] = reading
            else:
                raise ModelError(f"{path.name}:{number}: a word needs one syllable a character")
        return cls(characters, words)

    def spell(self, text: str) -> tuple[str, ...]:
        """Return the toneless syllables of the Mandarin characters in `text`."""
        return tuple(self._spelling[code] for code in self.read(text).sounds if code in self._spelling)

    def class_of(self, syllable: str) -> str:
        """Return the code of a toneless syllable's accent class, as in `Sounds.classes`; "" where it is none."""
        return self._class.get(self._code.get(syllable, ""), "")

    def can_read(self, text: str) -> bool:
        """Whether every unit of a normalized `text` has a sound: no sentence end, no unknown character."""
        return self._characters.keys() >= set(_LATIN.sub("", text).replace(" ", ""))

    def read(self, text: str, latin: Mapping[str, str] = NO_LATIN) -> Sounds:
        """Return how a normalized `text` sounds.

        `latin`: the codes of the runs of Latin letters or digits that are of interest (see `latin_code`);
        every other run gets a code that matches nothing.
        """
        sounds: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        at = 0
        while at < len(text):
            if (coded := self._word_at(text, at)) is not None:
                sounds += coded
                starts += range(at, at + len(coded))
                ends += range(at + 1, at + len(coded) + 1)
                at += len(coded)
                continue
            end = at + 1
            if (code := self._characters.get(text[at])) is None:
                if text[at] == " ":
                    at += 1
                    continue
                if run := _LATIN.match(text, at):
                    code, end = latin.get(run[0], _OTHER), run.end()
                else:
                    code = _BREAK if text[at] == SENTENCE_BREAK else _OTHER
            sounds.append(code)
            starts.append(at)
            ends.append(end)
            at = end
        return Sounds(
            sounds="".join(sounds),
            classes="".join([self._class.get(code, code) for code in sounds]),
            starts=tuple(starts),
            ends=tuple(ends),
        )

    def _word_at(self, text: str, at: int) -> str | None:
        if (words := self._words.get(text[at : at + 2])) is None:
            return None
        for length in range(min(self._longest, len(text) - at), 1, -1):
            if (coded := words.get(text[at : at + length])) is not None:
                return coded
        return None


@lru_cache(maxsize=1)
def default_table() -> PinyinTable:
    """Return the table that ships, read once."""
    return PinyinTable.load()
