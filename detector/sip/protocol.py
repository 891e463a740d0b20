"""What service and SIP worker say to each other: commands go to the worker, events come back.

A call's number is 64 bits: the number of the worker process in the upper half, a counter in the lower half,
so that no two calls of a service's life share one and a command finds its worker. Positions are samples at
8 kHz since the call was answered: the media time of audio, digits and prompts is counted on one axis.
"""

from typing import Final

from detector.sip.commands import (
    Answer,
    Bridge,
    Configure,
    DropAudio,
    HangUp,
    PlaceCall,
    Play,
    Refer,
    Reject,
    SendAudio,
    SendDtmf,
    Shutdown,
    StopPlaying,
)
from detector.sip.events import (
    UNREACHED,
    Alive,
    Audio,
    AudioSent,
    Bridged,
    CallAnswered,
    CallEnded,
    CallPlaced,
    CallProgress,
    CommandFailed,
    Dtmf,
    IncomingCall,
    PlaceFailed,
    PromptEnded,
    PromptFailed,
    PromptStarted,
    Ready,
    ReferReceived,
    Registered,
    RegistrationFailed,
    StartFailed,
    TransferProgress,
    encode_audio,
)
from detector.sip.wire import StreamDecoder, decode, encode

__all__ = [
    "COMMANDS",
    "EVENTS",
    "PROTOCOL_VERSION",
    "UNREACHED",
    "Alive",
    "Answer",
    "Audio",
    "AudioSent",
    "Bridge",
    "Bridged",
    "CallAnswered",
    "CallEnded",
    "CallPlaced",
    "CallProgress",
    "Command",
    "CommandFailed",
    "Configure",
    "DropAudio",
    "Dtmf",
    "Event",
    "HangUp",
    "IncomingCall",
    "PlaceCall",
    "PlaceFailed",
    "Play",
    "PromptEnded",
    "PromptFailed",
    "PromptStarted",
    "Ready",
    "Refer",
    "ReferReceived",
    "Registered",
    "RegistrationFailed",
    "Reject",
    "SendAudio",
    "SendDtmf",
    "Shutdown",
    "StartFailed",
    "StopPlaying",
    "StreamDecoder",
    "TransferProgress",
    "decode",
    "encode",
    "encode_audio",
]

PROTOCOL_VERSION: Final = 2

Command = (
    Configure
    | Answer
    | Reject
    | Play
    | StopPlaying
    | Refer
    | Bridge
    | HangUp
    | Shutdown
    | PlaceCall
    | SendAudio
    | DropAudio
    | SendDtmf
)
Event = (
    Alive
    | Ready
    | StartFailed
    | Registered
    | RegistrationFailed
    | IncomingCall
    | CallPlaced
    | PlaceFailed
    | CallProgress
    | CallAnswered
    | Audio
    | Dtmf
    | PromptStarted
    | PromptEnded
    | PromptFailed
    | TransferProgress
    | Bridged
    | ReferReceived
    | CallEnded
    | CommandFailed
    | AudioSent
)
COMMANDS: Final[tuple[type[Command], ...]] = Command.__args__
EVENTS: Final[tuple[type[Event], ...]] = Event.__args__
