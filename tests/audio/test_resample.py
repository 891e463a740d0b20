"""Resampling: the right pitch, no wrapping, and the same samples however the stream was cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.frames import Samples
from detector.audio.resample import StreamResampler, resample, to_int16


def sine(frequency: float, rate: int, seconds: float = 0.5, amplitude: float = 12000) -> Samples:
    t = np.arange(round(rate * seconds)) / rate
    return np.rint(amplitude * np.sin(2 * np.pi * frequency * t)).astype(np.int16)


def peak_frequency(samples: Samples, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum)) * rate / (8 * len(samples))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
def test_a_tone_keeps_its_pitch_and_level(rate: int) -> None:
    heard = resample(sine(1000, rate), rate, 8000)
    assert len(heard) == pytest.approx(4000, abs=1)
    assert peak_frequency(heard, 8000) == pytest.approx(1000, abs=1)
    middle = heard[1000:3000].astype(float)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(12000 / np.sqrt(2), rel=0.01)


def test_what_the_lower_rate_cannot_hold_is_gone() -> None:
    heard = resample(sine(6000, 16000), 16000, 8000)
    assert np.abs(heard[500:-500].astype(int)).max() < 30


def test_full_scale_is_clipped_and_never_wraps() -> None:
    square = np.where(np.arange(8000) % 80 < 40, 32767, -32768).astype(np.int16)
    heard = resample(square, 8000, 16000).astype(int)
    plateau = square[np.arange(16000) // 2].astype(int)
    # Ringing around the edges would wrap: a sample of the wrong sign in the middle of a plateau.
    inside = (np.arange(16000) % 80 > 20) & (np.arange(16000) % 80 < 60)
    assert np.all(np.sign(heard[inside]) == np.sign(plateau[inside]))
    assert heard.max() == 32767
    assert heard.min() == -32768


def test_what_is_no_number_becomes_silence() -> None:
    odd = np.array([np.nan, np.inf, -np.inf, 2.0, -2.0, 0.5], np.float32)
    assert to_int16(odd).tolist() == [0, 32767, -32768, 32767, -32768, 16384]


def streamed(samples: Samples, pieces: list[int], rates: tuple[int, int], channels: int) -> Samples:
    stream, start = StreamResampler(*rates, channels), 0
    out: list[Samples] = []
    while start < len(samples):
        size = pieces[len(out) % len(pieces)]
        out.append(stream.push(samples[start : start + size]))
        start += size
    return np.concatenate([*out, stream.flush()])


@pytest.mark.parametrize("rates", [(8000, 16000), (16000, 8000), (44100, 8000), (48000, 8000), (8000, 8000)])
@pytest.mark.parametrize("channels", [1, 2])
@settings(max_examples=20, deadline=None)
@given(pieces=st.lists(st.integers(1, 4096), min_size=1, max_size=8))
def test_how_a_stream_is_cut_changes_no_sample(
    rates: tuple[int, int], channels: int, pieces: list[int]
) -> None:
    noise = np.random.default_rng(5).integers(-20000, 20000, (6000, channels)).astype(np.int16)
    samples = noise[:, 0] if channels == 1 else noise
    whole = streamed(samples, [6000], rates, channels)
    assert np.array_equal(streamed(samples, pieces, rates, channels), whole)
    assert len(whole) == pytest.approx(6000 * rates[1] / rates[0], abs=1)


def test_stream_and_whole_agree() -> None:
    samples = sine(700, 16000)
    difference = streamed(samples, [160], (16000, 8000), 1).astype(int) - resample(samples, 16000, 8000)
    assert np.abs(difference).max() <= 1
