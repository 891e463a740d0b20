"""Finding the lexicon's terms in a transcript by sound, aligned to syllables or words.

Mandarin is searched by accent class and graded: same characters, same toneless pinyin, or same class only.
A match by sound that crosses a comma does not count, nor does one across the end of a sentence. Terms
marked exact, and matches of two syllables by accent class alone, are as good as chance: they wait for a
second, independent hit of their group.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import chain

import ahocorasick

from detector.call import Language
from detector.text.assistants import speaks_as_assistant
from detector.text.context import is_offered
from detector.text.english import EnglishWords, read_english, word_count
from detector.text.lexicon import Lexicon, Role, Term
from detector.text.normalize import normalize_mandarin
from detector.text.pinyin import PinyinTable, Sounds, default_table, latin_code, latin_runs

__all__ = ["Exactness", "Hit", "Matcher"]

_COMMAS = frozenset("，,、：:")
_TALKED_ABOUT = 0.25
"""What is left of the weight of a term that is named but not offered."""
_FOREIGN_WORDS = 3
"""So many Latin words in a Mandarin transcript are read as English too."""


class Exactness(IntEnum):
    """How well the text agrees with the term; greater is better."""

    ACCENT = 1
    """Mandarin: the same classes of syllables."""
    SOUND = 2
    """Mandarin: the same toneless syllables. English: the same words but for plural or spelling."""
    CHARACTERS = 3


# What is left of the weight, by exactness and syllables: a longer agreement is less likely to be chance.
_SOUND_CREDIT = {
    Exactness.SOUND: (0.0, 0.4, 0.75, 0.9, 1.0),
    Exactness.ACCENT: (0.0, 0.3, 0.5, 0.8, 0.9),
}


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in a text. `start` and `end`: characters of the text as it was given, half-open."""

    term: Term
    role: Role
    start: int
    end: int
    exactness: Exactness
    offer: bool
    """False where the words around it deny it or only talk about it."""
    weight: float
    """The term's weight, damped for a match by sound and for mere talk; natural log, positive."""
    supported: bool
    """False where it would need a second, independent hit of its group."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A term as the automaton knows it: `text` and `sounds` decide how exact a match is."""

    term: Term
    role: Role
    text: str
    sounds: str
    units: int


_Match = tuple[_Pattern, int, int, Exactness]
"""A term and the range of the normalized text where it was found."""


class Matcher:
    """Searches transcripts. Immutable once built, and safe to share between threads."""

    def __init__(self, lexicon: Lexicon, table: PinyinTable | None = None) -> None:
        self.lexicon = lexicon
        self._table = table or default_table()
        self._latin: dict[str, str] = {}
        characters: dict[str, list[_Pattern]] = {}
        classes: dict[str, list[_Pattern]] = {}
        english: dict[str, list[_Pattern]] = {}
        for group in lexicon.groups.values():
            for term in group.terms:
                if term.language == "zh":
                    key, pattern = self._mandarin_pattern(term, group.role)
                    classes.setdefault(key, []).append(pattern)
                    characters.setdefault(pattern.text, []).append(pattern)
                else:
                    words = read_english(term.text)
                    pattern = _Pattern(term, group.role, words.plain, words.joined, len(words.starts))
                    english.setdefault(words.joined, []).append(pattern)
        self._characters = _automaton(characters)
        self._classes = _automaton(classes)
        self._english = _automaton(english)

    def find(self, text: str, language: Language) -> tuple[Hit, ...]:
        """Return the hits that stand on their own or support each other, in the order of their start."""
        return tuple(hit for hit in self.candidates(text, language) if hit.supported)

    def candidates(self, text: str, language: Language) -> tuple[Hit, ...]:
        """Return every hit, also those that nothing in this text supports: the rest of a call may do so."""
        hits: list[Hit] = []
        is_mandarin = language == "zh"
        if is_mandarin or not text.isascii():
            hits += self._find_mandarin(text)
        if not is_mandarin or word_count(text) >= _FOREIGN_WORDS:
            hits += self._find_english(text)
        longest = _longest(hits)
        return tuple(_support(sorted(longest, key=lambda hit: (hit.start, hit.end))))

    def _mandarin_pattern(self, term: Term, role: Role) -> tuple[str, _Pattern]:
        text = term.spelling
        for run in latin_runs(text):
            self._latin.setdefault(run, latin_code(len(self._latin)))
        read = self._table.read(text, self._latin)
        return read.classes, _Pattern(term, role, text, read.sounds, len(read))

    def _find_mandarin(self, text: str) -> Iterator[Hit]:
        normalized = normalize_mandarin(text)
        read = self._table.read(normalized.text, self._latin)
        found = chain(self._same_characters(normalized.text, read), self._same_classes(normalized.text, read))
        for pattern, start, end, exactness in found:
            span = normalized.original_span(start, end)
            if exactness is not Exactness.CHARACTERS and not _COMMAS.isdisjoint(text[span[0] : span[1]]):
                continue
            offer = _is_meant(pattern.role, normalized.text[:start], normalized.text[end:], "zh")
            chance = pattern.term.exact or (pattern.units <= 2 and exactness is Exactness.ACCENT)
            supported = exactness is Exactness.CHARACTERS or not chance
            yield _hit(pattern, span, exactness, offer=offer, supported=supported)

    def _same_characters(self, text: str, read: Sounds) -> Iterator[_Match]:
        """Find terms by their characters, for a character may read differently beside its neighbours."""
        if self._characters is None:
            return
        starts, ends = set(read.starts), set(read.ends)
        for last, patterns in self._characters.iter(text):
            for pattern in patterns:
                start = last + 1 - len(pattern.text)
                if start in starts and last + 1 in ends:
                    yield pattern, start, last + 1, Exactness.CHARACTERS

    def _same_classes(self, text: str, read: Sounds) -> Iterator[_Match]:
        """Find terms by their sound where the characters differ."""
        if self._classes is None:
            return
        for last, patterns in self._classes.iter(read.classes):
            for pattern in patterns:
                first = last - pattern.units + 1
                start, end = read.starts[first], read.ends[last]
                if text[start:end] != pattern.text:
                    same_sound = read.sounds[first : last + 1] == pattern.sounds
                    yield pattern, start, end, Exactness.SOUND if same_sound else Exactness.ACCENT

    def _find_english(self, text: str) -> Iterator[Hit]:
        if self._english is None:
            return
        read = read_english(text)
        for last, patterns in self._english.iter(read.joined):
            for pattern in patterns:
                span = _word_aligned(read, last + 1 - len(pattern.sounds), last + 1)
                if span is None:
                    continue
                same = f" {pattern.text} " in f" {' '.join(read_english(text[slice(*span)]).plain.split())} "
                exactness = Exactness.CHARACTERS if same else Exactness.SOUND
                if pattern.term.exact and not same:
                    continue
                offer = _is_meant(pattern.role, text[: span[0]], text[span[1] :], "en")
                yield _hit(pattern, span, exactness, offer=offer, supported=True)


