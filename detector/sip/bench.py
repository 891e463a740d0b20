"""What a worker costs: `python -m detector.sip.bench --calls 4 --seconds 20` prints one JSON object.

One worker takes calls from another on the loopback interface, plays a prompt to each and hands their audio over, as it
does in service. Reported are the processor time and memory of the answering worker alone, how old a frame is when the
service has it (captured to delivered), and how unevenly frames are captured (against 20 ms).
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from detector.sip.options import SipOptions
from detector.sip.protocol import (
    Answer,
    Audio,
    CallAnswered,
    IncomingCall,
    PlaceCall,
    Play,
    PromptEnded,
    Ready,
    SendAudio,
)
from detector.sip.supervisor import SipSupervisor

__all__ = ["cpu_seconds", "main", "measure"]

FRAME_SECONDS: Final = 0.02
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """What is seen of the answering worker."""

    calls: int
    answered: set[int] = field(default_factory=set)
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)
    ages: list[float] = field(default_factory=list)
    """Seconds from capture to delivery, a frame each."""
    uneven: list[float] = field(default_factory=list)
    """Seconds by which the time between two frames differs from 20 ms."""
    last: dict[int, float] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    missing: int = 0

    def note_answer(self, call: int) -> None:
        self.answered.add(call)
        if len(self.answered) == self.calls:
            self.all_answered.set()

    def take(self, event: Audio, now: float) -> None:
        self.ages.append(now - event.captured)
        if event.call in self.last:
            self.uneven.append(abs(event.captured - self.last[event.call] - FRAME_SECONDS))
            self.missing += event.position != self.positions[event.call] + 160
        self.last[event.call], self.positions[event.call] = event.captured, event.position


async def measure(calls: int, seconds: float) -> dict[str, float]:
    """Run `calls` calls for `seconds` and return the figures."""
    callee = SipSupervisor([SipOptions(listen_address="127.0.0.1", port=0)])
    caller = SipSupervisor(
        [SipOptions(listen_address="127.0.0.1", port=0, role="caller", rtp_ports=(20000, 20999))]
    )
    seen = Measured(calls)
    with tempfile.TemporaryDirectory() as folder:
        prompt = _write_prompt(Path(folder) / "prompt.wav")
        async with callee, caller:
            readers = [
                asyncio.create_task(_answer(callee, caller, seen, prompt)),
                asyncio.create_task(_talk(caller)),
            ]
            async with asyncio.timeout(20):
                await seen.all_answered.wait()
            await asyncio.sleep(1.0)
            (pid,) = callee.pids
            seen.ages.clear()
            seen.uneven.clear()
            cpu, began = cpu_seconds(pid), time.monotonic()
            await asyncio.sleep(seconds)
            spent = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
            memory = _resident_megabytes(pid)
        await asyncio.gather(*readers)
    return {
        "calls": calls,
        "seconds": seconds,
        "frames": len(seen.ages),
        "missing": seen.missing,
        "cpu_percent_a_call": round(100 * spent / calls, 2),
        "age_p50_ms": _quantile(seen.ages, 0.5),
        "age_p99_ms": _quantile(seen.ages, 0.99),
        "uneven_p99_ms": _quantile(seen.uneven, 0.99),
        "resident_mb": round(memory, 1),
    }


async def _answer(callee: SipSupervisor, caller: SipSupervisor, seen: Measured, prompt: str) -> None:
    async for event in callee.events():
        match event:
            case Audio():
                seen.take(event, time.monotonic())
            case Ready(port=port):
                for number in range(seen.calls):
                    caller.send(PlaceCall(number, f"sip:agent@127.0.0.1:{port}"))
            case IncomingCall(call=call):
                callee.send(Answer(call))
            case CallAnswered(call=call) | PromptEnded(call=call, cut=False):
                seen.note_answer(call)
                callee.send(Play(call, 1, prompt))
            case _:
                pass


async def _talk(caller: SipSupervisor) -> None:
    noise = os.urandom(8000)
    async for event in caller.events():
        if isinstance(event, CallAnswered):
            caller.send(SendAudio(event.call, noise))


def _write_prompt(path: Path) -> str:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(os.urandom(2 * 8000 * 3))
    return str(path)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of one process so far. Raises OSError where it has gone."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _resident_megabytes(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _quantile(values: list[float], share: float) -> float:
    return round(1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))], 2) if values else 0.0


def main() -> None:
    """Parse the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    print(json.dumps(asyncio.run(measure(arguments.calls, arguments.seconds))))  # noqa: T201 - its purpose


if __name__ == "__main__":
    main()
