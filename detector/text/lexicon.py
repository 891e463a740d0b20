"""The lexicon: what unwanted callers say, and what wanted ones do, in groups that a user can edit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from detector.call import Language
from detector.errors import LexiconError
from detector.text.english import read_english
from detector.text.normalize import normalize_mandarin

__all__ = ["Group", "Lexicon", "Role", "Term"]


class Role(StrEnum):
    """What it says of a caller when he uses the terms of a group."""

    CATEGORY = "category"
    """An unwanted offer or fraud; the group's name is the category."""
    OPENER = "opener"
    ADD_WECHAT = "add_wechat"
    PRESS_KEY = "press_key"
    STAGE = "stage"
    """A stage of the sales script."""
    MONEY_DEMAND = "money_demand"
    """Money is to be moved: an emergency told along with it is not believed at once."""
    NOTICE = "notice"
    EMERGENCY = "emergency"
    WANTED = "wanted"
    PROTECTIVE = "protective"
    """An anti-fraud centre or a bank that warns."""
    ASSISTANT = "assistant"
    """Another answering assistant is on the line, not a caller."""
    ANNOYED = "annoyed"
    """A person is confused or irritated by the automatic answer."""
    WRONG_NUMBER = "wrong_number"

    @property
    def speaks_against(self) -> bool:
        """Whether a term of this role makes an unwanted caller likelier."""
        return self in _AGAINST

    @property
    def is_meant(self) -> bool:
        """Whether a term of this role counts in full only where the speaker means it, and does not talk about it."""
        return self in _MEANT


_AGAINST = frozenset(
    {Role.CATEGORY, Role.OPENER, Role.ADD_WECHAT, Role.PRESS_KEY, Role.STAGE, Role.MONEY_DEMAND}
)
_MEANT = _AGAINST | {Role.EMERGENCY, Role.ASSISTANT}


@dataclass(frozen=True, slots=True)
class Term:
    """Words that callers say."""

    text: str
    group: str
    language: Language
    weight: float
    """How strongly the term speaks for its group: the natural log of a likelihood ratio, always positive."""
    exact: bool = False
    """Its sound is that of common words: it needs the characters, or a second hit of its group."""

    @property
    def spelling(self) -> str:
        """The term as the matcher compares it; terms of one spelling are the same term."""
        return _spelling(self.text, self.language)


@lru_cache(maxsize=16384)
def _spelling(text: str, language: Language) -> str:
    return normalize_mandarin(text).text if language == "zh" else read_english(text).joined


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    role: Role
    title: str
    """Words that a user reads in the reasons of a verdict."""
    weight: float
    """Of its terms that have none of their own."""
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    groups: Mapping[str, Group]

    @classmethod
    def load(cls, path: Path | None = None) -> "Lexicon":
        """Read the lexicon that ships, or the user's own at `path`.

        A user's file extends the one that ships: its terms are added, its weights win, what a group lists
        under `remove` goes. With `extends = false` it stands alone. Raises LexiconError, which names file
        and line, where an entry is wrong.
        """
        from detector.text.lexicon_file import read_lexicon_file  # noqa: PLC0415 - it builds the values above

        return read_lexicon_file(path)

    @property
    def terms(self) -> Iterator[Term]:
        """Every term of every group."""
        for group in self.groups.values():
            yield from group.terms

    def with_role(self, role: Role) -> tuple[Group, ...]:
        return tuple(group for group in self.groups.values() if group.role is role)

    def merged(self, groups: Mapping[str, Group], removed: Mapping[str, frozenset[str]]) -> "Lexicon":
        """Return this lexicon with the terms of `groups` added and those of `removed` (by group name) gone.

        A term that is there already takes the new weight and exactness. Raises LexiconError where a term to
        be removed is not there.
        """
        merged = dict(self.groups)
        for name, gone in removed.items():
            if not gone:
                continue
            here = {term.text for term in merged[name].terms} if name in merged else set()
            if missing := sorted(gone - here):
                raise LexiconError(f"group {name!r} has no term {missing[0]!r} to remove")
            kept = tuple(term for term in merged[name].terms if term.text not in gone)
            merged[name] = replace(merged[name], terms=kept)
        for name, group in groups.items():
            if (base := merged.get(name)) is None:
                merged[name] = group
                continue
            terms = {(term.spelling, term.language): term for term in (*base.terms, *group.terms)}
            merged[name] = replace(group, terms=tuple(terms.values()))
        return Lexicon(MappingProxyType(merged))
