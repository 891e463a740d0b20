"""A worker and the programs of others: registrars that refuse or ask for a password, sipp as a caller."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from detector.sip.client import SipCaller
from detector.sip.protocol import (
    UNREACHED,
    CallAnswered,
    CallEnded,
    Ready,
    Registered,
    RegistrationFailed,
)

pytestmark = pytest.mark.end_to_end

Options = Callable[..., Any]


async def assert_takes_a_call(target: str, options: Any) -> CallAnswered:
    async with SipCaller(options) as caller:
        call = await caller.call(target)
        answered = await call.wait_answered(5)
        await call.send(np.zeros(800, np.int16))
        call.hang_up()
        await call.wait_ended(5)
        return answered


class Registrar(asyncio.DatagramProtocol):
    """Asks for a password (RFC 2617, no qop) and keeps what it was told."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.expires: list[int] = []
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, address: Any) -> None:
        text = data.decode()
        if not text.startswith("REGISTER"):
            return
        digest = dict(
            re.findall(r'(\w+)="?([^",\r]+)', text.partition("Authorization: Digest ")[2].split("\r\n")[0])
        )
        if not digest:
            self.answer(text, address, "401 Unauthorized", 'WWW-Authenticate: Digest realm="pbx", nonce="n1"')
        elif digest["response"] != self.expected(digest):
            self.refused += 1
            self.answer(text, address, "403 Forbidden")
        else:
            found = re.search(r"(?i)^Expires: (\d+)", text, re.MULTILINE)
            self.expires.append(int(found[1]) if found else -1)
            self.answer(text, address, "200 OK", *re.findall(r"(?m)^(?:Contact|Expires): [^\r]*", text))

    def expected(self, digest: dict[str, str]) -> str:
        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode()).hexdigest()  # noqa: S324 - as SIP has it

        secret = md5(digest["username"], digest["realm"], self.password)
        return md5(secret, digest["nonce"], md5("REGISTER", digest["uri"]))

    def answer(self, request: str, address: Any, status: str, *more: str) -> None:
        kept = re.findall(r"(?m)^(?:Via|From|To|Call-ID|CSeq): [^\r]*", request)
        lines = [f"SIP/2.0 {status}", *kept, *more, "Content-Length: 0", "", ""]
        self.transport.sendto("\r\n".join(lines).encode(), address)


@pytest.mark.parametrize("host", ["registrar.invalid", "256.0.0.1"])
def test_a_registrar_that_is_not_there_has_refused_nothing(agent: Any, loopback: Options, host: str) -> None:
    async def run() -> None:
        account = loopback(registrar=f"sip:{host}", username="1001", password="secret")  # noqa: S106 - no secret
        async with agent(account) as service:
            failed: RegistrationFailed = await service.event(RegistrationFailed)
            assert (failed.code, failed.reason) == (UNREACHED, "no answer")

    asyncio.run(run())


@pytest.mark.parametrize("right", [True, False])
def test_a_password_is_proved(agent: Any, loopback: Options, right: bool) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        transport, registrar = await loop.create_datagram_endpoint(
            lambda: Registrar("secret" if right else "other"), local_addr=("127.0.0.1", 0)
        )
        port = transport.get_extra_info("sockname")[1]
        account = loopback(
            registrar=f"sip:127.0.0.1:{port}",
            username="1001",
            password="secret",  # noqa: S106 - no secret
            register_seconds=90,
        )
        try:
            async with agent(account) as service:
                if right:
                    assert (await service.event(Registered)).expires > 60
                else:
                    assert (await service.event(RegistrationFailed)).code == 403
        finally:
            transport.close()
        # Leaving, it took its address back.
        assert registrar.expires == ([90, 0] if right else [])
        assert bool(registrar.refused) is not right

    asyncio.run(run())


SIPP = shutil.which("sipp")
needs_sipp = pytest.mark.skipif(SIPP is None, reason="sipp (Debian's sip-tester) is not installed")


async def sipp(*arguments: str, within: float = 20.0) -> int:
    process = await asyncio.create_subprocess_exec(
        str(SIPP),
        *arguments,
        "-nostdin",
        "-i",
        "127.0.0.1",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        return await asyncio.wait_for(process.wait(), within)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


REGISTRAR = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="registrar">
  <recv request="REGISTER"/>
  <send><![CDATA[
    SIP/2.0 {answer}
    [last_Via:]
    [last_From:]
    [last_To:];tag=[call_number]
    [last_Call-ID:]
    [last_CSeq:]
    [last_Contact:]
    Expires: 120
    Content-Length: 0

  ]]></send>
</scenario>
"""


@needs_sipp
@pytest.mark.sipp
def test_a_refused_registration_is_tried_again(
    agent: Any, loopback: Options, free_port: Callable[[], int], tmp_path: Path
) -> None:
    answers = []
    for answer in ("403 Forbidden", "200 OK"):
        scenario = tmp_path / f"{answer[:3]}.xml"
        scenario.write_text(REGISTRAR.format(answer=answer))
        answers.append(scenario)

    async def registrar(port: int) -> None:
        for scenario in answers:
            await sipp("-sf", str(scenario), "-p", str(port), "-m", "1", "-timeout", "15")

    async def run() -> None:
        port = free_port()
        registering = asyncio.create_task(registrar(port))
        account = loopback(
            registrar=f"sip:127.0.0.1:{port}",
            username="1001",
            password="secret",  # noqa: S106 - no secret
            register_retry_seconds=1.0,
        )
        async with agent(account, loopback(rtp_ports=(22000, 22999))) as service:
            failed: RegistrationFailed = await service.event(RegistrationFailed)
            assert (failed.code, failed.retry_in) == (403, 1.0)
            # Meanwhile the other worker takes calls.
            other: Ready = await service.event(Ready, worker=3 - failed.worker)
            await assert_takes_a_call(f"sip:a@127.0.0.1:{other.port}", loopback(rtp_ports=(20000, 20999)))
            assert (await service.event(Registered)).expires > 60
        registering.cancel()
        await asyncio.gather(registering, return_exceptions=True)

    asyncio.run(run())


@needs_sipp
@pytest.mark.sipp
def test_sipp_calls_and_hangs_up(agent: Any, loopback: Options, free_port: Callable[[], int]) -> None:
    async def run() -> None:
        async with agent(loopback()) as service:
            port = await service.port()
            own = str(free_port())
            # Three calls of 300 ms, two a second.
            code = await sipp(
                f"127.0.0.1:{port}",
                "-sn",
                "uac",
                "-p",
                own,
                "-m",
                "3",
                "-r",
                "2",
                "-d",
                "300",
                "-timeout",
                "15",
            )
            assert code == 0
            await service.until(lambda: sum(isinstance(each, CallEnded) for each in service.seen) == 3)
            assert sum(isinstance(each, CallAnswered) for each in service.seen) == 3
            assert not service.supervisor.calls

    asyncio.run(run())
