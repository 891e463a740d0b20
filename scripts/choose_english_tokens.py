#!/usr/bin/env python3
"""Make models/english_rare_tokens.txt: the tokens of whisper's vocabulary that English speech hardly needs.

A step of the decoder scores every token it may write, so recognition is quicker without those. How often a token is
needed is counted in the words of general English with their frequencies (spacy-lookups-data 1.0.5, PyPI, MIT: pip
install it for this script alone) and in the English calls that were written for this project and that models learn
from (scripts/texts). Tokens without a letter stay where they are a number or a single sign. Usage:
scripts/choose_english_tokens.py [--frequencies en_lexeme_prob.json.gz] [--out FILE]
"""

import argparse
import gzip
import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from detector.speech.model_files import recognition_model
from detector.speech.narrowing import read_vocabulary
from detector.speech.vocabulary import rare_english_file
from text_corpus import read_texts

TEXTS = Path(__file__).parent / "texts"
KEPT = 25_000
"""By rank. Of a recorded speaker 1.4 points more words were misheard with 20,000, 0.9 with 22,000, 0.2 with 25,000."""
SHARE_OF_CALLS = 0.6
"""The rest of the weight is general English's."""
RAREST = -18.0
"""Natural log of the probability of a word: what is rarer is mostly misspelled."""
CAPITALIZED = 0.03
"""How often a word that is written small begins a sentence."""
UNSPACED = 0.003
"""How often a word follows no space: after a quotation mark or a dash."""
LONGEST_CAPITALS = 3
LONGEST_NUMBER = 4
SPACE = "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}"
WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?|'[a-z]{1,2}|n't")
HEADER = """\
# Tokens of whisper's vocabulary, in its own byte-level writing, that English is decoded without. Made by
# scripts/choose_english_tokens.py, which says from what; not edited by hand.
"""


def general_words(frequencies: Path) -> Iterator[tuple[str, float]]:
    """Yield words as they stand in a sentence, with their weights."""
    with gzip.open(frequencies, "rt", encoding="utf-8") as file:
        found: dict[str, float] = json.load(file)
    for word, log_probability in found.items():
        shouted = len(word) > LONGEST_CAPITALS and word.isupper()
        if log_probability < RAREST or shouted or not WORD.fullmatch(word):
            continue
        weight = math.exp(log_probability)
        yield f" {word}", weight
        yield word, weight * UNSPACED
        if word[0].islower() and len(word) > 1:
            yield f" {word.capitalize()}", weight * CAPITALIZED


def sentences_of_calls() -> Iterator[tuple[str, float]]:
    """Yield what callers say in the English calls that models learn from."""
    for call in read_texts(TEXTS):
        if call.language == "en":
            for turn in call.turns:
                yield f" {turn.text}", 1.0


def shares(tokenizer: Any, texts: Iterator[tuple[str, float]]) -> dict[int, float]:
    """Return the share of each token in `texts`; they sum to 1."""
    weighed = list(texts)
    counted: dict[int, float] = defaultdict(float)
    encoded = tokenizer.encode_batch([text for text, _ in weighed], add_special_tokens=False)
    for (_, weight), one in zip(weighed, encoded, strict=True):
        for token in one.ids:
            counted[token] += weight
    total = sum(counted.values())
    return {token: weight / total for token, weight in counted.items()}


def rare(vocabulary: Sequence[str], general: Mapping[int, float], calls: Mapping[int, float]) -> list[str]:
    """Return the tokens English may be written with but hardly is, in the order of the vocabulary."""

    def share(token: int) -> float:
        return SHARE_OF_CALLS * calls.get(token, 0.0) + (1 - SHARE_OF_CALLS) * general.get(token, 0.0)

    ranked = sorted(range(len(vocabulary)), key=lambda token: (-share(token), token))
    kept = set(ranked[:KEPT])
    return [
        token
        for number, token in enumerate(vocabulary)
        if number not in kept and is_droppable(token.removeprefix(SPACE))
    ]


def is_droppable(text: str) -> bool:
    """Tell plain words from what steers the decoder, parts of characters, numbers and single signs."""
    is_number = text.isdigit() and len(text) <= LONGEST_NUMBER
    return text.isascii() and not text.startswith("<|") and len(text) > 1 and not is_number


def installed_frequencies() -> Path:
    spec = find_spec("spacy_lookups_data")
    if spec is None or spec.origin is None:
        sys.exit("choose_english_tokens: pip install spacy-lookups-data==1.0.5, or name --frequencies")
    return Path(spec.origin).parent / "data" / "en_lexeme_prob.json.gz"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frequencies", type=Path, help="words with the natural logs of their probabilities")
    parser.add_argument("--out", type=Path, default=rare_english_file())
    arguments = parser.parse_args()
    model = recognition_model("whisper-base")
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    vocabulary = read_vocabulary(model)
    general = shares(tokenizer, general_words(arguments.frequencies or installed_frequencies()))
    chosen = rare(vocabulary, general, shares(tokenizer, sentences_of_calls()))
    arguments.out.write_text(HEADER + "".join(f"{token}\n" for token in chosen), encoding="utf-8")
    print(f"{arguments.out}: {len(chosen)} tokens of {len(vocabulary)} left out")


if __name__ == "__main__":
    main()
