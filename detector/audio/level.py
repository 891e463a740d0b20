"""How loud audio is.

Levels are dBFS: 0 is the loudest square wave of int16, a full-scale sine has -3.0. Silence has FLOOR_DBFS.
"""

import math

import numpy as np

from detector.audio.frames import Samples

__all__ = ["FLOOR_DBFS", "levels_dbfs", "rms_dbfs"]

FLOOR_DBFS = -96.0
"""What silence is said to have: a little below one least bit of 16."""
_FULL_POWER = 32768.0**2


def _to_dbfs(power: float) -> float:
    return max(FLOOR_DBFS, 10 * math.log10(power / _FULL_POWER)) if power > 0 else FLOOR_DBFS


def _power(samples: Samples) -> float:
    """Return the mean square of `samples` (not empty), whose constant part is no sound and left out."""
    values = samples.astype(np.float32)
    values -= np.add.reduce(values) / np.float32(len(values))
    return float(np.vdot(values, values)) / len(values)


def rms_dbfs(samples: Samples) -> float:
    """Return the level in dBFS of `samples` (int16, shape (n,)) without its constant part."""
    return _to_dbfs(_power(samples)) if len(samples) else FLOOR_DBFS


def levels_dbfs(windows: Samples) -> list[float]:
    """Return `rms_dbfs` of each row of `windows` (int16, shape (rows, n)), in one go."""
    values = windows.astype(np.float32)
    values -= np.add.reduce(values, axis=1, keepdims=True) / np.float32(values.shape[1])
    powers = np.einsum("ij,ij->i", values, values) / np.float32(values.shape[1])
    return [_to_dbfs(power) for power in powers.tolist()]
