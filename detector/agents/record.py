"""The record of one call: what was said, by whom, what it was taken for, and what was done.

Made from the engine's events alone, the same way live, in replay and in simulation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from detector.decision.verdict import Verdict
from detector.dialogue.acts import Act
from detector.events import (
    Event,
    Forward,
    HangUp,
    PromptState,
    Say,
    TakeMessage,
    TurnEnded,
    TurnTranscribed,
)
from detector.signals.evidence import Evidence

__all__ = ["AgentAct", "CallRecord", "Turn", "judged_to_json"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said, by either side; times in seconds after answer."""

    speaker: Literal["caller", "agent"]
    start: float
    end: float
    text: str = field(repr=False)


@dataclass(slots=True)
class AgentAct:
    act: Act
    start: float
    end: float
    text: str
    prompt_id: str


@dataclass
class CallRecord:
    """Filled by `receive` with every event, and by `prompt_state` with what became of the prompts."""

    turns: list[Turn] = field(default_factory=list)
    acts: list[AgentAct] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    verdict: Verdict | None = None
    """The decision once there is one, else the last judgement."""
    done: Forward | TakeMessage | HangUp | None = None
    """The last action that was carried out."""
    message_from: float | None = None
    """When the caller was asked for a message (seconds after answer)."""
    spoke_until: float = 0.0
    """When the caller's last turn ended, whether or not it was recognized (seconds after answer)."""

    def receive(self, event: Event) -> None:
        match event:
            case TurnEnded():
                self.spoke_until = event.end
            case TurnTranscribed():
                self.turns.append(Turn("caller", event.start, event.end, event.text))
            case Say():
                prompt = event.prompt
                end = event.arrived + prompt.seconds
                self.acts.append(AgentAct(prompt.act, event.arrived, end, prompt.text, prompt.id))
            case Evidence():
                self.evidence.append(event)
            case Verdict():
                if self.verdict is None or not self.verdict.is_final:
                    self.verdict = event
            case TakeMessage():
                self.done, self.message_from = event, event.arrived
            case Forward() | HangUp():
                self.done = event
            case _:
                pass

    def prompt_state(self, state: PromptState, prompt_id: str, now: float) -> None:
        """Note when a prompt really started and ended."""
        for act in self.acts:
            if act.prompt_id == prompt_id:
                if state == "started":
                    act.end += now - act.start
                    act.start = now
                else:
                    act.end = now

    @property
    def talk(self) -> list[Turn]:
        """Both sides in the order of time."""
        said = [Turn("agent", act.start, act.end, act.text) for act in self.acts]
        return sorted([*self.turns, *said], key=lambda turn: turn.start)

    def to_json(self) -> dict[str, Any]:
        """The keys that other programs read: label, action, unwanted, axes, decided_at, evidence, turns."""
        assert self.verdict is not None  # noqa: S101 - every call ends with a verdict
        return judged_to_json(self.verdict, self.evidence, self.talk)

    def acts_to_json(self) -> list[dict[str, Any]]:
        return [
            {"act": str(act.act), "start": round(act.start, 2), "end": round(act.end, 2), "text": act.text}
            for act in self.acts
        ]


def judged_to_json(
    verdict: Verdict | None, evidence: Iterable[Evidence], talk: Iterable[Turn]
) -> dict[str, Any]:
    """One shape for every judged call, whether it was just heard or is read from the store.

    Without a verdict (a call that was never judged) its keys are null.
    """
    return {
        **_verdict_to_json(verdict),
        "evidence": [
            {
                "source": item.source,
                "llr": round(item.llr, 3),
                "media_time": round(item.media_time, 2),
                "arrived": round(item.arrived, 2),
                "detail": item.detail,
            }
            for item in evidence
        ],
        "turns": [
            {
                "speaker": turn.speaker,
                "start": round(turn.start, 2),
                "end": round(turn.end, 2),
                "text": turn.text,
            }
            for turn in talk
        ],
    }


def _verdict_to_json(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return dict.fromkeys(("label", "action", "unwanted", "axes", "decided_at", "reason"))
    axes = verdict.axes
    return {
        "label": verdict.label,
        "action": verdict.action,
        "unwanted": round(verdict.unwanted, 4),
        "axes": {
            "playback": round(axes.playback, 4),
            "patter": round(axes.patter, 4),
            "unresponsive": round(axes.unresponsive, 4),
        },
        "decided_at": None if verdict.decided_at is None else round(verdict.decided_at, 2),
        "reason": verdict.reason,
    }
