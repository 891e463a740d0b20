"""Another assistant on the line is asked nothing: it is told to leave a message, and the call ends."""

from collections import deque
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from detector.agents.clips import altered
from detector.agents.record import CallRecord
from detector.agents.virtual import VirtualDriver
from detector.audio.files import read_clip
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from detector.call import CallInfo, Language
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.dialogue.acts import Act
from detector.dialogue.echoes import landmarks_of_prompts
from detector.dialogue.prompts import Prompt, PromptLibrary
from detector.events import Forward, HangUp, Say, StopSpeaking, TakeMessage, TurnEnded
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript
from detector.text.intent import IntentModel
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

LANGUAGES: tuple[Language, ...] = ("zh", "en")
LATENCY = 0.4
"""Seconds of recognition."""


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    library = PromptLibrary.load()
    return ScreenerParts(
        Matcher(Lexicon.load()),
        FusionModel.load(),
        library,
        intent=IntentModel.load(),
        echoes=landmarks_of_prompts(library),
    )


class Agent:
    """One assistant: an engine, what it says, and what it did."""

    def __init__(self, parts: ScreenerParts, options: ScreenerOptions, language: Language) -> None:
        options = replace(options, languages=(language, *(each for each in LANGUAGES if each != language)))
        self.screener = CallScreener(CallInfo("call"), options, parts)
        self.record = CallRecord()
        self.other: Agent
        self.lag = 0.0
        """Seconds that the other one's voice takes to come here."""
        self.spoken: list[tuple[float, float, Prompt]] = []
        """Start, end and wording of what it said."""
        self._voice: deque[int] = deque()
        self._driver = VirtualDriver(self.screener, self._recognize, lambda _seconds, _transcript: LATENCY)
        self._turn: TurnEnded | None = None

    def speak(self) -> Samples:
        """The next 20 ms of its voice; reports the end of a prompt."""
        was_speaking = bool(self._voice)
        piece = [self._voice.popleft() for _ in range(min(BLOCK_SAMPLES, len(self._voice)))]
        if was_speaking and not self._voice:
            self._report_end("ended")
        return np.asarray(piece + [0] * (BLOCK_SAMPLES - len(piece)), np.int16)

    def hear(self, samples: Samples) -> None:
        for event in self._driver.feed(samples):
            self.record.receive(event)
            if isinstance(event, TurnEnded):
                self._turn = event
            elif isinstance(event, Say):
                now, prompt = self.screener.now, event.prompt
                self._voice = deque(read_clip(prompt.path).tolist())
                self.spoken.append((now, now + prompt.seconds, prompt))
                self.screener.receive_prompt_state("started", prompt.id, now)
            elif isinstance(event, StopSpeaking):
                self._voice.clear()
                self._report_end("cut")

    def _report_end(self, state: str) -> None:
        start, _, prompt = self.spoken[-1]
        self.spoken[-1] = (start, self.screener.now, prompt)
        self.screener.receive_prompt_state(state, prompt.id, self.screener.now)  # type: ignore[arg-type]

    def _recognize(self, _samples: Samples, _language: Language | None) -> Transcript:
        """Understand what the other one said during the turn."""
        turn = self._turn
        assert turn is not None
        heard = [
            prompt
            for start, end, prompt in self.other.spoken
            if min(end + self.lag, turn.end) - max(start + self.lag, turn.start) > 0.3
        ]
        text = " ".join(prompt.text for prompt in heard)
        return Transcript(text, heard[0].language if heard else "zh", -0.3)


def call(
    parts: ScreenerParts,
    languages: tuple[Language, Language],
    *,
    lag: float = 0.0,
    longest: float = 60.0,
    options: ScreenerOptions | None = None,
) -> tuple[Agent, Agent]:
    """Let two assistants talk; the second one answers `lag` seconds later."""
    agents = first, second = (
        Agent(parts, options or ScreenerOptions(), languages[0]),
        Agent(parts, options or ScreenerOptions(), languages[1]),
    )
    first.other, second.other, second.lag = second, first, lag
    noise = np.random.default_rng(5)
    late = round(lag * SAMPLE_RATE / BLOCK_SAMPLES)
    line: deque[Samples] = deque(np.zeros(BLOCK_SAMPLES, np.int16) for _ in range(late))
    for _ in range(round(longest * SAMPLE_RATE / BLOCK_SAMPLES)):
        hum = noise.normal(0, 6, BLOCK_SAMPLES).astype(np.int16)
        line.append(first.speak())
        to_first, to_second = second.speak() + hum, line.popleft() + hum
        first.hear(to_first)
        second.hear(to_second)
        if any(isinstance(agent.record.done, HangUp | Forward) for agent in agents):
            break
    return first, second


def acts(agent: Agent) -> list[Act]:
    return [act.act for act in agent.record.acts]


