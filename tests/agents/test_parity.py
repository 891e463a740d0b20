"""The same call live, replayed and simulated, with the same recognition latency, comes to the same verdict.

Recognition here makes its words from every sample of a turn, so that a difference of one sample shows.
"""

import hashlib
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.agents.channel import Channel
from detector.agents.clips import Clips
from detector.agents.record import CallRecord
from detector.agents.recording import Recording
from detector.agents.replay import Replay
from detector.agents.scenario import Scenario, load_scenarios
from detector.agents.scenario_caller import ScenarioCaller
from detector.agents.session import LiveSession
from detector.agents.simulator import Simulator
from detector.agents.virtual import no_latency
from detector.audio.files import AudioFile
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from detector.call import CallInfo, Language
from detector.clock import VirtualClock
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.decision.thresholds import Thresholds
from detector.dialogue.acts import Act
from detector.dialogue.planner import PlannerOptions
from detector.dialogue.prompts import Prompt, PromptLibrary
from detector.events import PromptState
from detector.resources import fixtures_dir
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript
from detector.text.intent import IntentModel
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

DEMO = fixtures_dir() / "demo"
ANSWERED = 1000.0
WORDS = (
    "您好您的信用额度已经提升到二十万元",
    "无抵押无担保当天就能放款月息低至三厘",
    "喂你好我找一下王先生",
    "我们公司最近有一个活动",
    "您的快递到了放在门口可以吗",
    "",
)


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    return ScreenerParts(
        Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load(), IntentModel.load()
    )


def hears(samples: Samples, language: Language | None) -> Transcript:
    return Transcript(
        WORDS[hashlib.sha256(samples.tobytes()).digest()[0] % len(WORDS)], language or "zh", -0.3
    )


def sells(_samples: Samples, _language: Language | None) -> Transcript:
    return Transcript("无抵押无担保当天就能放款", "zh", -0.3)


class Timer:
    def cancel(self) -> None:
        pass


class Live:
    """A live session on a virtual clock: its line, its scheduler and one recognition thread that takes its time."""

    def __init__(
        self, screener: CallScreener, latency: float, on_prompt: Callable[[Prompt, PromptState], None]
    ) -> None:
        self.clock = VirtualClock(ANSWERED)
        self.record = CallRecord()
        self.is_over = False
        self._latency = latency
        self._on_prompt = on_prompt
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._busy_until = 0.0
        self._playing: tuple[Prompt, float] | None = None
        self._reports: list[tuple[PromptState, Prompt]] = []
        self._position = 0
        self.session = LiveSession(
            screener,
            self,
            self,
            self.clock,
            self,
            on_event=self.record.receive,
            on_prompt=self.record.prompt_state,
        )

    # The line.

    def play(self, prompt: Prompt) -> None:
        self._playing = (prompt, self.clock.now() + prompt.seconds)
        self._reports.append(("started", prompt))

    def stop_playing(self) -> None:
        if self._playing is not None:
            self._reports.append(("cut", self._playing[0]))
            self._playing = None

    def forward(self) -> None:
        self.is_over = True

    def hang_up(self) -> None:
        self.is_over = True

    # The scheduler and recognition.

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        self._at(self.clock.now() + delay, callback)
        return Timer()

    def call_soon_threadsafe(self, callback: Callable[[], None]) -> object:
        callback()
        return None

    @property
    def is_idle(self) -> bool:
        return False

    def submit(self, samples: Samples, language: Language | None) -> Future[Transcript]:
        future: Future[Transcript] = Future()
        self._busy_until = max(self.clock.now(), self._busy_until) + self._latency
        self._at(self._busy_until, lambda: future.set_result(hears(samples, language)))
        return future

    def _at(self, when: float, callback: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._order), callback))

    # Time.

    def hear(self, samples: Samples) -> None:
        """The next 20 ms arrive when they are over; what was due before comes first."""
        after = ANSWERED + (self._position + len(samples)) / SAMPLE_RATE
        while self._due and self._due[0][0] < after - 1e-9:
            when, _, callback = heapq.heappop(self._due)
            self.clock.advance_to(when)
            callback()
            self._report()
        self.clock.advance_to(after)
        self.session.audio(samples, self._position)
        self._position += len(samples)
        self._report()

    def end_prompt(self) -> None:
        if self._playing is not None and self.clock.now() >= self._playing[1] - 1e-9:
            prompt, self._playing = self._playing[0], None
            self._reports.append(("ended", prompt))
            self._report()

    def hang_up_caller(self) -> None:
        self.session.ended()
        while self._due:
            when, _, callback = heapq.heappop(self._due)
            self.clock.advance_to(when)
            callback()

    def _report(self) -> None:
        while self._reports:
            state, prompt = self._reports.pop(0)
            self._on_prompt(prompt, state)
            self.session.prompt_state(state, prompt.id)


