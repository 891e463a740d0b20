"""An exchange that keeps to itself what it does with a REFER, and one that sends INFO as it likes.

It speaks plain UDP, for a real worker would be too polite.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from detector.sip.protocol import (
    Bridge,
    Bridged,
    CallAnswered,
    CallEnded,
    Dtmf,
    HangUp,
    Refer,
    TransferProgress,
)

pytestmark = pytest.mark.end_to_end

Options = Callable[..., Any]
Send = Callable[["Exchange", str], None]
TARGET = "sip:home@127.0.0.1:9"


class Exchange(asyncio.DatagramProtocol):
    """One call to a worker, without a packet of audio."""

    def __init__(self, port: int) -> None:
        self.got: asyncio.Queue[str] = asyncio.Queue()
        self._port = port
        self._own = self._sequence = 0
        self._tag = ""
        self._line: Any = None

    def connection_made(self, transport: Any) -> None:
        self._line, self._own = transport, transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        del addr
        self.got.put_nowait(data.decode())

    async def call(self) -> None:
        self.request(
            "INVITE",
            "application/sdp",
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self._own + 2} RTP/AVP 8\r\n",
        )
        answer = await self.until("SIP/2.0 200")
        found = re.search(r"^To:.*(;tag=\S+)", answer, re.MULTILINE)
        assert found is not None
        self._tag = found[1]
        self.request("ACK")

    def request(self, method: str, kind: str = "", body: str = "", more: str = "") -> None:
        self._sequence += method != "ACK"
        self._send(
            f"{method} sip:agent@127.0.0.1:{self._port} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._own};branch=z9hG4bK{self._own}{method}{self._sequence}\r\n"
            "Max-Forwards: 70\r\n"
            f"From: <sip:13800138000@127.0.0.1>;tag=1\r\nTo: <sip:agent@127.0.0.1>{self._tag}\r\n"
            f"Call-ID: exchange-{self._own}\r\nCSeq: {self._sequence} {method}\r\n"
            f"Contact: <sip:exchange@127.0.0.1:{self._own}>\r\n{more}"
            + (f"Content-Type: {kind}\r\n" if kind else "")
            + f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def notify(self, status: str, state: str = "active") -> None:
        self.request(
            "NOTIFY",
            "message/sipfrag;version=2.0",
            f"SIP/2.0 {status}\r\n",
            f"Event: refer\r\nSubscription-State: {state}\r\n",
        )

    def reply(self, request: str, status: str) -> None:
        kept = re.findall(r"^(?:Via|From|To|Call-ID|CSeq):.*\r\n", request, re.MULTILINE)
        contact = f"Contact: <sip:exchange@127.0.0.1:{self._own}>\r\n"
        self._send(f"SIP/2.0 {status}\r\n{''.join(kept)}{contact}Content-Length: 0\r\n\r\n")

    async def until(self, beginning: str, within: float = 5.0) -> str:
        """Wait for what begins like this; anything else is passed over."""
        async with asyncio.timeout(within):
            while not (message := await self.got.get()).startswith(beginning):
                pass
        return message

    def _send(self, message: str) -> None:
        self._line.sendto(message.encode(), ("127.0.0.1", self._port))


@asynccontextmanager
async def calling(service: Any) -> AsyncIterator[tuple[Exchange, int]]:
    """An exchange whose call is up, and the call's number."""
    port = await service.port()
    loop = asyncio.get_running_loop()
    line, exchange = await loop.create_datagram_endpoint(lambda: Exchange(port), local_addr=("127.0.0.1", 0))
    try:
        await exchange.call()
        yield exchange, (await service.event(CallAnswered)).call
    finally:
        line.close()


def finals(service: Any) -> list[int]:
    return [each.code for each in service.seen if isinstance(each, TransferProgress) and each.final]


def test_a_caller_stays_with_us_where_his_exchange_times_out_over_a_refer(
    agent: Any, loopback: Options
) -> None:
    async def run() -> None:
        async with agent(loopback()) as service, calling(service) as (exchange, call):
            service.send(Refer(call, TARGET))
            exchange.reply(await exchange.until("REFER"), "408 Request Timeout")
            assert (await service.event(TransferProgress, final=True)).code == 408
            with pytest.raises(TimeoutError):
                await exchange.until("BYE", within=1.0)
            assert call in service.supervisor.calls
            service.send(HangUp(call))
            await exchange.until("BYE")

    asyncio.run(run())


