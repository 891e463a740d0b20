"""Real calls while something breaks: the caller is put through or leaves a message, and nobody is dropped.

Service, caller and the household's telephone are real SIP workers on the loopback interface. All stories run at once,
each with a service of its own, and tell afterwards what became of them.
"""

import asyncio
import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from detector.agents.clips import Clips
from detector.agents.scenario import load_scenarios
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.call import Language
from detector.cli.parts import load_parts
from detector.clock import SystemClock
from detector.dialogue.acts import Act
from detector.resources import fixtures_dir
from detector.screener import ScreenerOptions, ScreenerParts
from detector.service.answering import AnsweringOptions, AnsweringService, utc_now
from detector.service.desk import CallDesk, ForwardOptions
from detector.service.known_numbers import KnownNumbers
from detector.sip.client import CallerCall, SipCaller
from detector.sip.options import SipOptions
from detector.sip.protocol import Answer, CallEnded, HangUp, IncomingCall, Ready, ReferReceived, Reject
from detector.sip.supervisor import SipSupervisor
from detector.speech.model_files import recognition_model
from detector.speech.pool import RecognitionPool
from detector.speech.transcript import Transcriber, Transcript
from detector.speech.whisper import WhisperTranscriber
from detector.stores.lists import parse_entry
from detector.stores.records import CallDetail, EndReason, StoredCall
from detector.stores.store import Store
from detector.stores.writer import StoreWriter

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]

LOOPBACK = SipOptions(listen_address="127.0.0.1", port=0)
LONGEST = 60.0
SPOKEN = (
    Act.ASK_CALLEE,
    Act.REFUSE,
    Act.HOLD,
    Act.TAKE_MESSAGE,
    Act.MESSAGE_TAKEN,
    Act.ASK_REPEAT,
    Act.ASK_PURPOSE,
    Act.INTERRUPT,
    Act.CHALLENGE,
)
"""The caller of these stories says the agent's own sentences, each once: what they mean is recognition's business."""
NUMBERS = ("13800000001", "13800000002", "13800000003")


def drop_tables(path: Path) -> None:
    """Ruin a database as another program might."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA foreign_keys = OFF")
        for table in ("evidence", "turns", "fingerprints", "messages", "calls"):
            database.execute(f"DROP TABLE {table}")


async def until(reached: Callable[[], Any], within: float = 20.0) -> None:
    """Wait until `reached` says so: for what no event tells."""
    async with asyncio.timeout(within):
        while not reached():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)


class Hears:
    """Recognition that hears these texts, one a turn, and breaks after them if told so."""

    def __init__(self, *texts: str, then_breaks: bool = False) -> None:
        self._texts = list(texts)
        self._then_breaks = then_breaks

    def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
        if not self._texts:
            raise RuntimeError("the library crashed")
        text = self._texts.pop(0) if len(self._texts) > 1 or self._then_breaks else self._texts[0]
        return Transcript(text, "zh", -0.3)


@dataclass
class Household:
    """A service on real SIP, and the telephone that callers are put through to."""

    caller: SipCaller
    """Who calls it; he can make four calls at once."""
    store: Store
    writer: StoreWriter
    folder: Path
    ports: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Port and process id by worker."""

    def address(self, worker: int = 1) -> str:
        return f"sip:agent@127.0.0.1:{self.ports[worker][0]}"

    async def stored(self, calls: int = 1) -> list[CallDetail]:
        """The calls in the store, the oldest first, once that many have ended."""
        for _ in range(200):
            await asyncio.to_thread(self.writer.flush, 5.0)
            found = await asyncio.to_thread(lambda: list(self.store.calls())[::-1])
            if len([each for each in found if each.call.ended_at is not None]) >= calls:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError("a call was not written down")


