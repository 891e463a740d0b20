"""Places three real SIP calls to a real answering service on this machine and checks what becomes of them.

`scripts/demo` sets everything up and runs this. Exit code 1 if an action is wrong.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from detector.agents.scenario import Scenario, load_scenarios
from detector.resources import fixtures_dir
from detector.sip.options import SipOptions
from detector.sip.protocol import Answer, CallEnded, HangUp, IncomingCall
from detector.sip.supervisor import SipSupervisor

CALLS = ("demo-loan-recording", "demo-courier", "demo-property-clip-bot")
EXPECTED = {"recording": "hung_up_by_agent", "clip_bot": "hung_up_by_agent", "person": "put_through"}
ACTIONS = {"hung_up_by_agent": "hung up on", "put_through": "put through"}
READY_SECONDS = 60.0
CALL_SECONDS = 120.0

CONFIG = """\
[sip]
listen_address = "127.0.0.1"
port = {port}
rtp_ports = [{rtp}, {rtp_end}]

[forward]
target = "sip:household@127.0.0.1:{phone}"

[store]
url = "calls.sqlite3"

[log]
level = "warning"
"""


@dataclass(frozen=True, slots=True)
class Result:
    scenario: Scenario
    ending: str
    seconds: float

    @property
    def is_right(self) -> bool:
        return self.ending == EXPECTED[self.scenario.caller]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", nargs="*", default=CALLS, help="ids of scenarios to play (default: three)")
    wanted = parser.parse_args().calls
    folder = fixtures_dir() / "demo"
    scenarios = {item.id: item for item in load_scenarios(folder / "scenarios.jsonl").scenarios}
    return asyncio.run(demo([scenarios[name] for name in wanted], folder))


async def demo(scenarios: list[Scenario], folder: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="detector-demo-") as work:
        phone_port, port = free_port(), free_port()
        config = Path(work) / "agent.toml"
        rtp = 20000 + 2 * (os.getpid() % 4000)
        config.write_text(CONFIG.format(port=port, phone=phone_port, rtp=rtp, rtp_end=rtp + 199))
        async with telephone(phone_port), service(config):
            results = [await place(scenario, folder, port) for scenario in scenarios]
    return report(results)


@contextlib.asynccontextmanager
async def service(config: Path) -> AsyncIterator[None]:
    """Run `detector answer --watch`, its output on ours, until the calls are over."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "detector.cli.main", "answer", "--config", str(config), "--watch",
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "COLUMNS": "160", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    ready = asyncio.Event()
    showing = asyncio.create_task(show(process.stdout, ready))
    try:
        await asyncio.wait({asyncio.create_task(ready.wait()), showing}, timeout=READY_SECONDS,
                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        if not ready.is_set():
            raise SystemExit("demo: the answering service did not start; see above")
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()
        await showing


async def show(stream: asyncio.StreamReader, ready: asyncio.Event) -> None:
    while line := (await stream.readline()).decode():
        print(line, end="", flush=True)
        if "ready: waiting for calls" in line:
            ready.set()


@contextlib.asynccontextmanager
async def telephone(port: int) -> AsyncIterator[None]:
    """The telephone of the person called: answers what is put through to it, and hangs up after a moment."""
    options = SipOptions(listen_address="127.0.0.1", port=port, rtp_ports=(18000, 18999), identity="household")
    async with SipSupervisor([options]) as supervisor:
        answering = asyncio.create_task(pick_up(supervisor))
        yield
        answering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answering


async def pick_up(supervisor: SipSupervisor) -> None:
    async for event in supervisor.events():
        if isinstance(event, IncomingCall):
            print("phone         rings: the caller is put through, and you pick up", flush=True)
            supervisor.send(Answer(event.call))
            await asyncio.sleep(1.0)
            supervisor.send(HangUp(event.call))
        elif isinstance(event, CallEnded):
            print("phone         hangs up", flush=True)


async def place(scenario: Scenario, folder: Path, port: int) -> Result:
    """Place one call from a process of its own, as a caller would."""
    print(f"\n─── {scenario.id}: {scenario.why}", flush=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "detector.cli.main", "call", f"sip:agent@127.0.0.1:{port}",
        "--scenarios", str(folder / "scenarios.jsonl"), "--id", scenario.id, "--clips", str(folder / "clips"),
        "--json", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), CALL_SECONDS)
    await asyncio.sleep(1.0)  # the service's last lines belong to this call
    outcome = json.loads(output or b'{"ending": "lost", "seconds": 0.0}')
    return Result(scenario, outcome["ending"], outcome["seconds"])


def report(results: list[Result]) -> int:
    print("\n─── what became of the calls")
    for result in results:
        mark = "right" if result.is_right else f"WRONG, expected {ACTIONS[EXPECTED[result.scenario.caller]]}"
        ending = ACTIONS.get(result.ending, result.ending.replace("_", " "))
        print(f"{result.scenario.id:28} {ending:16} after {result.seconds:4.1f} s   {mark}")
    return 0 if all(result.is_right for result in results) else 1


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
