"""Which options stand on the command line: one that would change nothing is refused, not passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

__all__ = ["given_options"]


def given_options(context: typer.Context) -> frozenset[str]:
    """Return the names of the options that were given, as they are written: "--snr"."""
    written = set()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            written.add(parameter.opts[0])
    return frozenset(written)