class Listening(SipSupervisor):
    """A supervisor that tells what passes through it, so that a story can look on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.ready: dict[int, tuple[int, int]] = {}

    async def events(self) -> AsyncIterator[Any]:
        async for event in super().events():
            if isinstance(event, Ready):
                self.ready[event.worker] = (event.port, event.pid)
            yield event


@asynccontextmanager
async def household(
    parts: ScreenerParts,
    folder: Path,
    phone: int,
    transcriber: Transcriber,
    *,
    workers: int = 1,
    most_screened: int = 16,
    lists: tuple[tuple[str, str], ...] = (),
    registrar: str | None = None,
) -> AsyncIterator[Household]:
    await asyncio.to_thread(folder.mkdir)
    first = (
        LOOPBACK
        if registrar is None
        else replace(LOOPBACK, registrar=registrar, username="agent", password="x")  # noqa: S106 - of nobody
    )
    supervisor = Listening([first, *[LOOPBACK] * (workers - 1)])
    clock = SystemClock()
    with Store(folder / "calls.sqlite3") as store, RecognitionPool(transcriber) as pool:
        writer = StoreWriter(store, retry_seconds=())
        async with supervisor, SipCaller(LOOPBACK) as caller:
            desk = CallDesk(
                send=supervisor.send,
                parts=parts,
                options=lambda: ScreenerOptions(languages=("zh",)),
                forward=ForwardOptions("refer", f"sip:home@127.0.0.1:{phone}"),
                recognition=pool,
                clock=clock,
                scheduler=asyncio.get_running_loop(),
            )
            entries = tuple(parse_entry(entry, "own", cast("Any", verdict)) for verdict, entry in lists)
            known = KnownNumbers(store, entries, clock, utc_now, patience=5.0)
            service = AnsweringService(
                supervisor, desk, writer, known, AnsweringOptions(most_screened=most_screened)
            )
            running = asyncio.create_task(service.run())
            await until(lambda: len(supervisor.ready) >= workers)
            home = Household(caller, store, writer, folder, supervisor.ready)
            yield home
            await supervisor.stop()
            await running
        writer.close()


@asynccontextmanager
async def telephone(*, refuses: bool = False) -> AsyncIterator[int]:
    """The household's telephone: picks up and hangs up after a moment, or declines. Yields its port."""
    supervisor = SipSupervisor([replace(LOOPBACK, identity="home")])
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer() -> None:
        async for event in supervisor.events():
            if isinstance(event, Ready):
                ready.set_result(event.port)
            elif isinstance(event, IncomingCall):
                supervisor.send(Reject(event.call, 603) if refuses else Answer(event.call))
                if not refuses:
                    await asyncio.sleep(0.5)
                    supervisor.send(HangUp(event.call))

    async with supervisor:
        answering = asyncio.create_task(answer())
        yield await asyncio.wait_for(ready, 20)
        await supervisor.stop()
        await answering


@dataclass
class Told:
    """How a call went for its caller."""

    code: int = 0
    cause: str = ""
    was_put_through: bool = False
    heard: float = 0.0
    """Seconds of sound from the agent."""


async def converse(
    call: CallerCall, clips: list[Samples], between: Callable[[], Awaitable[None]] | None = None
) -> Told:
    """Talk, sentence by sentence, until the call ends; `between` happens after the first one."""
    told = Told()

    async def watch() -> None:
        async for event in call.events():
            if isinstance(event, ReferReceived):
                told.was_put_through = True
            elif isinstance(event, CallEnded):
                told.code, told.cause = event.code, event.cause

    async def listen() -> None:
        async for frame in call.frames():
            told.heard += frame.seconds if np.abs(frame.samples.astype(int)).max() > 500 else 0.0

    async def talk() -> None:
        await call.wait_answered()
        for number, clip in enumerate(clips):
            await call.send(clip)
            await call.drain()
            if number == 0 and between is not None:
                await between()
        await call.wait_ended(LONGEST)

    watching = [asyncio.create_task(watch()), asyncio.create_task(listen())]
    try:
        async with asyncio.timeout(LONGEST):
            await talk()
    finally:
        await asyncio.wait(watching, timeout=2)
    return told


def courier_clips() -> list[Samples]:
    """What the demo's courier says: who he is, and only then what he wants; he leaves time for a question."""
    demo = fixtures_dir() / "demo"
    scenarios = load_scenarios(demo / "scenarios.jsonl").scenarios
    courier = next(each for each in scenarios if each.id == "demo-courier")
    said = [courier.replies[act][0] for act in ("ask_name", "ask_callee", "ask_purpose", "refuse", "other")]
    clips, quiet = Clips(demo / "clips"), np.zeros(4 * SAMPLE_RATE, np.int16)
    return [np.concatenate([quiet, clips.clip(courier, text, 0, 0)]) for text in said]


