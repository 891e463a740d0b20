"""The terminal console: a call as it happens, line by line.

It prints what the caller says: it is for the eyes of the person called, on his own terminal, and never a log.
"""

from rich.console import Console
from rich.markup import escape

from detector.decision.verdict import Verdict
from detector.events import Event, Forward, HangUp, Say, TakeMessage, TurnTranscribed
from detector.signals.evidence import Evidence

__all__ = ["TerminalConsole", "clock_time", "printable", "strength"]

NEUTRAL = "notice.meaning"
"""Tells announcements from persons, which is nothing about who is unwanted."""
ACTION_COLOURS = {"forward": "green", "take_message": "yellow", "hang_up": "red", "none": "dim"}


def clock_time(seconds: float) -> str:
    """Media time as m:ss.t."""
    minutes, rest = divmod(round(max(0.0, seconds), 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"


def printable(text: str) -> str:
    """Text from outside, without control characters and without markup."""
    return escape("".join(char if char.isprintable() else "�" for char in text))


def strength(evidence: Evidence) -> str:
    """The log-likelihood ratio as a short bar: ++ speaks for unwanted, -- for wanted, ~ for neither."""
    if evidence.source == NEUTRAL or not evidence.llr:
        return "~"
    count = min(4, max(1, round(abs(evidence.llr))))
    return ("+" if evidence.llr > 0 else "-") * count


class TerminalConsole:
    """Prints the events of calls, each line under the name of its call and the time at which it was known.

    What tells of an earlier moment names it: "(at 0:02.4)", for a turn of the caller its beginning.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def call_started(self, call: str, number: str, about: str) -> None:
        """`number` as presented, `about` what the number plan says of it."""
        self._console.print(
            f"[bold]{printable(call)}[/bold] call from {printable(number)} [dim]{printable(about)}[/dim]"
        )

    def event(self, call: str, event: Event) -> None:
        line = _line(event)
        if line is not None:
            when, text = line
            self._console.print(f"[bold]{printable(call)}[/bold] {clock_time(when)}  {text}", soft_wrap=True)

    def note(self, call: str, text: str) -> None:
        self._console.print(f"[bold]{printable(call)}[/bold] [dim]{printable(text)}[/dim]")


def _line(event: Event) -> tuple[float, str] | None:
    match event:
        case Say():
            return event.arrived, f"[blue]agent [/blue]  {printable(event.prompt.text)}"
        case TurnTranscribed():
            heard = printable(event.text) or "[dim](nothing understood)[/dim]"
            return event.arrived, f"[cyan]caller[/cyan]  {heard} [dim](at {clock_time(event.start)})[/dim]"
        case Evidence():
            about = (
                f"[dim]{event.source}: {printable(event.detail)} (at {clock_time(event.media_time)})[/dim]"
            )
            return event.arrived, f"[magenta]{strength(event):>6}[/magenta]  {about}"
        case Verdict() if event.is_final:
            colour = ACTION_COLOURS[event.action]
            verdict = f"[{colour}]{event.label} → {event.action}[/{colour}]"
            return (
                event.media_time,
                f"[bold]verdict[/bold] {verdict}, unwanted {event.unwanted:.0%} ({event.reason})",
            )
        case Forward():
            return event.arrived, "[green]is being put through[/green]"
        case TakeMessage():
            return event.arrived, "[yellow]takes the message[/yellow]"
        case HangUp():
            return event.arrived, "[red]hangs up[/red]"
        case _:
            return None
