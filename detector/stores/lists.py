"""Lists of numbers: who is put through unheard and who is turned away, and which entry wins.

The first tier that has an entry for a number decides, and within a tier the narrowest entry, a number before
a prefix before a pattern:

    own allow, own deny, system allow, system deny, own categories (of `number_plan.NumberKind`)

Own entries are the user's, system ones come from files that somebody else keeps.

A tag decides nothing: it says what a number is taken for ("loan", "快递"), and counts as weak evidence
(`signals/number_tag.py`). The narrowest own tag comes first, then the narrowest of the others.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from detector.errors import ConfigurationError
from detector.number_plan import NumberKind, classify, normalize

__all__ = [
    "EntryKind",
    "ListEntry",
    "ListVerdict",
    "Lists",
    "Owner",
    "parse_entry",
    "parse_tag",
    "parse_tagged",
]

Owner = Literal["own", "system"]
ListVerdict = Literal["allow", "deny", "tag"]
EntryKind = Literal["number", "prefix", "pattern", "category"]

_PREFIX: Final = re.compile(r"\+?\d{1,20}\*")
_PATTERN: Final = re.compile(r"\+?[\d?*]{2,24}")
_CATEGORY: Final = "category:"
_HOME: Final = re.compile(r"(?:\+86|0086|86(?=1[3-9]))(.*)")
"""Part of a Chinese number with its country code."""
_WITHOUT_ZERO: Final = re.compile(r"1[3-9]|[48]00")
"""How mobile numbers and those for shared or no charges begin."""
_TAG: Final = re.compile(r"[^\W\d][\w/&-]{0,39}")
"""One word: letters of any script first, so that no piece of a number is taken for one."""
_KEEPS_CODE: Final = re.compile(r"9[56]|1[12]")
"""Service numbers: with a country code they are somebody else."""


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One line of a list."""

    owner: Owner
    verdict: ListVerdict
    kind: EntryKind
    value: str = field(repr=False)
    """A number as number_plan spells it, a prefix of one, a pattern with ? and *, or a NumberKind."""
    tag: str | None = None
    note: str | None = field(default=None, repr=False)
    created_at: datetime | None = None
    id: int | None = None
    """The store's; None for an entry from a file."""


def parse_entry(written: str, owner: Owner, verdict: ListVerdict, **more: Any) -> ListEntry:
    """Read one entry: `13800138000`, `0571*`, `400???1234` or `category:machine_sim`.

    Raises ConfigurationError where it is none of these; the message leaves the entry out, which may be a
    person's number.
    """
    text = written.strip()
    if text.startswith(_CATEGORY):
        name = text.removeprefix(_CATEGORY).strip()
        if name not in frozenset(NumberKind):
            raise ConfigurationError(
                f"{name!r} is no category of numbers; known are {', '.join(sorted(NumberKind))}"
            )
        if owner == "system":
            raise ConfigurationError("only your own lists may hold a category")
        if verdict == "tag":
            raise ConfigurationError("a category cannot be tagged; it is known by itself")
        return ListEntry(owner, verdict, "category", name, **more)
    compact = _spell(re.sub(r"[\s()-]", "", text))
    if _PREFIX.fullmatch(compact):
        return ListEntry(owner, verdict, "prefix", compact[:-1], **more)
    if re.search(r"[?*]", compact):
        if not _PATTERN.fullmatch(compact) or not re.search(r"\d", compact):
            raise ConfigurationError("a pattern holds digits, ? for one digit and * for any number of them")
        return ListEntry(owner, verdict, "pattern", compact, **more)
    number = normalize(text)
    if not number:
        raise ConfigurationError(
            "not a phone number; write 13800138000, 0571*, 400???1234 or category:machine_sim"
        )
    return ListEntry(owner, verdict, "number", number, **more)


