"""Levels against sines and noise of known power; digital silence to the sample; steps of the floor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.frames import Samples
from detector.audio.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from detector.audio.level import (
    FLOOR_DBFS,
    DigitalSilence,
    DigitalSilenceMeter,
    FloorStep,
    NoiseFloor,
    is_digital_silence,
    peak_dbfs,
    rms_dbfs,
)


def noise(seconds: float, dbfs: float, seed: int = 3) -> Samples:
    values = np.random.default_rng(seed).normal(0, 32768 * 10 ** (dbfs / 20), round(8000 * seconds))
    clipped: Samples = np.clip(np.rint(values), -32768, 32767).astype(np.int16)
    return clipped


def talk(seconds: float, dbfs: float) -> Samples:
    """Bursts like syllables: 250 ms of buzz with a swelling level, 100 ms apart, a pause every 2 s."""
    t = np.arange(round(8000 * seconds)) / 8000
    syllable = np.clip(np.sin(np.pi * np.clip((t % 0.35) / 0.25, 0, 1)), 0, 1) * (t % 2.0 < 1.5)
    buzz = np.sign(np.sin(2 * np.pi * (140 + 20 * np.sin(2 * np.pi * 0.7 * t)) * t))
    spoken: Samples = np.rint(32768 * 10 ** (dbfs / 20) * buzz * syllable).astype(np.int16)
    return spoken


def cut(samples: Samples, size: int) -> list[Samples]:
    return [samples[start : start + size] for start in range(0, len(samples), size)]


def test_a_full_scale_sine_has_minus_3_dbfs() -> None:
    sine = np.rint(32767 * np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)).astype(np.int16)
    assert rms_dbfs(sine) == pytest.approx(-3.01, abs=0.01)
    assert peak_dbfs(sine) == pytest.approx(0.0, abs=0.01)
    assert rms_dbfs(sine // 10) == pytest.approx(-23.01, abs=0.02)


def test_a_constant_is_no_sound() -> None:
    assert rms_dbfs(np.full(160, 900, np.int16)) == FLOOR_DBFS
    assert rms_dbfs(np.zeros(0, np.int16)) == FLOOR_DBFS
    assert peak_dbfs(np.full(160, -32768, np.int16)) == 0.0


def test_digital_silence_survives_either_law_and_noise_is_none() -> None:
    zeros = np.zeros(160, np.int16)
    for idle in (zeros, decode_alaw(encode_alaw(zeros)), decode_ulaw(encode_ulaw(zeros))):
        assert is_digital_silence(idle)
    assert not is_digital_silence(noise(0.02, -80))
    assert not is_digital_silence(np.full(160, 100, np.int16))
    assert not is_digital_silence(np.zeros(0, np.int16))


def runs(samples: Samples, size: int) -> list[DigitalSilence]:
    meter = DigitalSilenceMeter(least_seconds=0.05, start=2.0)
    found = [run for piece in cut(samples, size) for run in meter.push(piece)]
    return [*found, *meter.flush()]


@settings(max_examples=30, deadline=None)
@given(size=st.integers(1, 4096), gap=st.integers(1, 3000), seed=st.integers(0, 99))
def test_digital_silence_is_found_to_the_sample(size: int, gap: int, seed: int) -> None:
    loud = np.where(noise(0.2, -30, seed) == 0, 100, noise(0.2, -30, seed)).astype(np.int16)
    loud[[0, -1]] = 1000
    samples = np.concatenate([loud, np.full(gap, 8, np.int16), loud, np.zeros(800, np.int16)])
    wanted = [DigitalSilence(2.0 + (3200 + gap) / 8000, 0.1)]
    if gap >= 400:
        wanted.insert(0, DigitalSilence(2.2, gap / 8000))
    assert runs(samples, size) == wanted


def floor_steps(samples: Samples, size: int = 160) -> tuple[list[FloorStep], NoiseFloor]:
    floor = NoiseFloor()
    return [step for piece in cut(samples, size) for step in floor.push(piece)], floor


@pytest.mark.parametrize("dbfs", [-70.0, -50.0, -30.0])
def test_the_floor_of_noise_is_its_level(dbfs: float) -> None:
    steps, floor = floor_steps(noise(6, dbfs))
    assert steps == []
    assert floor.dbfs == pytest.approx(dbfs, abs=2.0)


def test_the_floor_is_heard_under_speech() -> None:
    steps, floor = floor_steps(noise(12, -55) + talk(12, -18))
    assert floor.dbfs == pytest.approx(-55, abs=3)
    assert steps == []


def test_a_jump_of_the_background_is_one_step() -> None:
    samples = np.concatenate([noise(5, -65), noise(5, -40)])
    steps, _ = floor_steps(samples)
    assert len(steps) == 1
    assert steps[0].media_time == pytest.approx(5.0, abs=0.41)
    assert steps[0].from_dbfs == pytest.approx(-65, abs=2)
    assert steps[0].to_dbfs == pytest.approx(-40, abs=2)


def test_digital_silence_after_a_room_is_a_step_down_to_nothing() -> None:
    steps, _ = floor_steps(np.concatenate([noise(4, -50), np.zeros(8000 * 3, np.int16)]))
    assert [step.to_dbfs for step in steps] == [FLOOR_DBFS]


def test_a_background_that_swells_slowly_makes_no_step() -> None:
    level = 10 ** (np.linspace(0, 1, 8000 * 60))
    samples = np.rint(noise(60, -60) * level).astype(np.int16)
    steps, floor = floor_steps(samples)
    assert steps == []
    assert floor.settled_dbfs == pytest.approx(-42, abs=4)


@pytest.mark.parametrize("size", [1, 7, 159, 161, 1000, 4096])
def test_how_the_audio_is_cut_changes_no_step(size: int) -> None:
    samples = np.concatenate([noise(3, -60), noise(3, -35), np.zeros(8000 * 2, np.int16)])
    whole, floor = floor_steps(samples, len(samples))
    pieces, other = floor_steps(samples, size)
    assert pieces == whole
    assert len(whole) == 2
    assert other.dbfs == floor.dbfs


def test_nothing_is_known_before_the_first_segment() -> None:
    _, floor = floor_steps(noise(0.3, -40))
    assert floor.dbfs is None
    assert floor.settled_dbfs is None
