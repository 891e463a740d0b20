"""Reading a lexicon file: a mistake is refused with its file and line, and with what was probably meant."""

import difflib
import tomllib
from collections.abc import Collection, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Never

from detector.call import Language
from detector.errors import LexiconError
from detector.resources import models_dir
from detector.text.english import ENGLISH_BREAK
from detector.text.lexicon import Group, Lexicon, Role, Term
from detector.text.pinyin import default_table
from detector.text.toml_lines import TomlLines, syntax_error_line

__all__ = ["FORMAT", "MAX_WEIGHT", "read_lexicon_file"]

FORMAT = 1
MAX_WEIGHT = 6.0
"""Natural log: no words alone are better proof than 400 to 1."""
DEFAULT_WEIGHT = 1.5
_TOP_KEYS = ("format", "extends", "groups")
_LISTS: tuple[tuple[str, Language, bool], ...] = (
    ("zh", "zh", False),
    ("zh_exact", "zh", True),
    ("en", "en", False),
)
"""Key, language, and whether its terms are exact unless they say otherwise."""
_GROUP_KEYS = ("role", "title", "weight", "zh", "zh_exact", "en", "remove")
_ENTRY_KEYS = ("term", "weight", "exact")


def read_lexicon_file(path: Path | None) -> Lexicon:
    """See `Lexicon.load`."""
    return _shipped() if path is None else _FileReader(path, may_extend=True).read()


@lru_cache(maxsize=1)
def _shipped() -> Lexicon:
    return _FileReader(models_dir() / "lexicon.toml", may_extend=False).read()


