"""A test call over real SIP: a scenario's caller, or a recording, talks to an agent.

The frames that are heard give the pace: for each of them as much of the caller is sent.
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from detector.agents.channel import Channel
from detector.agents.prompt_spotter import PromptHeard, PromptSpotter
from detector.agents.scenario_caller import ScenarioCaller
from detector.audio.frames import Samples
from detector.errors import SipError
from detector.sip.client import CallerCall, SipCaller
from detector.sip.protocol import CallEnded, ReferReceived

__all__ = ["CallOutcome", "TestCall"]

Ending = Literal["put_through", "hung_up_by_agent", "hung_up_by_caller", "refused", "lost", "too_long"]


@dataclass(slots=True)
class CallOutcome:
    """How a test call went."""

    ending: Ending = "lost"
    code: int = 0
    """SIP status of the end."""
    seconds: float = 0.0
    """From answer to the end, or to being put through."""
    heard: list[tuple[float, float, str]] = field(default_factory=list)
    """What the agent said: start, end, act."""
    said: list[tuple[float, float, str]] = field(default_factory=list)
    """What the caller said: start, end, words."""


class TestCall:
    """Runs one call; `caller` gives the audio, `on_line` is told what happens, a line at a time, in order of time."""

    __test__ = False  # no test case, in spite of its name

    def __init__(
        self,
        sip: SipCaller,
        call: CallerCall,
        spotter: PromptSpotter,
        caller: ScenarioCaller | Samples,
        channel: Channel | None = None,
        on_line: Callable[[float, str], None] = lambda _when, _text: None,
    ) -> None:
        self._sip = sip
        self._call = call
        self._hears_since: float | None = None
        self._spotter = spotter
        self._caller = caller
        self._channel = channel
        self._lines = _InOrder(on_line)
        self._outcome = CallOutcome()
        self._played = 0
        self._said = 0

    async def run(self, longest: float = 180.0) -> CallOutcome:
        """Talk until the call ends. Raises SipError where it is not answered."""
        try:
            await self._call.wait_answered()
        except SipError:
            ended = self._call.ended
            if not isinstance(ended, CallEnded):
                raise
            self._outcome.ending, self._outcome.code = "refused", ended.code
            return self._outcome
        self._lines.add(0.0, "answered")
        self._lines.tell(0.0)
        watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(longest):
                await self._talk()
        except TimeoutError:
            self._outcome.ending = "too_long"
            self._call.hang_up()
        for heard in self._spotter.finish():
            self._hear(heard)
        await watching
        self._lines.tell()
        if isinstance(self._caller, ScenarioCaller):
            begun = self._caller.said[: self._said]
            self._outcome.said = [(said.start, said.end, said.text) for said in begun]
        return self._outcome

    async def _talk(self) -> None:
        async for frame in self._call.frames():
            self._outcome.seconds = frame.media_time + frame.seconds
            for heard in self._spotter.push(frame.samples):
                self._hear(heard)
            samples = self._speak(len(frame.samples))
            self._lines.tell(self._outcome.seconds if self._hears_since is None else self._hears_since)
            if samples is None:
                await self._call.drain()
                self._outcome.ending = "hung_up_by_caller"
                self._call.hang_up()
                return
            await self._call.send(samples)

    def _speak(self, count: int) -> Samples | None:
        """The caller's next samples, None once he has gone."""
        if not isinstance(self._caller, ScenarioCaller):
            piece = self._caller[self._played : self._played + count]
            self._played += count
            return piece if len(piece) else None
        if self._caller.hung_up:
            return None
        samples = self._caller.samples(count)
        # What he means to say later may still be cut off.
        for said in self._caller.said[self._said :]:
            if said.start <= self._outcome.seconds:
                self._said += 1
                self._lines.add(said.start, f"says: {said.text}")
        return samples if self._channel is None else self._channel.apply(samples)

    def _hear(self, heard: PromptHeard) -> None:
        act = heard.prompt.act if heard.prompt is not None else None
        if isinstance(self._caller, ScenarioCaller):
            self._caller.receive_act(act, heard.state, heard.media_time)
        if heard.state == "started":
            self._hears_since = heard.media_time
            return
        began = heard.media_time if self._hears_since is None else self._hears_since
        self._hears_since = None
        self._outcome.heard.append((began, heard.media_time, str(act or "other")))
        words = heard.prompt.text if heard.prompt is not None else "(no prompt of ours)"
        self._lines.add(began, f"hears: {words}")

    async def _watch(self) -> None:
        """Note how it ends. A REFER is how the agent puts us through, if the one we are sent to answers."""
        referred: CallerCall | None = None
        async for event in self._call.events():
            if isinstance(event, ReferReceived):
                referred = self._sip.transferred(event)
                self._lines.add(self._outcome.seconds, "is asked to call somebody else")
            elif isinstance(event, CallEnded):
                self._outcome.code = event.code
                is_through = referred is not None and referred.answered is not None
                if is_through or event.cause == "transferred":
                    self._outcome.ending = "put_through"
                elif event.cause == "remote":
                    self._outcome.ending = "hung_up_by_agent"


class _InOrder:
    """Lines in the order of their times: what the agent says is made out only once it has been said."""

    def __init__(self, on_line: Callable[[float, str], None]) -> None:
        self._on_line = on_line
        self._waiting: list[tuple[float, str]] = []

    def add(self, when: float, text: str) -> None:
        self._waiting.append((when, text))

    def tell(self, until: float = math.inf) -> None:
        """Pass on what happened up to `until`: nothing before that will be added any more."""
        self._waiting.sort(key=lambda line: line[0])
        while self._waiting and self._waiting[0][0] <= until:
            self._on_line(*self._waiting.pop(0))
