"""Real workers on the loopback interface for the end-to-end tests."""

import asyncio
import math
import socket
import struct
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.sip.options import SipOptions
from detector.sip.protocol import Answer, Audio, Command, IncomingCall, Ready
from detector.sip.supervisor import SipSupervisor, SupervisorEvent

WAIT = 10.0
"""Seconds that an end-to-end test waits for what should take a moment."""


class Agent:
    """An answering side: keeps every event, answers calls where told to."""

    def __init__(self, supervisor: SipSupervisor, *, answers: bool) -> None:
        self.supervisor = supervisor
        self.seen: list[SupervisorEvent] = []
        self.audio: dict[int, list[Audio]] = {}
        self._answers = answers
        self._changed = asyncio.Condition()

    async def read(self) -> None:
        async for event in self.supervisor.events():
            if self._answers and isinstance(event, IncomingCall):
                self.send(Answer(event.call))
            async with self._changed:
                if isinstance(event, Audio):
                    self.audio.setdefault(event.call, []).append(event)
                else:
                    self.seen.append(event)
                self._changed.notify_all()

    def send(self, command: Command) -> None:
        self.supervisor.send(command)

    async def until(self, reached: Callable[[], Any], within: float = WAIT) -> Any:
        """Wait until `reached` returns something true, and return that."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(reached)
        return reached()

    async def event(self, kind: type[Any], within: float = WAIT, **fields: Any) -> Any:
        """Wait for the first event of a kind with these fields, seen before or not."""

        def find() -> Any:
            for each in self.seen:
                if isinstance(each, kind) and all(getattr(each, k) == v for k, v in fields.items()):
                    return each
            return None

        return await self.until(find, within)

    async def port(self, worker: int = 1) -> int:
        ready: Ready = await self.event(Ready, worker=worker)
        return ready.port

    def heard(self, call: int) -> Samples:
        data = b"".join(each.samples for each in self.audio.get(call, ()))
        return np.frombuffer(data, "<i2").astype(np.int16)


@asynccontextmanager
async def run_agent(*options: SipOptions, answers: bool = True, **settings: Any) -> AsyncIterator[Agent]:
    supervisor = SipSupervisor(options, **settings)
    await supervisor.start()
    agent = Agent(supervisor, answers=answers)
    reader = asyncio.create_task(agent.read())
    try:
        yield agent
    finally:
        await supervisor.stop()
        await reader


@pytest.fixture(scope="session")
def agent() -> Any:
    """Workers and what they report: a context manager that takes their settings."""
    return run_agent


@pytest.fixture(scope="session")
def loopback() -> Callable[..., SipOptions]:
    """Make settings of a worker on a free port of the loopback interface."""

    def make(**changes: Any) -> SipOptions:
        return SipOptions(**{"listen_address": "127.0.0.1", "port": 0, **changes})

    return make


@pytest.fixture(scope="session")
def tone() -> Callable[[float, float], Samples]:
    """Make a tone: hertz, seconds; int16 at half of full scale."""

    def make(frequency: float, seconds: float) -> Samples:
        count = round(seconds * SAMPLE_RATE)
        step = 2 * math.pi * frequency / SAMPLE_RATE
        samples: Samples = (16000 * np.sin(step * np.arange(count))).astype(np.int16)
        return samples

    return make


@pytest.fixture(scope="session")
def tone_level() -> Callable[[Samples, float], float]:
    """Measure how much of what is heard is a tone: the middle share of the loud tenths of a second, 0 to 1.

    Taken over short windows, for a jitter buffer may shift the phase now and then.
    """

    def share(window: Samples, frequency: float) -> float:
        wave_form = np.exp(-2j * np.pi * frequency / SAMPLE_RATE * np.arange(len(window)))
        energy = float(np.sum(window.astype(float) ** 2))
        return float(2 * abs(np.dot(window.astype(float), wave_form)) ** 2 / (len(window) * energy))

    def measure(samples: Samples, frequency: float) -> float:
        windows = samples[: len(samples) // 800 * 800].reshape(-1, 800)
        loud = [window for window in windows if np.abs(window).max() > 1000]
        return float(np.median([share(window, frequency) for window in loud])) if loud else 0.0

    return measure


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Find a port that nothing listens on."""

    def find() -> int:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


@pytest.fixture
def prompt_file(tmp_path: Path) -> Callable[[float, float], str]:
    """Write a WAV file with a tone: hertz, seconds."""

    def write(frequency: float, seconds: float) -> str:
        path = tmp_path / f"{frequency:.0f}-{seconds}.wav"
        count = round(seconds * SAMPLE_RATE)
        step = 2 * math.pi * frequency / SAMPLE_RATE
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes(
                b"".join(struct.pack("<h", round(16000 * math.sin(step * n))) for n in range(count))
            )
        return str(path)

    return write
