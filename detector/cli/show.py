"""What the command line shows of a call: readable on a terminal."""

from rich.console import Console

from detector.agents.record import CallRecord
from detector.console.terminal import ACTION_COLOURS, clock_time, printable, strength

__all__ = ["print_record"]


def print_record(
    console: Console, title: str, record: CallRecord, judged: str, notes: tuple[str, ...]
) -> None:
    """Print one judged call: the verdict, what was said, and each piece of evidence with its time."""
    verdict = record.verdict
    if verdict is None:
        return
    colour = ACTION_COLOURS[verdict.action]
    decided = "" if verdict.decided_at is None else f"at {clock_time(verdict.decided_at)}, "
    console.print(
        f"[bold]{printable(title)}[/bold]  [{colour}]{verdict.label} → {verdict.action}[/{colour}]  "
        f"{decided}unwanted {verdict.unwanted:.0%}  [dim]({printable(verdict.reason)})[/dim]",
        soft_wrap=True,
    )
    axes = verdict.axes
    console.print(
        f"  playback {axes.playback:.0%} · patter {axes.patter:.0%} · unresponsive {axes.unresponsive:.0%}"
        f"  [dim]judged: {printable(judged)}[/dim]",
        soft_wrap=True,
    )
    for note in notes:
        console.print(f"  [yellow]note: {printable(note)}[/yellow]")
    for start, line in _lines(record):
        console.print(f"  {clock_time(start)}  {line}", soft_wrap=True)


def _lines(record: CallRecord) -> list[tuple[float, str]]:
    lines = [
        (
            turn.start,
            f"[cyan]{turn.speaker}[/cyan]  {printable(turn.text) or '[dim](nothing understood)[/dim]'}",
        )
        for turn in record.talk
    ]
    lines += [
        (
            item.arrived,
            f"[magenta]{strength(item):>6}[/magenta]  [dim]{item.source}: {printable(item.detail)}[/dim]",
        )
        for item in record.evidence
    ]
    return sorted(lines, key=lambda line: line[0])
