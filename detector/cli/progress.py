"""Progress of long work: a bar on a terminal, nothing anywhere else."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["output_console", "progress_bar"]


def output_console() -> Console:
    """Return the console for results: standard output, never wrapped where it is no terminal."""
    return Console(highlight=False)


@contextmanager
def progress_bar(
    console: Console, what: str, total: int, *, wanted: bool = True
) -> Iterator[Callable[[], None]]:
    """Show a bar while work goes on; call what this yields after each piece.

    `console` is the one that results are printed on: on one terminal the bar has to make room for them. Where results
    go into a file or a pipe the bar stands on standard error alone.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if not wanted or total < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown_on = console if console.is_terminal else Console(stderr=True)
    bar = Progress(*columns, console=shown_on, transient=True, redirect_stdout=False, redirect_stderr=True)
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
