"""With the option on, an undecided caller is asked for a key; without it, keys change nothing."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from detector.agents.virtual import VirtualDriver
from detector.audio.dtmf import COLUMNS, ROWS
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.call import CallInfo, Language
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.decision.thresholds import Thresholds
from detector.dialogue.acts import Act
from detector.dialogue.planner import PlannerOptions
from detector.dialogue.prompts import PromptLibrary
from detector.events import Event, Say
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.signals.evidence import Evidence
from detector.speech.transcript import Transcript
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

MakeOptions = Callable[..., ScreenerOptions]
KEYPAD = ("123", "456", "789", "*0#")


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    return ScreenerParts(Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load())


@pytest.fixture(scope="module")
def options(undecided: Thresholds) -> MakeOptions:
    policy = PolicyOptions(deadline=90.0, thresholds=undecided)
    return lambda press_key=True, seed=3: ScreenerOptions(
        languages=("zh",), policy=policy, planner=PlannerOptions(press_key=press_key), seed=seed
    )


def sells(_samples: Samples, _language: Language | None) -> Transcript:
    return Transcript("无抵押无担保当天就能放款", "zh", -0.3)


def hum(seconds: float) -> Samples:
    return np.asarray(np.rint(np.random.default_rng(2).normal(0, 6, int(seconds * SAMPLE_RATE))), np.int16)


def tone(key: str) -> Samples:
    """150 ms of a key as it sounds on the line, and a pause."""
    row = next(index for index, keys in enumerate(KEYPAD) if key in keys)
    times = np.arange(int(0.15 * SAMPLE_RATE)) / SAMPLE_RATE
    wave = sum(np.sin(2 * np.pi * pitch * times) for pitch in (ROWS[row], COLUMNS[KEYPAD[row].index(key)]))
    return np.concatenate([np.asarray(np.rint(3000 * wave), np.int16), hum(0.15)])


class Caller:
    """Offers a loan after everything that he is asked, until he is asked for a key."""

    def __init__(self, parts: ScreenerParts, chosen: ScreenerOptions) -> None:
        self.screener = CallScreener(CallInfo("call", number="13811220457"), chosen, parts)
        self._driver = VirtualDriver(self.screener, sells)
        self.events: list[Event] = []
        speech = read_clip(parts.prompts.for_act(Act.TAKE_MESSAGE, "zh")[0].path)
        said = 0
        while self.screener.now < 80 and not self.asked_for:
            self.hear(hum(0.5))
            if len(self._spoken()) > said:
                said = len(self._spoken())
                self.hear(hum(self._spoken()[-1].prompt.seconds))
                if not self.asked_for:
                    self.hear(speech)

    def hear(self, audio: Samples) -> None:
        for start in range(0, len(audio), 160):
            self._take(self._driver.feed(audio[start : start + 160]))

    def press(self, key: str) -> None:
        self.screener.receive_dtmf(key, self.screener.now)

    def _take(self, events: Iterable[Event]) -> None:
        for event in events:
            self.events.append(event)
            if isinstance(event, Say):
                prompt, begins = event.prompt, event.arrived
                self.screener.receive_prompt_state("started", prompt.id, begins)
                self.screener.receive_prompt_state("ended", prompt.id, begins + prompt.seconds)

    def _spoken(self) -> list[Say]:
        return [event for event in self.events if isinstance(event, Say)]

    @property
    def acts(self) -> list[Act]:
        return [event.prompt.act for event in self._spoken()]

    @property
    def asked_for(self) -> str | None:
        return next((event.prompt.key for event in self._spoken() if event.prompt.key), None)

    @property
    def evidence(self) -> list[tuple[str, float]]:
        return [(event.source, event.llr) for event in self.events if isinstance(event, Evidence)]

    @property
    def found(self) -> list[float]:
        return [llr for source, llr in self.evidence if source == "responsive.key"]


@pytest.fixture
def caller(parts: ScreenerParts, options: MakeOptions) -> Caller:
    return Caller(parts, options())


def test_a_key_is_asked_for_instead_of_the_weekday(
    parts: ScreenerParts, caller: Caller, options: MakeOptions
) -> None:
    assert caller.acts[-2:] == [Act.ASK_CALLEE, Act.PRESS_KEY]
    assert Act.CHALLENGE not in caller.acts
    without = Caller(parts, options(press_key=False))
    assert Act.CHALLENGE in without.acts
    assert Act.PRESS_KEY not in without.acts


@pytest.mark.parametrize(("seed", "key"), [(0, "1"), (3, "4"), (8, "9"), (9, "1"), (2**64 - 1, "7")])
def test_the_seed_chooses_the_key_and_nothing_else_does(
    parts: ScreenerParts, options: MakeOptions, seed: int, key: str
) -> None:
    assert Caller(parts, options(seed=seed)).asked_for == key


def test_the_right_key_is_evidence_for_a_person(caller: Caller) -> None:
    assert caller.asked_for == "4"
    caller.press("4")
    caller.hear(hum(1))
    assert caller.found == [-1.5]


def test_a_key_is_heard_as_a_tone_as_well(caller: Caller) -> None:
    caller.hear(tone("4"))
    caller.hear(hum(1))
    assert caller.found == [-1.5]


def test_a_key_that_comes_as_message_and_as_tone_is_one_press(caller: Caller) -> None:
    caller.press("4")
    caller.hear(tone("4"))
    caller.hear(hum(12))
    assert caller.found == [-1.5]


def test_no_key_is_noticed_once_and_the_call_goes_on(caller: Caller) -> None:
    caller.hear(hum(14))
    assert caller.found == [0.2]
    assert not caller.screener.has_ended


def test_whatever_the_line_claims_to_have_been_pressed_harms_nobody(caller: Caller) -> None:
    for junk in ("", "44", "四", "\x00", "x" * 10_000):
        caller.press(junk)
    caller.hear(hum(1))
    assert caller.found == []
    caller.press("4")
    caller.hear(hum(1))
    assert caller.found == [-1.5]


def test_without_the_option_keys_change_nothing(parts: ScreenerParts, options: MakeOptions) -> None:
    quiet, busy = (Caller(parts, options(press_key=False)) for _ in range(2))
    for key in "123456789*0#":
        busy.press(key)
    for each in (quiet, busy):
        each.hear(hum(10))
    assert busy.acts == quiet.acts
    assert busy.evidence == quiet.evidence
    assert busy.screener.verdict.action == quiet.screener.verdict.action
