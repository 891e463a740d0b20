"""Putting a call through: by REFER, or by a second leg that is bridged to the first.

Either way TransferProgress tells how it goes, and exactly one final one comes: the peer's answer, a failure
of ours, or 408 after `transfer_seconds`, so that nobody waits for ever for a peer that accepts a REFER and
reports nothing. None comes where the caller hangs up meanwhile: his CallEnded is the end of it. Once REFER is accepted,
a BYE is the other side's way to say that it has taken him over.
"""

from collections.abc import Callable
from typing import Any, Protocol

import pjsua2 as pj

from detector.sip.fields import clean
from detector.sip.legs import Leg
from detector.sip.protocol import Bridge, TransferProgress
from detector.sip.stack import SipStack, call_parameters

__all__ = ["BridgeLeg", "BridgeOwner", "Transfer", "audio_of"]

BAD_TARGET = 400
TIMED_OUT = 408
OK = 200


def audio_of(leg: Leg) -> Any | None:
    """Return the active audio medium of a leg, None where it has none (not yet, on hold, ended)."""
    if leg.gone:
        return None
    # Kept, for the list of media lies within it and the binding does not hold on to it.
    info = leg.getInfo()
    for medium in info.media:
        if medium.type == pj.PJMEDIA_TYPE_AUDIO and medium.status in (
            pj.PJSUA_CALL_MEDIA_ACTIVE,
            pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
        ):
            try:
                return leg.getAudioMedia(medium.index)
            except pj.Error:
                return None  # a call that begins on hold has a medium that is connected to nothing
    return None


class Transfer:
    """One attempt, from its command to its final code."""

    def __init__(self, call: int, emit: Callable[[TransferProgress], None], deadline: float) -> None:
        self._call = call
        self._emit = emit
        self._deadline = deadline
        self.done = False
        self._accepted = False

    @property
    def is_taken_on(self) -> bool:
        """Whether the other side has accepted the REFER and said nothing of its end."""
        return self._accepted and not self.done

    def take_on(self) -> None:
        """The other side has accepted the REFER."""
        self._accepted = True

    def progress(self, code: int, reason: str, *, final: bool) -> None:
        """Report how it goes; nothing is reported after a final code."""
        if not self.done:
            self.done = final
            self._emit(TransferProgress(self._call, code, reason, final))

    def expired(self, now: float) -> bool:
        return not self.done and now >= self._deadline


class BridgeOwner(Protocol):
    """The call that a second leg is for."""

    def bridge_answered(self) -> None: ...
    def bridge_ended(self, code: int, reason: str, *, answered: bool) -> None: ...


class BridgeLeg:
    """The second leg: rings, is answered, and ends with the first or ends it."""

    def __init__(self, stack: SipStack, owner: BridgeOwner, transfer: Transfer, command: Bridge) -> None:
        self._owner = owner
        self._transfer = transfer
        self._answered = False
        self._leg = Leg(stack.account)
        self._leg.listener = self
        stack.place(self._leg, command.target, call_parameters())

    @property
    def answered(self) -> bool:
        return self._answered

    def audio(self) -> Any | None:
        return audio_of(self._leg)

    def hang_up(self) -> None:
        if not self._leg.gone:
            self._leg.hangup(call_parameters(TIMED_OUT))

    def leg_progressed(self, code: int, reason: str) -> None:
        self._transfer.progress(code, reason, final=False)

    def leg_confirmed(self) -> None:
        self._answered = True
        self.leg_media_changed()

    def leg_media_changed(self) -> None:
        if self._answered and self.audio() is not None:
            self._owner.bridge_answered()

    def leg_ended(self, code: int, reason: str) -> None:
        self._owner.bridge_ended(code, reason, answered=self._answered)

    def leg_dtmf(self, digit: str, method: str) -> None:
        """Digits of the callee are his own business."""

    def leg_transfer(self, code: int, reason: str, *, final: bool) -> None:
        """No REFER goes out on this leg."""

    def leg_referred(self, target: str, new: Leg) -> None:
        """Only test callers follow a REFER, and they bridge nothing."""


def refer(leg: Leg, stack: SipStack, target: str, transfer: Transfer) -> None:
    """Send REFER; a target that is no SIP address fails at once."""
    if not stack.is_uri(target):
        transfer.progress(BAD_TARGET, "not a SIP address", final=True)
        return
    try:
        leg.xfer(target, call_parameters())
    except pj.Error as error:
        transfer.progress(BAD_TARGET, clean(error.reason), final=True)
