"""A worker among strangers: torture messages, OPTIONS, other transports, encryption."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.sip.client import SipCaller
from detector.sip.protocol import CallAnswered, Ready

pytestmark = pytest.mark.end_to_end

Options = Callable[..., Any]
TORTURE = os.environ.get("DETECTOR_TORTURE", "")


async def assert_takes_a_call(target: str, options: Any) -> CallAnswered:
    async with SipCaller(options) as caller:
        call = await caller.call(target)
        answered = await call.wait_answered(5)
        await call.send(np.zeros(800, np.int16))
        call.hang_up()
        await call.wait_ended(5)
        return answered


@pytest.mark.skipif(not TORTURE, reason="DETECTOR_TORTURE names no folder of RFC 4475 messages")
def test_a_worker_survives_the_torture_messages(agent: Any, loopback: Options) -> None:
    datagrams = [file.read_bytes() for file in sorted(Path(TORTURE).glob("*.dat"))]
    assert datagrams

    async def run() -> None:
        async with agent(loopback(ring_seconds=1.0), answers=False) as service:
            ready: Ready = await service.event(Ready)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind(("127.0.0.1", 0))
                for datagram in datagrams:
                    stranger.sendto(datagram, ("127.0.0.1", ready.port))
                    await asyncio.sleep(0.02)
            # Whatever of it was a call has rung in vain by now.
            await asyncio.sleep(2.5)
            assert service.supervisor.pids == (ready.pid,)
            service._answers = True
            await assert_takes_a_call(f"sip:a@127.0.0.1:{ready.port}", loopback(rtp_ports=(20000, 20999)))
            assert service.supervisor.pids == (ready.pid,)

    asyncio.run(run())


def test_options_and_garbage_are_answered_or_ignored(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with agent(loopback()) as service:
            port = await service.port()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.bind(("127.0.0.1", 0))
                stranger.settimeout(5)
                own = stranger.getsockname()[1]
                for noise in (
                    b"\0",
                    b"\xff" * 1400,
                    b"INVITE",
                    b"\r\n\r\n",
                    b"INVITE sip:a@b SIP/2.0\r\n\r\n",
                ):
                    stranger.sendto(noise, ("127.0.0.1", port))
                request = (
                    f"OPTIONS sip:agent@127.0.0.1:{port} SIP/2.0\r\n"
                    f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK1\r\n"
                    f"From: <sip:probe@127.0.0.1>;tag=1\r\nTo: <sip:agent@127.0.0.1>\r\nCall-ID: probe\r\n"
                    f"CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
                )
                stranger.sendto(request.encode(), ("127.0.0.1", port))
                # The last piece of noise was an INVITE of sorts and may be refused first.
                answers = [await asyncio.to_thread(stranger.recv, 4096)]
                while b"CSeq: 1 OPTIONS" not in answers[-1]:
                    answers.append(await asyncio.to_thread(stranger.recv, 4096))
            assert answers[-1].startswith(b"SIP/2.0 200")

    asyncio.run(run())


def test_tcp_and_pcmu(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with agent(loopback(transports=("udp", "tcp"))) as service:
            options = loopback(rtp_ports=(20000, 20999), transports=("udp", "tcp"), codecs=("PCMU",))
            target = f"sip:a@127.0.0.1:{await service.port()};transport=tcp"
            assert (await assert_takes_a_call(target, options)).codec == "PCMU"

    asyncio.run(run())


def test_g722(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with agent(loopback(codecs=("PCMA", "G722"))) as service:
            options = loopback(rtp_ports=(20000, 20999), codecs=("G722",))
            target = f"sip:a@127.0.0.1:{await service.port()}"
            assert (await assert_takes_a_call(target, options)).codec == "G722"

    asyncio.run(run())


@pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl makes the certificate and is not installed"
)
def test_tls_and_srtp(agent: Any, loopback: Options, free_port: Callable[[], int], tmp_path: Path) -> None:
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "cert.pem")
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    request += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(request, check=True, capture_output=True)  # noqa: S603 - fixed words and our own folder

    async def run() -> None:
        tls_port = free_port()
        secure = {
            "transports": ("udp", "tls"),
            "tls_certificate": certificate,
            "tls_private_key": key,
            "tls_port": tls_port,
            "srtp": "required",
        }
        async with agent(loopback(**secure)) as service:
            options = loopback(
                rtp_ports=(20000, 20999),
                transports=("udp", "tls"),
                srtp="required",
                tls_authorities=certificate,
                role="caller",
            )
            target = f"sip:a@127.0.0.1:{tls_port};transport=tls"
            assert (await assert_takes_a_call(target, options)).encrypted
            assert (await service.event(CallAnswered)).encrypted

    asyncio.run(run())
