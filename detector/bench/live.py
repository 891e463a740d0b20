"""Live calls measured from the caller's side: how long the agent takes to reply, with several calls at once.

A reply is timed from the caller's last word, as it was sent, to the first sound of the agent's next prompt, as it was
heard: recognition, decision and the way through both SIP stacks are all in it. A prompt that begins while the caller
still speaks (an interruption) is no reply.
"""

import asyncio
import contextlib
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detector.agents.scenario import Scenario
from detector.bench.loopback import Loopback, Outcome
from detector.sip.bench import cpu_seconds

__all__ = ["LiveReport", "measure_live", "reply_delays"]

LONGEST_REPLY = 8.0
"""Seconds: a later prompt answers the silence, not the caller."""


@dataclass(frozen=True, slots=True)
class LiveReport:
    """Seconds from the caller's last word to the agent's next one."""

    calls: int
    at_once: int
    delays: tuple[float, ...]
    cpu_per_call_second: float
    """Seconds of processor time of service and SIP workers for each second of a call, recognition included."""
    stolen: float = 0.0
    """Share of the processors' time that this machine was not given by its host: delays with much of it say little."""

    @property
    def median(self) -> float:
        return statistics.median(self.delays) if self.delays else float("nan")

    @property
    def p90(self) -> float:
        ordered = sorted(self.delays)
        return ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))] if ordered else float("nan")

    def as_json(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "at_once": self.at_once,
            "replies": len(self.delays),
            "median": round(self.median, 3),
            "p90": round(self.p90, 3),
            "cpu_per_call_second": round(self.cpu_per_call_second, 4),
            "stolen": round(self.stolen, 3),
        }

    def lines(self) -> Iterator[str]:
        yield f"live: {self.calls} calls, {self.at_once} at once, {len(self.delays)} replies"
        yield f"  reply after the caller's last word: median {self.median:.2f} s, 90 % {self.p90:.2f} s"
        yield f"  {100 * self.cpu_per_call_second:.0f} % of a core for each call, recognition included"
        yield f"  {100 * self.stolen:.0f} % of the processors' time was taken by the host of this machine"


def measure_live(file: Path, clips: Path, scenarios: Sequence[Scenario], at_once: int) -> LiveReport:
    """Play each of `scenarios`, which are in `file`, once over real SIP, `at_once` of them at a time."""
    return asyncio.run(_measure(file, clips, scenarios, at_once))


async def _measure(file: Path, clips: Path, scenarios: Sequence[Scenario], at_once: int) -> LiveReport:
    loopback = Loopback(file, clips, workers=-(-at_once // 4))
    limit = asyncio.Semaphore(at_once)

    async def place(scenario: Scenario, seed: int) -> Outcome:
        async with limit:
            return await loopback.place(scenario, seed)

    async with loopback.running():
        before = _cpu_of_all(loopback.process.pid)
        stolen, total = _stolen()
        outcomes = await asyncio.gather(*(place(item, seed) for seed, item in enumerate(scenarios)))
        spent = _cpu_of_all(loopback.process.pid) - before
        stolen, total = (now - then for now, then in zip(_stolen(), (stolen, total), strict=True))
    talked = sum(outcome.seconds for outcome in outcomes)
    delays = tuple(delay for outcome in outcomes for delay in reply_delays(outcome))
    return LiveReport(len(outcomes), at_once, delays, spent / max(talked, 1.0), stolen / max(total, 1))


def reply_delays(outcome: Outcome) -> Iterator[float]:
    """Yield the time from each utterance's end to the prompt that answers it.

    An utterance that ended while the agent was still speaking has no reply of its own: the agent waits whether more
    comes.
    """
    for number, (_, end, _) in enumerate(outcome.said):
        if any(start <= end <= until for start, until, _ in outcome.heard):
            continue
        following = outcome.said[number + 1][0] if number + 1 < len(outcome.said) else float("inf")
        prompt = next((start for start, _, _ in outcome.heard if start > end), None)
        if prompt is not None and prompt < following and prompt - end <= LONGEST_REPLY:
            yield prompt - end


def _cpu_of_all(pid: int) -> float:
    """Return the processor time of a process and its children so far."""
    total = 0.0
    for process in [pid, *_children(pid)]:
        with contextlib.suppress(OSError):
            total += cpu_seconds(process)
    return total


def _stolen() -> tuple[int, int]:
    """Return the ticks that the host of a virtual machine kept, and all ticks, of all processors so far."""
    try:
        ticks = [int(field) for field in Path("/proc/stat").read_text("utf-8").splitlines()[0].split()[1:9]]
    except (OSError, ValueError, IndexError):
        return 0, 0
    return ticks[7] if len(ticks) > 7 else 0, sum(ticks)


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    except OSError:
        return []
    return [int(child) for child in text.split()]
