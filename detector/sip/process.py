"""One SIP worker process as the service holds it: its socket, its standard error, its end."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from detector.errors import ConfigurationError, PortInUse, ProtocolError, SipError, WorkerDied
from detector.sip.options import SipOptions
from detector.sip.protocol import (
    PROTOCOL_VERSION,
    Command,
    Configure,
    Event,
    Ready,
    Shutdown,
    StartFailed,
    StreamDecoder,
    encode,
)

__all__ = ["WorkerProcess"]

_log = logging.getLogger(__name__)

SOCKET_BYTES: Final = 1 << 20
"""Some fifteen seconds of audio of four calls."""
MOST_OF_A_LINE: Final = 500
"""Bytes of what a worker writes on standard error that go into the log."""
START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 1.9
PACKAGE_PARENT: Final = str(Path(__file__).resolve().parents[2])
_ERRORS: Final = {"port_in_use": PortInUse, "configuration": ConfigurationError, "library": SipError}


class _Link(asyncio.Protocol):
    """The service's end of the socket."""

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver
        self._decoder = StreamDecoder()
        self.transport: asyncio.Transport
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A stream socket has no other, though not every event loop derives it so.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            for event in self._decoder.feed(data):
                self._deliver(event)
        except ProtocolError as error:
            _log.error("A SIP worker cannot be understood: %s", error)
            self.transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


class WorkerProcess:
    """A started worker. `launch` makes one, `ended` waits for its end, `stop` brings that about."""

    def __init__(self, number: int, process: asyncio.subprocess.Process, link: _Link) -> None:
        self.number = number
        self._process = process
        self._link = link
        self._reader = asyncio.create_task(self._read_errors())

    @classmethod
    async def launch(
        cls, number: int, options: SipOptions, deliver: Callable[[Event], None]
    ) -> "WorkerProcess":
        """Start a worker and wait until it takes calls; raises PortInUse, ConfigurationError or SipError."""
        started: asyncio.Future[Ready] = asyncio.get_running_loop().create_future()

        def first(event: Event) -> None:
            if isinstance(event, StartFailed) and not started.done():
                started.set_exception(_ERRORS[event.kind](event.problem))
            elif isinstance(event, Ready) and not started.done():
                started.set_result(event)
            if not isinstance(event, StartFailed):
                deliver(event)

        worker = await cls._spawn(number, options, first)
        try:
            await worker.await_start(started)
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, command: Command) -> None:
        """Send a command; one for a worker that has just died is lost, as its calls are."""
        data = encode(command)
        if not self._link.transport.is_closing():
            self._link.transport.write(data)

    def pause(self, *, paused: bool) -> None:
        """Stop reading, or go on: the worker then drops audio, and nothing else."""
        transport = self._link.transport
        if not transport.is_closing() and transport.is_reading() == paused:
            if paused:
                transport.pause_reading()
            else:
                transport.resume_reading()

    async def ended(self) -> int:
        """Wait for the end and return the exit code, negative for a signal."""
        code = await self._process.wait()
        await self._close()
        return code

    def kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """Have the worker hang up and exit; kill it where it does not within two seconds."""
        if self._process.returncode is None:
            self.send(Shutdown())
            try:
                await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
            except TimeoutError:
                self.kill()
                await self._process.wait()
        await self._close()

    @classmethod
    async def _spawn(
        cls, number: int, options: SipOptions, deliver: Callable[[Event], None]
    ) -> "WorkerProcess":
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BYTES)
        path = os.pathsep.join(filter(None, (PACKAGE_PARENT, os.environ.get("PYTHONPATH"))))
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "detector.sip.worker",
                str(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=None if options.log_level else asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": path},
            )
        ours.setblocking(False)
        _, link = await asyncio.get_running_loop().create_connection(lambda: _Link(deliver), sock=ours)
        worker = cls(number, process, link)
        worker.send(Configure(PROTOCOL_VERSION, number, options.to_json()))
        return worker

    async def await_start(self, started: asyncio.Future[Ready]) -> None:
        """Wait until `started` is set, or raise what kept the worker from it."""
        end = asyncio.create_task(self._process.wait())
        try:
            either: set[asyncio.Future[Any]] = {started, end}
            await asyncio.wait(either, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not started.done() and end.done():
                # What it wrote before it died may still lie in the socket.
                await self._link.lost
            if started.done():
                started.result()
            elif end.done():
                raise WorkerDied(f"The SIP worker ended while starting, {_manner(end.result())}.")
            else:
                raise WorkerDied(f"The SIP worker did not start within {START_SECONDS:.0f} seconds.")
        finally:
            end.cancel()
            started.cancel()

    async def _read_errors(self) -> None:
        stream = self._process.stderr
        assert stream is not None  # noqa: S101 - asked for as a pipe
        # In pieces: a line of any length must neither be kept whole nor end the reading.
        rest = b""
        while piece := await stream.read(4096):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                self._warn(line)
            rest = rest[:MOST_OF_A_LINE]
        if rest:
            self._warn(rest)

    def _warn(self, line: bytes) -> None:
        written = line[:MOST_OF_A_LINE].decode("utf-8", "replace").rstrip()
        _log.warning("SIP worker %d: %s", self.number, written)

    async def _close(self) -> None:
        # Events that the worker wrote before its end come before the end of the connection.
        if not self._link.lost.done():
            self.pause(paused=False)
            await asyncio.wait({self._link.lost}, timeout=1.0)
        self._link.transport.close()
        await self._reader


def _manner(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
