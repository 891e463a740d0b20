"""The WAV container: a header to write, and how much audio a file's header promises.

Source: Microsoft, Multimedia Programming Interface and Data Specifications 1.0 (RIFF WAVE).
"""

import struct
from pathlib import Path
from typing import Literal

__all__ = ["data_is_cut", "wav_header"]

_PCM, _ALAW = 1, 6
_UNKNOWN_SIZES = {0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF}
"""What programs write that stream a file and cannot go back to fill in its size."""
_MOST_CHUNKS = 1000


def wav_header(data_bytes: int, sample_rate: int, channels: int, encoding: Literal["pcm16", "alaw"]) -> bytes:
    """Return everything that stands before `data_bytes` bytes of audio; sample rate in Hz."""
    width, tag = (1, _ALAW) if encoding == "alaw" else (2, _PCM)
    frame = width * channels
    layout = struct.pack("<HHIIHH", tag, channels, sample_rate, sample_rate * frame, frame, 8 * width)
    if tag == _PCM:
        chunks = b"fmt " + struct.pack("<I", len(layout)) + layout
    else:
        # Every coding but PCM carries an extension size and a chunk with the number of frames.
        chunks = b"fmt " + struct.pack("<I", len(layout) + 2) + layout + b"\0\0"
        chunks += b"fact" + struct.pack("<II", 4, data_bytes // frame)
    riff = 4 + len(chunks) + 8 + data_bytes + data_bytes % 2
    return b"RIFF" + struct.pack("<I", riff) + b"WAVE" + chunks + b"data" + struct.pack("<I", data_bytes)


def data_is_cut(path: Path) -> bool:
    """Tell whether `path` is a RIFF WAVE file whose header promises more audio bytes than the file holds."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return False
        for _ in range(_MOST_CHUNKS):
            chunk = file.read(8)
            if len(chunk) < 8:
                return False
            length = int.from_bytes(chunk[4:], "little")
            if chunk[:4] == b"data":
                return length not in _UNKNOWN_SIZES and file.tell() + length > size
            file.seek(length + length % 2, 1)
    return False
