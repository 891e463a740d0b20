"""What a call costs beside recognition: voice activity, tones, fingerprints, evidence, decision; and its SIP worker.

The engine is measured twice, with a recognizer that answers at once and one 20 ms frame at a time as in a live session:
on a caller who talks all the time and is only listened to, and on conversations of the simulator's callers with an
agent who asks and never decides. The SIP worker is measured on real calls over loopback by `detector.sip.bench`.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from detector.agents.channel import Channel
from detector.agents.clips import Clips
from detector.agents.scenario import Scenario
from detector.agents.scenario_caller import ScenarioCaller
from detector.agents.virtual import VirtualDriver
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from detector.bench.call_audio import build_call
from detector.call import CallInfo, Language
from detector.decision.policy import PolicyOptions
from detector.events import Say
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript

__all__ = ["Conversation", "OverheadReport", "measure_overhead", "run_engine"]

WORDS = "您好我这边是做贷款的您最近需要资金周转吗"
"""What the recognizer that costs nothing hears: enough for the matcher to work on."""


@dataclass(frozen=True, slots=True)
class OverheadReport:
    """Shares of one core for one call."""

    engine: float
    """Of a caller who talks all the time."""
    conversation: float
    """Of the engine in conversations."""
    talking: float
    """Share of the conversations in which the caller spoke."""
    sip: str
    """The SIP worker's own report."""
    seconds: float
    """Of caller audio."""

    def as_json(self) -> dict[str, Any]:
        return {
            "engine": round(self.engine, 4),
            "conversation": round(self.conversation, 4),
            "talking": round(self.talking, 3),
            "sip": self.sip,
            "seconds": self.seconds,
        }

    def lines(self) -> Iterator[str]:
        yield f"beside recognition: the engine takes {100 * self.engine:.2f} % of a core for a talking caller"
        yield f"  ({self.seconds:.0f} s of audio, frame by frame), {100 * self.conversation:.2f} % in conversations"
        yield f"  in which the caller talks {100 * self.talking:.0f} % of the time; the SIP worker: {self.sip}"


def measure_overhead(
    scenarios: Sequence[Scenario], clips: Clips, parts: ScreenerParts, seconds: float = 60.0
) -> OverheadReport:
    """Run the engine over a call of the first scenario and over conversations of all, and a SIP worker.

    `seconds` of the call; a conversation lasts half as long, for then callers wait in vain for another question.
    """
    audio = build_call(scenarios[0], clips, seconds)
    run_engine(audio[: 5 * SAMPLE_RATE], parts)  # loads what is loaded once
    start = time.process_time()
    run_engine(audio, parts)
    engine = (time.process_time() - start) / seconds
    talks = [Conversation(scenario, clips, parts) for scenario in scenarios]
    for talk in talks:
        talk.run(seconds / 2)
    heard = sum(talk.seconds for talk in talks)
    spoken = sum(talk.spoken for talk in talks)
    cpu = sum(talk.cpu for talk in talks)
    return OverheadReport(engine, cpu / heard, spoken / heard, _sip_worker(), seconds)


def run_engine(audio: Samples, parts: ScreenerParts) -> None:
    """One call that never decides, so that all of it is heard."""
    options = replace(_undecided(parts), interactive=False, listen_on=True)
    driver = VirtualDriver(CallScreener(CallInfo("bench"), options, parts), _recognize)
    for start in range(0, len(audio), BLOCK_SAMPLES):
        for _ in driver.feed(audio[start : start + BLOCK_SAMPLES]):
            pass


class Conversation:
    """A simulated call in which nobody decides; `cpu` is what its engine took, without caller and line."""

    def __init__(self, scenario: Scenario, clips: Clips, parts: ScreenerParts) -> None:
        """Raises ScenarioError where a clip is missing."""
        self.cpu = 0.0
        """Seconds of processor time."""
        self._screener = CallScreener(scenario.call, _undecided(parts), parts)
        self._driver = VirtualDriver(self._screener, _recognize)
        self._caller = ScenarioCaller(scenario, clips)
        self._channel = Channel(scenario.noise, snr=20.0, name=scenario.id, dead_air=scenario.connect_silence)
        self._playing: Say | None = None
        self._ends = 0.0

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self._driver.now

    @property
    def spoken(self) -> float:
        """Seconds in which the caller spoke."""
        return sum(max(0.0, min(said.end, self.seconds) - said.start) for said in self._caller.said)

    def run(self, longest: float) -> None:
        """Talk until the caller leaves or `longest` seconds are over."""
        while self.seconds < longest and not self._caller.hung_up:
            if self._playing is not None and self.seconds >= self._ends:
                self._report(self._playing, "ended")
                self._playing = None
            samples = self._channel.apply(self._caller.samples(BLOCK_SAMPLES))
            start = time.process_time()
            events = list(self._driver.feed(samples))
            self.cpu += time.process_time() - start
            for event in events:
                if isinstance(event, Say):
                    self._playing, self._ends = event, self.seconds + event.prompt.seconds
                    self._report(event, "started")

    def _report(self, said: Say, state: Literal["started", "ended"]) -> None:
        self._screener.receive_prompt_state(state, said.prompt.id, self.seconds)
        self._caller.receive_act(said.prompt.act, state, self.seconds)


def _undecided(parts: ScreenerParts) -> ScreenerOptions:
    never = replace(parts.fusion.thresholds, hang_up_at=1e9, forward_at=(-1e9,))
    return ScreenerOptions(policy=PolicyOptions(deadline=1e9, thresholds=never))


def _recognize(_samples: Samples, _language: Language | None) -> Transcript:
    return Transcript(WORDS, "zh", -0.3)


def _sip_worker() -> str:
    command = [sys.executable, "-m", "detector.sip.bench", "--calls", "4", "--seconds", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=Path.cwd())  # noqa: S603 - our own module
    lines = done.stdout.strip().splitlines()
    return "; ".join(lines) if done.returncode == 0 and lines else "not measured (it could not be run)"
