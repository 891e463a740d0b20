"""Which of a model's tokens a language is written with.

Whisper's vocabulary serves a hundred languages. A step of the decoder scores all of it, which is half of what a step
of the small models costs, and of what it scores a Mandarin sentence can use an eighth.
"""

from collections.abc import Sequence

from detector.call import Language

__all__ = ["written_with"]

_LONGEST_LATIN, _LONGEST_OTHER = 4, 2
"""Signs of a Latin token in Mandarin: of a number or capitals (800, VIP, APP), and of any other. What is longer is
spelled with several tokens. With 4 for all, recognition errs as much and costs a sixth more."""
_HAN = ((0x3000, 0x303F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF))
"""Ideographs and what goes with them: their punctuation, full-width signs."""


def written_with(language: Language, vocabulary: Sequence[str]) -> list[int] | None:
    """Return the ids of the tokens that `language` needs, ascending, None where that is most of them.

    `vocabulary` is in the byte-level writing of GPT-2, as the model's own file has it. Tokens that are a part of a
    character stay, so that any character can still be written, and so do all that steer: languages, time stamps.
    """
    if language != "zh":
        return None  # the letters of English are those of fifty other languages
    from tokenizers.decoders import ByteLevel  # noqa: PLC0415 - loaded with the model

    bytes_of = ByteLevel()
    return [number for number, token in enumerate(vocabulary) if _is_needed(token, bytes_of.decode([token]))]


def _is_needed(token: str, text: str) -> bool:
    if token.startswith("<|") and token.endswith("|>"):
        return True
    if "\N{REPLACEMENT CHARACTER}" in text:
        return True
    if text.isascii():
        latin = text.strip()
        return len(latin) <= (_LONGEST_LATIN if latin.isdigit() or latin.isupper() else _LONGEST_OTHER)
    return all(letter.isascii() or _is_han(letter) for letter in text)


def _is_han(letter: str) -> bool:
    return any(first <= ord(letter) <= last for first, last in _HAN)
