"""Calls and account as the library sees them: subclasses whose callbacks only note what happened.

The library calls back on its own threads. Nothing is done there: each callback puts a small function into
the inbox, which the worker's one thread runs, and which talks to the leg's listener. An exception that
reached the library would end the process, so none leaves a callback.
"""

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, Final, Protocol, TypeVar

import pjsua2 as pj

from detector.sip.events import UNREACHED
from detector.sip.fields import clean
from detector.sip.info import read_info
from detector.sip.library import answer_request, can_answer

__all__ = ["IncomingHandler", "Leg", "LegListener", "Post", "SipAccount", "status_code"]

_log = logging.getLogger(__name__)

Post = Callable[[Callable[[], None]], None]
"""Puts a function into the worker's inbox."""
F = TypeVar("F", bound=Callable[..., None])

OK: Final = 200
FIRST_REFUSAL: Final = 300
DECLINE: Final = 603


def status_code(value: Any) -> int:
    """Make a number from the network a status code of SIP, 0 where it cannot be one."""
    code = int(value)
    return code if 100 <= code <= 699 else 0


def _is_given_up(change: Any) -> bool:
    """Whether a request has ended without an answer: none came in time, or it could not be sent."""
    has_ended = change.prevState < pj.PJSIP_TSX_STATE_COMPLETED <= change.tsx.state
    return bool(has_ended and change.type != pj.PJSIP_EVENT_RX_MSG)


def _guarded(callback: F) -> F:
    @wraps(callback)
    def guarded(*arguments: Any) -> None:
        try:
            callback(*arguments)
        except Exception as error:  # noqa: BLE001 - see the module's docstring
            # No traceback: its values may be a caller's.
            _log.error("%s failed: %s.", callback.__name__, type(error).__name__)

    return guarded  # type: ignore[return-value]  # the same parameters, by wraps


class LegListener(Protocol):
    """Hears of one leg, on the worker's own thread."""

    def leg_progressed(self, code: int, reason: str) -> None: ...
    def leg_confirmed(self) -> None: ...
    def leg_ended(self, code: int, reason: str) -> None: ...
    def leg_media_changed(self) -> None: ...
    def leg_dtmf(self, digit: str, method: str) -> None: ...
    def leg_transfer(self, code: int, reason: str, *, final: bool) -> None: ...
    def leg_referred(self, target: str, new: "Leg") -> None: ...


