"""Known names: a caller who asks for somebody of the household knows whom he calls.

Mandarin names are compared by sound, for recognition seldom writes a name with its own characters; a single syllable
is too common to mean anything. Names leak, so this is weak evidence, and it counts once.
"""

from collections.abc import Sequence

from detector.signals.evidence import Evidence
from detector.text.pinyin import default_table

__all__ = ["KnownNames"]

LLR = -0.8
"""A wanted caller names the callee two to three times as often as an unwanted one; swindlers buy names, too."""


class KnownNames:
    """Listens to one call for the names in the configuration."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(filter(None, (_sounds(name) for name in names)))
        self._was_named = False

    def observe(self, text: str, media_time: float, arrived: float) -> list[Evidence]:
        """Take the text of a turn. The evidence does not quote the name."""
        if self._was_named or not self._names:
            return []
        heard = _sounds(text) or ()
        if not any(_contains(heard, name) for name in self._names):
            return []
        self._was_named = True
        detail = "asks for somebody of the household by name"
        return [Evidence("wanted.names_callee", LLR, media_time, arrived, detail, "wanted")]


def _sounds(text: str) -> tuple[str, ...] | None:
    """Accent classes of the syllables, or words; None for what is too short to be told from common words."""
    if text.isascii():
        words = tuple(text.lower().replace(",", " ").replace(".", " ").split())
        return words if sum(map(len, words)) >= 3 else None
    classes = tuple(default_table().read(text).classes)
    return classes if len(classes) >= 2 else None


def _contains(heard: tuple[str, ...], name: tuple[str, ...]) -> bool:
    return any(heard[at : at + len(name)] == name for at in range(len(heard) - len(name) + 1))
