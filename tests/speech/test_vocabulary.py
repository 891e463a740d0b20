"""What a language is written with: the tokens that recognition keeps for it."""

import pytest

from detector.call import Language
from detector.speech.vocabulary import rare_english, written_with

_WRITING = {byte: chr(byte) for byte in (*range(33, 127), *range(161, 173), *range(174, 256))}
for _byte in range(256):
    _WRITING.setdefault(_byte, chr(256 + len(_WRITING) - 188))


def token(text: bytes | str) -> str:
    """Return `text` in the byte-level writing of the vocabulary."""
    return "".join(_WRITING[byte] for byte in (text.encode() if isinstance(text, str) else text))


@pytest.mark.parametrize(
    "text", ["您", "我們", "。", "，", "100", " 800", "VIP", " APP", "ok", ".", " a", "好a"]
)
def test_mandarin_keeps_ideographs_numbers_and_short_latin(text: str) -> None:
    assert written_with("zh", [token(text)]) == [0]


@pytest.mark.parametrize("text", ["hello", " mortgage", "кто", "ありがとう", "안", "é", "12345", " the", "♪"])
def test_mandarin_drops_what_other_languages_are_written_with(text: str) -> None:
    assert written_with("zh", [token(text)]) == []


@pytest.mark.parametrize("text", ["hello", " mortgage", " Kowalski", "12345", "...", " it’s", " £", "—"])
def test_english_keeps_all_of_ascii_and_its_own_punctuation(text: str) -> None:
    assert written_with("en", [token(text)]) == [0]


def test_what_is_left_out_by_name_is_not_kept() -> None:
    assert written_with("en", [token(" hello"), token(" autre"), token("hello")], {token(" autre")}) == [0, 2]


@pytest.mark.parametrize(
    "text",
    [
        " Monday",
        " Thursday",
        " Sarah",
        " mortgage",
        " insurance",
        " voicemail",
        "17",
        " 2026",
        "$",
        "'s",
        " midwife",
    ],
)
def test_the_list_of_rare_english_leaves_what_callers_say(text: str) -> None:
    assert token(text) not in rare_english()


def test_the_list_of_rare_english_holds_plain_words_alone() -> None:
    rare = rare_english()
    assert len(rare) > 10_000
    assert {token(" autre"), token(" gerade")} <= rare
    assert not [one for one in rare if one.startswith("<|") or len(one) == 1 or one.isdigit()]


@pytest.mark.parametrize("text", ["您", "кто", " größer", "é", "ありがとう", "♪", "，"])
def test_english_drops_what_has_other_letters(text: str) -> None:
    assert written_with("en", [token(text)]) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_parts_of_characters_stay_so_that_any_can_be_written(language: Language) -> None:
    parts = [token("龘".encode()[:2]), token(b"\x98")]
    assert written_with(language, parts) == [0, 1]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_steers_the_decoder_stays(language: Language) -> None:
    steering = ["<|endoftext|>", "<|fr|>", "<|nospeech|>", "<|0.00|>", "<|29.98|>"]
    assert written_with(language, [*steering, token("größer")]) == [0, 1, 2, 3, 4]
