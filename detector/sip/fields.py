"""Fields of the messages between service and worker: how each is written, read and bounded."""

import math
import struct
from typing import Any, Final, Protocol

from detector.errors import ProtocolError

__all__ = ["Blob", "Boolean", "Choice", "Double", "Field", "Number", "Pairs", "Text", "clean"]

LONGEST_REASON: Final = 128
_SHORT: Final = struct.Struct("!H")
_DOUBLE: Final = struct.Struct("!d")


def clean(text: str, longest: int = LONGEST_REASON) -> str:
    """Make text from the network fit for a message: valid Unicode, of so many bytes at most."""
    return text.encode("utf-8", "replace")[:longest].decode("utf-8", "ignore")


class Field(Protocol):
    """Writes and reads one field."""

    def write(self, value: Any, out: bytearray) -> None:
        """Append `value` to `out`."""

    def read(self, data: bytes, at: int) -> tuple[Any, int]:
        """Return the value at `at` and where the next field begins."""


class Number:
    """An unsigned integer within bounds; `form` is a code of the struct module."""

    def __init__(self, form: str, low: int = 0, high: int | None = None) -> None:
        self._struct = struct.Struct(f"!{form}")
        self.low = low
        self.high = 256**self._struct.size - 1 if high is None else high

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= self.high:
            raise ProtocolError("A number in a message to be sent is out of bounds.")
        out += self._struct.pack(value)

    def read(self, data: bytes, at: int) -> tuple[int, int]:
        (value,) = _unpack(self._struct, data, at)
        if not self.low <= value <= self.high:
            raise ProtocolError("A number in a message is out of bounds.")
        return value, at + self._struct.size


class Double:
    """A finite time in seconds."""

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise ProtocolError("A time in a message to be sent is not finite.")
        out += _DOUBLE.pack(value)

    def read(self, data: bytes, at: int) -> tuple[float, int]:
        (value,) = _unpack(_DOUBLE, data, at)
        if not math.isfinite(value):
            raise ProtocolError("A time in a message is not finite.")
        return value, at + _DOUBLE.size


class Boolean:
    """One byte, 0 or 1."""

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, bool):
            raise ProtocolError("A flag in a message to be sent is no truth value.")
        out.append(value)

    def read(self, data: bytes, at: int) -> tuple[bool, int]:
        if at >= len(data) or data[at] > 1:
            raise ProtocolError("A flag in a message is neither 0 nor 1.")
        return bool(data[at]), at + 1


class Text:
    """UTF-8 behind its length of 2 bytes."""

    def __init__(self, longest: int) -> None:
        self.longest = longest
        """Bytes."""

    def write(self, value: Any, out: bytearray) -> None:
        try:
            data = value.encode()
        except (AttributeError, UnicodeEncodeError) as error:
            raise ProtocolError("A text in a message to be sent is no Unicode text.") from error
        if len(data) > self.longest:
            raise ProtocolError(f"A text in a message to be sent is longer than {self.longest} bytes.")
        out += _SHORT.pack(len(data))
        out += data

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        (length,) = _unpack(_SHORT, data, at)
        start = at + _SHORT.size
        if length > self.longest or start + length > len(data):
            raise ProtocolError("A text in a message is longer than allowed or than the message.")
        try:
            return data[start : start + length].decode(), start + length
        except UnicodeDecodeError as error:
            raise ProtocolError("A text in a message is not UTF-8.") from error


class Choice(Text):
    """A text of a fixed set."""

    def __init__(self, *choices: str) -> None:
        super().__init__(max(map(len, choices)))
        self.choices = choices

    def write(self, value: Any, out: bytearray) -> None:
        if value not in self.choices:
            raise ProtocolError(f"A word in a message to be sent is none of {', '.join(self.choices)}.")
        super().write(value, out)

    def read(self, data: bytes, at: int) -> tuple[str, int]:
        value, after = super().read(data, at)
        if value not in self.choices:
            raise ProtocolError(f"A word in a message is none of {', '.join(self.choices)}.")
        return value, after


class Blob:
    """Bytes behind their length of 2 bytes; `unit` divides the length."""

    def __init__(self, longest: int, unit: int = 1) -> None:
        self.longest = longest
        self.unit = unit

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, bytes) or len(value) > self.longest or len(value) % self.unit:
            raise ProtocolError("Audio in a message to be sent has a wrong length.")
        out += _SHORT.pack(len(value))
        out += value

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        (length,) = _unpack(_SHORT, data, at)
        start = at + _SHORT.size
        if length > self.longest or length % self.unit or start + length > len(data):
            raise ProtocolError("Audio in a message has a wrong length.")
        return data[start : start + length], start + length


class Pairs:
    """A number of pairs (1 byte), then name and value of each."""

    def __init__(self, most: int, longest: int) -> None:
        self.most = most
        self.text = Text(longest)

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, tuple) or len(value) > self.most:
            raise ProtocolError(f"A message to be sent has more than {self.most} headers.")
        out.append(len(value))
        for name, text in value:
            self.text.write(name, out)
            self.text.write(text, out)

    def read(self, data: bytes, at: int) -> tuple[tuple[tuple[str, str], ...], int]:
        if at >= len(data) or data[at] > self.most:
            raise ProtocolError("A message has too many headers.")
        count, at = data[at], at + 1
        pairs = []
        for _ in range(count):
            name, at = self.text.read(data, at)
            text, at = self.text.read(data, at)
            pairs.append((name, text))
        return tuple(pairs), at


def _unpack(form: struct.Struct, data: bytes, at: int) -> tuple[Any, ...]:
    if at + form.size > len(data):
        raise ProtocolError("A message ends within a field.")
    return form.unpack_from(data, at)
