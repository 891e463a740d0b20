import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.speech.trimming import SplitOptions, split_speech, trim_silence

OPTIONS = SplitOptions()


def tone(seconds: float, level: float = -20.0) -> Samples:
    """A tone of `level` dBFS RMS, standing for speech."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(32768 * 10 ** (level / 20) * np.sqrt(2) * np.sin(2 * np.pi * 300 * time), np.int16)


def silence(seconds: float, level: float = -70.0) -> Samples:
    noise = np.random.default_rng(3).normal(0, 32768 * 10 ** (level / 20), round(seconds * SAMPLE_RATE))
    return np.asarray(np.rint(noise), np.int16)


def seconds(samples: Samples) -> float:
    return len(samples) / SAMPLE_RATE


@pytest.mark.parametrize("level", [-12.0, -30.0])
def test_silence_at_both_ends_goes(level: float) -> None:
    trimmed = trim_silence(np.concatenate([silence(1.0), tone(2.0, level), silence(3.0)]))
    assert seconds(trimmed) == pytest.approx(2.2, abs=0.04)


def test_a_soft_end_stays() -> None:
    trimmed = trim_silence(np.concatenate([tone(1.0, -20), tone(0.5, -50), silence(1.0)]))
    assert seconds(trimmed) == pytest.approx(1.6, abs=0.04)


@pytest.mark.parametrize("samples", [np.zeros(0, np.int16), np.zeros(8000, np.int16), silence(2.0, -75)])
def test_nothing_is_left_of_silence(samples: Samples) -> None:
    assert len(trim_silence(samples)) == 0


def test_noise_is_not_trimmed_into() -> None:
    noisy = silence(2.0, -40)
    assert len(trim_silence(noisy)) == len(noisy)


def test_pauses_split_and_short_gaps_do_not() -> None:
    samples = np.concatenate([tone(1.5), silence(0.2), tone(1.0), silence(0.5), tone(2.0), silence(0.4)])
    assert [round(seconds(piece), 1) for piece in split_speech(samples, OPTIONS)] == [2.8, 2.2]


def test_faint_speech_is_not_split_where_the_line_swallows_it() -> None:
    samples = np.concatenate([tone(1.5, -45), np.zeros(4000, np.int16), tone(1.5, -45)])
    assert [round(seconds(piece), 1) for piece in split_speech(samples, OPTIONS)] == [3.5]
    assert len(list(split_speech(samples * 4, OPTIONS))) == 2


def test_a_piece_too_short_is_joined_with_what_follows_and_at_the_end_with_what_came_before() -> None:
    word, sentence, gap = tone(0.2), tone(1.5), silence(0.4)
    pieces = list(split_speech(np.concatenate([word, gap, sentence, gap, word]), OPTIONS))
    assert [round(seconds(piece), 1) for piece in pieces] == [2.7]
    pieces = list(split_speech(np.concatenate([sentence, gap, word, gap, sentence]), OPTIONS))
    assert [round(seconds(piece), 1) for piece in pieces] == [1.6, 2.2]


def test_long_speech_is_cut_where_it_is_quietest() -> None:
    samples = np.concatenate([tone(20.0), tone(0.24, -32), tone(15.0)])
    first, second = split_speech(samples, OPTIONS)
    assert seconds(first) == pytest.approx(20.12, abs=0.15)
    assert seconds(second) == pytest.approx(15.12, abs=0.15)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0.02, 4.0), st.floats(0.02, 1.5)), min_size=1, max_size=6))
def test_every_loud_sample_lies_in_exactly_one_piece(parts: list[tuple[float, float]]) -> None:
    audio = np.concatenate([np.concatenate([tone(loud), silence(quiet)]) for loud, quiet in parts])
    marked = np.where(np.abs(audio) > 300, audio, 0)
    pieces = list(split_speech(audio, SplitOptions(longest=5.0)))
    assert all(seconds(piece) <= 5.0 for piece in pieces)
    kept = np.concatenate(pieces)
    assert np.count_nonzero(np.abs(kept) > 300) == np.count_nonzero(marked)


def test_no_sound_gives_no_piece() -> None:
    assert list(split_speech(np.zeros(16000, np.int16), OPTIONS)) == []
    assert list(split_speech(np.zeros(0, np.int16), OPTIONS)) == []
