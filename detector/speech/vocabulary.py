"""Which of a model's tokens a language is written with.

Whisper's vocabulary serves a hundred languages. A step of the decoder scores all of it, which is half of what a step
of the small models costs, and of what it scores a Mandarin sentence can use an eighth, an English one half.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

from detector.call import Language
from detector.resources import models_dir

__all__ = ["decoded_with", "rare_english", "rare_english_file", "written_with"]

_LONGEST_LATIN, _LONGEST_OTHER = 4, 2
"""Signs of a Latin token in Mandarin: of a number or capitals (800, VIP, APP), and of any other. What is longer is
spelled with several tokens. With 4 for all, recognition errs as much and costs a sixth more."""
_HAN = ((0x3000, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))
"""Ideographs and what goes with them: their punctuation, full-width signs."""
_ENGLISH = ((0x2010, 0x2027), (0xA3, 0xA3), (0x20AC, 0x20AC))
"""What English is written with beside ASCII: dashes, quotation marks and dots, pounds and euros."""
_Ranges = tuple[tuple[int, int], ...]


def rare_english_file() -> Path:
    """Return the list that ships; scripts/choose_english_tokens.py says how it was chosen."""
    return models_dir() / "english_rare_tokens.txt"


def rare_english() -> frozenset[str]:
    """Read the tokens that English hardly needs, in the vocabulary's writing. Raises OSError, ValueError."""
    lines = rare_english_file().read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


def decoded_with(language: Language, vocabulary: Sequence[str]) -> list[int]:
    """Return `written_with`, less what the list that ships leaves out. Raises OSError, ValueError."""
    return written_with(language, vocabulary, rare_english() if language == "en" else ())


def written_with(
    language: Language, vocabulary: Sequence[str], without: Collection[str] = frozenset()
) -> list[int]:
    """Return the ids of the tokens that `language` needs, ascending, except those in `without`.

    `vocabulary` is in the byte-level writing of GPT-2, as the model's own file has it. Tokens that are a part of a
    character stay, so that any character can still be written, and so do all that steer: languages, time stamps.
    """
    from tokenizers.decoders import ByteLevel  # noqa: PLC0415 - loaded with the model

    bytes_of = ByteLevel()
    is_written = _in_mandarin if language == "zh" else _in_english
    return [
        number
        for number, token in enumerate(vocabulary)
        if _is_steering(token)
        or _is_partial(text := bytes_of.decode([token]))
        or (is_written(text) and token not in without)
    ]


def _is_steering(token: str) -> bool:
    return token.startswith("<|") and token.endswith("|>")


def _is_partial(text: str) -> bool:
    return "\N{REPLACEMENT CHARACTER}" in text


def _in_mandarin(text: str) -> bool:
    if text.isascii():
        latin = text.strip()
        return len(latin) <= (_LONGEST_LATIN if latin.isdigit() or latin.isupper() else _LONGEST_OTHER)
    return _is_of(text, _HAN)


def _in_english(text: str) -> bool:
    """All of ASCII; which of its words are rare, letters do not tell."""
    return _is_of(text, _ENGLISH)


def _is_of(text: str, ranges: _Ranges) -> bool:
    return all(
        letter.isascii() or any(first <= ord(letter) <= last for first, last in ranges) for letter in text
    )
