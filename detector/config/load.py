"""Reading the configuration file, and saying in one line each what is wrong with it.

    agent.toml:12: agent.personalty: unknown key; did you mean personality?

Values are never repeated in a message: they may be secrets or numbers of persons.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from detector.config.fields import BASE
from detector.config.settings import Settings
from detector.errors import ConfigurationError
from detector.text.toml_lines import TomlLines, syntax_error_line

__all__ = ["load_settings", "parse_settings", "placed"]

_TYPE_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list in brackets",
    "time_type": "must be a time of day without quotes, such as 22:30:00",
    "model_type": "must be a section of its own, in brackets",
    "path_type": "must be a path in quotes",
    "is_instance_of": "must be a path in quotes",
}

_KEY = re.compile(r"(?P<table>[a-z_]+(?:\.[a-z_]+)*)\.(?P<key>[a-z_]+)(?: (?P<number>\d+))?\b")
_COUNTS = frozenset({"too_long", "too_short"})


def load_settings(path: Path) -> Settings:
    """Read the file at `path`. Raises ConfigurationError with a line for each thing that is wrong."""
    try:
        source = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: not UTF-8; save it as UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read ({error.strerror}); docs/agent.example.toml is one to start from"
        ) from None
    return parse_settings(source, path)


def parse_settings(source: str, path: Path) -> Settings:
    """Read settings from TOML text; `path` is for messages, and its folder is where relative paths start."""
    try:
        data = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        what = str(error).partition(" (at ")[0]
        raise ConfigurationError(
            f"{path}:{syntax_error_line(error, source)}: not valid TOML: {what}"
        ) from None
    try:
        return Settings.model_validate(data, context={BASE: path.absolute().parent})
    except ValidationError as error:
        problems = dict.fromkeys(_describe(error, source, path))
        raise ConfigurationError("\n".join(problems)) from None


@contextmanager
def placed(path: Path) -> Iterator[None]:
    """Have an error about the settings in `path` name the file, and the line where it names a single key.

    For what is found out later, when settings are put together: a ConfigurationError that begins with the key.
    """
    try:
        yield
    except ConfigurationError as error:
        line = None
        if (named := _KEY.match(str(error))) and int(named["number"] or 1) == 1:
            lines = TomlLines(path.read_text("utf-8"))
            line = lines.of_key(named["table"], named["key"]) or lines.of_table(
                f"{named['table']}.{named['key']}"
            )
        raise ConfigurationError(f"{path}{f':{line}' if line else ''}: {error}") from None


def _describe(error: ValidationError, source: str, path: Path) -> Iterator[str]:
    lines = TomlLines(source)
    problems = error.errors(include_input=False, include_url=False)
    for problem in problems:
        location = problem["loc"]
        if problem["type"] in _COUNTS and any(location == other["loc"][:-1] for other in problems):
            continue  # wrong entries were left out of the count
        line = _line(lines, location, is_missing=problem["type"] == "missing")
        name = _name(location)
        yield f"{path}{f':{line}' if line else ''}: {f'{name}: ' if name else ''}{_message(problem)}"


def _name(location: tuple[int | str, ...]) -> str:
    """Spell where it is: `sip.account 2: username` is the user name of the second account."""
    name = ""
    for part in location:
        if isinstance(part, int):
            name += f" {part + 1}"
        else:
            name += f".{part}" if name else part
    return name


def _line(lines: TomlLines, location: tuple[int | str, ...], *, is_missing: bool) -> int | None:
    """Return the line of a key, None where it cannot be told (a table that comes several times)."""
    if any(isinstance(part, int) and part > 0 for part in location[:-1]):
        return None
    keys = [part for part in location if isinstance(part, str)]
    if not keys or (is_missing and len(keys) == 1):
        return None
    table, key = ".".join(keys[:-1]), keys[-1]
    return lines.of_table(table) if is_missing else lines.of_key(table, key)


def _message(problem: ErrorDetails) -> str:
    kind = problem["type"]
    if kind == "extra_forbidden":
        return _unknown_key(problem["loc"])
    if kind in ("literal_error", "enum"):
        return f"must be one of {problem['ctx']['expected'].replace(' or ', ', ')}"
    if kind in _COUNTS:
        return "has too few entries" if kind == "too_short" else "has too many entries"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    return _TYPE_MESSAGES.get(kind) or problem["msg"].replace("Input should", "must", 1)


def _unknown_key(location: tuple[int | str, ...]) -> str:
    key = str(location[-1])
    if "password" in key or "secret" in key:
        return "unknown key; put the password in a file and name it in password_file, or use password_env"
    known = list(_section_at(location[:-1]).model_fields)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"unknown key; did you mean {near[0]}?" if near else f"unknown key; known are {', '.join(known)}"


def _section_at(location: tuple[int | str, ...]) -> type[BaseModel]:
    section: type[BaseModel] = Settings
    for part in location:
        if isinstance(part, str):
            section = _model_in(section.model_fields[part].annotation) or section
    return section


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the section that a field's type holds: itself, or the items of a tuple."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Union, UnionType):
        return next((model for each in get_args(annotation) if (model := _model_in(each))), None)
    return None