@pytest.fixture(scope="module")
def demo() -> dict[str, Scenario]:
    return {scenario.id: scenario for scenario in load_scenarios(DEMO / "scenarios.jsonl").scenarios}


def line_of(scenario: Scenario) -> Channel:
    return Channel(scenario.noise, name=scenario.id, dead_air=scenario.connect_silence)


def judgement(record: CallRecord) -> dict[str, object]:
    return record.to_json()


@pytest.mark.parametrize("latency", [0.0, 0.4, 1.3])
@pytest.mark.parametrize("name", ["demo-loan-recording", "demo-courier", "demo-stock-tts-bot"])
def test_live_and_simulated_calls_are_judged_alike(
    parts: ScreenerParts, demo: dict[str, Scenario], name: str, latency: float
) -> None:
    scenario, clips, options = demo[name], Clips(DEMO / "clips"), ScreenerOptions()
    simulated = Simulator(parts, options, hears, lambda _seconds, _transcript: latency, clips).run(scenario)

    caller, channel = ScenarioCaller(scenario, clips, 0), line_of(scenario)

    def told(prompt: Prompt, state: PromptState) -> None:
        caller.receive_act(
            prompt.act, "started" if state == "started" else "ended", round(live.session.now, 6)
        )

    live = Live(CallScreener(scenario.call, options, parts), latency, told)
    live.session.start()
    while not live.is_over and live.session.now < 180 and not caller.hung_up:
        live.end_prompt()
        live.hear(channel.apply(caller.samples(BLOCK_SAMPLES)))
    live.hang_up_caller()
    assert len(simulated.turns) > 1
    assert judgement(live.record) == judgement(simulated)
    assert live.record.acts_to_json() == simulated.acts_to_json()


def test_simulated_callers_are_asked_for_a_key_that_only_the_seed_tells_and_press_none(
    parts: ScreenerParts, demo: dict[str, Scenario], undecided: Thresholds
) -> None:
    policy = PolicyOptions(deadline=90.0, thresholds=replace(undecided, plain_notice=99.0))
    options = ScreenerOptions(policy=policy, planner=PlannerOptions(press_key=True))
    simulator = Simulator(parts, options, sells, no_latency, Clips(DEMO / "clips"))
    scenario, keys, found = demo["demo-stock-tts-bot"], [], []
    for seed in (0, 0, 1, 2):
        record = replace(simulator, seed=seed).run(scenario)
        keys += [act.prompt_id for act in record.acts if act.act is Act.PRESS_KEY]
        found.append([item.llr for item in record.evidence if item.source == "responsive.key"])
    assert [0.2] in found
    assert all(each in ([0.2], []) for each in found), "some calls end before it is clear that no key comes"
    assert len(keys) == 4
    assert keys[0] == keys[1]
    assert len(set(keys)) > 1


@pytest.mark.parametrize("latency", [0.0, 0.7])
def test_a_recording_is_judged_as_it_would_have_been_live(
    parts: ScreenerParts, demo: dict[str, Scenario], tmp_path: Path, latency: float
) -> None:
    scenario, path = demo["demo-loan-recording"], tmp_path / "call.wav"
    caller, channel = (
        ScenarioCaller(scenario, Clips(DEMO / "clips"), 0),
        line_of(scenario),
    )
    audio = np.concatenate([channel.apply(caller.samples(BLOCK_SAMPLES)) for _ in range(25 * 50)])
    soundfile.write(path, audio, SAMPLE_RATE, subtype="PCM_16")
    options = ScreenerOptions(interactive=False, policy=PolicyOptions(can_ask=False, deadline=45.0))
    replayed = Replay(parts, options, hears, lambda _seconds, _transcript: latency).screen(path).record

    live = Live(CallScreener(CallInfo("call.wav"), options, parts), latency, lambda _prompt, _state: None)
    live.session.start()
    with AudioFile(path) as file:
        for piece in Recording(file, None, 45.0).pieces():
            for start in range(0, len(piece.samples), BLOCK_SAMPLES):
                live.hear(piece.samples[start : start + BLOCK_SAMPLES])
    live.hang_up_caller()
    assert replayed.turns
    first = {key: value for key, value in judgement(replayed).items() if key not in {"evidence", "turns"}}
    assert first == {key: value for key, value in judgement(live.record).items() if key in first}
