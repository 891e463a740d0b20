"""G.711's A-law, both ways, by table. Mu-law is left to the libraries behind lines and files.

Linear samples are int16 as everywhere here: G.711's 13 bit values moved to the top of 16 bits, so that the smallest
is 8. Coded audio is bytes, one a sample. Source: ITU-T G.711 (11/88), tables 1a and 1b.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import Samples

__all__ = ["decode_alaw", "encode_alaw"]

_ALAW_TOGGLE = 0x55
"""G.711 inverts the even bits of an A-law character, so that silence is no long run of equal bits."""


def _alaw_encoding() -> NDArray[np.uint8]:
    linear = np.arange(-32768, 32768, dtype=np.int32)
    magnitude = np.where(linear < 0, -linear - 1, linear) >> 4
    segment: NDArray[np.int32] = np.maximum(np.frexp(magnitude.astype(np.float64))[1].astype(np.int32) - 4, 0)
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


_ALAW_CODES: Final = _alaw_encoding()
_ALAW_VALUES: Final = _alaw_decoding()


def encode_alaw(samples: Samples) -> bytes:
    """Return the A-law characters of `samples` (int16, any shape, read in C order)."""
    return _ALAW_CODES[samples.astype(np.int32) + 32768].tobytes()


def decode_alaw(coded: bytes | bytearray | memoryview) -> Samples:
    """Return the samples (int16, shape (n,)) of n A-law characters."""
    return _ALAW_VALUES[np.frombuffer(coded, np.uint8)]
