"""A call that begins on hold, as some exchanges place one that they pass on."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from detector.sip.protocol import CallAnswered, CallEnded, HangUp

pytestmark = pytest.mark.end_to_end

Options = Callable[..., Any]


def request(method: str, port: int, own: int, tag: str = "", body: str = "") -> bytes:
    kind = "Content-Type: application/sdp\r\n" if body else ""
    return (
        f"{method} sip:agent@127.0.0.1:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n"
        f"From: <sip:pbx@127.0.0.1>;tag=1\r\nTo: <sip:agent@127.0.0.1>{tag}\r\nCall-ID: held\r\n"
        f"CSeq: 1 {method}\r\nContact: <sip:pbx@127.0.0.1:{own}>\r\n{kind}"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def held_offer(media: int) -> str:
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {media} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n"
    )


async def accepted(line: socket.socket) -> str:
    """Wait for the final response and return the tag of the one who sent it."""
    while True:
        text = (await asyncio.to_thread(line.recv, 65536)).decode()
        if text.startswith("SIP/2.0 200"):
            (to,) = [each for each in text.split("\r\n") if each.startswith("To:")]
            return ";tag=" + to.partition(";tag=")[2]


def test_a_caller_on_hold_from_the_beginning_is_heard_as_silent(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with agent(loopback(ring_seconds=1.5)) as service:
            port = await service.port()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
                line.bind(("127.0.0.1", 0))
                line.settimeout(5)
                own = line.getsockname()[1]
                line.sendto(request("INVITE", port, own, body=held_offer(own + 2)), ("127.0.0.1", port))
                line.sendto(request("ACK", port, own, await accepted(line)), ("127.0.0.1", port))
                call = (await service.event(CallAnswered)).call
                # Longer than a call may ring.
                await service.until(lambda: len(service.heard(call)) > 2.5 * 8000)
                assert not service.heard(call).any()
                service.send(HangUp(call))
                assert (await service.event(CallEnded, call=call)).cause == "command"

    asyncio.run(run())
