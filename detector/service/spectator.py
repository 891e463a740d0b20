"""What the running service shows to whoever watches, where anybody does.

Watching must never touch a call: whatever goes wrong with it ends the showing, with one line in the log, and nothing
else. That a call waits for nobody who watches is the business of the console's file; see
`detector.console.line_writer`.
"""

import logging
from collections.abc import Callable

from detector.console.terminal import TerminalConsole
from detector.errors import where
from detector.events import Event

__all__ = ["Spectator"]

log = logging.getLogger(__name__)


class Spectator:
    """Shows calls on `console`; with None, or once showing has failed, nothing is shown."""

    def __init__(self, console: TerminalConsole | None = None) -> None:
        self._console = console

    def call_started(self, call: str, number: str, about: str) -> None:
        """`number` as presented, `about` what the number plan says of it."""
        self._show(lambda console: console.call_started(call, number, about))

    def event(self, call: str, event: Event) -> None:
        self._show(lambda console: console.event(call, event))

    def note(self, call: str, text: str) -> None:
        self._show(lambda console: console.note(call, text))

    def _show(self, show: Callable[[TerminalConsole], None]) -> None:
        if self._console is None:
            return
        try:
            show(self._console)
        # SystemExit: rich would end the program where its file has lost its reader.
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what ails the terminal is no business of a call
            self._console = None
            log.warning("calls are not shown any more: %s", where(error))
