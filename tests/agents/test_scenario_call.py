"""A test caller tells his call in the order of time, to the last sentence of the agent."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import numpy as np
import pytest

from detector.agents.clips import Clips
from detector.agents.prompt_spotter import PromptSpotter
from detector.agents.scenario import load_scenarios
from detector.agents.scenario_call import CallOutcome, TestCall
from detector.agents.scenario_caller import ScenarioCaller
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Frame, Samples
from detector.dialogue.acts import Act
from detector.dialogue.prompts import Prompt, PromptLibrary
from detector.resources import fixtures_dir
from detector.sip.protocol import CallEnded, ReferReceived

LIBRARY = PromptLibrary.load()
DEMO = fixtures_dir() / "demo"
FRAME = 160
ENDED = CallEnded(1, 200, "OK", "remote")


class Line:
    """An answered call on which the agent says `audio`, refers the caller once, and hangs up after the last frame."""

    def __init__(self, audio: Samples, referred_at: float | None = None) -> None:
        self._audio = audio
        self._referred_at = referred_at
        self._events: asyncio.Queue[ReferReceived | CallEnded] = asyncio.Queue()
        self.answered = None

    async def wait_answered(self) -> None:
        pass

    async def send(self, samples: Samples) -> None:
        await asyncio.sleep(0)

    async def frames(self) -> AsyncIterator[Frame]:
        for at in range(0, len(self._audio) - FRAME, FRAME):
            if self._referred_at is not None and at / SAMPLE_RATE >= self._referred_at:
                self._referred_at = None
                self._events.put_nowait(ReferReceived(1, "sip:home@127.0.0.1", 2))
                await asyncio.sleep(0.01)
            yield Frame(self._audio[at : at + FRAME], at / SAMPLE_RATE)
        self._events.put_nowait(ENDED)

    async def events(self) -> AsyncIterator[ReferReceived | CallEnded]:
        while True:
            event = await self._events.get()
            yield event
            if event is ENDED:
                return

    def transferred(self, _event: ReferReceived) -> "Line":
        return self


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE), np.int16)


def prompt(act: Act) -> Prompt:
    return next(each for each in LIBRARY.prompts if each.act is act and each.language == "zh")


def play(line: Line, caller: ScenarioCaller | Samples) -> tuple[CallOutcome, list[tuple[float, str]]]:
    told: list[tuple[float, str]] = []
    call = TestCall(
        cast("Any", line),
        cast("Any", line),
        PromptSpotter(LIBRARY),
        caller,
        on_line=lambda when, text: told.append((when, text)),
    )
    return asyncio.run(call.run()), told


def test_the_sentence_after_which_the_agent_hangs_up_is_heard() -> None:
    last = prompt(Act.MESSAGE_TAKEN)
    said = read_clip(last.path)
    loud = np.flatnonzero(np.abs(said) > 500)
    outcome, told = play(Line(np.concatenate([silence(1.0), said[: loud[-1]]])), silence(60.0))
    assert outcome.ending == "hung_up_by_agent"
    assert [text for _, text in told] == ["answered", f"hears: {last.text}"]
    assert [act for _, _, act in outcome.heard] == [str(Act.MESSAGE_TAKEN)]


def test_what_happens_while_the_agent_speaks_is_told_after_what_it_says() -> None:
    transfer = prompt(Act.CONNECTING)
    audio = np.concatenate([silence(1.0), read_clip(transfer.path), silence(2.0)])
    _, told = play(Line(audio, referred_at=1.5), silence(60.0))
    assert [text for _, text in told] == [
        "answered",
        f"hears: {transfer.text}",
        "is asked to call somebody else",
    ]
    assert [when for when, _ in told] == pytest.approx([0.0, 1.1, 1.5], abs=0.15)


def test_a_caller_who_falls_silent_has_said_only_what_he_began() -> None:
    every = load_scenarios(DEMO / "scenarios.jsonl").scenarios
    scenario = next(each for each in every if each.id == "demo-loan-recording")
    caller = ScenarioCaller(scenario, Clips(DEMO / "clips"))
    outcome, told = play(Line(silence(4.0)), caller)
    assert len(scenario.opening) > 1, "he means to say more"
    assert [text for _, text in told] == ["answered", f"says: {scenario.opening[0]}"]
    assert [text for _, _, text in outcome.said] == [scenario.opening[0]]
