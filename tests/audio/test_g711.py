"""G.711 against the recommendation's own tables of decision and output values."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detector.audio.frames import Samples
from detector.audio.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw

Encode = Callable[[Samples], bytes]
Decode = Callable[[bytes], Samples]
LAWS = [pytest.param(encode_alaw, decode_alaw, id="alaw"), pytest.param(encode_ulaw, decode_ulaw, id="ulaw")]

EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int32).astype(np.int16)
EVERY_CODE = bytes(range(256))


def alaw_decision_values() -> list[int]:
    """Table 1a/G.711, x1 to x128 in 13 bit units (full scale 4096), here in int16 units (times 8)."""
    values = [0]
    for step, count in [(2, 32), (4, 16), (8, 16), (16, 16), (32, 16), (64, 16), (128, 16)]:
        values += [values[-1] + step * (i + 1) for i in range(count)]
    assert values[-1] == 4096
    return [value * 8 for value in values]


def ulaw_decision_values() -> list[int]:
    """Table 2a/G.711, x1 to x128 in 14 bit units (full scale 8159), here in int16 units (times 4)."""
    values = [0, 1]
    for step, count in [(2, 15), (4, 16), (8, 16), (16, 16), (32, 16), (64, 16), (128, 16), (256, 16)]:
        values += [values[-1] + step * (i + 1) for i in range(count)]
    assert values[-1] == 8159
    return [value * 4 for value in values]


def test_alaw_gives_the_output_values_of_table_1a() -> None:
    values = alaw_decision_values()
    outputs = [(low + high) // 2 for low, high in pairwise(values)]
    # Before the even bits are inverted the positive characters count up from 0x80.
    codes = bytes((0x80 + i) ^ 0x55 for i in range(128))
    assert decode_alaw(codes).tolist() == outputs
    assert decode_alaw(bytes(code ^ 0x80 for code in codes)).tolist() == [-value for value in outputs]


def test_ulaw_gives_the_output_values_of_table_2a() -> None:
    values = ulaw_decision_values()
    outputs = [0, *[(low + high) // 2 for low, high in pairwise(values[1:])]]
    codes = bytes(0xFF - i for i in range(128))
    assert decode_ulaw(codes).tolist() == outputs
    assert decode_ulaw(bytes(code ^ 0x80 for code in codes)).tolist() == [-value for value in outputs]


@pytest.mark.parametrize(
    ("encode", "decode", "decisions"),
    [
        pytest.param(encode_alaw, decode_alaw, alaw_decision_values(), id="alaw"),
        pytest.param(encode_ulaw, decode_ulaw, ulaw_decision_values(), id="ulaw"),
    ],
)
def test_every_sample_falls_into_its_interval(encode: Encode, decode: Decode, decisions: list[int]) -> None:
    linear = np.arange(0, min(decisions[-1], 32767), dtype=np.int16)
    interval = np.searchsorted(decisions, linear, side="right") - 1
    by_interval = [0, *decisions[1:]]
    low = np.array(by_interval)[interval]
    high = np.array(decisions)[interval + 1]
    heard = decode(encode(linear))
    assert np.all((heard >= low) & (heard <= high))


@pytest.mark.parametrize(("encode", "decode"), LAWS)
def test_reencoding_changes_nothing(encode: Encode, decode: Decode) -> None:
    once = decode(EVERY_CODE)
    assert np.array_equal(decode(encode(once)), once)


@pytest.mark.parametrize(("encode", "decode"), LAWS)
def test_louder_never_sounds_quieter(encode: Encode, decode: Decode) -> None:
    assert np.all(np.diff(decode(encode(EVERY_SAMPLE)).astype(np.int32)) >= 0)


@pytest.mark.parametrize(("encode", "decode"), LAWS)
def test_error_stays_below_half_a_step(encode: Encode, decode: Decode) -> None:
    linear = EVERY_SAMPLE.astype(np.int32)
    error = np.abs(decode(encode(EVERY_SAMPLE)).astype(np.int32) - linear)
    # A step is a sixteenth of its segment, so half of one is at most 1/32 of the value, and 8 near zero.
    inside = np.abs(linear) <= 32256
    assert np.all(error[inside] <= np.maximum(8, (np.abs(linear[inside]) + 132) / 32 + 1))
    assert error.max() <= 644


@pytest.mark.parametrize(("encode", "decode"), LAWS)
@given(samples=hnp.arrays(np.int16, st.integers(0, 400)), cut=st.integers(0, 400))
def test_pieces_are_coded_like_the_whole(encode: Encode, decode: Decode, samples: Samples, cut: int) -> None:
    whole = encode(samples)
    assert len(whole) == len(samples)
    assert encode(samples[:cut]) + encode(samples[cut:]) == whole
    assert np.array_equal(decode(memoryview(whole)), decode(whole))  # type: ignore[arg-type]


def test_silence_has_the_codes_of_the_recommendation() -> None:
    assert encode_alaw(np.zeros(2, np.int16)) == b"\xd5\xd5"
    assert encode_ulaw(np.zeros(2, np.int16)) == b"\xff\xff"
