"""English as the matcher compares it: folded words, joined without blanks, with the way back to the original.

Recognition writes "pre-approved", "preapproved" or "pre approved", "time share" or "timeshare", "press one"
or "press 1". Words are folded one by one and joined; a match must begin and end where a word does.
"""

import re
from dataclasses import dataclass

__all__ = ["ENGLISH_BREAK", "EnglishWords", "fold_word", "read_english", "word_count"]

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,]\d+)*|%|[.!?](?=\s|$)", re.ASCII | re.IGNORECASE)
_FILLERS = frozenset({"um", "umm", "uh", "uhh", "er", "erm", "hmm", "mm", "ah"})
_CONTRACTIONS = {
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "gonna": ("going", "to"),
    "wanna": ("want", "to"),
    "gotta": ("got", "to"),
    "let's": ("let", "us"),
    "cannot": ("can", "not"),
}
_ENDINGS = {"'re": "are", "'ve": "have", "'ll": "will", "'m": "am", "'d": "would", "n't": "not"}
_NUMBERS = dict(
    zip(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "%"),
        (*map(str, range(11)), "percent"),
        strict=True,
    )
)
_SPELLINGS = {
    "cancelled": "canceled",
    "cancelling": "canceling",
    "enrolment": "enrollment",
    "ok": "okay",
    "cheque": "check",
    "counsellor": "counselor",
    "programme": "program",
    "mr": "mister",
    "centre": "center",
}
ENGLISH_BREAK = "\x02"


@dataclass(frozen=True, slots=True)
class EnglishWords:
    """An English text as joined, folded words.

    `starts`: place in `joined` where a word begins, to the place in the original where it begins; `ends`
    likewise for the ends (half-open). `plain`: the words as they stood, lower case, for an exact
    comparison.
    """

    joined: str
    plain: str
    starts: dict[int, int]
    ends: dict[int, int]


def fold_word(word: str) -> str:
    """Fold one lower-case word: plural and possessive s, numbers up to ten, British spelling."""
    word = word.removesuffix("'s").replace("'", "")
    word = _NUMBERS.get(word, word)
    word = _SPELLINGS.get(word, word)
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    if len(word) > 5 and word.endswith(("ise", "ised", "ising")):
        return re.sub(r"is(e|ed|ing)$", r"iz\1", word)
    return word


def _parts(word: str) -> tuple[str, ...]:
    if word in _CONTRACTIONS:
        return _CONTRACTIONS[word]
    for ending, full in _ENDINGS.items():
        if word.endswith(ending):
            return word[: -len(ending)], full
    return (word,)


def read_english(text: str) -> EnglishWords:
    """Read `text` into folded words; sentence ends stay as a mark that no term contains."""
    joined: list[str] = []
    plain: list[str] = []
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    at = 0
    for match in _WORD.finditer(text.replace("’", "'")):
        word = match[0].lower()
        if word in _FILLERS:
            continue
        folded = ENGLISH_BREAK if word in ".!?" else "".join(map(fold_word, _parts(word)))
        joined.append(folded)
        plain.append(ENGLISH_BREAK if word in ".!?" else word)
        starts[at] = match.start()
        at += len(folded)
        ends[at] = match.end()
    return EnglishWords("".join(joined), " ".join(plain), starts, ends)


def word_count(text: str) -> int:
    """Return how many words of Latin letters `text` has."""
    return len(re.findall(r"[A-Za-z]{2,}", text))
