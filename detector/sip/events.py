"""Events: what a SIP worker tells the service. See detector.sip.protocol."""

import struct
from dataclasses import dataclass
from typing import Annotated, Final

from detector.sip.wire import (
    U16,
    U32,
    U64,
    Choice,
    DtmfMethod,
    Flag,
    HeaderPairs,
    Line,
    Pcm,
    Seconds,
    StatusCode,
    Text,
    Uri,
    kind_of,
    message,
)

__all__ = [
    "UNREACHED",
    "Alive",
    "Audio",
    "AudioSent",
    "Bridged",
    "CallAnswered",
    "CallEnded",
    "CallPlaced",
    "CallProgress",
    "CommandFailed",
    "Dtmf",
    "IncomingCall",
    "PlaceFailed",
    "PromptEnded",
    "PromptFailed",
    "PromptStarted",
    "Ready",
    "ReferReceived",
    "Registered",
    "RegistrationFailed",
    "StartFailed",
    "TransferProgress",
    "encode_audio",
]

SAMPLE_RATE: Final = 8000
UNREACHED: Final = 408
"""Request Timeout: no answer came, be it to our own SIP stack or to a proxy's, so nobody refused anything."""


@message(64)
@dataclass(frozen=True, slots=True)
class Ready:
    """The worker takes calls."""

    worker: U32
    pid: U32
    port: U16
    max_calls: U16
    """Calls that it admits at once."""
    library: Line


@message(65)
@dataclass(frozen=True, slots=True)
class StartFailed:
    kind: Annotated[str, Choice("port_in_use", "configuration", "library")]
    problem: Line


@message(84)
@dataclass(frozen=True, slots=True)
class Alive:
    """A sign of life, every second."""

    worker: U32
    calls: U16


@message(66)
@dataclass(frozen=True, slots=True)
class Registered:
    worker: U32
    expires: U32
    """Seconds."""


@message(67)
@dataclass(frozen=True, slots=True)
class RegistrationFailed:
    """The registrar refused or did not answer; the worker tries again by itself."""

    worker: U32
    code: StatusCode
    reason: Line
    retry_in: Seconds


@message(68)
@dataclass(frozen=True, slots=True)
class IncomingCall:
    """An INVITE. Everything but `call` comes from outside and is not trusted."""

    call: U64
    source: Line
    """Address and port that the INVITE came from."""
    headers: HeaderPairs
    """The headers that detector.sip.headers knows, in their order, under their long names."""


@message(69)
@dataclass(frozen=True, slots=True)
class CallPlaced:
    request: U32
    call: U64


@message(70)
@dataclass(frozen=True, slots=True)
class PlaceFailed:
    request: U32
    reason: Line


@message(71)
@dataclass(frozen=True, slots=True)
class CallProgress:
    """A provisional answer to a call that we placed."""

    call: U64
    code: StatusCode
    reason: Line


@message(72)
@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Answered, and media runs: position 0."""

    call: U64
    codec: Line
    encrypted: Flag


@message(73)
@dataclass(frozen=True, slots=True)
class Audio:
    """20 ms of the other side. A gap in the positions: frames were dropped because the service was slow."""

    call: U64
    position: U64
    captured: Seconds
    """When the worker got it, on the machine's monotonic clock."""
    samples: Pcm

    @property
    def media_time(self) -> float:
        """Seconds after the answer."""
        return self.position / SAMPLE_RATE


_AUDIO_HEAD: Final = struct.Struct("!IBQQdH")
"""Length, kind, then the fields of Audio, the length of its samples last."""
_AUDIO_KIND: Final = kind_of(Audio)
_AUDIO_BYTES: Final = _AUDIO_HEAD.size - 4


def encode_audio(call: int, position: int, captured: float, samples: bytes) -> bytes:
    """Return what `encode` gives for an Audio of these fields, at an eighth of its cost and without its checks."""
    size = len(samples)
    return _AUDIO_HEAD.pack(_AUDIO_BYTES + size, _AUDIO_KIND, call, position, captured, size) + samples


@message(74)
@dataclass(frozen=True, slots=True)
class Dtmf:
    call: U64
    digit: Annotated[str, Text(1)]
    method: DtmfMethod
    position: U64


@message(75)
@dataclass(frozen=True, slots=True)
class PromptStarted:
    call: U64
    prompt: U32
    position: U64


@message(76)
@dataclass(frozen=True, slots=True)
class PromptEnded:
    call: U64
    prompt: U32
    cut: Flag
    """Ended before the end of the file."""
    position: U64


@message(77)
@dataclass(frozen=True, slots=True)
class PromptFailed:
    call: U64
    prompt: U32
    reason: Line


@message(78)
@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How putting through goes, by Refer or Bridge; after a final code of 300 or more we keep the call."""

    call: U64
    code: StatusCode
    reason: Line
    final: Flag


@message(79)
@dataclass(frozen=True, slots=True)
class Bridged:
    """Both legs hear each other; no more audio comes from this call."""

    call: U64


@message(80)
@dataclass(frozen=True, slots=True)
class ReferReceived:
    """The other side asked a calling worker to call `target`, which it does."""

    call: U64
    target: Uri
    new_call: U64


@message(81)
@dataclass(frozen=True, slots=True)
class CallEnded:
    call: U64
    code: StatusCode
    reason: Line
    cause: Annotated[
        str, Choice("remote", "command", "rtp_dead", "time_limit", "transferred", "bridge", "failure")
    ]


@message(82)
@dataclass(frozen=True, slots=True)
class CommandFailed:
    """A command could not be carried out; the call goes on unless CallEnded comes too."""

    call: U64
    command: Line
    reason: Line


@message(83)
@dataclass(frozen=True, slots=True)
class AudioSent:
    """How much of SendAudio has gone out: the pace for sending more."""

    call: U64
    sent: U64
    """Samples in all that were sent or, by DropAudio, dropped."""
    queued: U32
    """Samples still waiting."""
    position: U64
