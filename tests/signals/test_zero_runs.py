"""Runs of one idle value, found to the sample in pieces of any size."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.signals.zero_runs import ZeroRuns


def noise(count: int) -> Samples:
    return np.random.default_rng(count).integers(100, 200, count).astype(np.int16)


def find(samples: Samples, piece: int) -> list[tuple[int, int]]:
    runs = ZeroRuns(1000)
    for at in range(0, len(samples), piece):
        runs.push(samples[at : at + piece])
    return [(round(start * SAMPLE_RATE), round(seconds * SAMPLE_RATE)) for start, seconds in runs.take()]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 3000), st.sampled_from([0, 8, -8, 9, 500]), st.integers(1, 12000)),
        max_size=5,
    ),
    st.integers(50, 20000),
)
def test_runs_are_found_to_the_sample(parts: list[tuple[int, int, int]], piece: int) -> None:
    pieces, expected, at = [], [], 0
    for before, value, length in parts:
        pieces += [noise(before), np.full(length, value, np.int16)]
        at += before
        if length >= 1000 and abs(value) <= 8:
            expected.append((at, length))
        at += length
    samples = np.concatenate([*pieces, noise(100)])
    assert find(samples, piece) == expected


def test_a_run_that_goes_on_is_not_reported_yet() -> None:
    runs = ZeroRuns(1000)
    runs.push(np.zeros(5000, np.int16))
    assert runs.take() == []
    runs.push(np.zeros(20000, np.int16))
    assert runs.take() == []
    runs.push(noise(1))
    assert runs.take() == [(0.0, 25000 / SAMPLE_RATE)]
    assert runs.take() == []


def test_a_change_of_the_idle_value_ends_a_run() -> None:
    samples = np.concatenate([np.full(2000, 8, np.int16), np.full(3000, -8, np.int16), noise(10)])
    assert find(samples, 777) == [(0, 2000), (2000, 3000)]
