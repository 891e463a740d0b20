"""Silero voice activity (version 6), run window by window on one shared session.

The network sees 32 ms at 16 kHz with the 4 ms before them, and carries a recurrent state (h, c) from window
to window; fed one window at a time with that state it gives the same values, bit by bit, as over the whole
clip at once. The weights are the ones that faster-whisper ships: silero_vad_v6.onnx (silero-vad, MIT).
"""

import threading
from collections import deque
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import Samples
from detector.errors import ModelError

__all__ = ["WINDOW_SAMPLES", "SileroStream", "shared_session", "upsample"]

WINDOW_SAMPLES = 256
"""32 ms at 8 kHz."""
_CONTEXT_SAMPLES = 32
"""4 ms at 8 kHz of the window before, which the network wants in front of each window."""
_HALF_TAPS = 16
_PREROLL_WINDOWS = 2
"""Windows that were skipped and are run after all when speech may begin, to warm the state up: 64 ms."""


def _half_band() -> NDArray[np.float32]:
    """Return the filter that finds the samples halfway between: 32 taps, Kaiser window, 60 dB."""
    places = np.arange(2 * _HALF_TAPS) - _HALF_TAPS + 0.5
    taps = np.sinc(places) * np.kaiser(2 * _HALF_TAPS, 6.0)
    normalized: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return normalized


_HALFWAY: Final = _half_band()
_LEAD = 2 * _HALF_TAPS - 1
_HISTORY = _CONTEXT_SAMPLES + _LEAD
_INPUT = 2 * (_CONTEXT_SAMPLES + WINDOW_SAMPLES)


def upsample(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Double the rate of `samples` (shape (n,)): shape (2 * (n - 31),), 2 ms late.

    The first 31 samples only feed the filter. Every other sample is an input sample, unchanged; a half-band
    filter without state of its own costs less than a general resampler and its delay is known.
    """
    halfway = np.convolve(samples, _HALFWAY, "valid")
    out = np.empty(2 * len(halfway), np.float32)
    out[0::2] = samples[_HALF_TAPS - 1 : _HALF_TAPS - 1 + len(halfway)]
    out[1::2] = halfway
    return out


class _Shared:
    lock = threading.Lock()
    session: Any = None


def _model_path() -> Path:
    package = find_spec("faster_whisper")
    if package is None or package.origin is None:
        raise ModelError("faster-whisper, which holds the silero model, is not installed; install it again")
    path = Path(package.origin).parent / "assets" / "silero_vad_v6.onnx"
    if not path.is_file():
        raise ModelError("faster-whisper holds no silero_vad_v6.onnx; install faster-whisper 1.2 or newer")
    return path


def shared_session() -> Any:
    """Return the one onnxruntime session of this process: one thread, safe to run from several at once.

    Raises ModelError where the model is not there; onnxruntime's own errors pass through.
    """
    with _Shared.lock:
        if _Shared.session is None:
            import onnxruntime  # noqa: PLC0415 - heavy, and on the way to `detector --help`

            options = onnxruntime.SessionOptions()
            options.inter_op_num_threads = 1
            options.intra_op_num_threads = 1
            options.log_severity_level = 4
            _Shared.session = onnxruntime.InferenceSession(
                str(_model_path()), sess_options=options, providers=["CPUExecutionProvider"]
            )
        return _Shared.session


class SileroStream:
    """The state of one call: window in, probability of speech out."""

    def __init__(self) -> None:
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        # Each entry: the 63 samples before a window and the window.
        self._skipped: deque[NDArray[np.float32]] = deque(maxlen=_PREROLL_WINDOWS + 1)
        self._history = np.zeros(_HISTORY, np.float32)

    def skip(self, window: Samples) -> None:
        """Take a window (int16, shape (256,)) that cannot hold speech; it costs next to nothing."""
        self._skipped.append(self._with_history(window))

    def probability(self, window: Samples) -> float:
        """Return how probable speech is at the end of `window` (int16, shape (256,)), 0 to 1.

        Whatever onnxruntime raises passes through.
        """
        session = shared_session()
        self._skipped.append(self._with_history(window))
        value = 0.0
        while self._skipped:
            # One at a time: a larger batch may be rounded differently, and pieces then differ from the whole.
            inputs = {"input": upsample(self._skipped.popleft())[None, :], "h": self._h, "c": self._c}
            output, self._h, self._c = session.run(None, inputs)
            value = float(output[0])
        return value

    def probabilities(self, windows: Sequence[Samples]) -> list[float]:
        """Return the same for windows that follow each other, in one run: two cost little more than one."""
        if self._skipped or len(windows) == 1:
            return [self.probability(window) for window in windows]
        joined = self._with_history(np.concatenate(windows))
        wide = upsample(joined)
        starts = range(0, len(wide) - _INPUT + 1, 2 * WINDOW_SAMPLES)
        inputs = np.stack([wide[start : start + _INPUT] for start in starts])
        values, self._h, self._c = shared_session().run(None, {"input": inputs, "h": self._h, "c": self._c})
        return [float(value) for value in values]

    def _with_history(self, window: Samples) -> NDArray[np.float32]:
        joined = np.concatenate([self._history, window.astype(np.float32) / np.float32(32768.0)])
        self._history = joined[-_HISTORY:]
        return joined
