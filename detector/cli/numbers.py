"""`detector numbers`: whose calls go straight through, whose are declined, and what a number is taken for.

Entries are kept in the store, so that a running service heeds them within seconds. Those of the configuration and of
the files that it names are shown with them, and are changed there.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from detector.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from detector.call import NumberHistory
    from detector.stores.lists import ListEntry, ListVerdict
    from detector.stores.store import Store

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Numbers that always or never come through, and what numbers are taken for.",
    rich_markup_mode=None,
)

Config = Annotated[Path, typer.Option(help="The configuration file of the service; it names the store.")]
Entries = Annotated[
    list[str],
    typer.Argument(
        metavar="ENTRY…", help="13800138000, 0571* (what begins so), 400???1234, or category:machine_sim."
    ),
]
Note = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Option(help="What you want to remember of it."),
]

_MEANING: dict[ListVerdict, str] = {"allow": "always through", "deny": "declined", "tag": "tagged"}
_COLUMN = 20
_OPPOSITE: dict[ListVerdict, ListVerdict] = {"allow": "deny", "deny": "allow"}


@app.command()
def allow(entries: Entries, config: Config, note: Note = None) -> None:
    """Put these callers through unheard.

    The next call of somebody who was hung up on by mistake gets through like this, within seconds of the command.
    """
    _enter(entries, "allow", config, note=note)


@app.command()
def deny(entries: Entries, config: Config, note: Note = None) -> None:
    """Decline the calls of these numbers."""
    _enter(entries, "deny", config, note=note)


@app.command()
def tag(
    what: Annotated[str, typer.Argument(metavar="TAG", help="One word, such as loan, courier or 快递.")],
    entries: Entries,
    config: Config,
    note: Note = None,
) -> None:
    """Say what these numbers are taken for.

    A tag decides nothing. It is weak evidence in the next call, if it is a word that tells something: a category
    (loan, delivery, school …), wanted, unwanted, or one of the usual ones of Chinese telephones (快递, 骚扰, 中介 …).
    """
    from detector.call import NumberTag
    from detector.signals.number_tag import tag_llr
    from detector.stores.lists import parse_tag

    word = parse_tag(what)
    _enter(entries, "tag", config, note=note, tag=word)
    if not tag_llr(NumberTag(word)):
        typer.echo(
            f"{word}: a word of your own; it is shown, and counts neither for nor against a caller", err=True
        )


@app.command()
def remove(entries: Entries, config: Config) -> None:
    """Take entries out of the store again."""
    with _open(config) as kept:
        for written in entries:
            wanted = _read(written, "allow")
            found = [each for each in kept.store.list_entries() if _same(each, wanted)]
            if not found:
                known = any(_same(each, wanted) for each in kept.fixed)
                where = (
                    "it stands in the configuration, or a file that it names" if known else "there is none"
                )
                raise InputError(f"{written}: no such entry in the store; {where}")
            for each in found:
                kept.store.delete_list_entry(each.id or 0)
                typer.echo(f"{written}: no longer {_said(each)}")


@app.command("list")
def list_(
    config: Config,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show all entries.

    Those of the configuration and of the files that it names come first, in the order in which they stand there.
    """
    with _open(config, only_look=True) as kept:
        entries = [*kept.fixed, *kept.store.list_entries()]
    if not entries and not as_json:
        typer.echo("no entry yet; `detector numbers allow`, `deny` and `tag` make them")
    for each in entries:
        typer.echo(json.dumps(_row(each), ensure_ascii=False) if as_json else _line(each))


@app.command()
def show(
    number: Annotated[str, typer.Argument(help="As the telephone shows it; anonymous for a withheld one.")],
    config: Config,
) -> None:
    """Tell what is known of a number before its call is answered."""
    from detector.number_plan import classify, normalize

    if not normalize(number) and number != "anonymous":
        raise ConfigurationError(f"{number}: not a phone number; write 13800138000, or anonymous")
    with _open(config, only_look=True) as kept:
        lists = kept.store.lists(kept.fixed)
        history = kept.store.history(number, datetime.now(UTC))
    entry, tagged = lists.find(number), lists.tagged(number)
    rows = {
        "kind": classify(number).display,
        "entry": "none; it is answered and asked" if entry is None else _line(entry),
        "tag": "none" if tagged is None else _line(tagged),
        "calls": _calls(history),
    }
    for name, value in rows.items():
        typer.echo(f"{name:6} {value}")


