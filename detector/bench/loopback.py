"""An answering service, a household's telephone and callers, all real, on this machine's loopback.

The demo, the measurements of live calls and the end-to-end tests share it. The service is a process of its own, made
by the same command that a user gives.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detector.agents.scenario import Scenario
from detector.errors import SipError
from detector.sip.options import SipOptions
from detector.sip.protocol import Answer, CallEnded, HangUp, IncomingCall
from detector.sip.supervisor import SipSupervisor

__all__ = ["Loopback", "Outcome", "free_port"]

READY_SECONDS = 90.0
CALL_SECONDS = 240.0
PICKED_UP_SECONDS = 1.0

_CONFIG = """\
[sip]
listen_address = "127.0.0.1"
port = {port}
rtp_ports = [{rtp}, {rtp_end}]
workers = {workers}

[forward]
target = "sip:household@127.0.0.1:{phone}"

[store]
url = "calls.sqlite3"

[log]
level = "warning"
{more}
"""


def free_port() -> int:
    """Return a UDP port of the loopback that is free now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _colours() -> dict[str, str]:
    """The service writes into a pipe; what it writes is coloured where ours goes to a terminal."""
    return {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call went, as its caller saw it; see `detector.agents.scenario_call.CallOutcome`."""

    scenario: Scenario
    ending: str
    seconds: float
    said: tuple[tuple[float, float, str], ...] = ()
    """Start, end and words of what the caller said."""
    heard: tuple[tuple[float, float, str], ...] = ()
    """Start, end and act of what the agent said."""


@dataclass
class Loopback:
    """Use as `async with Loopback(...).running() as loopback`. `show` gets every line of the service's console."""

    scenarios: Path
    """The file that the callers' scenarios are in."""
    clips: Path
    """The folder of their clips."""
    show: Callable[[str], None] = field(default=lambda _line: None)
    workers: int = 1
    more_config: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    work: Path = field(init=False)
    process: asyncio.subprocess.Process = field(init=False)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Loopback"]:
        """Start telephone and service; stop both at the end. Raises SipError where the service does not start."""
        with tempfile.TemporaryDirectory(prefix="detector-loopback-") as work:
            self.work = Path(work)
            phone = free_port()
            config = self.work / "agent.toml"
            rtp = 20000 + 200 * (os.getpid() % 50)
            text = _CONFIG.format(
                port=self.port,
                phone=phone,
                rtp=rtp,
                rtp_end=rtp + 199,
                workers=self.workers,
                more=self.more_config,
            )
            config.write_text(text, "utf-8")
            async with self._telephone(phone), self._service(config):
                yield self

    async def place(self, scenario: Scenario, seed: int = 0, number: str | None = None) -> Outcome:
        """Place one call from a process of its own, as a caller would, and wait for its end."""
        shown = () if number is None else ("--number", number)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "detector.cli.main", "call", f"sip:agent@127.0.0.1:{self.port}",
            "--scenarios", str(self.scenarios), "--id", scenario.id,
            "--clips", str(self.clips), "--seed", str(seed), *shown, "--json",
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), CALL_SECONDS)
        row: dict[str, Any] = json.loads(output or b"{}")
        return Outcome(
            scenario,
            row.get("ending", "lost"),
            row.get("seconds", 0.0),
            tuple((start, end, text) for start, end, text in row.get("said", ())),
            tuple((start, end, act) for start, end, act in row.get("heard", ())),
        )

    @contextlib.asynccontextmanager
    async def _service(self, config: Path) -> AsyncIterator[None]:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "detector.cli.main", "answer", "--config", str(config), "--watch",
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "COLUMNS": "160", "PYTHONUNBUFFERED": "1", **_colours(), **self.environ},
        )  # fmt: skip
        ready = asyncio.Event()
        showing = asyncio.create_task(self._read(ready))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait({waiting, showing}, timeout=READY_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not ready.is_set():
                raise SipError("the answering service did not start; its own words stand above")
            yield
        finally:
            waiting.cancel()
            if self.process.returncode is None:
                self.process.send_signal(signal.SIGTERM)
            await self.process.wait()
            await showing

    async def _read(self, ready: asyncio.Event) -> None:
        assert self.process.stdout is not None  # noqa: S101 - asked for as a pipe
        while line := (await self.process.stdout.readline()).decode("utf-8", "replace"):
            self.show(line.rstrip("\n"))
            if "ready: waiting for calls" in line:
                ready.set()

    @contextlib.asynccontextmanager
    async def _telephone(self, port: int) -> AsyncIterator[None]:
        """The telephone of the person called: answers what is put through to it, and hangs up after a moment."""
        options = SipOptions(
            listen_address="127.0.0.1", port=port, rtp_ports=(18000, 18999), identity="household"
        )
        async with SipSupervisor([options]) as supervisor:
            answering = asyncio.create_task(self._pick_up(supervisor))
            try:
                yield
            finally:
                answering.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await answering

    async def _pick_up(self, supervisor: SipSupervisor) -> None:
        async for event in supervisor.events():
            if isinstance(event, IncomingCall):
                self.show("phone   rings: the caller is put through, and you pick up")
                supervisor.send(Answer(event.call))
                await asyncio.sleep(PICKED_UP_SECONDS)
                supervisor.send(HangUp(event.call))
            elif isinstance(event, CallEnded):
                self.show("phone   hangs up")
