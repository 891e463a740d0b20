"""Recordings: opened, measured and read at 8 kHz piece by piece; clips read whole; WAV files written.

Whatever libsndfile reads is read: WAV (8 to 32 bit, float, A-law, mu-law), FLAC, MP3, Ogg Opus and more.
A recording whose end is missing is read as far as it goes, and `AudioFile.is_truncated` says so.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Self

import numpy as np

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import encode_alaw
from detector.audio.resample import StreamResampler
from detector.audio.wav import data_is_cut, wav_header
from detector.errors import AudioFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import soundfile

__all__ = ["MAX_CHANNELS", "MAX_CLIP_SECONDS", "AudioFile", "read_clip", "write_wav"]

MAX_CHANNELS = 2
"""Caller and agent; more than that is no recording of a call."""
MAX_CLIP_SECONDS = 600.0
"""A clip is held in memory; whatever is longer is a recording, for AudioFile."""
_READ_SECONDS = 1.0
_MP3_SLACK_SECONDS = 0.2
"""The length of an MP3 is an estimate: its padding may or may not be counted."""


class AudioFile:
    """One recording, open for reading.

    Raises AudioFileError, one line that names the file, what is wrong with it and what to do: for a file
    that is missing, is no audio or cut off within its header, or has zero seconds, more than 2 channels or
    a rate below 8 kHz.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._sound = _open(self.path)
        try:
            self._is_truncated = data_is_cut(self.path)
            self._check()
        except BaseException:
            self._sound.close()
            raise

    @property
    def sample_rate(self) -> int:
        """Hz, as recorded; `blocks` gives 8 kHz."""
        return int(self._sound.samplerate)

    @property
    def channels(self) -> int:
        return int(self._sound.channels)

    @property
    def seconds(self) -> float:
        """The length; of an MP3, an estimate."""
        return int(self._sound.frames) / self.sample_rate

    @property
    def encoding(self) -> str:
        """Container and coding in libsndfile's words: "WAV ALAW", "FLAC PCM_16", "OGG OPUS"."""
        return f"{self._sound.format} {self._sound.subtype}"

    @property
    def is_truncated(self) -> bool:
        """The header promises more audio than there is.

        Known at once for WAV; for FLAC and MP3 once `blocks` has come to the end; never for Ogg, which
        promises no length.
        """
        return self._is_truncated

    def blocks(self, block_samples: int = SAMPLE_RATE) -> Iterator[Samples]:
        """Yield the recording from its start as int16 of shape (n, channels) at 8 kHz.

        n is `block_samples`, less for the last block. Memory does not grow with the length of the recording.
        """
        pending: Samples = np.zeros((0, self.channels), np.int16)
        for piece in self._resampled():
            pending = np.concatenate([pending, piece.reshape(-1, self.channels)])
            whole = len(pending) // block_samples * block_samples
            for start in range(0, whole, block_samples):
                yield pending[start : start + block_samples]
            pending = pending[whole:]
        if len(pending):
            yield pending

    def close(self) -> None:
        self._sound.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _resampled(self) -> Iterator[Samples]:
        resampler = StreamResampler(self.sample_rate, SAMPLE_RATE, self.channels)
        for piece in self._pieces():
            yield resampler.push_float(piece[:, 0] if self.channels == 1 else piece)
        yield resampler.flush()

    def _pieces(self) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
        import soundfile  # noqa: PLC0415 - heavy, and on the way to `detector --help`

        self._rewind()
        read = 0
        wanted = round(self.sample_rate * _READ_SECONDS)
        while True:
            try:
                piece = self._sound.read(wanted, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError:
                piece = self._rescued(read, wanted)
            if not len(piece):
                break
            read += len(piece)
            yield piece
        if not read:
            _refuse(self.path, "holds no audio that can be decoded", "record or export it again")
        slack = _MP3_SLACK_SECONDS * self.sample_rate if self._sound.format == "MP3" else 0
        if read + slack < self._sound.frames:
            self._is_truncated = True

    def _rewind(self) -> None:
        import soundfile  # noqa: PLC0415 - heavy, and on the way to `detector --help`

        try:
            self._sound.seek(0)
        except soundfile.LibsndfileError:  # where decoding broke off, libsndfile finds no way back
            self._sound.close()
            self._sound = _open(self.path)

    def _rescued(self, start: int, wanted: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Read again what can be decoded from frame `start` on, halving the request where decoding breaks."""
        import soundfile  # noqa: PLC0415 - heavy, and on the way to `detector --help`

        while wanted >= 1:
            wanted //= 2
            try:
                self._sound.seek(start)
                return np.asarray(self._sound.read(wanted, dtype="float32", always_2d=True))
            except soundfile.LibsndfileError:
                continue
        return np.zeros((0, self.channels), np.float32)

    def _check(self) -> None:
        if self.channels > MAX_CHANNELS:
            _refuse(
                self.path,
                f"has {self.channels} channels, at most {MAX_CHANNELS} are supported",
                "mix it down to caller and agent, or to mono",
            )
        if self.sample_rate < SAMPLE_RATE:
            _refuse(
                self.path,
                f"has a sample rate of {self.sample_rate} Hz, below {SAMPLE_RATE} Hz",
                "export it from the original at 8 kHz or more",
            )
        if self._sound.frames <= 0:
            what = (
                "is cut off right after its header" if self._is_truncated else "holds zero seconds of audio"
            )
            _refuse(self.path, what, "record or export it again")


def _refuse(path: Path, what: str, remedy: str) -> NoReturn:
    raise AudioFileError(f"{path}: {what}; {remedy}")


def _open(path: Path) -> soundfile.SoundFile:
    import soundfile  # noqa: PLC0415 - heavy, and on the way to `detector --help`

    if path.is_dir():
        _refuse(path, "is a folder, not a recording", "name the files in it")
    if path.exists() and not path.is_file():
        _refuse(path, "is no regular file", "copy the audio into a file")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        _refuse(path, f"cannot be read ({error.strerror})", "check the path and its permissions")
    if not start:
        _refuse(path, "is empty", "record or export it again")
    try:
        return soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError):
        pass
    if start[:4] in {b"RIFF", b"RF64", b"fLaC", b"OggS", b"FORM"}:
        _refuse(path, "is cut off or broken within its header", "record or export it again")
    _refuse(path, "is no audio file that can be read", "give WAV, FLAC, MP3, Ogg Opus, AIFF or AU")


def read_clip(path: str | os.PathLike[str], channel: int | None = None) -> Samples:
    """Return a short clip as int16, shape (n,), mono, 8 kHz: of two channels one (0 is left), or None their average.

    Raises AudioFileError as AudioFile does, and for what is longer than MAX_CLIP_SECONDS or cut off.
    """
    with AudioFile(path) as clip:
        if clip.seconds > MAX_CLIP_SECONDS:
            _refuse(
                clip.path, f"is {clip.seconds:.0f} s long, a clip at most {MAX_CLIP_SECONDS:.0f} s", "cut it"
            )
        samples = np.concatenate(list(clip.blocks()))
        if clip.is_truncated:
            _refuse(clip.path, "is cut off: its header promises more audio than there is", "export it again")
    if samples.shape[1] == 1 or channel is not None:
        return samples[:, channel or 0].copy()
    mean: Samples = np.rint(samples.mean(axis=1)).astype(np.int16)
    return mean


def write_wav(
    path: str | os.PathLike[str],
    samples: Samples,
    sample_rate: int = SAMPLE_RATE,
    encoding: Literal["pcm16", "alaw"] = "pcm16",
) -> None:
    """Write `samples` (int16, shape (n,) or (n, channels)) to a WAV file.

    The file appears whole or not at all: a reader, or a crash, never sees half of it.
    Raises AudioFileError where it cannot be written.
    """
    target = Path(path)
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    data = encode_alaw(samples) if encoding == "alaw" else samples.astype("<i2").tobytes()
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            with part.open("xb") as file:
                file.write(wav_header(len(data), sample_rate, channels, encoding))
                file.write(data)
                file.write(b"\0" * (len(data) % 2))
                file.flush()
                os.fsync(file.fileno())
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise AudioFileError(
            f"{target}: cannot be written ({error.strerror}); check the folder, its permissions and the disk"
        ) from error
