"""Tables of tab-separated values, read line by line: UTF-8, a header, no quoting; a name that ends in .gz is unpacked.

Whatever is wrong is one line that names file and line.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from detector.errors import InputError

__all__ = ["OnError", "Row", "read_table", "stop"]

OnError = Callable[[InputError], None]
LONGEST_LINE = 1_000_000
"""Bytes; a longer line is no table."""


def stop(error: InputError) -> NoReturn:
    """The default for a bad line: the file is not read on."""
    raise error


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its fields by column, and where it stands."""

    fields: dict[str, str]
    where: str
    """File and line, to begin an error with."""

    def __getitem__(self, column: str) -> str:
        return self.fields[column]

    def get(self, column: str) -> str:
        """Return the field, empty where the table has no such column."""
        return self.fields.get(column, "")

    def number(self, column: str) -> int:
        """Return a whole number. Raises InputError."""
        try:
            return int(self.fields[column])
        except ValueError:
            raise InputError(
                f"{self.where}: column {column!r}: {self.fields[column]!r} is no whole number"
            ) from None


def read_table(path: Path, columns: Sequence[str], on_error: OnError = stop) -> Iterator[Row]:
    """Yield the rows of a table that has at least `columns`, in any order; empty lines are passed over.

    A line that is wrong goes to `on_error`, which may raise it (the default) or note it and return. Raises InputError
    where the file cannot be read or lacks a column.
    """
    try:
        with _opened(path) as file:
            header: list[str] | None = None
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), 1):
                where = f"{path}:{number}"
                try:
                    fields = _fields(line, where)
                    if header is None:
                        header = _header(fields, columns, where)
                    elif fields != [""]:
                        yield Row(_named(header, fields, where), where)
                except InputError as error:
                    if header is None:
                        raise
                    on_error(error)
            if header is None:
                raise InputError(f"{path}: is empty; it needs a header with the columns {', '.join(columns)}")
    except (OSError, EOFError, zlib.error) as error:
        what = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read ({what})") from None


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _fields(line: bytes, where: str) -> list[str]:
    if len(line) >= LONGEST_LINE:
        raise InputError(f"{where}: is longer than {LONGEST_LINE} bytes; this is no table")
    try:
        return line.decode("utf-8-sig").rstrip("\r\n").split("\t")
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not UTF-8 (byte {error.start + 1} of the line)") from None


def _header(fields: list[str], columns: Sequence[str], where: str) -> list[str]:
    for column in columns:
        if column not in fields:
            raise InputError(f"{where}: the header lacks the column {column!r}; it has {', '.join(fields)}")
    for column in fields:
        if fields.count(column) > 1:
            raise InputError(f"{where}: the header names {column!r} twice")
    return fields


def _named(header: list[str], fields: list[str], where: str) -> dict[str, str]:
    if len(fields) != len(header):
        raise InputError(f"{where}: has {len(fields)} fields, the header {len(header)}; tabs separate them")
    return dict(zip(header, fields, strict=True))
