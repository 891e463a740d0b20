"""A service that is told to stop while somebody is on the line, over real SIP."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from detector.agents.scenario import load_scenarios
from detector.bench.loopback import Loopback, Outcome
from detector.resources import fixtures_dir

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(180)]


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def stop_in_a_call() -> tuple[Outcome, list[str], int | None]:
    demo, lines, is_spoken_to = fixtures_dir() / "demo", list[str](), asyncio.Event()

    def show(line: str) -> None:
        lines.append(line)
        if " agent " in line:
            is_spoken_to.set()

    (courier,) = (
        one for one in load_scenarios(demo / "scenarios.jsonl").scenarios if one.id == "demo-courier"
    )
    async with Loopback(demo / "scenarios.jsonl", demo / "clips", show=show).running() as loopback:
        placing = asyncio.create_task(loopback.place(courier))
        await is_spoken_to.wait()
        # The whole group of processes, as a system that stops a service does it.
        for pid in (*children(loopback.process.pid), loopback.process.pid):
            os.kill(pid, signal.SIGTERM)
        outcome = await placing
        return outcome, lines, await loopback.process.wait()


def test_its_caller_is_put_through_before_it_stops() -> None:
    outcome, lines, code = asyncio.run(stop_in_a_call())
    assert outcome.ending == "put_through"
    assert any("the service is being stopped" in line for line in lines)
    assert any("service stopped" in line for line in lines)
    assert code == 0