def parse_tagged(written: str, owner: Owner, **more: Any) -> ListEntry:
    """Read an entry with its tag behind it: `02160953318 loan`.

    Raises ConfigurationError where either is missing or wrong; the message leaves the entry out.
    """
    entry, _, tag = written.strip().rpartition(" ")
    if not entry.strip():
        raise ConfigurationError("not a number and its tag; write 02160953318 loan")
    return parse_entry(entry, owner, "tag", tag=parse_tag(tag), **more)


def parse_tag(written: str) -> str:
    """Read a tag by itself. Raises ConfigurationError."""
    if not _TAG.fullmatch(tag := written.strip()):
        raise ConfigurationError("a tag is one word of up to 40 letters, such as loan or 快递")
    return tag


def _spell(part: str) -> str:
    """Spell a part of a number, with its * and ?, as number_plan spells whole ones. Raises ConfigurationError."""
    if not re.search(r"[?*]", part):
        return part
    if not (home := _HOME.fullmatch(part)):
        return re.sub(r"^00", "+", part)
    rest = home[1]
    if not rest[:1].isdigit():
        raise ConfigurationError("+86 alone is every number of China; write on, as in +86138* or 0571*")
    if _KEEPS_CODE.match(rest):
        return f"+86{rest}"
    return rest if _WITHOUT_ZERO.match(rest) else f"0{rest.removeprefix('0')}"


class Lists:
    """All entries, ready to be asked. Immutable: a change makes a new one."""

    def __init__(self, entries: Iterable[ListEntry] = ()) -> None:
        tiers: dict[tuple[Owner, ListVerdict], _Tier] = {}
        self._categories: dict[str, ListEntry] = {}
        for entry in entries:
            if entry.kind == "category":
                # Allowing wins over denying the same category.
                if entry.verdict == "allow" or entry.value not in self._categories:
                    self._categories[entry.value] = entry
            else:
                tiers.setdefault((entry.owner, entry.verdict), _Tier()).add(entry)
        order: Sequence[tuple[Owner, ListVerdict]] = (
            ("own", "allow"),
            ("own", "deny"),
            ("system", "allow"),
            ("system", "deny"),
        )
        self._tiers = [tiers[key] for key in order if key in tiers]
        tags: Sequence[tuple[Owner, ListVerdict]] = (("own", "tag"), ("system", "tag"))
        self._tags = [tiers[key] for key in tags if key in tiers]

    def find(self, number: str | None) -> ListEntry | None:
        """Return the entry that decides on `number` (as SIP shows it), None where there is none."""
        spelled = normalize(number)
        if spelled:
            for tier in self._tiers:
                if entry := tier.find(spelled):
                    return entry
        return self._categories.get(classify(number).kind) if self._categories else None

    def tagged(self, number: str | None) -> ListEntry | None:
        """Return the entry whose tag `number` carries, None where it carries none."""
        spelled = normalize(number)
        if not spelled:
            return None
        return next((entry for tier in self._tags if (entry := tier.find(spelled))), None)


class _Tier:
    """The entries of one owner and one verdict."""

    def __init__(self) -> None:
        self._numbers: dict[str, ListEntry] = {}
        self._prefixes: dict[str, ListEntry] = {}
        self._patterns: list[tuple[re.Pattern[str], ListEntry]] = []

    def add(self, entry: ListEntry) -> None:
        if entry.kind == "number":
            self._numbers[entry.value] = entry
        elif entry.kind == "prefix":
            self._prefixes[entry.value] = entry
        else:
            self._patterns.append((_compile(entry.value), entry))

    def find(self, number: str) -> ListEntry | None:
        if entry := self._numbers.get(number):
            return entry
        for length in range(len(number), 0, -1):
            if entry := self._prefixes.get(number[:length]):
                return entry
        return next((entry for pattern, entry in self._patterns if pattern.fullmatch(number)), None)


def _compile(value: str) -> re.Pattern[str]:
    # Runs of * are one: each more would multiply the work of a number that does not match.
    parts = {"?": r"\d", "*": r"\d*", "+": r"\+"}
    return re.compile("".join(parts.get(char, char) for char in re.sub(r"\*+", "*", value)))
