"""The file of a CTranslate2 model, `model.bin`: its variables, read and written as they are.

Version 6 of the format, little endian: uint32 version; text name of the specification; uint32 its revision; uint32
number of variables; for each text name, uint8 rank, uint32 sizes, uint8 type, uint32 bytes, the bytes; uint32 number of
aliases; for each two texts. A text is a uint16 length, which counts the zero at its end, and its bytes. (After
`ctranslate2.specs.model_spec`, which writes it.)
"""

import mmap
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["NetworkFile", "Variable", "read_network", "write_network"]

_VERSION = 6
_FLOAT16 = 4
"""Type of a variable."""


@dataclass(frozen=True, slots=True)
class Variable:
    sizes: tuple[int, ...]
    type: int
    content: bytes | memoryview

    @property
    def is_float16(self) -> bool:
        return self.type == _FLOAT16

    @property
    def values(self) -> NDArray[np.float16]:
        """The numbers of a float16 variable, in its shape. Raises ValueError where it is of another type."""
        if not self.is_float16:
            raise ValueError(f"a variable of model.bin is of type {self.type}, not float16")
        return np.frombuffer(self.content, "<f2").reshape(self.sizes)

    def with_values(self, values: NDArray[np.floating]) -> "Variable":
        """Return a float16 variable of the same shape that holds `values`."""
        return replace(self, content=np.ascontiguousarray(values, "<f2").tobytes())


@dataclass(frozen=True, slots=True)
class NetworkFile:
    name: str
    revision: int
    variables: Mapping[str, Variable]
    aliases: Sequence[tuple[str, str]]


def read_network(path: Path) -> NetworkFile:
    """Read `path`; its variables look into the file. Raises OSError, and ValueError where it is not as it should be."""
    with path.open("rb") as file:
        # Goes with the last that looks in.
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    reader = _Reader(content)
    try:
        if (version := reader.number("I")) != _VERSION:
            raise ValueError(f"model.bin is of version {version}, not {_VERSION}")
        name, revision = reader.text(), reader.number("I")
        variables = dict(_variable(reader) for _ in range(reader.number("I")))
        aliases = [(reader.text(), reader.text()) for _ in range(reader.number("I"))]
    except struct.error as error:
        raise ValueError("model.bin ends too early") from error
    return NetworkFile(name, revision, variables, aliases)


def write_network(network: NetworkFile, path: Path) -> None:
    """Write `network` to `path`. Raises OSError."""
    with path.open("wb") as out:
        out.writelines(_parts(network))


class _Reader:
    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._at = 0

    def number(self, kind: str) -> int:
        value: int = struct.unpack_from(f"<{kind}", self._content, self._at)[0]
        self._at += struct.calcsize(f"<{kind}")
        return value

    def take(self, size: int) -> memoryview:
        if self._at + size > len(self._content):
            raise ValueError("model.bin ends too early")
        self._at += size
        return self._content[self._at - size : self._at]

    def text(self) -> str:
        return bytes(self.take(self.number("H"))).removesuffix(b"\0").decode()


def _variable(reader: _Reader) -> tuple[str, Variable]:
    name = reader.text()
    sizes = tuple(reader.number("I") for _ in range(reader.number("B")))
    kind = reader.number("B")
    return name, Variable(sizes, kind, reader.take(reader.number("I")))


def _parts(network: NetworkFile) -> Iterator[bytes | memoryview]:
    yield struct.pack("<I", _VERSION) + _text(network.name)
    yield struct.pack("<II", network.revision, len(network.variables))
    for name, one in network.variables.items():
        sizes = struct.pack(f"<B{len(one.sizes)}I", len(one.sizes), *one.sizes)
        yield _text(name) + sizes + struct.pack("<BI", one.type, len(one.content))
        yield one.content
    yield struct.pack("<I", len(network.aliases))
    for alias, name in network.aliases:
        yield _text(alias) + _text(name)


def _text(text: str) -> bytes:
    content = text.encode() + b"\0"
    return struct.pack("<H", len(content)) + content
