"""The index of fingerprints: triples of peaks, an eighth of them, chosen by value so that both sides choose alike.

A pair of peaks is found by chance in one of 100,000 places, and a store of 100,000 openings has 50 million. Two
pairs that begin with the same peak make a triple, which is rare enough to leave little to sift.
"""

from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from detector.signals.landmarks import FAN_OUT, TARGET_BITS, Landmarks
from detector.stores.schema import fingerprint_hashes

__all__ = ["candidates", "index_keys"]

Integers = NDArray[np.int64]

_SPREADING: Final = 0x9E3779B97F4A7C15
"""2**64 divided by the golden ratio: products are spread evenly whatever the bits mean."""
_CANDIDATES: Final = 8
_MIN_VOTES: Final = 3
"""Triples that agree on a fingerprint and an offset."""
_CELL: Final = 4
"""Frames whose votes are counted together."""
_ZERO: Final = 1 << 20
"""Added to offsets (frames), so that they pack as positive numbers of 24 bits."""


def index_keys(landmarks: Landmarks, fingerprint_id: int) -> list[dict[str, int]]:
    """Return the rows of the index that a stored fingerprint has, in the order of the index."""
    hashes, frames = _sampled(landmarks)
    rows = sorted(set(zip(hashes.tolist(), frames.tolist(), strict=True)))
    return [{"hash": value, "fingerprint_id": fingerprint_id, "frame": frame} for value, frame in rows]


def candidates(connection: Connection, landmarks: Landmarks) -> dict[int, int]:
    """Return fingerprints that may hold the same audio, and how many frames later they hold it."""
    hashes, frames = _sampled(landmarks)
    if len(hashes) == 0:
        return {}
    table = fingerprint_hashes
    query = select(table.c.hash, table.c.fingerprint_id, table.c.frame)
    these = table.c.hash.in_(np.unique(hashes).tolist())
    found = connection.execute(query.where(these)).fetchall()
    rows = np.fromiter(chain.from_iterable(found), np.int64, 3 * len(found)).reshape(-1, 3)
    return _voted(*_pairs(rows, hashes, frames))


def _sampled(landmarks: Landmarks) -> tuple[Integers, Integers]:
    """Return hashes of 31 bits and frames of the eighth of the triples that is indexed."""
    anchors = landmarks.hashes.astype(np.int64) >> TARGET_BITS
    places = landmarks.times.astype(np.int64) << 32 | anchors
    targets = landmarks.hashes.astype(np.int64) & ((1 << TARGET_BITS) - 1)
    hashes, frames = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for apart in range(1, FAN_OUT):
        one, other = targets[:-apart], targets[apart:]
        same = places[:-apart] == places[apart:]
        triple = (anchors[:-apart] << TARGET_BITS | np.minimum(one, other)) << TARGET_BITS | np.maximum(
            one, other
        )
        hashes.append(triple[same])
        frames.append(landmarks.times[:-apart][same].astype(np.int64))
    spread = np.concatenate(hashes).astype(np.uint64) * np.uint64(_SPREADING)
    chosen = spread >> np.uint64(61) == 0
    mixed = (spread >> np.uint64(28) & np.uint64(0x7FFFFFFF)).astype(np.int64)
    return mixed[chosen], np.concatenate(frames)[chosen]


def _pairs(rows: Integers, hashes: Integers, frames: Integers) -> tuple[Integers, Integers]:
    """Return fingerprint and offset of each row for each place where the query holds its hash."""
    order = np.argsort(hashes, kind="stable")
    first = np.searchsorted(hashes[order], rows[:, 0], side="left")
    count = np.searchsorted(hashes[order], rows[:, 0], side="right") - first
    row = np.repeat(np.arange(len(rows)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return rows[row, 1], rows[row, 2] - frames[order][first[row] + within]


def _voted(ids: Integers, offsets: Integers) -> dict[int, int]:
    """Return the fingerprints with most votes for one offset, and the middle of those votes."""
    # Votes on either side of the border of a cell agree too: every other cell is half a cell further on.
    halves = [ids << 24 | ((offsets + _ZERO + shift) // _CELL * 2 + (shift > 0)) for shift in (0, _CELL // 2)]
    places, counts = np.unique(np.concatenate(halves), return_counts=True)
    enough = counts >= _MIN_VOTES
    best: dict[int, int] = {}
    for place in places[enough][np.argsort(-counts[enough], kind="stable")].tolist():
        if place >> 24 in best:
            continue
        if len(best) == _CANDIDATES:
            break
        best[place >> 24] = int(np.median(offsets[halves[place & 1] == place]))
    return best