@dataclass
class Stories:
    """What all stories share while they run."""

    parts: ScreenerParts
    folder: Path
    phone: int
    refusing_phone: int
    clips: list[Samples]
    courier: list[Samples]
    """Somebody who is wanted, where real recognition listens."""

    async def recognition_dies(self) -> tuple[Told, list[CallDetail]]:
        transcriber = Hears("喂你好", then_breaks=True)
        async with household(self.parts, self.folder / "recognition", self.phone, transcriber) as home:
            call = await home.caller.call(home.address(), number=NUMBERS[0])
            return await converse(call, self.clips), await home.stored()

    async def store_breaks(self) -> tuple[Told, bool]:
        async with household(
            self.parts, self.folder / "store", self.phone, Hears("喂你好", "我是他同学")
        ) as home:

            async def ruin() -> None:
                await asyncio.to_thread(drop_tables, home.folder / "calls.sqlite3")

            call = await home.caller.call(home.address(), number=NUMBERS[0])
            told = await converse(call, self.clips, ruin)
            await asyncio.to_thread(home.writer.flush, 10.0)
            return told, home.writer.error is not None

    async def model_removed(self) -> tuple[Told, list[CallDetail]]:
        model = self.folder / "model"
        shutil.copytree(recognition_model(), model, copy_function=os.link)
        transcriber = await asyncio.to_thread(WhisperTranscriber, model, threads=1, workers=1)
        async with household(self.parts, self.folder / "whisper", self.phone, transcriber) as home:

            async def remove() -> None:
                await asyncio.to_thread(shutil.rmtree, model)

            call = await home.caller.call(home.address(), number=NUMBERS[0])
            return await converse(call, self.courier, remove), await home.stored()

    async def forward_refused(self) -> tuple[Told, dict[str, EndReason | None], list[str]]:
        """One caller leaves a message, another one, who is on the allow list, says nothing."""
        hears = Hears("喂你好", "我是他的同学小李", "周末聚会", "请让他给我回电话")
        folder, lists = self.folder / "refused", (("allow", NUMBERS[1]),)
        async with household(self.parts, folder, self.refusing_phone, hears, lists=lists) as home:
            silent_call = await home.caller.call(home.address(), number=NUMBERS[1])
            silent = asyncio.create_task(converse(silent_call, []))
            call = await home.caller.call(home.address(), number=NUMBERS[0])
            told = await converse(call, self.clips)
            await silent
            ends = {detail.call.number: detail.call.end_reason for detail in await home.stored(2)}
            return told, ends, [message.text for message in home.store.messages()]

    async def worker_killed(self) -> tuple[Told, Told, Told, list[CallDetail]]:
        hears = Hears("喂你好", "我是他的同学小李", "周末聚会")
        async with household(self.parts, self.folder / "killed", self.phone, hears, workers=2) as home:
            _, pid = home.ports[1]
            address = home.address(1)

            async def kill() -> None:
                os.kill(pid, signal.SIGKILL)

            lost_call = await home.caller.call(address, number=NUMBERS[0])
            kept_call = await home.caller.call(home.address(2), number=NUMBERS[1])
            lost = asyncio.create_task(converse(lost_call, self.clips[:1], kill))
            kept = await converse(kept_call, self.clips)
            await until(lambda: 3 in home.ports)
            again = await converse(await home.caller.call(home.address(3), number=NUMBERS[0]), [])
            # The caller's own worker would notice the dead line only after a minute without audio.
            lost_call.hang_up()
            return await lost, kept, again, await home.stored(3)

    async def lists_and_overload(self) -> tuple[Told, Told, Told, Told, list[CallDetail]]:
        lists = (("allow", "13900000001"), ("deny", "13900000002"))
        hears = Hears("喂你好", "我是他的同学小李", "周末聚会")
        folder = self.folder / "lists"
        async with household(self.parts, folder, self.phone, hears, lists=lists, most_screened=1) as home:
            allowed = await converse(await home.caller.call(home.address(), number="13900000001"), [])
            declined = Told()
            refused = await home.caller.call(home.address(), number="13900000002")
            end = await refused.wait_ended(20)
            if isinstance(end, CallEnded):
                declined.code = end.code
            first_call = await home.caller.call(home.address(), number=NUMBERS[0])
            first = asyncio.create_task(converse(first_call, self.clips))
            await first_call.wait_answered()
            second = await converse(await home.caller.call(home.address(), number=NUMBERS[1]), [])
            return allowed, declined, await first, second, await home.stored(4)

    async def registrar_refuses(self) -> tuple[int, Told]:
        refusals = 0

        class Registrar(asyncio.DatagramProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport = cast("asyncio.DatagramTransport", transport)

            def datagram_received(self, data: bytes, address: Any) -> None:
                nonlocal refusals
                if not data.startswith(b"REGISTER"):
                    return
                refusals += 1
                kept = [
                    line
                    for line in data.decode().split("\r\n")
                    if line.lower().startswith(("via:", "from:", "to:", "call-id:", "cseq:"))
                ]
                answer = ["SIP/2.0 403 Forbidden", *kept, "Content-Length: 0", "", ""]
                self.transport.sendto("\r\n".join(answer).encode(), address)

        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Registrar, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
        lists = (("allow", "13900000001"),)
        try:
            async with household(
                self.parts,
                self.folder / "registrar",
                self.phone,
                Hears("喂"),
                lists=lists,
                registrar=f"sip:127.0.0.1:{port}",
            ) as home:
                await until(lambda: refusals)
                call = await home.caller.call(home.address(), number="13900000001")
                return refusals, await converse(call, [])
        finally:
            transport.close()


async def tell_all(parts: ScreenerParts, folder: Path, clips: list[Samples]) -> dict[str, Any]:
    courier = await asyncio.to_thread(courier_clips)
    async with (
        telephone() as phone,
        telephone(refuses=True) as refusing,
    ):
        stories = Stories(parts, folder, phone, refusing, clips, courier)
        told = [
            stories.recognition_dies,
            stories.store_breaks,
            stories.model_removed,
            stories.forward_refused,
            stories.worker_killed,
            stories.lists_and_overload,
            stories.registrar_refuses,
        ]
        results = await asyncio.gather(*(story() for story in told), return_exceptions=True)
        return {story.__name__: result for story, result in zip(told, results, strict=True)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What became of a story, by its name; one that failed fails the tests that ask for it."""
    parts = load_parts()
    quiet = np.zeros(int(1.5 * SAMPLE_RATE), np.int16)
    spoken = [parts.prompts.for_act(act, "zh")[0] for act in SPOKEN]
    clips = [np.concatenate([read_clip(prompt.path), quiet]) for prompt in spoken]
    # He lets the greeting pass before he speaks.
    clips[0] = np.concatenate([np.zeros(SAMPLE_RATE, np.int16), clips[0]])
    found = asyncio.run(tell_all(parts, tmp_path_factory.mktemp("stories"), clips))

    def ask(name: str) -> Any:
        result = found[name]
        if isinstance(result, BaseException):
            raise result
        return result

    return ask


def test_recognition_that_dies_mid_call(told: Callable[[str], Any]) -> None:
    caller, (detail,) = told("recognition_dies")
    assert caller.was_put_through
    assert detail.call.end_reason == "forwarded"
    assert detail.call.reason == "an internal failure (recognition)"
    assert any(turn.speaker == "caller" for turn in detail.turns), "the first turn was heard"


def test_a_store_that_breaks_mid_call(told: Callable[[str], Any]) -> None:
    caller, is_broken = told("store_breaks")
    assert is_broken, "the writes did fail"
    assert caller.was_put_through


def test_a_model_that_is_removed_mid_call(told: Callable[[str], Any]) -> None:
    caller, (detail,) = told("model_removed")
    assert caller.heard > 2
    assert detail.call.end_reason in {"forwarded", "message_taken"}, detail.call.reason
    assert len([turn for turn in detail.turns if turn.speaker == "caller" and turn.text]) >= 2


def test_a_transfer_that_is_refused_ends_in_a_message(told: Callable[[str], Any]) -> None:
    caller, ends, (message,) = told("forward_refused")
    assert caller.was_put_through, "it was tried"
    assert ends == {NUMBERS[0]: "message_taken", NUMBERS[1]: "no_message"}
    assert "请让他给我回电话" in message


def test_a_killed_worker_loses_its_own_calls_alone(told: Callable[[str], Any]) -> None:
    _, kept, again, details = told("worker_killed")
    assert kept.was_put_through
    assert again.was_put_through
    by_order: dict[str, list[StoredCall]] = {detail.call.number: [] for detail in details}
    for detail in details:
        by_order[detail.call.number].append(detail.call)
    first, second = by_order[NUMBERS[0]]
    assert (first.end_reason, first.lost) == ("lost", True)
    assert second.end_reason == "forwarded"
    assert second.reason == "the last call of this number was lost by us"
    assert by_order[NUMBERS[1]][0].end_reason == "forwarded"


def test_lists_and_overload(told: Callable[[str], Any]) -> None:
    allowed, declined, first, second, details = told("lists_and_overload")
    assert allowed.was_put_through
    assert allowed.heard == 0, "untouched"
    assert declined.code == 603
    assert first.was_put_through
    assert first.heard > 2
    assert second.was_put_through
    assert second.heard == 0, "one is screened already"
    assert sorted(detail.call.end_reason for detail in details) == [
        "forwarded",
        "forwarded",
        "forwarded",
        "rejected",
    ]


def test_a_registrar_that_refuses_does_not_end_the_service(told: Callable[[str], Any]) -> None:
    refusals, caller = told("registrar_refuses")
    assert refusals >= 1
    assert caller.was_put_through
