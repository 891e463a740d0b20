"""Commands: what the service tells a SIP worker. See detector.sip.protocol."""

from dataclasses import dataclass
from typing import Annotated

from detector.sip.wire import (
    U16,
    U32,
    U64,
    DtmfMethod,
    FinalCode,
    HeaderPairs,
    Line,
    Number,
    Pcm,
    Text,
    Uri,
    message,
)

__all__ = [
    "Answer",
    "Bridge",
    "Configure",
    "DropAudio",
    "HangUp",
    "PlaceCall",
    "Play",
    "Refer",
    "Reject",
    "SendAudio",
    "SendDtmf",
    "Shutdown",
    "StopPlaying",
]


@message(1)
@dataclass(frozen=True, slots=True)
class Configure:
    """The first message: who the worker is and its SipOptions as JSON."""

    version: U16
    worker: U32
    options: Annotated[str, Text(32768)]

    def __repr__(self) -> str:
        # The options hold a password.
        return f"Configure(version={self.version}, worker={self.worker})"


@message(2)
@dataclass(frozen=True, slots=True)
class Answer:
    """Send 180, 183 (opens the media early) or 200."""

    call: U64
    code: Annotated[int, Number("H", 180, 200)] = 200


@message(3)
@dataclass(frozen=True, slots=True)
class Reject:
    call: U64
    code: FinalCode = 486


@message(4)
@dataclass(frozen=True, slots=True)
class Play:
    """Play a WAV file; whatever was playing is cut."""

    call: U64
    prompt: U32
    path: Annotated[str, Text(4096)]


@message(5)
@dataclass(frozen=True, slots=True)
class StopPlaying:
    call: U64


@message(6)
@dataclass(frozen=True, slots=True)
class Refer:
    """Ask the caller's side to call `target` (REFER); after success the call is hung up."""

    call: U64
    target: Uri


@message(7)
@dataclass(frozen=True, slots=True)
class Bridge:
    """Call `target` on a second leg and connect both."""

    call: U64
    target: Uri


@message(8)
@dataclass(frozen=True, slots=True)
class HangUp:
    """End a call; the code counts only where it was not answered."""

    call: U64
    code: FinalCode = 603


@message(9)
@dataclass(frozen=True, slots=True)
class Shutdown:
    """Hang up every call, unregister and exit."""


@message(10)
@dataclass(frozen=True, slots=True)
class PlaceCall:
    """Call `target`; CallPlaced or PlaceFailed answers with the same `request`."""

    request: U32
    target: Uri
    number: Line = ""
    display_name: Line = ""
    headers: HeaderPairs = ()


@message(11)
@dataclass(frozen=True, slots=True)
class SendAudio:
    """Audio to be heard by the other side after what is already queued."""

    call: U64
    samples: Pcm


@message(12)
@dataclass(frozen=True, slots=True)
class DropAudio:
    """Forget audio that is queued and not yet sent."""

    call: U64


@message(13)
@dataclass(frozen=True, slots=True)
class SendDtmf:
    call: U64
    digits: Annotated[str, Text(64)]
    method: DtmfMethod = "rfc2833"
