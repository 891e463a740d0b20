"""A line on which the agent hears itself: what comes back is neither the caller's turn nor his fault."""

from dataclasses import replace

import numpy as np
import pytest

from detector.agents.virtual import VirtualDriver
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.call import CallInfo, Language
from detector.decision.fusion import FusionModel
from detector.dialogue.echoes import landmarks_of_prompts
from detector.dialogue.prompts import PromptLibrary
from detector.events import Event, HangUp, Say, TurnEnded
from detector.resources import fixtures_dir
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

CLIPS = fixtures_dir() / "demo" / "clips"


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    library = PromptLibrary.load()
    return ScreenerParts(
        Matcher(Lexicon.load()), FusionModel.load(), library, echoes=landmarks_of_prompts(library)
    )


def call(parts: ScreenerParts, *, level: float, late: float, caller: Samples | None = None) -> list[Event]:
    """Run 25 s of a call whose line gives back what the agent says, `level` dB softer and `late` seconds later."""
    wave = np.random.default_rng(3).normal(0, 8, 25 * SAMPLE_RATE)
    if caller is not None:
        wave[: len(caller)] += caller

    def recognize(_samples: Samples, _language: Language | None) -> Transcript:
        return Transcript("您好我找王老师", "zh", -0.3)

    screener = CallScreener(CallInfo("call", number="13811220457"), ScreenerOptions(languages=("zh",)), parts)
    driver = VirtualDriver(screener, recognize)
    events: list[Event] = []
    for start in range(0, len(wave), 160):
        piece = np.clip(np.rint(wave[start : start + 160]), -32768, 32767).astype(np.int16)
        for event in driver.feed(decode_alaw(encode_alaw(piece))):
            events.append(event)
            if isinstance(event, Say):
                prompt, begins = event.prompt, event.arrived
                screener.receive_prompt_state("started", prompt.id, begins)
                screener.receive_prompt_state("ended", prompt.id, begins + prompt.seconds)
                spoken = 10 ** (level / 20) * read_clip(prompt.path)
                at = round((begins + late) * SAMPLE_RATE)
                wave[at : at + len(spoken)] += spoken[: max(0, len(wave) - at)]
    return events


def turns(events: list[Event]) -> list[TurnEnded]:
    return [event for event in events if isinstance(event, TurnEnded)]


@pytest.mark.parametrize("level", [-10, -20, -30])
@pytest.mark.parametrize("late", [0.05, 0.15, 0.3])
def test_a_silent_caller_says_nothing_however_the_line_echoes(
    parts: ScreenerParts, level: float, late: float
) -> None:
    events = call(parts, level=level, late=late)
    assert sum(isinstance(event, Say) for event in events) >= 2
    assert turns(events) == []
    assert not any(isinstance(event, HangUp) for event in events)


def test_without_knowing_its_own_voice_the_agent_answers_itself(parts: ScreenerParts) -> None:
    assert turns(call(replace(parts, echoes={}), level=-20, late=0.15))


def test_a_caller_is_heard_on_a_line_that_echoes(parts: ScreenerParts) -> None:
    clip = read_clip(min(CLIPS.glob("*.wav")))
    caller = np.concatenate([np.zeros(5 * SAMPLE_RATE, np.int16), clip])[: 20 * SAMPLE_RATE]
    clean, echoing = (turns(call(parts, level=level, late=0.2, caller=caller)) for level in (-120, -25))
    assert clean
    assert [turn.start for turn in echoing] == pytest.approx([turn.start for turn in clean], abs=0.3)
