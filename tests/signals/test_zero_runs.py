"""Runs of one idle value are found whatever the pieces, and nothing else is."""

from itertools import groupby

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.audio.frames import SAMPLE_RATE
from detector.signals.zero_runs import ZeroRuns

LEAST = 1200
STRETCHES = st.lists(
    st.tuples(
        st.sampled_from([0, 8, -8, 24, None]),
        st.sampled_from([1, 5, 160, 599, 1199, 1200, 1201, 1800, 9000]),
    ),
    max_size=12,
)
"""A value and how often it comes; None: a voice."""


@settings(max_examples=60, deadline=None)
@given(stretches=STRETCHES, size=st.sampled_from([1, 160, 4096, 8001]))
def test_runs_are_those_of_the_samples(stretches: list[tuple[int | None, int]], size: int) -> None:
    rng = np.random.default_rng(len(stretches))
    parts = [
        rng.integers(-3000, 3000, count) if value is None else np.full(count, value)
        for value, count in stretches
    ]
    samples = np.concatenate([*parts, [100]]).astype(np.int16)
    wanted, at = [], 0
    for value, run in groupby(samples.tolist()):
        length = len(list(run))
        if abs(value) <= 8 and length >= LEAST:
            wanted.append((at / SAMPLE_RATE, length / SAMPLE_RATE))
        at += length
    runs, heard = ZeroRuns(LEAST), []
    for start in range(0, len(samples), size):
        runs.push(samples[start : start + size])
        if start // size % 7 == 3:
            heard += runs.take()
    assert heard + runs.take() == wanted