class _FileReader:
    """One file on its way to a lexicon."""

    def __init__(self, path: Path, *, may_extend: bool) -> None:
        self._path = path
        self._may_extend = may_extend
        self._base: Lexicon | None = None
        try:
            self._source = path.read_text(encoding="utf-8")
        except OSError as error:
            raise LexiconError(
                f"{path}: cannot be read ({error.strerror}); check the lexicon setting"
            ) from error
        except UnicodeDecodeError as error:
            raise LexiconError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
        try:
            self._content: dict[str, Any] = tomllib.loads(self._source)
        except tomllib.TOMLDecodeError as error:
            self._fail(syntax_error_line(error, self._source), f"not valid TOML: {error}")

    @cached_property
    def _lines(self) -> TomlLines:
        """Looked up once something is wrong; a good file never pays for it."""
        return TomlLines(self._source)

    def read(self) -> Lexicon:
        self._check_keys(self._content, _TOP_KEYS, "")
        if self._content.get("format") != FORMAT:
            self._fail(self._lines.of_key("", "format"), f"say 'format = {FORMAT}' at the top of the file")
        extends = self._content.get("extends", self._may_extend)
        if not isinstance(extends, bool):
            self._fail(self._lines.of_key("", "extends"), "'extends' is true or false")
        if extends and self._may_extend:
            self._base = _shipped()
        groups = self._content.get("groups", {})
        if not isinstance(groups, dict):
            self._fail(self._lines.of_key("", "groups"), "'groups' is a table of groups, as in [groups.loan]")
        read = {name: self._read_group(name, body) for name, body in groups.items()}
        self._check_roles(read)
        if self._base is None:
            if not any(group.terms for group in read.values()):
                self._fail(1, "there is no term in the file")
            return Lexicon(MappingProxyType(read))
        return self._base.merged(read, {name: self._removed(name, body) for name, body in groups.items()})

    def _read_group(self, name: str, body: Any) -> Group:
        table = f"groups.{name}"
        if not isinstance(body, dict):
            self._fail(self._lines.of_key("groups", name), f"{name!r} is not a table; write [{table}]")
        self._check_keys(body, _GROUP_KEYS, table)
        base = self._base.groups.get(name) if self._base else None
        role = self._role(name, table, body, base)
        title = body.get("title", base.title if base else None)
        if not isinstance(title, str) or not title.strip():
            self._fail(
                self._line_of(table, "title", body), f"group {name!r} needs a title: words that a user reads"
            )
        weight = self._weight(body, table, base.weight if base else DEFAULT_WEIGHT)
        terms: dict[str, Term] = {}
        for key, language, exact in _LISTS:
            entries = body.get(key, [])
            if not isinstance(entries, list):
                self._fail(self._lines.of_key(table, key), f"{key!r} is a list of terms")
            for entry in entries:
                term = self._read_entry(entry, Term("", name, language, weight, exact), table)
                if term.spelling in terms:
                    line = self._lines.of_string(table, term.text, occurrence=-1)
                    self._fail(line, f"{term.text!r} stands twice in group {name!r}; delete one")
                terms[term.spelling] = term
        return Group(name, role, title, weight, tuple(terms.values()))

    def _role(self, name: str, table: str, body: Mapping[str, Any], base: Group | None) -> Role:
        if base is not None and "role" not in body:
            return base.role
        if "role" not in body:
            known = self._base.groups if self._base else ()
            hint = _nearest(name, known)
            self._fail(self._lines.of_table(table), f"the new group {name!r} needs a role{hint}")
        try:
            return Role(body["role"])
        except ValueError:
            hint = _nearest(str(body["role"]), [role.value for role in Role])
            self._fail(self._lines.of_key(table, "role"), f"no role {body['role']!r}{hint}")

    def _read_entry(self, entry: Any, blank: Term, table: str) -> Term:
        fields: Mapping[str, Any] = {"term": entry} if isinstance(entry, str) else entry
        if not isinstance(fields, dict):
            line = self._lines.of_key(table, blank.language)
            self._fail(line, f'{entry!r} is not a term; write "words" or {{ term = "words", weight = 2.0 }}')
        text = fields.get("term")
        if not isinstance(text, str) or not text.strip():
            line = (
                self._lines.of_string(table, text) if isinstance(text, str) else self._lines.of_table(table)
            )
            self._fail(line, f'an empty term in group {blank.group!r}; every entry has term = "words"')
        weight = _checked_weight(fields.get("weight", blank.weight))
        exact = fields.get("exact", blank.exact)
        if problem := _wrong_entry(text, fields, weight, exact):
            self._fail(self._lines.of_string(table, text), problem)
        term = Term(text.strip(), blank.group, blank.language, weight or blank.weight, exact)
        if problem := _why_unmatchable(term):
            self._fail(self._lines.of_string(table, text), problem)
        return term

    def _removed(self, name: str, body: Mapping[str, Any]) -> frozenset[str]:
        table, removed = f"groups.{name}", body.get("remove", [])
        if not isinstance(removed, list) or not all(isinstance(text, str) for text in removed):
            self._fail(self._lines.of_key(table, "remove"), "'remove' is a list of terms")
        group = self._base.groups.get(name) if self._base else None
        known = [term.text for term in group.terms] if group else []
        for text in removed:
            if text not in known:
                message = f"group {name!r} has no term {text!r} to remove{_nearest(text, known)}"
                self._fail(self._lines.of_string(table, text), message)
        return frozenset(removed)

    def _check_roles(self, groups: Mapping[str, Group]) -> None:
        """Refuse a term in two groups of one role: it would count twice, for two things."""
        owners: dict[tuple[Role, str, str], str] = {}
        for group in groups.values():
            for term in group.terms:
                key = (group.role, term.language, term.spelling)
                owner = owners.setdefault(key, group.name)
                if owner != group.name:
                    line = self._lines.of_string(f"groups.{group.name}", term.text)
                    self._fail(
                        line, f"{term.text!r} stands in group {owner!r} already; keep it in one of them"
                    )

    def _weight(self, body: Mapping[str, Any], table: str, default: float) -> float:
        weight = _checked_weight(body.get("weight", default))
        if weight is None:
            line = self._lines.of_key(table, "weight")
            self._fail(line, f"the weight of {table!r} must be a number above 0 and at most {MAX_WEIGHT:g}")
        return weight

    def _check_keys(self, body: Mapping[str, Any], known: Collection[str], table: str) -> None:
        for key in body:
            if key not in known:
                self._fail(self._line_of(table, key, body), f"no key {key!r} here{_nearest(key, known)}")

    def _line_of(self, table: str, key: str, body: Mapping[str, Any]) -> int:
        if isinstance(body.get(key), dict):
            return self._lines.of_table(f"{table}.{key}" if table else key)
        return self._lines.of_key(table, key) if key in body else self._lines.of_table(table)

    def _fail(self, line: int, message: str) -> Never:
        raise LexiconError(f"{self._path}:{line}: {message}")


def _checked_weight(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_WEIGHT:
        return None
    return float(value)


def _wrong_entry(text: str, fields: Mapping[str, Any], weight: float | None, exact: Any) -> str | None:
    if unknown := [key for key in fields if key not in _ENTRY_KEYS]:
        return f"no key {unknown[0]!r} in an entry{_nearest(unknown[0], _ENTRY_KEYS)}"
    if not isinstance(exact, bool):
        return f"'exact' of {text!r} is true or false"
    if weight is None:
        return f"the weight of {text!r} must be a number above 0 and at most {MAX_WEIGHT:g}"
    return None


def _nearest(name: str, known: Collection[str]) -> str:
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; known: {', '.join(known)}" if known else ""


def _why_unmatchable(term: Term) -> str | None:
    """Say why `term` could never, or would always, be found; None where it is sound."""
    text = term.spelling
    if term.language == "en":
        if not text or ENGLISH_BREAK in text:
            return f"{term.text!r} would match nothing: write English words without a full stop"
        return None if len(text) >= 4 or term.exact else f"{term.text!r} is too short; give it exact = true"
    if not text or not default_table().can_read(text):
        return f"{term.text!r} would match nothing: it needs characters with a reading, and no full stop"
    if len(text) == 1 and not term.exact:
        return f"{term.text!r} is a single syllable, which occurs everywhere; give it exact = true"
    return None