@dataclass(frozen=True, slots=True)
class _Kept:
    store: Store
    fixed: tuple[ListEntry, ...]
    """Entries of the configuration and of the files that it names."""


@contextmanager
def _open(config: Path, *, only_look: bool = False) -> Iterator[_Kept]:
    """Open the store of a configuration; where there is none it is made, or with `only_look` taken for empty.

    Raises ConfigurationError or StoreError.
    """
    from detector.cli.opening import is_missing
    from detector.config import load_settings
    from detector.config.options import list_entries, store_url
    from detector.stores.store import Store

    settings = load_settings(config)
    fixed = list_entries(settings)
    url = store_url(settings, os.environ)
    with Store(":memory:" if only_look and is_missing(url) else url) as store:
        yield _Kept(store, fixed)


def _enter(entries: list[str], verdict: ListVerdict, config: Path, **more: Any) -> None:
    """Keep all entries, or none of them where one is wrong; the opposite entry of the same numbers goes."""
    read = [_read(written, verdict, **more) for written in entries]
    with _open(config) as kept:
        opposite = [each for each in kept.store.list_entries() if each.verdict == _OPPOSITE.get(verdict)]
        for written, entry in zip(entries, read, strict=True):
            for each in opposite:
                if _same(each, entry):
                    kept.store.delete_list_entry(each.id or 0)
                    opposite.remove(each)
                    break
            kept.store.put_list_entry(entry, datetime.now(UTC))
            typer.echo(f"{written}: {_said(entry)}")
            _warn_if_beaten(kept, entry, written)


def _warn_if_beaten(kept: _Kept, entry: ListEntry, written: str) -> None:
    """Say so where another entry comes first for the same number."""
    if entry.verdict != "deny":
        return  # nothing comes before what the user allows, and tags decide nothing
    first = kept.store.lists(kept.fixed).find(entry.value) if entry.kind == "number" else None
    first = first or next((each for each in kept.fixed if _same(each, entry)), entry)
    if first.verdict == "allow":
        typer.echo(f"{written}: but another entry comes first: {_line(first)}", err=True)


def _read(
    written: str, verdict: ListVerdict, *, tag: str | None = None, note: str | None = None
) -> ListEntry:
    from detector.stores.lists import parse_entry

    try:
        return parse_entry(written, "own", verdict, tag=tag, note=note)
    except ConfigurationError as error:
        raise ConfigurationError(f"{written}: {error}") from None


def _same(one: ListEntry, other: ListEntry) -> bool:
    return (one.owner, one.kind, one.value) == (other.owner, other.kind, other.value)


def _said(entry: ListEntry) -> str:
    return f"{_MEANING[entry.verdict]}{'' if entry.tag is None else f' {entry.tag}'}"


def _written(entry: ListEntry) -> str:
    """An entry as one writes it."""
    return {"prefix": f"{entry.value}*", "category": f"category:{entry.value}"}.get(entry.kind, entry.value)


def _line(entry: ListEntry) -> str:
    place = "in the store" if entry.id is not None else "in the configuration"
    whose = "" if entry.owner == "own" else ", somebody else's list"
    note = "" if entry.note is None else f"  # {entry.note}"
    return f"{_wide(_written(entry))} {_wide(_said(entry))} {place}{whose}{note}"


def _wide(text: str) -> str:
    """Fill up a column, in which a Chinese character takes two places."""
    from rich.cells import cell_len

    return text + " " * max(0, _COLUMN - cell_len(text))


def _row(entry: ListEntry) -> dict[str, Any]:
    return {
        "entry": _written(entry),
        "verdict": entry.verdict,
        "tag": entry.tag,
        "owner": entry.owner,
        "note": entry.note,
        "in_store": entry.id is not None,
    }


def _calls(history: NumberHistory) -> str:
    from detector.signals.history import ago

    if not history.calls:
        return "none that the store remembers"
    parts = [f"{history.calls}, the last one {ago(history.since_last_call or 0.0)}"]
    if history.put_through:
        parts.append(f"{history.put_through} put through, or wanted by your own word")
    if history.since_refusal is not None:
        parts.append(f"refused {ago(history.since_refusal)}")
    if history.since_hang_up is not None:
        parts.append(f"hung up on {ago(history.since_hang_up)}")
    return "; ".join(parts)
