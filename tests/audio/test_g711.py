"""A-law against the recommendation's own tables of decision and output values."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detector.audio.frames import Samples
from detector.audio.g711 import decode_alaw, encode_alaw

EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
EVERY_CODE = bytes(range(256))


def alaw_decision_values() -> list[int]:
    """Table 1a/G.711, x1 to x128 in 13 bit units (full scale 4096), here in int16 units (times 8)."""
    values = [0]
    for step, count in [(2, 32), (4, 16), (8, 16), (16, 16), (32, 16), (64, 16), (128, 16)]:
        values += [values[-1] + step * (i + 1) for i in range(count)]
    assert values[-1] == 4096
    return [value * 8 for value in values]


def test_alaw_gives_the_output_values_of_table_1a() -> None:
    values = alaw_decision_values()
    outputs = [(low + high) // 2 for low, high in pairwise(values)]
    # Before the even bits are inverted the positive characters count up from 0x80.
    codes = bytes((0x80 + i) ^ 0x55 for i in range(128))
    assert decode_alaw(codes).tolist() == outputs
    assert decode_alaw(bytes(code ^ 0x80 for code in codes)).tolist() == [-value for value in outputs]


def test_every_sample_falls_into_its_interval() -> None:
    decisions = np.array(alaw_decision_values())
    linear = np.arange(0, 32767, dtype=np.int16)
    interval = np.searchsorted(decisions, linear, side="right") - 1
    heard = decode_alaw(encode_alaw(linear))
    assert np.all((heard >= decisions[interval]) & (heard <= decisions[interval + 1]))


def test_reencoding_changes_nothing() -> None:
    once = decode_alaw(EVERY_CODE)
    assert np.array_equal(decode_alaw(encode_alaw(once)), once)


def test_louder_never_sounds_quieter() -> None:
    assert np.all(np.diff(decode_alaw(encode_alaw(EVERY_SAMPLE)).astype(np.int32)) >= 0)


def test_error_stays_below_half_a_step() -> None:
    linear = EVERY_SAMPLE.astype(np.int32)
    error = np.abs(decode_alaw(encode_alaw(EVERY_SAMPLE)).astype(np.int32) - linear)
    # A step is a sixteenth of its segment, so half of one is at most 1/32 of the value, and 8 near zero.
    assert np.all(error <= np.maximum(8, np.abs(linear) / 32 + 1))


@given(samples=hnp.arrays(np.int16, st.integers(0, 400)), cut=st.integers(0, 400))
def test_pieces_are_coded_like_the_whole(samples: Samples, cut: int) -> None:
    whole = encode_alaw(samples)
    assert len(whole) == len(samples)
    assert encode_alaw(samples[:cut]) + encode_alaw(samples[cut:]) == whole
    assert np.array_equal(decode_alaw(memoryview(whole)), decode_alaw(whole))


def test_silence_has_the_code_of_the_recommendation() -> None:
    assert encode_alaw(np.zeros(2, np.int16)) == b"\xd5\xd5"
