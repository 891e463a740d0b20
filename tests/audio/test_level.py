"""Levels against sines of known power."""

import numpy as np
import pytest

from detector.audio.level import FLOOR_DBFS, rms_dbfs


def test_a_full_scale_sine_has_minus_3_dbfs() -> None:
    sine = np.rint(32767 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)).astype(np.int16)
    assert rms_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert rms_dbfs(sine // 10) == pytest.approx(-23.01, abs=0.02)


def test_a_constant_is_no_sound() -> None:
    assert rms_dbfs(np.full(160, 900, np.int16)) == FLOOR_DBFS
    assert rms_dbfs(np.zeros(0, np.int16)) == FLOOR_DBFS