def test_one_answer_fails_one_transfer(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with (
            agent(loopback()) as owner,
            agent(loopback(rtp_ports=(21000, 21999))) as service,
            calling(service) as (exchange, call),
        ):
            service.send(Refer(call, TARGET))
            exchange.reply(await exchange.until("REFER"), "405 Method Not Allowed")
            assert (await service.event(TransferProgress, final=True)).code == 405
            service.seen.clear()
            service.send(Bridge(call, f"sip:owner@127.0.0.1:{await owner.port()}"))
            await service.event(Bridged)
            assert finals(service) == [200]

    asyncio.run(run())


def taken_on(exchange: Exchange, refer: str) -> None:
    exchange.reply(refer, "202 Accepted")


def taken_on_and_tried(exchange: Exchange, refer: str) -> None:
    exchange.reply(refer, "202 Accepted")
    exchange.notify("180 Ringing")


def not_answered(_: Exchange, _refer: str) -> None:
    pass


def still_trying(exchange: Exchange, refer: str) -> None:
    exchange.reply(refer, "100 Trying")


@pytest.mark.parametrize(
    ("answer", "cause", "final"),
    [
        (taken_on, "transferred", [200]),
        (taken_on_and_tried, "transferred", [200]),
        (not_answered, "remote", []),
        (still_trying, "remote", []),
    ],
)
def test_an_exchange_that_hangs_up_has_put_the_caller_through_where_it_had_taken_the_refer_on(
    agent: Any, loopback: Options, answer: Send, cause: str, final: list[int]
) -> None:
    async def run() -> None:
        async with agent(loopback()) as service, calling(service) as (exchange, call):
            service.send(Refer(call, TARGET))
            answer(exchange, await exchange.until("REFER"))
            exchange.request("BYE")
            assert (await service.event(CallEnded)).cause == cause
            assert finals(service) == final

    asyncio.run(run())


def test_who_hangs_up_after_his_transfer_failed_is_not_put_through(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with agent(loopback()) as service, calling(service) as (exchange, call):
            service.send(Refer(call, TARGET))
            taken_on(exchange, await exchange.until("REFER"))
            exchange.notify("486 Busy Here", "terminated;reason=noresource")
            assert (await service.event(TransferProgress, final=True)).code == 486
            exchange.request("BYE")
            assert (await service.event(CallEnded)).cause == "remote"

    asyncio.run(run())


@pytest.mark.parametrize(("status", "cause"), [("200 OK", "transferred"), ("486 Busy Here", None)])
def test_an_outcome_counts_though_the_exchange_leaves_its_subscription_open(
    agent: Any, loopback: Options, status: str, cause: str | None
) -> None:
    async def run() -> None:
        async with agent(loopback()) as service, calling(service) as (exchange, call):
            service.send(Refer(call, TARGET))
            taken_on(exchange, await exchange.until("REFER"))
            exchange.notify(status)
            await service.event(TransferProgress, final=True)
            if cause is None:
                assert call in service.supervisor.calls
            else:
                exchange.reply(await exchange.until("BYE"), "200 OK")
                assert (await service.event(CallEnded)).cause == cause
            assert finals(service) == [int(status[:3])]

    asyncio.run(run())


def test_a_caller_who_is_put_through_may_send_no_audio(agent: Any, loopback: Options) -> None:
    async def run() -> None:
        async with (
            agent(loopback()) as owner,
            agent(loopback(rtp_ports=(21000, 21999), rtp_timeout=1.5)) as service,
            calling(service) as (exchange, call),
        ):
            service.send(Bridge(call, f"sip:owner@127.0.0.1:{await owner.port()}"))
            await service.event(Bridged)
            with pytest.raises(TimeoutError):
                await exchange.until("BYE", within=3.0)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("kind", "body", "code", "digits"),
    [
        ("application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", 200, ["5"]),
        ("application/dtmf-relay", "Signal=5", 200, ["5"]),
        ("Application / DTMF-Relay;x=y", "signal = #", 200, ["#"]),
        ("application/dtmf-relay", "Duration=160\r\nSignal=10", 200, ["*"]),
        ("application/dtmf-relay", "Signal=", 400, []),
        ("application/dtmf-relay", "Signal", 400, []),
        ("application/dtmf-relay", "Signal=55", 400, []),
        ("application/dtmf-relay", "Duration=", 400, []),
        ("application/dtmf-relay", "\r\n\r\nSignal", 400, []),
        ("application/media_control+xml", "<", 415, []),
        ("", "", 200, []),
    ],
)
def test_no_info_ends_the_worker(
    agent: Any, loopback: Options, kind: str, body: str, code: int, digits: list[str]
) -> None:
    async def run() -> None:
        async with agent(loopback()) as service, calling(service) as (exchange, call):
            pids = service.supervisor.pids
            exchange.request("INFO", kind, body)
            assert f"SIP/2.0 {code}" in await exchange.until("SIP/2.0")
            exchange.request("INFO", "application/dtmf-relay", "Signal=9\r\n")
            await service.event(Dtmf, digit="9", method="info")
            assert [each.digit for each in service.seen if isinstance(each, Dtmf)] == [*digits, "9"]
            assert service.supervisor.pids == pids
            assert call in service.supervisor.calls

    asyncio.run(run())
