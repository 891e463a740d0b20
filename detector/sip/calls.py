"""One call of a worker, from INVITE to its end.

Before the answer: rings (180), may open its media (183), is answered, refused or given up. After it: audio
goes to the service, prompts are played, until one side hangs up, media stops, time is up, or the call is put
through.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import pjsua2 as pj

from detector.sip.fields import clean
from detector.sip.legs import Leg
from detector.sip.prompts import PromptPlayer
from detector.sip.protocol import (
    AudioSent,
    Bridge,
    Bridged,
    CallAnswered,
    CallEnded,
    CallProgress,
    CommandFailed,
    Dtmf,
    PromptFailed,
    ReferReceived,
)
from detector.sip.stack import call_parameters
from detector.sip.tools import Tools
from detector.sip.transfers import BAD_TARGET, OK, TIMED_OUT, BridgeLeg, Transfer, audio_of, refer
from detector.sip.watch import CallWatch

if TYPE_CHECKING:
    from detector.sip.media import FramePort

__all__ = ["LiveCall"]

NOT_ANSWERED = 480
NO_OUTCOME = 500
MOST_QUEUED_BYTES = 480_000
"""Half a minute of audio to send; a sender that is further ahead does not heed AudioSent."""


class LiveCall:
    """Listens to its leg and carries out commands; runs on the worker's own thread only."""

    def __init__(self, call: int, leg: Leg, tools: Tools, *, placed: bool) -> None:
        self.call = call
        self.placed = placed
        self._leg = leg
        self._tools = tools
        self._accepted = False
        """We sent 200, or got it."""
        self._cause = ""
        self._port: FramePort | None = None
        self._sending = False
        self._prompts = PromptPlayer(call, tools.post, tools.outbox.put, lambda: self.position)
        self._transfer: Transfer | None = None
        self._bridge: BridgeLeg | None = None
        self._bridged = False
        self._watch = CallWatch(tools.options, tools.now())
        leg.listener = self

    @property
    def position(self) -> int:
        """Samples heard since the answer."""
        return self._port.position if self._port is not None else 0

    # Commands.

    def answer(self, code: int) -> None:
        if self.placed or self._accepted:
            self._failed("Answer", "the call is not waiting for an answer")
            return
        self._accepted = code >= OK
        self._leg.answer(call_parameters(code))

    def reject(self, code: int) -> None:
        if self._accepted:
            self._failed("Reject", "the call is answered; hang up")
            return
        self.hang_up(code)

    def hang_up(self, code: int, cause: str = "command") -> None:
        """End the call; `code` is sent where it was not answered."""
        self._cause = self._cause or cause
        if not self._leg.gone:
            self._leg.hangup(call_parameters(OK if self._accepted else code))

    def play(self, prompt: int, path: str) -> None:
        audio = audio_of(self._leg)
        if audio is None or self._bridged:
            reason = "the call is put through" if self._bridged else "the call has no media yet"
            self._tools.outbox.put(PromptFailed(self.call, prompt, reason))
        else:
            self._prompts.play(prompt, path, audio)

    def stop_playing(self) -> None:
        self._prompts.stop()

    def send_audio(self, samples: bytes) -> None:
        audio = audio_of(self._leg)
        if self._port is None or audio is None:
            self._failed("SendAudio", "the call has no media")
        elif self._port.queued + len(samples) > MOST_QUEUED_BYTES:
            self._failed("SendAudio", "too much is queued; heed AudioSent")
        else:
            self._port.queue(samples)
            if not self._sending:
                self._sending = True
                self._port.startTransmit(audio)

    def drop_audio(self) -> None:
        if self._port is not None:
            self._port.drop_queued()

    def send_dtmf(self, digits: str, method: str) -> None:
        parameters = pj.CallSendDtmfParam()
        parameters.digits = digits
        parameters.method = (
            pj.PJSUA_DTMF_METHOD_SIP_INFO if method == "info" else pj.PJSUA_DTMF_METHOD_RFC2833
        )
        self._leg.sendDtmf(parameters)

    def refer(self, target: str) -> None:
        if (transfer := self._new_transfer("Refer")) is not None:
            refer(self._leg, self._tools.stack, target, transfer)

    def bridge(self, command: Bridge) -> None:
        transfer = self._new_transfer("Bridge")
        if transfer is None:
            return
        if not self._tools.stack.is_uri(command.target):
            transfer.progress(BAD_TARGET, "not a SIP address", final=True)
            return
        try:
            self._bridge = BridgeLeg(self._tools.stack, self, transfer, command)
        except pj.Error as error:
            transfer.progress(BAD_TARGET, clean(error.reason), final=True)

    # What the leg says.

    def leg_progressed(self, code: int, reason: str) -> None:
        if self.placed:
            self._tools.outbox.put(CallProgress(self.call, code, reason))

    def leg_confirmed(self) -> None:
        self._accepted = True
        self.leg_media_changed()
        if self._port is None and not self._bridged and not self._leg.gone:
            # He is on hold from the beginning: he is silent until he comes back, and decided on like any other.
            self._tools.stack.silence().startTransmit(self._begin())

    def leg_media_changed(self) -> None:
        """Connect what belongs together, again whenever the media were negotiated anew."""
        audio = audio_of(self._leg)
        if audio is None:
            return
        self._tools.stack.silence().startTransmit(audio)
        self._prompts.move(audio)
        if not self._accepted:
            return
        if self._bridged:
            self._connect_bridge(audio)
            return
        audio.startTransmit(self._port or self._begin())
        if self._sending and self._port is not None:
            self._port.startTransmit(audio)

    def leg_dtmf(self, digit: str, method: str) -> None:
        self._tools.outbox.put(Dtmf(self.call, digit, method, self.position))

    def leg_transfer(self, code: int, reason: str, *, final: bool) -> None:
        if self._transfer is None or self._transfer.done:
            return
        if final and code < OK:
            # The report ended without an outcome.
            code = NO_OUTCOME
        if code < 300:
            self._transfer.take_on()
        self._transfer.progress(code, reason, final=final)
        if final and code < 300:
            self.hang_up(OK, "transferred")

    def leg_referred(self, target: str, new: Leg) -> None:
        self._tools.outbox.put(ReferReceived(self.call, target, self._tools.referred(new)))

    def leg_ended(self, code: int, reason: str) -> None:
        self._prompts.call_ended()
        if self._transfer is not None and self._transfer.is_taken_on and not self._cause:
            # The other side has taken him over without a report.
            self._cause = "transferred"
            self._transfer.progress(OK, "OK", final=True)
        # Nobody is left to be put through: that his transfer came to nothing is no news of a failure.
        self._transfer = None
        if self._bridge is not None:
            self._bridge.hang_up()
        self._rest_port()
        self._tools.outbox.put(CallEnded(self.call, code, reason, self._cause or "remote"))
        self._leg.listener = None
        self._tools.ended(self.call)

    # What the second leg says.

    def bridge_answered(self) -> None:
        own = audio_of(self._leg)
        if own is None:
            return
        if self._bridged:
            self._connect_bridge(own)
            return
        if self._is_given_up:
            if self._bridge is not None:
                self._bridge.hang_up()
            return
        self._bridged = True
        self._prompts.stop()
        if self._port is not None:
            own.stopTransmit(self._port)
        self._rest_port()
        self._connect_bridge(own)
        self._tools.outbox.put(Bridged(self.call))
        if self._transfer is not None:
            self._transfer.progress(OK, "OK", final=True)

    def bridge_ended(self, code: int, reason: str, *, answered: bool) -> None:
        self._bridge = None
        if answered and not self._is_given_up:
            self.hang_up(OK, "bridge")
        elif self._transfer is not None:
            self._transfer.progress(max(code, 300), reason, final=True)

    @property
    def _is_given_up(self) -> bool:
        """The other side answered after its time: the caller is leaving his message by now."""
        return not self._bridged and self._transfer is not None and self._transfer.done

    # Time.

    def tick(self, now: float) -> None:
        """Look whether something lasts too long; `now` in seconds of the worker's clock."""
        if self._leg.gone:
            return
        if self._transfer is not None and self._transfer.expired(now):
            self._transfer.progress(TIMED_OUT, "no final answer", final=True)
            if self._bridge is not None:
                self._bridge.hang_up()
        if self._watch.answered:
            self._count_packets(now)
        is_transferring = self._transfer is not None and not self._transfer.done
        match self._watch.verdict(now, bridged=self._bridged, is_transferring=is_transferring):
            case "ring_limit":
                self.hang_up(NOT_ANSWERED, "time_limit")
            case "time_limit" | "rtp_dead" as cause:
                self.hang_up(OK, cause)
            case _:
                pass

    def _count_packets(self, now: float) -> None:
        info = self._leg.getInfo()
        if info.media and info.media[0].status == pj.PJSUA_CALL_MEDIA_ACTIVE:
            statistics = self._leg.getStreamStat(info.media[0].index)
            self._watch.received(int(statistics.rtcp.rxStat.pkt), now)
        else:
            self._watch.on_hold(now)

    # Helpers.

    def _begin(self) -> "FramePort":
        tools = self._tools
        port = self._port = tools.ports.take(tools.now())
        port.begin(partial(tools.outbox.put_audio, self.call), self._told)
        tools.outbox.audio_began()
        self._watch.begin(tools.now())
        codec, encrypted = "", False
        info = self._leg.getInfo()
        for medium in info.media:
            if medium.type == pj.PJMEDIA_TYPE_AUDIO and medium.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                stream = self._leg.getStreamInfo(medium.index)
                codec, encrypted = clean(stream.codecName), bool(stream.proto & pj.PJMEDIA_TP_PROFILE_SRTP)
                break
        tools.outbox.put(CallAnswered(self.call, codec, encrypted))
        return port

    def _told(self, sent: int, queued: int, position: int) -> None:
        # On the library's clock thread.
        self._tools.outbox.put(AudioSent(self.call, sent, queued, position))

    def _new_transfer(self, command: str) -> Transfer | None:
        if not self._watch.answered or (self._transfer is not None and not self._transfer.done):
            self._failed(command, "the call is not answered or is being put through already")
            return None
        deadline = self._tools.now() + self._tools.options.transfer_seconds
        self._transfer = Transfer(self.call, self._tools.outbox.put, deadline)
        return self._transfer

    def _connect_bridge(self, audio: Any) -> None:
        other = self._bridge.audio() if self._bridge is not None else None
        if other is not None:
            audio.startTransmit(other)
            other.startTransmit(audio)

    def _rest_port(self) -> None:
        if self._port is not None:
            self._tools.ports.give_back(self._port, self._tools.now())
            self._tools.outbox.audio_ended()
            self._port = None

    def _failed(self, command: str, reason: str) -> None:
        self._tools.outbox.put(CommandFailed(self.call, command, reason))