class Leg(pj.Call):  # type: ignore[misc]  # the library has no types
    """One call of the library.

    An incoming one must be made inside `onIncomingCall`, or the library answers 500.
    """

    def __init__(self, account: "SipAccount", slot: int = pj.PJSUA_INVALID_ID) -> None:
        super().__init__(account, slot)
        self._account = account
        self._post = account.post
        account.keep(self)
        self.listener: LegListener | None = None
        self.gone = False
        """Disconnected: another call may have the slot by now, so nothing may be asked of the library."""

    @_guarded
    def onCallState(self, _event: Any) -> None:  # noqa: N802 - the library's name
        info = self.getInfo()
        code, reason = status_code(info.lastStatusCode), clean(info.lastReason)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.gone = True
            # The destructor of a call hangs up whatever call holds its slot by then: it must never run.
            self.this.disown()
            self._tell("leg_ended", code, reason)
        elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
            self._tell("leg_confirmed")
        elif info.state == pj.PJSIP_INV_STATE_EARLY:
            self._tell("leg_progressed", code, reason)

    @_guarded
    def onCallMediaState(self, _event: Any) -> None:  # noqa: N802 - the library's name
        self._tell("leg_media_changed")

    @_guarded
    def onDtmfDigit(self, event: Any) -> None:  # noqa: N802 - the library's name
        method = "info" if event.method == pj.PJSUA_DTMF_METHOD_SIP_INFO else "rfc2833"
        self._tell("leg_dtmf", clean(event.digit, 1), method)

    @_guarded
    def onCallTsxState(self, event: Any) -> None:  # noqa: N802 - the library's name
        """Called before the library itself deals with a request: whoever answers one here has dealt with it."""
        change = event.e.body.tsxState
        request, is_ours = change.tsx, change.tsx.role == pj.PJSIP_ROLE_UAC
        if request.method == "INFO" and not is_ours and request.state == pj.PJSIP_TSX_STATE_TRYING:
            self._answer_info(change.src.rdata)
        elif request.method == "REFER" and is_ours and _is_given_up(change):
            # The library tells of answers only.
            code, reason = status_code(request.statusCode), clean(request.statusText)
            self._post(partial(self._transfer, max(code, FIRST_REFUSAL), reason, final=True))

    def _answer_info(self, request: Any) -> None:
        if not can_answer():
            return
        code, digit = read_info(request.wholeMsg)
        answer_request(request.pjRxData, code)
        if digit:
            self._tell("leg_dtmf", digit, "info")

    @_guarded
    def onCallTransferStatus(self, event: Any) -> None:  # noqa: N802 - the library's name
        code = status_code(event.statusCode)
        # Some exchanges report the outcome and leave the subscription open.
        final = bool(event.finalNotify) or code >= OK
        event.cont = not final
        self._post(partial(self._transfer, code, clean(event.reason), final=final))

    @_guarded
    def onCallTransferRequest(self, event: Any) -> None:  # noqa: N802 - the library's name
        """REFER: refused, unless we are a test caller; otherwise any stranger could have us place calls."""
        if not self._account.follows_refer:
            event.statusCode = DECLINE
            return
        new = Leg(self._account)
        event.newCall = new
        self._tell("leg_referred", clean(event.dstUri, 1024), new)

    @_guarded
    def onCallReplaceRequest(self, event: Any) -> None:  # noqa: N802 - the library's name
        event.statusCode = DECLINE

    def _transfer(self, code: int, reason: str, *, final: bool) -> None:
        if self.listener is not None:
            self.listener.leg_transfer(code, reason, final=final)

    def _tell(self, event: str, *values: Any) -> None:
        self._post(partial(self._deliver, event, values))

    def _deliver(self, event: str, values: tuple[Any, ...]) -> None:
        if self.listener is not None:
            getattr(self.listener, event)(*values)
        if self.gone:
            self._account.release(self)


IncomingHandler = Callable[[Leg, str, str], None]
"""Gets the leg, the whole INVITE and the address that it came from."""


class SipAccount(pj.Account):  # type: ignore[misc]  # the library has no types
    """Takes INVITEs and hears from the registrar."""

    def __init__(
        self,
        post: Post,
        incoming: IncomingHandler,
        registration: Callable[[int, str, int], None],
        *,
        follows_refer: bool,
    ) -> None:
        super().__init__()
        self.post = post
        self.follows_refer = follows_refer
        self._incoming = incoming
        self._registration = registration
        self._kept: dict[int, Leg] = {}

    def keep(self, leg: Leg) -> None:
        """Hold a leg until it has ended: one that Python destroyed earlier would hang up, or miss its end."""
        self._kept[id(leg)] = leg

    def release(self, leg: Leg) -> None:
        """Let a leg go that has ended or never was a call."""
        self._kept.pop(id(leg), None)

    @_guarded
    def onIncomingCall(self, event: Any) -> None:  # noqa: N802 - the library's name
        leg = Leg(self, event.callId)
        self.post(
            partial(self._incoming, leg, clean(event.rdata.wholeMsg, 65536), clean(event.rdata.srcAddress))
        )

    @_guarded
    def onRegState(self, event: Any) -> None:  # noqa: N802 - the library's name
        code, reason = status_code(event.code), clean(event.reason)
        is_refusal = code >= 300 or (not code and event.status)
        if is_refusal and not event.rdata.wholeMsg:
            # Nothing came back: the library makes up a code, 502 where the name of the host is not known.
            code, reason = UNREACHED, "no answer"
        self.post(partial(self._registration, code, reason, int(event.expiration)))

    @_guarded
    def onIncomingSubscribe(self, event: Any) -> None:  # noqa: N802 - the library's name
        event.code = DECLINE
