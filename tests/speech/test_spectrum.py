"""The spectrum of a window: only the speech is worked out, and the silence behind it is what silence looks like."""

from collections.abc import Callable

import numpy as np
import pytest
import soxr
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.speech.spectrum import window_spectrum

FRAMES_PER_SECOND = 100


@pytest.fixture(scope="module")
def extractor() -> FeatureExtractor:
    return FeatureExtractor()


def noise(samples: int) -> Samples:
    return np.random.default_rng(samples).normal(0, 3000, samples).astype(np.int16)


def whole(
    extractor: Callable[..., NDArray[np.float32]], speech: Samples, seconds: float
) -> NDArray[np.float32]:
    """The spectrum of the window with all of its silence."""
    window = np.zeros(round(seconds * 16_000), np.float32)
    sound = soxr.resample(speech.astype(np.float32) / 32768, SAMPLE_RATE, 16_000)[: len(window)]
    window[: len(sound)] = sound
    return extractor(window, padding=0)[None, :, : round(seconds * FRAMES_PER_SECOND)]


@pytest.mark.parametrize("samples", [1, 79, 80, 81, 8000, 31_900, 31_999, 32_000, 40_000])
def test_a_window_has_the_spectrum_that_it_would_have_worked_out_to_its_end(
    extractor: FeatureExtractor, samples: int
) -> None:
    speech = noise(samples)
    found = window_spectrum(extractor, speech, 4.0, 0.0)
    assert found.shape == (1, 80, 400)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, whole(extractor, speech, 4.0), atol=1e-5)


def test_silence_before_the_speech_moves_it(extractor: FeatureExtractor) -> None:
    early, late = (window_spectrum(extractor, noise(8000), 4.0, lead) for lead in (0.0, 0.5))
    np.testing.assert_allclose(early[:, :, 10:90], late[:, :, 60:140], atol=1e-4)


def test_silence_alone_is_a_spectrum(extractor: FeatureExtractor) -> None:
    found = window_spectrum(extractor, np.zeros(800, np.int16), 4.0, 0.0)
    assert np.ptp(found) == 0
