"""Workers die, hang, cannot start; the service is killed: what is left behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import detector.sip.supervisor as supervisor_module
from detector.errors import ConfigurationError, PortInUse, SipError
from detector.sip.client import SipCaller
from detector.sip.protocol import (
    Audio,
    CallAnswered,
    HangUp,
    PlaceCall,
    Ready,
    Shutdown,
)
from detector.sip.supervisor import CallLost, SipSupervisor, WorkerLost

pytestmark = pytest.mark.end_to_end

Options = Callable[..., Any]


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_dead_worker_loses_its_calls_only_and_is_replaced(
    agent: Any, loopback: Options, free_port: Callable[[], int]
) -> None:
    async def run() -> None:
        port = free_port()
        workers = (loopback(port=port), loopback(rtp_ports=(22000, 22999)))
        async with agent(*workers) as service, SipCaller(loopback(rtp_ports=(20000, 20999))) as caller:
            doomed: Ready = await service.event(Ready, port=port)
            other: Ready = await service.event(Ready, worker=3 - doomed.worker)
            first = await caller.call(f"sip:a@127.0.0.1:{port}")
            await first.wait_answered()
            second = await caller.call(f"sip:a@127.0.0.1:{other.port}")
            await second.wait_answered()

            def answered() -> list[int]:
                return [each.call for each in service.seen if isinstance(each, CallAnswered)]

            # The caller may have its answer before the agent has the worker's word of it.
            await service.until(lambda: len(answered()) == 2)
            lost_call, kept_call = answered()
            os.kill(doomed.pid, signal.SIGKILL)
            assert (await service.event(CallLost)).call == lost_call
            assert (await service.event(WorkerLost)).exit_code == -signal.SIGKILL
            # A command for the lost call is no error.
            service.send(HangUp(lost_call))
            before = len(service.heard(kept_call))
            await service.until(lambda: len(service.heard(kept_call)) > before + 1600)
            assert service.supervisor.calls == {kept_call}
            # The new one has the port of the old.
            await service.until(
                lambda: [e.port for e in service.seen if isinstance(e, Ready)].count(port) == 2
            )
            again = await caller.call(f"sip:a@127.0.0.1:{port}")
            await again.wait_answered()

    asyncio.run(run())


def test_a_hung_worker_is_killed_and_an_idle_one_is_not(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with agent(loopback(), silent_seconds=2.5) as service:
            ready: Ready = await service.event(Ready)
            await asyncio.sleep(3.2)
            assert not [each for each in service.seen if isinstance(each, WorkerLost)]
            os.kill(ready.pid, signal.SIGSTOP)
            assert (await service.event(WorkerLost)).exit_code == -signal.SIGKILL
            assert not is_running(ready.pid)
            await service.event(Ready, worker=2)

    asyncio.run(run())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_in_use_is_named(loopback: Options, transport: str) -> None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        if transport == "tcp":
            holder.listen()
        port = holder.getsockname()[1]
        options = loopback(port=port, transports=(transport,))
        with pytest.raises(PortInUse, match=str(port)):
            asyncio.run(SipSupervisor([options]).start())


def test_an_address_that_is_not_ours_is_a_configuration_error(loopback: Options) -> None:
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1"):
        asyncio.run(SipSupervisor([loopback(listen_address="192.0.2.1")]).start())


def test_one_worker_that_cannot_start_stops_all(loopback: Options, free_port: Callable[[], int]) -> None:
    async def run() -> None:
        port = free_port()
        supervisor = SipSupervisor([loopback(port=port), loopback(port=port, rtp_ports=(22000, 22999))])
        with pytest.raises(PortInUse):
            await supervisor.start()
        assert supervisor.pids == ()
        with pytest.raises(SipError, match="No SIP worker"):
            supervisor.send(PlaceCall(1, "sip:a@127.0.0.1"))

    asyncio.run(run())


def test_stopping_with_calls_takes_less_than_two_seconds(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with SipCaller(loopback(rtp_ports=(20000, 20999))) as caller:
            async with agent(loopback()) as service:
                call = await caller.call(f"sip:a@127.0.0.1:{await service.port()}")
                await call.wait_answered()
                pids = service.supervisor.pids
                began = time.monotonic()
            assert time.monotonic() - began < 2.0
            assert not any(map(is_running, pids))
            await call.wait_ended(5)

    asyncio.run(run())


def test_commands_that_are_the_supervisors_own_are_refused(loopback: Options) -> None:
    with pytest.raises(TypeError):
        asyncio.run(_send(loopback()))


async def _send(options: Any) -> None:
    SipSupervisor([options]).send(Shutdown())


SERVICE = """
import asyncio, sys
from detector.sip.options import SipOptions
from detector.sip.supervisor import SipSupervisor

async def main():
    supervisor = SipSupervisor([SipOptions(listen_address="127.0.0.1", port=0)] * 2)
    await supervisor.start()
    print(*supervisor.pids, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_no_worker_outlives_a_killed_service() -> None:
    root = str(Path(supervisor_module.__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root}
    command = [sys.executable, "-c", SERVICE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as service:  # noqa: S603 - our own
        assert service.stdout is not None
        pids = [int(each) for each in service.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_running, pids))
        service.kill()
        deadline = time.monotonic() + 3.0
        while any(map(is_running, pids)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(map(is_running, pids))


def test_a_slow_reader_gets_every_event(
    agent: Any, loopback: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "MOST_WAITING", 20)

    async def run() -> None:
        supervisor = SipSupervisor([loopback(role="caller")])
        async with agent(loopback(rtp_ports=(20000, 20999))) as service, supervisor:
            supervisor.send(PlaceCall(1, f"sip:a@127.0.0.1:{await service.port()}"))
            await service.event(CallAnswered)
            # Nobody reads for a second: the socket holds what the queue may not.
            await asyncio.sleep(1.0)
            positions = []
            async with asyncio.timeout(10):
                async for event in supervisor.events():
                    if isinstance(event, Audio):
                        positions.append(event.position)
                    if len(positions) > 80:
                        break
            assert positions == list(range(0, 160 * len(positions), 160))

    asyncio.run(run())
