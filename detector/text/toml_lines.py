"""Where things stand in a TOML file: the standard library parses it, but forgets the lines."""

import re
import tomllib
from dataclasses import dataclass

__all__ = ["TomlLines", "syntax_error_line"]

_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<string>\"\"\"(?:\\.|[^\\])*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'[^'\n]*')"
    r"|(?P<header>^[ \t]*\[\[?[^\]\n\"',]+\]\]?[ \t]*(?=\#|$))"
    r"|(?P<key>[A-Za-z0-9_-]+)(?=[ \t]*=)",
    re.DOTALL | re.MULTILINE,
)
_SYNTAX_LINE = re.compile(r"line (\d+)")


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int
    table: str
    kind: str
    value: str


def syntax_error_line(error: tomllib.TOMLDecodeError, source: str) -> int:
    """Return the line that a syntax error is on; the last one where the parser ran off the end."""
    match = _SYNTAX_LINE.search(str(error))
    return int(match[1]) if match else source.count("\n") + 1


class TomlLines:
    """Line numbers, from 1, of the tables, keys and strings of a TOML text that parses."""

    def __init__(self, source: str) -> None:
        self._marks: list[_Mark] = []
        table, line, at = "", 1, 0
        for match in _TOKEN.finditer(source):
            line += source.count("\n", at, match.start())
            at = match.start()
            kind, raw = match.lastgroup or "", match[0]
            if kind == "header":
                table = ".".join(part.strip() for part in raw.split("#")[0].strip(" \t[]").split("."))
                self._marks.append(_Mark(line, table, "header", table))
            elif kind == "string":
                self._marks.append(_Mark(line, table, kind, str(tomllib.loads(f"value = {raw}")["value"])))
            elif kind == "key":
                self._marks.append(_Mark(line, table, kind, raw))

    def of_table(self, table: str) -> int:
        """Return the line of the header `[table]`, dotted, or of the first table inside it."""
        return self._header(table) or 1

    def of_key(self, table: str, key: str) -> int:
        """Return the line of the first `key =` in a table, inline tables included, or of the table of that name."""
        named = f"{table}.{key}" if table else key
        return self._find(table, "key", key, 0) or self._header(named) or self.of_table(table)

    def of_string(self, table: str, value: str, occurrence: int = 0) -> int:
        """Return the line of a string value in a table; `occurrence` counts from 0, -1 is the last."""
        return self._find(table, "string", value, occurrence) or self.of_table(table)

    def _header(self, table: str) -> int | None:
        inside = (m.line for m in self._marks if m.kind == "header" and f"{m.value}.".startswith(f"{table}."))
        return next(inside, None)

    def _find(self, table: str, kind: str, value: str, occurrence: int) -> int | None:
        lines = [m.line for m in self._marks if (m.table, m.kind, m.value) == (table, kind, value)]
        if not lines:
            return None
        return lines[occurrence] if occurrence < len(lines) else lines[-1]
