"""Measure look-ups in a store of many fingerprints.

    scripts/bench_fingerprints.py --clips DIR [--count 100000] [--queries 50] [--seed N]

DIR holds clips of speech (WAV). Stored fingerprints are made from theirs: half-second pieces of several clips in
random order, each a few bins higher or lower, so that hashes are as uneven as in speech and no two openings of
5 s are alike. Every other clip is kept out of that, stored by itself and looked up through noise; so are as many
openings that are not stored.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import FRAMES_PER_SECOND, STEPS, Landmarks, Peaks
from detector.stores.database import Database
from detector.stores.fingerprint_index import index_keys
from detector.stores.fingerprints import FingerprintStore
from detector.stores.schema import fingerprint_hashes, fingerprints

SECONDS = 5.0
LEAST = 4 * SAMPLE_RATE
PIECE_STEPS = FRAMES_PER_SECOND * STEPS // 2


def landmarks_of(clip: Samples) -> Landmarks:
    extractor = FingerprintExtractor()
    extractor.push(clip)
    return extractor.landmarks(0, len(clip) / SAMPLE_RATE)


def noisy(clip: Samples, random: np.random.Generator) -> Samples:
    """Play the clip later, softer, with noise at 15 dB, through A-law."""
    wave = np.concatenate([np.zeros(10067), 0.5 * clip, np.zeros(800)])
    wave += (
        0.5 * np.sqrt(np.mean(clip.astype(float) ** 2)) * 10 ** (-15 / 20) * random.standard_normal(len(wave))
    )
    return decode_alaw(encode_alaw(np.clip(np.rint(wave), -32768, 32767).astype(np.int16)))


def openings(sources: list[Peaks], random: np.random.Generator) -> Iterator[Landmarks]:
    """Yield openings without end."""
    while True:
        pieces = []
        for at in range(round(2 * SECONDS)):
            source = sources[random.integers(len(sources))]
            start = int(random.integers(max(1, int(source[-1, 0]) - PIECE_STEPS)))
            piece = source[(source[:, 0] >= start) & (source[:, 0] < start + PIECE_STEPS)].copy()
            piece[:, 0] += at * PIECE_STEPS - start
            piece[:, 1] = np.clip(piece[:, 1] + random.integers(-40, 41), 16 * STEPS, 222 * STEPS)
            pieces.append(piece)
        yield Landmarks.of_peaks(0, SECONDS, np.concatenate(pieces))


def fill(database: Database, source: Iterator[Landmarks], count: int) -> None:
    """Store `count` openings as the store itself would, without looking each up first."""
    for first in range(1, count + 1, 1000):
        rows, keys = [], []
        for number in range(first, min(first + 1000, count + 1)):
            landmarks = next(source)
            rows.append({"id": number, "landmarks": landmarks.to_bytes(), "campaign": number})
            keys += index_keys(landmarks, number)
        with database.writing() as connection:
            connection.execute(insert(fingerprints), rows)
            connection.execute(insert(fingerprint_hashes), keys)


def measure(name: str, store: FingerprintStore, queries: Sequence[Landmarks]) -> None:
    spent, busy, found = [], [], 0
    for query in queries:
        began, worked = time.perf_counter(), time.process_time()
        found += bool(store.find(query, None))
        spent.append(1000 * (time.perf_counter() - began))
        busy.append(1000 * (time.process_time() - worked))
    print(
        f"{name}: found {found} of {len(queries)}; CPU median {np.median(busy):.1f} ms, 95 % within "
        f"{np.percentile(busy, 95):.1f} ms; elapsed median {np.median(spent):.1f} ms"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    clips = [clip for path in sorted(arguments.clips.glob("*.wav")) if len(clip := read_clip(path)) >= LEAST]
    sources, planted = [landmarks_of(clip).peaks for clip in clips[::2]], clips[1::2][: arguments.queries]
    if not planted:
        print(f"{arguments.clips}: no clips of 4 s and more there; give --clips DIR", file=sys.stderr)
        return 2
    source = openings(sources, random)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.sqlite3"
        database = Database(path)
        fill(database, source, arguments.count)
        store = FingerprintStore(database)
        for clip in planted:
            store.add(landmarks_of(clip), None)
        print(f"{arguments.count} fingerprints, {path.stat().st_size / 1e6:.0f} MB")
        again = [landmarks_of(noisy(clip, random)) for clip in planted]
        measure("stored", store, again)
        measure("not stored", store, [next(source) for _ in again])
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
