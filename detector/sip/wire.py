"""How messages look on the socket between service and worker: the codec, not the messages.

A message is a length (4 bytes, big-endian, of what follows), a kind (1 byte) and its fields one after the
other. The fields follow from the annotations of a frozen dataclass; see docs/sip-protocol.md. Both ends check
every bound, and whatever breaks one raises ProtocolError.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Annotated, Any, Final, TypeVar, get_type_hints

from detector.errors import ProtocolError
from detector.sip.fields import Blob, Boolean, Choice, Double, Field, Number, Pairs, Text

__all__ = [
    "MAX_MESSAGE_BYTES",
    "U16",
    "U32",
    "U64",
    "Choice",
    "DtmfMethod",
    "FinalCode",
    "Flag",
    "HeaderPairs",
    "Line",
    "Number",
    "Pcm",
    "Seconds",
    "StatusCode",
    "StreamDecoder",
    "Text",
    "Uri",
    "decode",
    "encode",
    "fields_of",
    "kind_of",
    "message",
]

MAX_MESSAGE_BYTES: Final = 65536
"""Kind and fields; the largest SIP message that the library takes is 4,000 bytes."""
_LENGTH: Final = struct.Struct("!I")

M = TypeVar("M", bound=type[Any])


U16 = Annotated[int, Number("H")]
U32 = Annotated[int, Number("I")]
U64 = Annotated[int, Number("Q")]
Flag = Annotated[bool, Boolean()]
Seconds = Annotated[float, Double()]
HeaderPairs = Annotated[tuple[tuple[str, str], ...], Pairs(32, 4096)]
Line = Annotated[str, Text(512)]
Uri = Annotated[str, Text(1024)]
Pcm = Annotated[bytes, Blob(16000, unit=2)]
"""At most a second of signed 16-bit little-endian mono audio at 8 kHz."""
DtmfMethod = Annotated[str, Choice("rfc2833", "info")]
StatusCode = Annotated[int, Number("H", 0, 699)]
FinalCode = Annotated[int, Number("H", 300, 699)]

_KINDS: Final[dict[type[Any], int]] = {}
_CLASSES: Final[dict[int, type[Any]]] = {}
_FIELDS: Final[dict[type[Any], tuple[tuple[str, Field], ...]]] = {}


def message(kind: int) -> Callable[[M], M]:
    """Make a frozen dataclass a message of this kind (1 to 255)."""

    def register(cls: M) -> M:
        if kind in _CLASSES or not 1 <= kind <= 255:
            raise ValueError(f"message kind {kind} is taken or out of range")
        hints = get_type_hints(cls, include_extras=True)
        _FIELDS[cls] = tuple((each.name, hints[each.name].__metadata__[0]) for each in fields(cls))
        _KINDS[cls], _CLASSES[kind] = kind, cls
        return cls

    return register


def fields_of(cls: type[Any]) -> tuple[tuple[str, Field], ...]:
    """Return names and codecs of the fields of a message, in their order on the wire."""
    return _FIELDS[cls]


def kind_of(cls: type[Any]) -> int:
    """Return the number by which a message is known on the wire."""
    return _KINDS[cls]


def encode(value: Any) -> bytes:
    """Return the bytes of a message, its length in front; raises ProtocolError where a bound is broken."""
    cls = type(value)
    if cls not in _KINDS:
        raise ProtocolError(f"{cls.__name__} is no message.")
    out = bytearray(_LENGTH.size)
    out.append(_KINDS[cls])
    for name, codec in _FIELDS[cls]:
        codec.write(getattr(value, name), out)
    length = len(out) - _LENGTH.size
    if length > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"A {cls.__name__} to be sent is longer than {MAX_MESSAGE_BYTES} bytes.")
    _LENGTH.pack_into(out, 0, length)
    return bytes(out)


def decode(data: bytes) -> Any:
    """Read one message from its kind and fields (without the length)."""
    cls = _CLASSES.get(data[0]) if data else None
    if cls is None:
        raise ProtocolError("A message is of no known kind.")
    at = 1
    values = {}
    for name, codec in _FIELDS[cls]:
        values[name], at = codec.read(data, at)
    if at != len(data):
        raise ProtocolError(f"A {cls.__name__} is longer than its fields.")
    return cls(**values)


class StreamDecoder:
    """Cuts a stream of bytes into messages, however it arrives.

    The first ProtocolError is final: where the next message begins can no longer be known.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._broken = False

    def feed(self, data: bytes) -> Iterator[Any]:
        """Take bytes and yield each message that is now complete."""
        self._pending += data
        at = 0
        try:
            while (body := self._next_body(at)) is not None:
                at += _LENGTH.size + len(body)
                yield self._decode(body)
        finally:
            del self._pending[:at]

    def close(self) -> None:
        """Say that the stream has ended; raises ProtocolError where that is within a message."""
        if self._pending or self._broken:
            raise ProtocolError("The other end closed within a message.")

    def _next_body(self, at: int) -> bytes | None:
        if self._broken:
            raise ProtocolError("The stream is broken since an earlier message.")
        if len(self._pending) - at < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._pending, at)
        if not 1 <= length <= MAX_MESSAGE_BYTES:
            self._broken = True
            raise ProtocolError(f"A message is empty or longer than {MAX_MESSAGE_BYTES} bytes.")
        end = at + _LENGTH.size + length
        return bytes(self._pending[at + _LENGTH.size : end]) if len(self._pending) >= end else None

    def _decode(self, body: bytes) -> Any:
        try:
            return decode(body)
        except ProtocolError:
            self._broken = True
            raise
