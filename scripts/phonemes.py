"""From text to the phoneme symbols that Kokoro was trained on: Mandarin by misaki, English by espeak-ng."""

import functools
import re
import subprocess
from collections.abc import Iterator

from detector.call import Language

__all__ = ["EnglishPhonemes", "MandarinPhonemes", "split_sentences"]

LONGEST_PIECE: dict[Language, int] = {"zh": 60, "en": 220}
"""Characters: far enough under the model's 510 tokens, and short pieces keep an even pace."""
CLAUSE_END = re.compile(r"(?<=[，。！？；：、,.!?;:])")
LATIN = re.compile(r"[A-Za-z][A-Za-z'. -]*[A-Za-z]|[A-Za-z]")
DIGITS = re.compile(r"\d{5,}")
SPOKEN_DIGITS = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
ENGLISH_SYMBOLS = (
    ("eɪ", "A"),
    ("aɪ", "I"),
    ("oʊ", "O"),
    ("əʊ", "Q"),
    ("aʊ", "W"),
    ("ɔɪ", "Y"),
    ("tʃ", "ʧ"),
    ("dʒ", "ʤ"),
    ("əl", "ᵊl"),
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɚ", "əɹ"),
    ("ɐ", "ə"),
    ("r", "ɹ"),
    ("ː", ""),
    ("ʔ", "t"),
    ("\u0329", ""),
    ("\u0303", ""),
)
"""espeak-ng's IPA on the left, the model's symbol on the right, applied in this order."""


def split_sentences(text: str, language: Language) -> Iterator[str]:
    """Yield pieces of `text` that fit the model, cut behind punctuation where possible."""
    limit = LONGEST_PIECE[language]
    piece = ""
    for clause in CLAUSE_END.split(text):
        if piece and len(piece) + len(clause) > limit:
            yield piece
            piece = ""
        piece += clause
        while len(piece) > 2 * limit:
            yield piece[:limit]
            piece = piece[limit:]
    if piece.strip():
        yield piece


class EnglishPhonemes:
    """American English phonemes; punctuation stays, for the model makes pauses of it."""

    def __call__(self, text: str) -> str:
        pieces = re.split(r"([,.!?;:—]+)", text)
        return "".join(self._piece(piece) for piece in pieces).strip()

    def _piece(self, piece: str) -> str:
        if not any(character.isalnum() for character in piece):
            return piece
        space = " " if piece[0].isspace() else ""
        return space + _english_symbols(piece.strip())


@functools.cache
def _english_symbols(text: str) -> str:
    command = ["espeak-ng", "-q", "--ipa", "-v", "en-us", "--", text]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - text is no option
    phonemes = " ".join(done.stdout.split())
    for ipa, symbol in ENGLISH_SYMBOLS:
        phonemes = phonemes.replace(ipa, symbol)
    return phonemes


class MandarinPhonemes:
    """Mandarin phonemes with tones. Long digit strings are read digit by digit, Latin words in English."""

    def __init__(self) -> None:
        import logging  # noqa: PLC0415 - only to quieten the next line's library

        import jieba  # noqa: PLC0415 - slow to load
        from misaki.zh import ZHG2P  # noqa: PLC0415 - slow to load

        jieba.setLogLevel(logging.WARNING)
        self._mandarin = ZHG2P()
        self._english = EnglishPhonemes()

    def __call__(self, text: str) -> str:
        text = DIGITS.sub(lambda match: "".join(SPOKEN_DIGITS[digit] for digit in match[0]), text)
        out = ""
        position = 0
        for match in LATIN.finditer(text):
            out += self._piece(text[position : match.start()]) + " " + self._english(spelled(match[0])) + " "
            position = match.end()
        return (out + self._piece(text[position:])).strip()

    def _piece(self, text: str) -> str:
        return str(self._mandarin(text)[0]) if text.strip() else ""


def spelled(word: str) -> str:
    """Put spaces into an abbreviation, so that VIP is not read as a word."""
    return " ".join(word) if word.isupper() and len(word) <= 4 else word
