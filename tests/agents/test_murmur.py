"""The murmur of a talker: harmonics of a moving pitch, with pauses, at a level of 1 while he talks."""

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.agents import murmur
from detector.agents.murmur import CONTROL_STEP, talker
from detector.audio.frames import SAMPLE_RATE

SECOND = SAMPLE_RATE


def test_it_is_the_sum_of_its_harmonics(monkeypatch: pytest.MonkeyPatch) -> None:
    pitch, vowel = 160.0, np.array([530.0, 1840.0, 2480.0])

    def steady(steps: int, _chance: np.random.Generator) -> tuple[NDArray[np.float64], ...]:
        zeros = np.zeros(steps)
        voiced = np.interp(np.arange(steps), [20, 50, 80], [0, 1, 0])
        return zeros + pitch, np.tile(vowel, (steps, 1)), voiced, zeros

    monkeypatch.setattr(murmur, "_controls", steady)
    heard = talker(SECOND, np.random.default_rng(0))
    when = np.arange(SECOND)
    wanted = np.zeros(SECOND)
    for order in range(1, 22):  # 21 of them lie below 3,400 Hz
        gain = sum(0.6**n / np.hypot(1, (order * pitch - vowel[n]) / murmur.BANDWIDTHS[n]) for n in range(3))
        wanted += gain / order**0.5 * np.sin(2 * np.pi * order * pitch * (when + 1) / SAMPLE_RATE)
    wanted *= np.interp(when / CONTROL_STEP, [20, 50, 80], [0, 1, 0])
    wanted /= np.sqrt(np.mean(wanted[20 * CONTROL_STEP : 80 * CONTROL_STEP] ** 2))
    assert np.sqrt(np.mean((heard - wanted) ** 2)) < 0.02


def test_he_pauses_and_is_as_loud_as_the_next_one() -> None:
    for seed in range(4):
        heard = talker(20 * SECOND, np.random.default_rng(seed))
        blocks = np.sqrt(np.mean(heard.reshape(-1, 160) ** 2, axis=1))
        assert 0.15 < np.mean(blocks < 0.05) < 0.6
        assert np.sqrt(np.mean(blocks[blocks > 0.2] ** 2)) == pytest.approx(1.0, abs=0.2)


def test_every_talker_is_another() -> None:
    first, second = (talker(5 * SECOND, np.random.default_rng(seed)) for seed in (1, 2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