@pytest.mark.parametrize("languages", [("zh", "zh"), ("en", "en"), ("zh", "en")], ids="-".join)
@pytest.mark.parametrize("lag", [0.0, 0.2, 2.0])
def test_two_of_our_own_ask_each_other_nothing_and_part_within_half_a_minute(
    parts: ScreenerParts, languages: tuple[Language, Language], lag: float
) -> None:
    # Heard at once, the same words in the same voice would count as an echo: the last test has that.
    known = parts if lag > 1.5 else replace(parts, echoes={})
    pair = call(known, languages, lag=lag)
    for agent in pair:
        assert acts(agent) in (
            [Act.GREETING, Act.TAKE_MESSAGE],
            [Act.GREETING, Act.TAKE_MESSAGE, Act.MESSAGE_TAKEN],
        )
        assert agent.record.verdict is not None
        assert (agent.record.verdict.action, agent.record.verdict.label) == ("take_message", "unsure")
        assert isinstance(agent.record.done, TakeMessage | HangUp)
    assert any(isinstance(agent.record.done, HangUp) for agent in pair), "one of them ends it"
    assert max(agent.screener.now for agent in pair) <= 30.0


@pytest.mark.parametrize("unsure", ["forward", "take_message"])
def test_the_household_is_not_rung_for_a_machine_whatever_unsure_says(
    parts: ScreenerParts, unsure: Literal["forward", "take_message"]
) -> None:
    options = ScreenerOptions(policy=PolicyOptions(unsure=unsure))
    for agent in call(replace(parts, echoes={}), ("zh", "zh"), options=options):
        assert Act.CONNECTING not in acts(agent)
        assert not isinstance(agent.record.done, Forward)


def test_two_that_say_the_same_in_the_same_instant_part_at_the_deadline(parts: ScreenerParts) -> None:
    """Each takes the other for its own echo, as if nobody had said a word."""
    pair = call(parts, ("zh", "zh"), lag=0.2)
    assert all(agent.record.turns == [] for agent in pair)
    assert max(agent.screener.now for agent in pair) <= PolicyOptions().deadline + 4.0


PACES = (1.0, 0.93, 1.07, 0.9, 1.1, 0.96, 1.04, 0.87)
"""Nobody says anything twice alike, but a recording."""


class Voice:
    """A caller of whom every turn is understood as the next of these texts, the last one again and again."""

    def __init__(self, parts: ScreenerParts, *texts: str) -> None:
        self._texts = deque(texts)
        self.screener = CallScreener(CallInfo("call", number="13811220457"), ScreenerOptions(), parts)
        self.record = CallRecord()
        driver = VirtualDriver(self.screener, self._recognize, lambda _seconds, _transcript: LATENCY)
        speech = read_clip(parts.prompts.for_act(Act.ASK_REPEAT, "zh")[0].path)
        quiet = np.zeros(int(2.5 * SAMPLE_RATE), np.int16)
        pieces = [piece for pace in PACES for piece in (altered(speech, pace), quiet)]
        audio = np.concatenate([quiet, quiet, *pieces])
        for start in range(0, len(audio), BLOCK_SAMPLES):
            for event in driver.feed(audio[start : start + BLOCK_SAMPLES]):
                self.record.receive(event)
                if isinstance(event, Say):
                    prompt, begins = event.prompt, event.arrived
                    self.screener.receive_prompt_state("started", prompt.id, begins)
                    self.screener.receive_prompt_state("ended", prompt.id, begins + prompt.seconds)
            if self.screener.has_ended:
                break

    def _recognize(self, _samples: Samples, _language: Language | None) -> Transcript:
        text = self._texts.popleft() if len(self._texts) > 1 else self._texts[0]
        return Transcript(text, "en" if text.isascii() else "zh", -0.3)


@pytest.mark.parametrize(
    "text",
    [
        "您拨打的用户暂时无法接听，请稍后再拨。",
        "您好，我是机主的语音助理，请问您有什么事？",
        "The person you are calling is not available, please leave a message after the tone.",
    ],
)
def test_an_assistant_is_asked_for_a_message_at_once_and_for_nothing_else(
    parts: ScreenerParts, text: str
) -> None:
    voice = Voice(parts, text)
    said = [act.act for act in voice.record.acts]
    assert said[:2] == [Act.GREETING, Act.TAKE_MESSAGE]
    assert not any(act.examines or act is Act.REFUSE for act in said)
    assert voice.record.message_from is not None


@pytest.mark.parametrize(
    "texts",
    [
        ("你是语音助理吗？我找王老师。", "我姓李，是他同事。", "就是问一下明天开会的事。"),
        ("机器人啊？我是送快递的，包裹放门口了。", "中通的，找王先生。"),
        ("Is this a voice assistant? I'm looking for Mr. Wang.", "It's his neighbour.", "About his car."),
    ],
)
def test_a_person_who_wonders_at_the_assistant_is_put_through(
    parts: ScreenerParts, texts: tuple[str, ...]
) -> None:
    voice = Voice(parts, *texts)
    assert isinstance(voice.record.done, Forward)
