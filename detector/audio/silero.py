"""Silero voice activity (version 6), run window by window on one shared session.

The network sees 32 ms at 16 kHz with the 4 ms before them, and carries a recurrent state (h, c) from window
to window: fed some windows at a time with that state, it gives the same values as over the whole clip at once.
The weights are the ones that faster-whisper ships: silero_vad_v6.onnx (silero-vad, MIT).
"""

import threading
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


def _doubling() -> NDArray[np.float32]:
    """Return the matrix that doubles the rate of a stretch: shape (2 * _STRETCH, _STRETCH + 31), transposed.

    Every other sample out is one that went in. Those halfway between come from a filter of 32 taps, Kaiser window,
    60 dB.
    """
    places = np.arange(2 * _HALF_TAPS) - _HALF_TAPS + 0.5
    taps = np.sinc(places) * np.kaiser(2 * _HALF_TAPS, 6.0)
    matrix = np.zeros((_STRETCH + _LEAD, _STRETCH, 2))
    for at in range(_STRETCH):
        matrix[at + _HALF_TAPS - 1, at, 0] = 1.0
        matrix[at : at + 2 * _HALF_TAPS, at, 1] = taps / taps.sum()
    return matrix.reshape(_STRETCH + _LEAD, 2 * _STRETCH).astype(np.float32)


_LEAD = 2 * _HALF_TAPS - 1
_STRETCH = 32
"""Samples doubled by one row of a matrix product, which costs a fifth of a convolution over all of them."""
_DOUBLING: Final = _doubling()
_HISTORY = _CONTEXT_SAMPLES + _LEAD
_PAST = _HISTORY + _PREROLL_WINDOWS * WINDOW_SAMPLES
_INPUT = 2 * (_CONTEXT_SAMPLES + WINDOW_SAMPLES)


def upsample(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Double the rate of `samples` (shape (31 + 32 * n,), contiguous): shape (64 * n,), 2 ms late.

    The first 31 samples only feed the filter. A half-band filter without state of its own costs less than a general
    resampler and its delay is known.
    """
    step = samples.itemsize
    count = (len(samples) - _LEAD) // _STRETCH
    stretches = np.ndarray((count, _STRETCH + _LEAD), np.float32, samples, strides=(_STRETCH * step, step))
    return (stretches @ _DOUBLING).reshape(-1)


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
    """The state of one call: windows in, probabilities of speech out."""

    def __init__(self) -> None:
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._past: Samples = np.zeros(_PAST, np.int16)
        self._skipped = 0

    def skip(self, windows: Samples) -> None:
        """Take windows (int16, shape (256 * n,)) that cannot hold speech; it costs next to nothing."""
        self._past = np.concatenate([self._past, windows])[-_PAST:]
        self._skipped = min(_PREROLL_WINDOWS, self._skipped + len(windows) // WINDOW_SAMPLES)

    def probabilities(self, windows: Samples) -> list[float]:
        """Return how probable speech is at the end of each of the windows (int16, shape (256 * n,)), 0 to 1.

        They are run at once: four cost half as much as two and two, for the network's weights are mostly not in the
        processor's cache when a call comes back to them. Whatever onnxruntime raises passes through.
        """
        skipped, self._skipped = self._skipped, 0
        joined = np.concatenate([self._past, windows])
        self._past = joined[-_PAST:]
        heard = joined[(_PREROLL_WINDOWS - skipped) * WINDOW_SAMPLES :]
        wide = upsample(heard * np.float32(1 / 32768))
        count = len(windows) // WINDOW_SAMPLES + skipped
        shape, strides = (count, _INPUT), (2 * WINDOW_SAMPLES * wide.itemsize, wide.itemsize)
        inputs = np.ascontiguousarray(np.ndarray(shape, np.float32, wide, strides=strides))
        values, self._h, self._c = shared_session().run(None, {"input": inputs, "h": self._h, "c": self._c})
        return [float(value) for value in values[skipped:]]
