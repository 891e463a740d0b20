"""All calls of one worker: admits them, hands commands to them, lets time pass."""

import logging
import os
from collections.abc import Callable

import pjsua2 as pj

from detector.sip import protocol
from detector.sip.calls import LiveCall
from detector.sip.fields import clean
from detector.sip.headers import select_headers
from detector.sip.legs import Leg, Post
from detector.sip.media import PortPool
from detector.sip.options import SipOptions
from detector.sip.outbox import Outbox
from detector.sip.registration import Registration
from detector.sip.stack import SipStack, call_parameters
from detector.sip.tools import Tools

__all__ = ["Switchboard"]

_log = logging.getLogger(__name__)

BUSY_HERE = 486
SIGN_SECONDS = 1.0
NOT_ACCEPTED = 403


class Switchboard:
    """Runs on the worker's own thread, the only one that talks to the library.

    `now` is the worker's clock.
    """

    def __init__(
        self, worker: int, options: SipOptions, outbox: Outbox, post: Post, now: Callable[[], float]
    ) -> None:
        self._worker = worker
        self._options = options
        self._outbox = outbox
        self._post = post
        self._now = now
        self._stack = SipStack(options)
        self._calls: dict[int, LiveCall] = {}
        self._count = 0
        self._next_sign = 0.0
        self._unregistering = False
        self._registration = Registration(worker, outbox.put, self._register, options.register_retry_seconds)
        self._tools = Tools(
            stack=self._stack,
            options=options,
            ports=PortPool(),
            outbox=outbox,
            post=post,
            now=now,
            ended=self._forget,
            referred=self._adopt,
        )

    @property
    def busy(self) -> bool:
        """Whether there are calls, or an answer of the registrar is awaited."""
        return bool(self._calls) or self._unregistering

    @property
    def admitted(self) -> int:
        """Calls that may be there at once."""
        most = self._stack.max_calls
        return max(1, most // 2) if self._options.reserve_for_bridge else most

    def start(self) -> protocol.Ready:
        """Start the library and return what the worker can do; raises what SipStack.start raises."""
        self._stack.start(self._post, self._incoming, self._registered, self._connection_lost)
        return protocol.Ready(
            self._worker, os.getpid(), self._stack.port, self.admitted, clean(self._stack.version)
        )

    def carry_out(self, command: protocol.Command) -> None:
        """Do what the service asks; what the library refuses becomes CommandFailed or PlaceFailed."""
        if isinstance(command, protocol.PlaceCall):
            self._place(command)
        elif not isinstance(command, protocol.Configure | protocol.Shutdown):
            call = self._calls.get(command.call)
            # A command and the end of its call may cross: that is no error.
            if call is not None:
                self._command_call(call, command)

    def tick(self, now: float) -> None:
        """Let time pass; a few times a second."""
        if now >= self._next_sign:
            self._next_sign = now + SIGN_SECONDS
            self._outbox.put(protocol.Alive(self._worker, len(self._calls)))
        self._registration.tick(now)
        for call in list(self._calls.values()):
            try:
                call.tick(now)
            except pj.Error as error:
                _log.warning("A call could not be looked after: %s.", error.reason)

    def hang_up_all(self) -> None:
        self._stack.hang_up_all()

    def unregister(self) -> None:
        """Take our address back from the registrar; `busy` until it has answered."""
        try:
            self._unregistering = self._stack.unregister()
        except pj.Error as error:
            _log.info("Not unregistered: %s.", error.reason)

    def _command_call(self, call: LiveCall, command: protocol.Command) -> None:
        try:
            _apply(call, command)
        except pj.Error as error:
            failed = protocol.CommandFailed(call.call, type(command).__name__, clean(error.reason))
            self._outbox.put(failed)

    def _place(self, command: protocol.PlaceCall) -> None:
        if not self._stack.is_uri(command.target):
            self._outbox.put(protocol.PlaceFailed(command.request, "The target is no SIP address."))
            return
        leg = Leg(self._stack.account)
        local = self._stack.local_uri(command.number, command.display_name) if command.number else ""
        call = LiveCall(self._next_number(), leg, self._tools, placed=True)
        try:
            self._stack.place(leg, command.target, call_parameters(headers=command.headers, local_uri=local))
        except pj.Error as error:
            leg.listener = None
            self._stack.account.release(leg)
            self._outbox.put(protocol.PlaceFailed(command.request, clean(error.reason)))
            return
        # What the leg has to say already waits in the inbox, behind this.
        self._calls[call.call] = call
        self._outbox.put(protocol.CallPlaced(command.request, call.call))

    def _incoming(self, leg: Leg, message: str, source: str) -> None:
        if leg.gone:
            return
        if self._options.role == "caller" or len(self._calls) >= self.admitted:
            code = NOT_ACCEPTED if self._options.role == "caller" else BUSY_HERE
            leg.hangup(call_parameters(code))
            return
        call = LiveCall(self._next_number(), leg, self._tools, placed=False)
        self._calls[call.call] = call
        self._outbox.put(protocol.IncomingCall(call.call, source, select_headers(message)))

    def _adopt(self, leg: Leg) -> int:
        call = LiveCall(self._next_number(), leg, self._tools, placed=True)
        self._calls[call.call] = call
        return call.call

    def _forget(self, number: int) -> None:
        self._calls.pop(number, None)

    def _next_number(self) -> int:
        self._count += 1
        return self._worker << 32 | self._count

    def _register(self) -> None:
        try:
            self._stack.account.setRegistration(True)
        except pj.Error as error:
            # A registration that is already under way says so; its answer will come.
            _log.info("Not registering now: %s.", error.reason)

    def _connection_lost(self) -> None:
        self._registration.connection_lost(self._now())

    def _registered(self, code: int, reason: str, expires: int) -> None:
        self._unregistering = False
        self._registration.answered(code, reason, expires, self._now())


def _apply(call: LiveCall, command: protocol.Command) -> None:
    match command:
        case protocol.Answer(code=code):
            call.answer(code)
        case protocol.Reject(code=code):
            call.reject(code)
        case protocol.HangUp(code=code):
            call.hang_up(code)
        case protocol.Play(prompt=prompt, path=path):
            call.play(prompt, path)
        case protocol.StopPlaying():
            call.stop_playing()
        case protocol.Refer(target=target):
            call.refer(target)
        case protocol.Bridge():
            call.bridge(command)
        case protocol.SendAudio(samples=samples):
            call.send_audio(samples)
        case protocol.DropAudio():
            call.drop_audio()
        case protocol.SendDtmf(digits=digits, method=method):
            call.send_dtmf(digits, method)
        case _:
            pass
