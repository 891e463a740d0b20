"""What the command line shows of a call: readable on a terminal."""

from collections.abc import Iterable

from rich.console import Console

from detector.agents.record import CallRecord, Turn
from detector.console.terminal import ACTION_COLOURS, clock_time, printable, strength
from detector.decision.verdict import Axes, Verdict
from detector.signals.evidence import Evidence

__all__ = ["fate", "print_axes", "print_record", "print_talk", "verdict_markup"]


def print_record(
    console: Console, title: str, record: CallRecord, judged: str, notes: tuple[str, ...]
) -> None:
    """Print one judged call: the verdict, what was said, and each piece of evidence with its time."""
    verdict = record.verdict
    if verdict is None:
        return
    console.print(
        f"[bold]{printable(title)}[/bold]  {verdict_markup(verdict, verdict.reason)}", soft_wrap=True
    )
    print_axes(console, verdict.axes, f"judged: {judged}")
    for note in notes:
        console.print(f"  [yellow]note: {printable(note)}[/yellow]")
    print_talk(console, record.talk, record.evidence)


def fate(label: str | None, action: str | None) -> str:
    """What a call was taken for and what was done, a dash where that is open."""
    return f"{label or '-'} → {'-' if action in {None, 'none'} else action}"


def verdict_markup(verdict: Verdict, why: str) -> str:
    """A verdict in one line, with the reason given."""
    colour = ACTION_COLOURS[verdict.action]
    decided = "" if verdict.decided_at is None else f"at {clock_time(verdict.decided_at)}, "
    return (
        f"[{colour}]{fate(verdict.label, verdict.action)}[/{colour}]  "
        f"{decided}unwanted {verdict.unwanted:.0%}  [dim]({printable(why)})[/dim]"
    )


def print_axes(console: Console, axes: Axes, about: str = "") -> None:
    more = f"  [dim]{printable(about)}[/dim]" if about else ""
    console.print(
        f"  playback {axes.playback:.0%} · patter {axes.patter:.0%} · unresponsive {axes.unresponsive:.0%}{more}",
        soft_wrap=True,
    )


def print_talk(console: Console, talk: Iterable[Turn], evidence: Iterable[Evidence]) -> None:
    """Print both sides and the evidence, each where it came in the call."""
    for start, line in _lines(talk, evidence):
        console.print(f"  {clock_time(start)}  {line}", soft_wrap=True)


def _lines(talk: Iterable[Turn], evidence: Iterable[Evidence]) -> list[tuple[float, str]]:
    lines = [
        (
            turn.start,
            f"[cyan]{turn.speaker}[/cyan]  {printable(turn.text) or '[dim](nothing understood)[/dim]'}",
        )
        for turn in talk
    ]
    lines += [
        (
            item.arrived,
            f"[magenta]{strength(item):>6}[/magenta]  [dim]{item.source}: {printable(item.detail)}[/dim]",
        )
        for item in evidence
    ]
    return sorted(lines, key=lambda line: line[0])
