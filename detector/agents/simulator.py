"""The simulator: a scenario's caller against the agent, in process, on the virtual clock.

Everything random comes from the seed and the scenario, and recognition takes as long as a model of it says, so that a
seed gives the same result on any machine. Only what a real call would show reaches the engine: number, display name,
audio, time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from detector.agents.channel import Channel, derived_seed
from detector.agents.clips import Clips
from detector.agents.record import CallRecord
from detector.agents.scenario import Scenario
from detector.agents.scenario_caller import ScenarioCaller
from detector.agents.virtual import Latency, Recognize, VirtualDriver
from detector.audio.frames import BLOCK_SAMPLES
from detector.dialogue.prompts import Prompt
from detector.events import Event, PromptState, Say, StopSpeaking
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts

__all__ = ["LONGEST_CALL", "Conversation", "Simulator"]

LONGEST_CALL = 180.0
"""Seconds after which a simulated call is over, whatever the two sides do."""


@dataclass(frozen=True, slots=True)
class Simulator:
    """Plays scenarios, one after the other."""

    parts: ScreenerParts
    options: ScreenerOptions
    recognize: Recognize
    latency: Latency
    clips: Clips
    snr: float = 30.0
    """dB of the caller's speech over the background noise of his scenario."""
    loss: float = 0.0
    """Share of packets lost."""
    seed: int = 0
    jitter: float = 0.0
    """Seconds that a packet is delayed on average."""

    def run(self, scenario: Scenario) -> CallRecord:
        """Play one call. Raises ScenarioError where a clip is missing."""
        options = replace(self.options, seed=derived_seed(self.seed, scenario.id, "agent"))
        screener = CallScreener(scenario.call, options, self.parts)
        caller = ScenarioCaller(scenario, self.clips, self.seed)
        channel = Channel(
            scenario.noise,
            snr=self.snr,
            loss=self.loss,
            jitter=self.jitter,
            seed=self.seed,
            name=scenario.id,
            dead_air=scenario.connect_silence,
        )
        return Conversation(
            screener, VirtualDriver(screener, self.recognize, self.latency), caller, channel
        ).play()


class Conversation:
    """One call on its way: who speaks, what the engine is told of it, and what it does."""

    def __init__(
        self, screener: CallScreener, driver: VirtualDriver, caller: ScenarioCaller, channel: Channel
    ) -> None:
        self._screener = screener
        self._driver = driver
        self._caller = caller
        self._channel = channel
        self._record = CallRecord()
        self._playing: tuple[Prompt, float] | None = None

    def play(self) -> CallRecord:
        while not self._screener.has_ended and self._driver.now < LONGEST_CALL:
            if self._caller.hung_up:
                break
            self._finish_prompt()
            self._take(self._driver.feed(self._channel.apply(self._caller.samples(BLOCK_SAMPLES))))
        self._take(self._driver.hang_up())
        return self._record

    def _take(self, events: Iterator[Event]) -> None:
        for event in events:
            self._record.receive(event)
            if isinstance(event, Say):
                self._stop_prompt()
                self._playing = (event.prompt, event.arrived + event.prompt.seconds)
                self._report("started", event.prompt)
            elif isinstance(event, StopSpeaking):
                self._stop_prompt()

    def _stop_prompt(self) -> None:
        if self._playing is not None:
            prompt, self._playing = self._playing[0], None
            self._report("cut", prompt)

    def _finish_prompt(self) -> None:
        if self._playing is not None and self._driver.now >= self._playing[1] - 1e-9:
            prompt, self._playing = self._playing[0], None
            self._report("ended", prompt)
            # As on a telephone line: what the agent does next does not wait for more audio.
            self._take(self._driver.events())

    def _report(self, state: PromptState, prompt: Prompt) -> None:
        now = self._driver.now
        self._record.prompt_state(state, prompt.id, now)
        self._screener.receive_prompt_state(state, prompt.id, now)
        self._caller.receive_act(prompt.act, "started" if state == "started" else "ended", now)
