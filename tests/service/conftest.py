"""A service on a switchboard that does at once what it is told, and hands to make calls with."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from detector.audio.files import read_clip
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from detector.call import Language
from detector.clock import VirtualClock
from detector.decision.fusion import FusionModel
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.screener import ScreenerOptions, ScreenerParts
from detector.service.answering import AnsweringOptions, AnsweringService, utc_now
from detector.service.desk import CallDesk, ForwardOptions, secret_seed
from detector.service.known_audio import KnownAudio
from detector.service.known_numbers import KnownNumbers
from detector.service.spectator import Spectator
from detector.sip.protocol import (
    Answer,
    Audio,
    Bridge,
    CallAnswered,
    CallEnded,
    Command,
    HangUp,
    IncomingCall,
    Play,
    PromptEnded,
    PromptStarted,
    Refer,
    Reject,
    TransferProgress,
)
from detector.sip.supervisor import CallLost, SipSupervisor, SupervisorEvent
from detector.speech.transcript import Transcript
from detector.stores.lists import parse_entry
from detector.stores.records import CallDetail
from detector.stores.store import Store
from detector.stores.writer import StoreWriter
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

NUMBER = "13811220457"
OPTIONS = ScreenerOptions(languages=("zh",))


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    return ScreenerParts(Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load())


@pytest.fixture(scope="module")
def sentences(parts: ScreenerParts) -> list[Samples]:
    """Somebody says one thing each for a few seconds, and then nothing for two."""
    rng, spoken = np.random.default_rng(1), []
    for act in (Act.GREETING, Act.TAKE_MESSAGE, Act.REFUSE):
        for prompt in parts.prompts.for_act(act, "zh")[:3]:
            pieces = [
                np.zeros(SAMPLE_RATE // 2, np.int16),
                read_clip(prompt.path),
                np.zeros(2 * SAMPLE_RATE, np.int16),
            ]
            audio = np.concatenate(pieces)
            spoken.append(np.asarray(audio + np.rint(rng.normal(0, 6, len(audio))), np.int16))
    return spoken


@pytest.fixture(scope="module")
def sentence(sentences: list[Samples]) -> Samples:
    return sentences[1]


class Switchboard:
    """SIP workers that do at once what they are told. Prompts are over as soon as they begin."""

    def __init__(self, *, transfer: int = 200) -> None:
        self.calls: frozenset[int] = frozenset()
        self.sent: list[Command] = []
        self._transfer = transfer
        self._events: asyncio.Queue[SupervisorEvent | None] = asyncio.Queue()

    async def events(self) -> AsyncIterator[SupervisorEvent]:
        while (event := await self._events.get()) is not None:
            yield event

    def stop(self) -> None:
        self._events.put_nowait(None)

    def put(self, event: SupervisorEvent) -> None:
        match event:
            case IncomingCall(call=call):
                self.calls |= {call}
            case CallEnded(call=call) | CallLost(call=call):
                self.calls -= {call}
            case _:
                pass
        self._events.put_nowait(event)

    def send(self, command: Command) -> None:
        self.sent.append(command)
        call = getattr(command, "call", -1)
        if call not in self.calls:
            return
        match command:
            case Answer():
                self.put(CallAnswered(call, "PCMA", encrypted=False))
            case Reject(code=code):
                self.put(CallEnded(call, code, "", "command"))
            case Play(prompt=prompt):
                self.put(PromptStarted(call, prompt, 0))
                self.put(PromptEnded(call, prompt, cut=False, position=0))
            case HangUp():
                self.put(CallEnded(call, 200, "", "command"))
            case Refer() | Bridge():
                self.put(TransferProgress(call, self._transfer, "", final=True))
                if self._transfer < 300:
                    self.put(CallEnded(call, 200, "", "transferred"))
            case _:
                pass

    def told(self, call: int, kind: type[Command]) -> list[Any]:
        return [each for each in self.sent if isinstance(each, kind) and getattr(each, "call", None) == call]


class Recognition:
    """Answers with `texts` one after the other, the last again and again; held back until `release` if told so."""

    def __init__(self, *texts: str | Exception) -> None:
        self._texts = list(texts)
        self._held: list[tuple[Future[Transcript], str | Exception]] | None = None

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        for future, outcome in held:
            self._settle(future, outcome)

    @property
    def is_idle(self) -> bool:
        return False

    def submit(self, samples: Samples, language: Language | None) -> Future[Transcript]:
        outcome = self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]
        future: Future[Transcript] = Future()
        if self._held is None:
            self._settle(future, outcome)
        else:
            self._held.append((future, outcome))
        return future

    @staticmethod
    def _settle(future: Future[Transcript], outcome: str | Exception) -> None:
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(Transcript(outcome, "zh", -0.3))


@dataclass
class Rig:
    """A running service, and hands to make calls with."""

    service: AnsweringService
    board: Switchboard
    clock: VirtualClock
    store: Store
    writer: StoreWriter
    recognition: Recognition
    known_audio: KnownAudio
    awaits_known_audio: bool = True
    positions: dict[int, int] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def settle(self) -> None:
        """Let the service work off everything, lookups in threads included."""
        for _ in range(400):
            await asyncio.sleep(0)
            is_asked = self.awaits_known_audio and self.known_audio._waiting
            is_idle = not self.service._arriving and not is_asked
            if is_idle and self.board._events.empty():
                break
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)

    async def ring(self, number: str = NUMBER) -> int:
        call = next(self.numbers)
        self.board.put(IncomingCall(call, "127.0.0.1:5060", (("From", f"<sip:{number}@127.0.0.1>"),)))
        await self.settle()
        return call

    async def say(self, call: int, samples: Samples) -> None:
        """Have the caller be heard; time goes on with him."""
        position = self.positions.get(call, 0)
        for start in range(0, len(samples) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
            if call not in self.board.calls:
                break
            block = samples[start : start + BLOCK_SAMPLES]
            self.clock.advance_to(self.clock.now() + BLOCK_SAMPLES / SAMPLE_RATE)
            self.board.put(Audio(call, position, 0.0, block.astype("<i2").tobytes()))
            position += BLOCK_SAMPLES
            if start % (5 * BLOCK_SAMPLES) == 0:
                await self.settle()
        self.positions[call] = position
        await self.settle()

    async def hang_up(self, call: int) -> None:
        self.board.put(CallEnded(call, 200, "", "remote"))
        await self.settle()

    def stored(self) -> list[CallDetail]:
        """The calls in the store, the oldest first."""
        assert self.writer.flush(20)
        return list(self.store.calls())[::-1]

    def stored_messages(self) -> list[str]:
        assert self.writer.flush(20)
        return [message.text for message in self.store.messages()]


@asynccontextmanager
async def run_service(
    parts: ScreenerParts,
    folder: Path,
    recognition: Recognition | None = None,
    *,
    options: ScreenerOptions = OPTIONS,
    transfer: int = 200,
    target: str | None = "sip:home@127.0.0.1",
    most_screened: int = 16,
    lists: tuple[tuple[str, str], ...] = (),
    spectator: Spectator | None = None,
    patience: float = 20.0,
    wall_clock: Callable[[], datetime] = utc_now,
    seed: Callable[[], int] = secret_seed,
) -> AsyncIterator[Rig]:
    board, clock = Switchboard(transfer=transfer), VirtualClock(500.0)
    recognition = recognition or Recognition("喂")
    with Store(folder / "calls.sqlite3") as store:
        writer = StoreWriter(store, retry_seconds=())
        known_audio = KnownAudio(store.fingerprints, asyncio.get_running_loop(), patience)
        desk = CallDesk(
            send=board.send,
            parts=parts,
            options=lambda: options,
            forward=ForwardOptions("refer", target),
            recognition=recognition,
            clock=clock,
            scheduler=asyncio.get_running_loop(),
            spectator=spectator or Spectator(),
            known_audio=known_audio,
            seed=seed,
        )
        entries = tuple(parse_entry(entry, "own", cast("Any", verdict)) for verdict, entry in lists)
        known = KnownNumbers(store, entries, clock, wall_clock, patience=5.0)
        supervisor = cast("SipSupervisor", board)
        service = AnsweringService(
            supervisor,
            desk,
            writer,
            known,
            AnsweringOptions(most_screened=most_screened),
            wall_clock=wall_clock,
        )
        running = asyncio.create_task(service.run())
        try:
            yield Rig(service, board, clock, store, writer, recognition, known_audio)
        finally:
            board.stop()
            await running
            writer.close()
            known_audio.close()


@pytest.fixture(scope="module")
def answering(parts: ScreenerParts) -> Callable[..., AbstractAsyncContextManager[Rig]]:
    """Run a service: folder, recognition, and settings by name."""
    return partial(run_service, parts)


@pytest.fixture(scope="session")
def hears() -> type[Recognition]:
    """Make recognition that answers with these texts, or breaks."""
    return Recognition


@pytest.fixture(scope="session")
def silence() -> Callable[[float], Samples]:
    """Make so many seconds of a line on which nobody speaks."""
    draw = np.random.default_rng
    return lambda seconds: np.asarray(np.rint(draw(2).normal(0, 6, int(seconds * SAMPLE_RATE))), np.int16)
