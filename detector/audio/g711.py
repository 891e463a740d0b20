"""G.711: A-law and mu-law, both ways, by table.

Linear samples are int16 as everywhere here: G.711's 13 bit (A-law) and 14 bit (mu-law) values moved to the
top of 16 bits, so that A-law's smallest value is 8 and mu-law's is 0. Coded audio is bytes, one a sample.
Source: ITU-T G.711 (11/88), tables 1a to 2b.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import Samples

__all__ = ["decode_alaw", "decode_ulaw", "encode_alaw", "encode_ulaw"]

_ALAW_TOGGLE = 0x55
"""G.711 inverts the even bits of an A-law character, so that silence is no long run of equal bits."""
_ULAW_BIAS = 132
"""33 in 14 bits: what makes the segments of mu-law powers of two."""
_ULAW_CLIP = 32635


def _segment(magnitude: NDArray[np.int32], lowest_bit: int) -> NDArray[np.int32]:
    """Return how many bits each magnitude is longer than `lowest_bit` bits, 0 at least."""
    length = np.frexp(magnitude.astype(np.float64))[1].astype(np.int32)
    return np.maximum(length - lowest_bit, 0)


def _alaw_encoding() -> NDArray[np.uint8]:
    linear = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.where(linear < 0, -linear - 1, linear) >> 4
    segment = _segment(magnitude, 4)
    shift = np.maximum(segment - 1, 0)
    code = segment << 4 | magnitude >> shift & 0x0F
    sign = np.where(linear < 0, 0, 0x80)
    return ((code | sign) ^ _ALAW_TOGGLE).astype(np.uint8)


def _alaw_decoding() -> Samples:
    code = np.arange(256, dtype=np.int32) ^ _ALAW_TOGGLE
    segment = code >> 4 & 7
    # The middle of the interval: half a step above its lower edge.
    in_first = (code & 0x0F) * 16 + 8
    magnitude = np.where(segment == 0, in_first, in_first + 256 << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _ulaw_encoding() -> NDArray[np.uint8]:
    linear = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.minimum(np.abs(linear), _ULAW_CLIP) + _ULAW_BIAS
    segment = _segment(magnitude, 8)
    code = segment << 4 | magnitude >> segment + 3 & 0x0F
    sign = np.where(linear < 0, 0x80, 0)
    return (~(code | sign) & 0xFF).astype(np.uint8)


def _ulaw_decoding() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((code & 0x0F) * 8 + _ULAW_BIAS << (code >> 4 & 7)) - _ULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_ALAW_CODES: Final = _alaw_encoding()
_ALAW_VALUES: Final = _alaw_decoding()
_ULAW_CODES: Final = _ulaw_encoding()
_ULAW_VALUES: Final = _ulaw_decoding()


def encode_alaw(samples: Samples) -> bytes:
    """Return the A-law characters of `samples` (int16, any shape, read in C order)."""
    return _ALAW_CODES[samples.astype(np.int32) + 32768].tobytes()


def decode_alaw(coded: bytes | bytearray | memoryview) -> Samples:
    """Return the samples (int16, shape (n,)) of n A-law characters."""
    return _ALAW_VALUES[np.frombuffer(coded, np.uint8)]


def encode_ulaw(samples: Samples) -> bytes:
    """Return the mu-law characters of `samples` (int16, any shape, read in C order)."""
    return _ULAW_CODES[samples.astype(np.int32) + 32768].tobytes()


def decode_ulaw(coded: bytes | bytearray | memoryview) -> Samples:
    """Return the samples (int16, shape (n,)) of n mu-law characters."""
    return _ULAW_VALUES[np.frombuffer(coded, np.uint8)]
