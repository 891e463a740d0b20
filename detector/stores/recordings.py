"""Recordings of calls and of messages: WAV files in a folder, kept only where the user turned that on.

recordings/2026/03/07/<id of the call>.wav
"""

import os
import re
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from detector.audio.files import write_wav
from detector.audio.frames import Samples
from detector.errors import AudioFileError, ConfigurationError, RecordingError, StoreError

__all__ = ["Recordings"]

_SAFE_ID: Final = re.compile(r"[\w.-]{1,128}", re.ASCII)


class Recordings:
    """The folder of recordings. Paths given out and taken in are relative to it, with forward slashes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, samples: Samples, started_at: datetime) -> str:
        """Write `samples` (int16, shape (n,), 8 kHz) as A-law and return the path.

        `name` is the call's id or made from it. Raises RecordingError where the file cannot be written.
        """
        if not _SAFE_ID.fullmatch(name) or name.startswith("."):
            raise StoreError("a recording needs a name of letters, digits, dots and dashes")
        relative = PurePosixPath(f"{started_at:%Y/%m/%d}") / f"{name}.wav"
        path = self._folder / relative
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, samples, encoding="alaw")
            path.chmod(0o600)
        except AudioFileError as error:
            raise RecordingError(str(error)) from None
        except OSError as error:
            raise RecordingError(
                f"{self._folder}: a recording cannot be written ({error.strerror})"
            ) from None
        return str(relative)

    def check(self) -> None:
        """Look whether recordings can be written, and make nothing. Raises ConfigurationError."""
        nearest = next(each for each in (self._folder, *self._folder.absolute().parents) if each.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            raise ConfigurationError(f"store.recordings: {self._folder}: no recordings can be written there")

    def path(self, relative: str) -> Path:
        """Return where a recording lies. Raises StoreError for a path that leads out of the folder."""
        pure = PurePosixPath(relative)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise StoreError(f"{self._folder}: the store names a recording outside of this folder")
        return self._folder / pure

    def delete(self, relative: str) -> bool:
        """Delete a recording; False where it was gone. Raises StoreError where it cannot be deleted."""
        path = self.path(relative)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StoreError(
                f"{self._folder}: a recording cannot be deleted ({error.strerror}); check its owner"
            ) from None
        self._remove_empty(path.parent)
        return True

    def stray(self, known: frozenset[str], before: datetime) -> list[str]:
        """Return recordings that are not among `known` and were last written before `before`.

        They are left behind where the service died between writing the file and its row.
        """
        found = []
        for path in sorted(self._folder.glob("*/*/*/*.wav")):
            relative = path.relative_to(self._folder).as_posix()
            if relative not in known and path.stat().st_mtime < before.timestamp():
                found.append(relative)
        return found

    def _remove_empty(self, folder: Path) -> None:
        while folder != self._folder and not any(folder.iterdir()):
            folder.rmdir()
            folder = folder.parent
