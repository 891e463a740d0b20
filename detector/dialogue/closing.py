"""Closing: what is said and done between the decision and the end of the call.

    forward         stop speaking, "I am connecting you", forward
    hang up         stop speaking, refuse unless that was done before, "do not call again, goodbye", hang up
    take a message  stop speaking, "please leave a message", listen, "it will be delivered" or "I heard none", hang up
    a notice        stop speaking, listen to its end, hang up

A prompt waits a moment for the caller to pause; a prompt whose end is never reported counts as ended after its length
and a little more, so that a call can always end.

Whatever a caller said since he was asked for a message is one, recognized or not: only who said nothing is told so. He
may begin even then, and is heard.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from detector.decision.verdict import Action, Label
from detector.dialogue.acts import Act
from detector.dialogue.planner import Floor, Planner

__all__ = ["Closing", "ClosingOptions", "ClosingStep"]

ClosingStep = Act | Literal["stop_speaking", "forward", "take_message", "hang_up"]
_Listen = Literal["listen"]


@dataclass(frozen=True, slots=True)
class ClosingOptions:
    """Durations in seconds."""

    pause_patience: float = 1.5
    """How long a closing prompt waits for the caller to pause."""
    message_silence: float = 4.0
    """This long without speech ends a message."""
    message_start: float = 8.0
    """A caller who has not begun his message by then leaves none."""
    message_longest: float = 90.0
    prompt_overdue: float = 2.0


class Closing:
    """Plans the end of one call, step by step."""

    def __init__(self, planner: Planner, options: ClosingOptions) -> None:
        self._planner = planner
        self._options = options
        self._steps: deque[ClosingStep | _Listen] = deque()
        self._since = 0.0
        self._cutting = False

    @property
    def due(self) -> float:
        """When to look again if nothing happens (seconds after answer)."""
        return self._since + self._options.message_longest

    def begin(self, action: Action, now: float, label: Label = "unsure") -> None:
        """Start closing; replaces what was planned before (a transfer that failed becomes a message)."""
        self._since = now
        self._cutting = self._planner.is_speaking
        match action:
            case "forward":
                self._steps = deque((Act.CONNECTING, "forward"))
            case "take_message" if label == "notice":
                self._steps = deque(("take_message", "listen", "hang_up"))
            case "take_message":
                self._steps = deque(
                    (Act.TAKE_MESSAGE, "take_message", "listen", Act.MESSAGE_TAKEN, "hang_up")
                )
            case _:
                refusal = () if self._planner.has_said(Act.REFUSE) else (Act.REFUSE,)
                self._steps = deque((*refusal, Act.GOODBYE, "hang_up"))

    def plan(self, floor: Floor) -> ClosingStep | None:
        """Return the next step that is due, or None while the last one still runs."""
        if self._planner.is_speaking:
            return self._wait_for_prompt(floor.now)
        self._cutting = False
        while self._steps:
            step = self._steps[0]
            if step == "listen":
                if not self._message_is_over(floor):
                    return None
                self._advance(floor.now)
                continue
            if step == "hang_up" and self._planner.last_act is Act.NO_MESSAGE:
                if floor.turns_since_act:
                    self._steps = deque(("listen", Act.MESSAGE_TAKEN, "hang_up"))
                    continue
                if floor.caller_speaking:
                    return None  # he begins after all, or it is the echo of what was said to him
            if step is Act.MESSAGE_TAKEN and not (floor.turns_since_act or floor.caller_speaking):
                step = Act.NO_MESSAGE
            if isinstance(step, Act) and self._should_wait(step, floor):
                return None
            self._advance(floor.now)
            return step
        return None

    def _wait_for_prompt(self, now: float) -> ClosingStep | None:
        if self._planner.overdue(now, self._options.prompt_overdue):
            self._planner.assume_ended()
        elif self._cutting:
            self._cutting = False
            return "stop_speaking"
        return None

    def _advance(self, now: float) -> None:
        self._steps.popleft()
        self._since = now

    def _should_wait(self, act: Act, floor: Floor) -> bool:
        if act is Act.MESSAGE_TAKEN or not floor.caller_speaking:
            return False
        return floor.now - self._since < self._options.pause_patience

    def _message_is_over(self, floor: Floor) -> bool:
        if floor.now - self._since >= self._options.message_longest:
            return True
        if floor.caller_speaking or floor.pending_transcripts:
            return False
        has_spoken = floor.caller_silent_since > self._since
        if has_spoken:
            return floor.now - floor.caller_silent_since >= self._options.message_silence
        return floor.now - self._since >= self._options.message_start