def _is_meant(role: Role, before: str, after: str, language: Language) -> bool:
    """Whether the speaker means what he says, by the text around it, and does not talk about it."""
    judge = speaks_as_assistant if role is Role.ASSISTANT else is_offered
    return judge(before, after, language)


def _automaton(patterns: dict[str, list[_Pattern]]) -> ahocorasick.Automaton | None:
    if not patterns:
        return None
    automaton = ahocorasick.Automaton()
    for key, values in patterns.items():
        automaton.add_word(key, tuple(values))
    automaton.make_automaton()
    return automaton


def _word_aligned(read: EnglishWords, start: int, end: int) -> tuple[int, int] | None:
    if start not in read.starts or end not in read.ends:
        return None
    return read.starts[start], read.ends[end]


def _hit(
    pattern: _Pattern, span: tuple[int, int], exactness: Exactness, *, offer: bool, supported: bool
) -> Hit:
    weight = pattern.term.weight
    if exactness is not Exactness.CHARACTERS and pattern.term.language == "zh":
        credit = _SOUND_CREDIT[exactness]
        weight *= credit[min(pattern.units, len(credit)) - 1]
    if not offer and pattern.role.is_meant:
        weight *= _TALKED_ABOUT
    return Hit(pattern.term, pattern.role, *span, exactness, offer, weight, supported)


def _longest(hits: Iterable[Hit]) -> list[Hit]:
    """Drop what lies inside a longer hit, and in one group whatever overlaps a longer one.

    快递 inside 快递丢失 is no courier's word, nor is 您的快递 where it overlaps. A hit that needs support hides only
    others that need it.
    """
    kept: list[Hit] = []
    ordered = sorted(
        hits, key=lambda hit: (not hit.supported, hit.start - hit.end, -hit.exactness, -hit.weight)
    )
    for hit in ordered:
        if not any(_hides(other, hit) for other in kept):
            kept.append(hit)
    return kept


def _hides(longer: Hit, hit: Hit) -> bool:
    overlap = longer.start < hit.end and hit.start < longer.end
    if longer.term.group == hit.term.group:
        return overlap
    if hit.role is Role.WANTED and longer.role.speaks_against and longer.role is not Role.STAGE:
        return overlap
    covers = longer.start <= hit.start and hit.end <= longer.end
    strictly = (longer.start, longer.end) != (hit.start, hit.end)
    better = longer.exactness > hit.exactness and longer.exactness is Exactness.CHARACTERS
    return covers and (strictly or better) and Role.STAGE not in {longer.role, hit.role}


def _support(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Let hits of one group that do not overlap support each other, where their terms differ."""
    every = list(hits)
    for hit in every:
        if not hit.supported and any(_independent(hit, other) for other in every):
            yield replace(hit, supported=True)
        else:
            yield hit


def _independent(hit: Hit, other: Hit) -> bool:
    same_group = hit.term.group == other.term.group and hit.term.text != other.term.text
    # Two chance agreements by accent class are no proof of each other.
    sound = other.supported or min(hit.exactness, other.exactness) is Exactness.SOUND
    return same_group and sound and (other.end <= hit.start or hit.end <= other.start)
