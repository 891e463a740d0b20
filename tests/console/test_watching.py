"""What `--watch` shows of a call: lines in order of time, each with what it is about."""

import io

from rich.console import Console

from detector.console.terminal import TerminalConsole
from detector.events import Event, Forward, TurnTranscribed
from detector.signals.evidence import Evidence

TALK: tuple[Event, ...] = (
    Evidence("responsive.delay", 0.5, 9.2, 9.4, "1 reply, after 1.4 s", "unresponsive"),
    TurnTranscribed(1, 9.0, 12.8, "没关系", 13.3),
    TurnTranscribed(2, 13.4, 14.0, "", 14.6),
    Forward("person", 15.0),
)


def shown(*events: Event) -> list[str]:
    output = io.StringIO()
    console = TerminalConsole(Console(file=output, highlight=False, width=40))
    for event in events:
        console.event("#3", event)
    return output.getvalue().splitlines()


def test_lines_stand_in_the_order_of_their_times() -> None:
    times = [line.split()[1] for line in shown(*TALK)]
    assert times == ["0:09.4", "0:13.3", "0:14.6", "0:15.0"]


def test_a_turn_of_the_caller_tells_when_he_began_it() -> None:
    assert shown(*TALK)[1:3] == [
        "#3 0:13.3  caller  没关系 (at 0:09.0)",
        "#3 0:14.6  caller  (nothing understood) (at 0:13.4)",
    ]


def test_words_of_a_caller_are_no_markup_and_no_control_characters() -> None:
    (line,) = shown(TurnTranscribed(1, 0.0, 1.0, "[red]hi[/red]\x1b[2J", 1.5))
    assert line == "#3 0:01.5  caller  [red]hi[/red]�[2J (at 0:00.0)"
