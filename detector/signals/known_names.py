"""Known names: a caller who asks for somebody of the household knows whom he calls.

Mandarin names are compared by sound, for recognition seldom writes a name with its own characters. A surname of one
syllable is too common to mean anything by itself: it counts before a title (王先生), and less, for those who bought
a list say that too. Latin names are compared word by word; one that is a syllable of Mandarin (Wang) is such a
surname as well. Names leak, so all of this is weak evidence, and it counts once.
"""

import re
from collections.abc import Sequence

from detector.signals.evidence import Evidence
from detector.text.pinyin import default_table

__all__ = ["LLR", "KnownNames"]

LLR = -0.8
"""A wanted caller names the callee two to three times as often as an unwanted one; swindlers buy names, too."""
SURNAME_LLR = -0.4

_TITLES = (
    "先生", "女士", "小姐", "太太", "老师", "阿姨", "叔叔", "经理", "老板", "医生", "师傅", "同学",
)  # fmt: skip
_WORD = re.compile(r"[a-z\u00c0-\u024f]+")
_POSSESSIVE = re.compile(r"['’]s\b")
_MARK = re.compile(r"\W")
_SHORTEST_WORD = 2


class KnownNames:
    """Listens to one call for the names in the configuration."""

    def __init__(self, names: Sequence[str]) -> None:
        self._words = tuple(filter(_is_telling, map(_latin_words, names)))
        # The marks in O'Brien and Mary-Ann are no syllables.
        sounds = tuple(filter(None, (_classes(_MARK.sub("", name)) for name in names)))
        self._full = tuple(name for name in sounds if len(name) > 1)
        class_of = default_table().class_of
        surnames = {name for name in sounds if len(name) == 1}
        surnames |= {class_of(words[0]) for words in self._words if len(words) == 1} - {""}
        self._titled = tuple(surname + _classes(title) for surname in surnames for title in _TITLES)
        self._was_named = False

    def observe(self, text: str, media_time: float, arrived: float) -> list[Evidence]:
        """Take the text of a turn. The evidence does not quote the name."""
        if self._was_named or not (self._words or self._full or self._titled):
            return []
        sounds = _classes(text)
        if self._hears_name(text, sounds):
            llr, detail = LLR, "asks for somebody of the household by name"
        elif any(surname in sounds for surname in self._titled):
            llr, detail = SURNAME_LLR, "asks for somebody of the household by surname"
        else:
            return []
        self._was_named = True
        return [Evidence("wanted.names_callee", llr, media_time, arrived, detail, "wanted")]

    def _hears_name(self, text: str, sounds: str) -> bool:
        words = _latin_words(text)
        return any(_contains(words, name) for name in self._words) or any(
            name in sounds for name in self._full
        )


def _latin_words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(_POSSESSIVE.sub("", text.lower())))


def _is_telling(words: tuple[str, ...]) -> bool:
    return any(len(word) >= _SHORTEST_WORD for word in words)


def _classes(text: str) -> str:
    """Accent classes of the syllables, one character each; Latin letters are in none."""
    return default_table().read(_WORD.sub("", text.lower())).classes


def _contains(heard: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return any(heard[at : at + len(name)] == name for at in range(len(heard) - len(name) + 1))
