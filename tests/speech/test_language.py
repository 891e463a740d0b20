"""The language of a stretch of speech is told, and it is said when it cannot be."""

import pytest

from detector.call import Language
from detector.speech.language import LanguageOptions, guess_language

OPTIONS = LanguageOptions()


@pytest.mark.parametrize(
    ("shares", "language", "certain"),
    [
        ({"zh": 0.95, "en": 0.01}, "zh", True),
        ({"yue": 0.6, "zh": 0.3, "en": 0.01}, "zh", True),
        ({"en": 0.9, "zh": 0.002}, "en", True),
        # A murmur in an office before the first word, which a model takes for anything.
        ({"en": 0.196, "nn": 0.161, "ko": 0.1, "zh": 0.037}, "zh", False),
        # Half a second of a Mandarin greeting, taken for German.
        ({"de": 0.37, "en": 0.19, "nl": 0.14, "zh": 0.005}, "en", False),
        ({}, "zh", False),
    ],
)
def test_a_guess_says_whether_it_can_be_relied_on(
    shares: dict[str, float], language: Language, certain: bool
) -> None:
    guess = guess_language(shares, OPTIONS)
    assert (guess.language, guess.is_certain) == (language, certain)
