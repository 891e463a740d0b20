"""A CTranslate2 whisper model with a part of its vocabulary, made from the files of the whole.

The rows of the embedding that are kept are kept as they are, so every token that is left gets the score that it had;
only the share of those that are gone is spread over the rest.

`model.bin`, version 6 of the format, little endian: uint32 version; text name of the specification; uint32 its
revision; uint32 number of variables; for each text name, uint8 rank, uint32 sizes, uint8 type, uint32 bytes, the
bytes; uint32 number of aliases; for each two texts. A text is a uint16 length, which counts the zero at its end, and
its bytes. (After `ctranslate2.specs.model_spec`, which writes it.)
"""

import json
import mmap
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

__all__ = ["read_vocabulary", "write_narrowed"]

_VERSION = 6
_ROWS = ("decoder/embeddings/", "decoder/projection/")
"""Variables of a row for each token begin so."""
_LISTS = ("lang_ids", "suppress_ids", "suppress_ids_begin")
"""Keys of config.json that hold ids of tokens."""
_LEAST_SHARE = 0.25
"""Of the decoder's weights that those rows must be: of larger models they are less, and a second copy of the network
costs more memory than a shorter step is worth."""


@dataclass(frozen=True, slots=True)
class _Variable:
    sizes: tuple[int, ...]
    type: int
    content: bytes | memoryview


@dataclass(frozen=True, slots=True)
class _Model:
    name: str
    revision: int
    variables: Mapping[str, _Variable]
    aliases: Sequence[tuple[str, str]]


def read_vocabulary(folder: Path) -> list[str]:
    """Return the tokens of the model in `folder` by their ids. Raises OSError, ValueError where there are none."""
    content: Any = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    if not isinstance(content, list) or not all(isinstance(token, str) for token in content):
        raise ValueError("vocabulary.json is no list of tokens")
    return content


def write_narrowed(folder: Path, kept: Sequence[int], into: Path) -> bool:
    """Write the model in `folder` with the tokens `kept` (ids, ascending) alone to the folder `into`.

    Return False, and write nothing, where that would save little. Raises OSError, and ValueError where the files are
    not as they should be.
    """
    vocabulary = read_vocabulary(folder)
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    with (folder / "model.bin").open("rb") as file:
        # Goes with the last that looks in.
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    model = _narrow(_parse(content), kept, len(vocabulary))
    if model is None:
        return False
    places = {old: new for new, old in enumerate(kept)}
    for key in _LISTS:
        if key in config:
            config[key] = [places[token] for token in config[key] if token in places]
    with (into / "model.bin").open("wb") as out:
        out.writelines(_parts(model))
    (into / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (into / "vocabulary.json").write_text(json.dumps([vocabulary[token] for token in kept]), encoding="utf-8")
    return True


def _narrow(model: _Model, kept: Sequence[int], tokens: int) -> _Model | None:
    decoder = sum(len(one.content) for name, one in model.variables.items() if name.startswith("decoder/"))
    variables = dict(model.variables)
    saved = 0
    for name, variable in model.variables.items():
        if name.startswith(_ROWS) and variable.sizes[:1] == (tokens,):
            variables[name] = _rows(variable, kept)
            saved += len(variable.content)
    if not saved:
        raise ValueError("model.bin has no row for each token")
    return replace(model, variables=variables) if saved >= _LEAST_SHARE * decoder else None


def _rows(variable: _Variable, kept: Sequence[int]) -> _Variable:
    size = len(variable.content) // variable.sizes[0]
    content = b"".join(variable.content[row * size : (row + 1) * size] for row in kept)
    return _Variable((len(kept), *variable.sizes[1:]), variable.type, content)


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


def _parse(content: memoryview) -> _Model:
    reader = _Reader(content)
    try:
        if (version := reader.number("I")) != _VERSION:
            raise ValueError(f"model.bin is of version {version}, not {_VERSION}")
        name, revision = reader.text(), reader.number("I")
        variables = dict(_variable(reader) for _ in range(reader.number("I")))
        aliases = [(reader.text(), reader.text()) for _ in range(reader.number("I"))]
    except struct.error as error:
        raise ValueError("model.bin ends too early") from error
    return _Model(name, revision, variables, aliases)


def _variable(reader: _Reader) -> tuple[str, _Variable]:
    name = reader.text()
    sizes = tuple(reader.number("I") for _ in range(reader.number("B")))
    kind = reader.number("B")
    return name, _Variable(sizes, kind, reader.take(reader.number("I")))


def _parts(model: _Model) -> Iterator[bytes | memoryview]:
    yield struct.pack("<I", _VERSION) + _text(model.name)
    yield struct.pack("<II", model.revision, len(model.variables))
    for name, one in model.variables.items():
        sizes = struct.pack(f"<B{len(one.sizes)}I", len(one.sizes), *one.sizes)
        yield _text(name) + sizes + struct.pack("<BI", one.type, len(one.content))
        yield one.content
    yield struct.pack("<I", len(model.aliases))
    for alias, name in model.aliases:
        yield _text(alias) + _text(name)


def _text(text: str) -> bytes:
    content = text.encode() + b"\0"
    return struct.pack("<H", len(content)) + content
