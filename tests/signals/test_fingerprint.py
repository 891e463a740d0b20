"""Peaks, pairs and matches: the same whatever the pieces, found again through a telephone, not in a retake."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import FRAMES_PER_SECOND, STEPS, TARGET_BITS, Landmarks
from detector.signals.matching import HashIndex, Stretch, best_match

TAKES = Path(__file__).parent / "takes"


def take(name: str) -> Samples:
    return read_clip(TAKES / f"{name}.wav")


def line(
    samples: Samples, *, seed: int, snr: float = 40, gain: float = 1, loss: float = 0, delay: float = 0
) -> Samples:
    """Carry through a telephone: `snr` dB of white noise, A-law, `loss` of packets repeated, `delay` in samples."""
    random = np.random.default_rng(seed)
    wave = np.concatenate([np.zeros(int(delay)), samples.astype(float), np.zeros(400)])
    turns = np.fft.rfftfreq(len(wave)) * (delay % 1)
    wave = gain * np.fft.irfft(np.fft.rfft(wave) * np.exp(-2j * np.pi * turns), len(wave))
    wave += np.sqrt(np.mean(wave**2)) * 10 ** (-snr / 20) * random.standard_normal(len(wave))
    heard = decode_alaw(encode_alaw(np.clip(np.rint(wave), -32768, 32767).astype(np.int16))).copy()
    for at in range(160, len(heard) - 160, 160):
        if random.random() < loss:
            heard[at : at + 160] = heard[at - 160 : at]
    return heard


def landmarks(samples: Samples, piece: int = 4096) -> Landmarks:
    extractor = FingerprintExtractor()
    for at in range(0, len(samples), piece):
        extractor.push(samples[at : at + piece])
    return extractor.landmarks(0, len(samples) / SAMPLE_RATE)


def match(first: Samples, second: Samples) -> Stretch | None:
    reference = landmarks(first)
    return best_match(landmarks(second), reference.peaks, HashIndex.of(reference))


@pytest.mark.parametrize("piece", [1, 7, 80, 160, 333, 1000, 4096])
def test_pieces_of_any_size_give_the_same_landmarks(piece: int) -> None:
    samples = line(take("loan_first"), seed=1, snr=20)[: 3 * SAMPLE_RATE]
    whole = landmarks(samples, len(samples))
    assert len(whole.peaks) > 100
    assert landmarks(samples, piece) == whole


def test_asking_in_between_changes_nothing() -> None:
    samples = line(take("loan_first"), seed=1, snr=20)
    extractor = FingerprintExtractor()
    for at in range(0, len(samples), 160):
        extractor.push(samples[at : at + 160])
        extractor.landmarks(0, at / SAMPLE_RATE)
    assert extractor.landmarks(0, len(samples) / SAMPLE_RATE) == landmarks(samples)
    assert extractor.seconds == len(samples) / SAMPLE_RATE


def test_landmarks_of_a_part_are_those_of_the_part() -> None:
    whole = landmarks(take("loan_first"))
    part = whole.between(1, 3)
    times = part.peaks[:, 0] / (FRAMES_PER_SECOND * STEPS)
    assert (part.start, part.end) == (1, 3)
    assert times.min() >= 1
    assert times.max() < 3
    assert 0 < len(part.hashes) < len(whole.hashes)
    rest = whole.without(1, 3)
    assert len(rest.peaks) + len(part.peaks) == len(whole.peaks)


def test_a_tone_has_its_frequency_and_its_time() -> None:
    at = np.arange(SAMPLE_RATE)
    chirp = np.exp(-(((at - 4000) / 400) ** 2)) * np.sin(2 * np.pi * 1000 * at / SAMPLE_RATE)
    peaks = landmarks((12000 * chirp).astype(np.int16)).peaks
    time, line_of_1000_hz, depth, _ = peaks[np.argmin(peaks[:, 2])]
    assert depth == 0
    assert line_of_1000_hz * 15.625 / STEPS == pytest.approx(1000, abs=2)
    # A frame begins 256 samples before its middle.
    assert time / STEPS * 80 + 256 == pytest.approx(4000, abs=20)


def test_silence_has_no_landmarks() -> None:
    nothing = landmarks(np.zeros(2 * SAMPLE_RATE, np.int16))
    assert len(nothing.peaks) == len(nothing.hashes) == 0
    assert len(landmarks(np.zeros(0, np.int16)).peaks) == 0


def test_hashes_fit_their_bits() -> None:
    hashes = landmarks(take("insurance_first")).hashes
    assert hashes.dtype == np.uint32
    assert int(hashes.max()) >> TARGET_BITS < 256, "the bin of the first peak"
    assert len(np.unique(hashes)) > 0.9 * len(hashes)


def test_bytes_give_the_landmarks_back() -> None:
    whole = landmarks(take("loan_first")).between(0.5, 5)
    again = Landmarks.from_bytes(whole.to_bytes())
    assert again == whole
    assert hash(again) == hash(whole)
    assert np.array_equal(again.hashes, whole.hashes)
    assert len(whole.to_bytes()) < 8 * len(whole.peaks) + 32


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=80))
def test_bytes_that_are_no_landmarks_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        Landmarks.from_bytes(b"\xff" + packed)


def test_moved_landmarks_keep_their_hashes() -> None:
    whole = landmarks(take("loan_first"))
    moved = whole.moved(2.5)
    assert moved.start == pytest.approx(whole.start + 2.5)
    assert np.array_equal(moved.hashes, whole.hashes)
    assert np.array_equal(moved.times, whole.times + 250)


@pytest.mark.parametrize("name", ["loan_first", "same-words-other-voice_first", "insurance_first"])
@pytest.mark.parametrize(
    ("snr", "gain", "loss", "delay"),
    [
        (40, 1, 0, 0),
        (40, 0.2, 0, 0.5),
        (40, 1, 0, 40.5),
        (15, 0.5, 0.02, 37.3),
        (15, 1, 0.05, 79.9),
        (8, 1, 0, 12.2),
    ],
)
def test_the_same_audio_is_found_again(name: str, snr: float, gain: float, loss: float, delay: float) -> None:
    clip = take(name)
    found = match(line(clip, seed=1), line(clip, seed=2, snr=snr, gain=gain, loss=loss, delay=delay))
    assert found is not None
    assert found.is_same_recording
    assert found.seconds > 3.5
    assert found.earlier - found.start == pytest.approx(-delay / SAMPLE_RATE, abs=0.011)


def test_two_and_a_half_seconds_suffice() -> None:
    clip = take("loan_first")[SAMPLE_RATE : round(3.5 * SAMPLE_RATE)]
    found = match(line(take("loan_first"), seed=1, snr=15, loss=0.02), line(clip, seed=2, snr=15, loss=0.02))
    assert found is not None
    assert found.is_same_recording
    assert found.earlier - found.start == pytest.approx(1, abs=0.011)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("loan_first", "loan_faster"),
        ("loan_first", "loan_blend"),
        ("loan_faster", "loan_blend"),
        ("insurance_first", "insurance_faster"),
        ("loan_first", "same-words-other-voice_first"),
        ("loan_first", "insurance_first"),
    ],
)
@pytest.mark.parametrize("snr", [40, 15])
def test_words_said_again_are_not_the_same_audio(first: str, second: str, snr: float) -> None:
    found = match(line(take(first), seed=1), line(take(second), seed=2, snr=snr))
    assert found is None or not found.is_same_recording


def test_a_synthetic_retake_is_told_by_its_waves() -> None:
    """Whole words of it keep their timing: without the phases it would pass for the recording."""
    found = match(line(take("loan_first"), seed=1), line(take("loan_faster"), seed=2))
    again = match(line(take("loan_first"), seed=1), line(take("loan_first"), seed=2))
    assert again is not None
    assert again.coherence > 0.97
    assert found is None or found.seconds < 0.5 * again.seconds
