"""Fingerprints of calls, looked up by what they sound like, and the campaigns that the same audio makes.

No audio is kept, only landmarks. An eighth of the hashes, chosen by their value so that both sides choose alike,
proposes candidates; the peaks of the best of them decide, as they do within a call.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from detector.errors import InputError
from detector.number_plan import normalize
from detector.signals.landmarks import Landmarks
from detector.signals.matching import HashIndex, Stretch, best_match
from detector.signals.playback import KnownMatch, MatchLabel
from detector.stores.database import Database
from detector.stores.schema import calls, fingerprint_hashes, fingerprints

__all__ = ["Campaign", "FingerprintStore"]

_CANDIDATES: Final = 8
_MIN_VOTES: Final = 4
"""Hashes of the eighth that agree on an offset."""
_SPREADING: Final = 2654435761
"""Knuth's multiplicative hash: every eighth hash, whatever its bits mean."""
_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Campaign:
    """Calls that held the same audio."""

    id: int
    label: MatchLabel
    calls: int
    numbers: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A stored fingerprint that holds the same audio."""

    id: int
    campaign: int
    label: str | None
    number: str | None
    stretch: Stretch


class FingerprintStore:
    """Looks up and keeps fingerprints in an open database. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, landmarks: Landmarks, number: str | None) -> list[KnownMatch]:
        """Return which campaigns hold this audio, the longest stretch first, for a call from `number`."""
        with self._database.reading() as connection:
            found = _find(connection, landmarks)
            campaigns = {item.campaign for item in found}
            return [_match(connection, campaign, found, number) for campaign in campaigns]

    def add(
        self,
        landmarks: Landmarks,
        call_id: str | None,
        label: MatchLabel = "unlabelled",
        name: str | None = None,
    ) -> int:
        """Keep the landmarks of a call, or of a known announcement; return the campaign that they belong to."""
        with self._database.writing() as connection:
            return _add(connection, landmarks, call_id, label, name)

    def set_label(self, call_id: str, label: MatchLabel) -> None:
        """Note what a call turned out to be."""
        with self._database.writing() as connection:
            these = fingerprints.c.call_id == call_id
            connection.execute(update(fingerprints).where(these).values(label=_stored(label)))

    def campaigns(self, least_calls: int = 2) -> list[Campaign]:
        """Return the campaigns of at least so many calls, the largest first."""
        count = func.count(fingerprints.c.call_id)
        query = (
            select(fingerprints.c.campaign)
            .where(fingerprints.c.campaign.is_not(None))
            .group_by(fingerprints.c.campaign)
            .having(count >= least_calls)
            .order_by(count.desc(), fingerprints.c.campaign)
        )
        with self._database.reading() as connection:
            return [_campaign(connection, campaign) for campaign in connection.scalars(query).all()]

    def export_lines(self) -> Iterator[str]:
        """Yield each labelled fingerprint as a line of JSON, without number, time or call."""
        query = select(fingerprints.c.label, fingerprints.c.name, fingerprints.c.landmarks)
        with self._database.reading() as connection:
            for row in connection.execute(query.where(fingerprints.c.label.is_not(None))).yield_per(_BATCH):
                packed = base64.b64encode(row.landmarks).decode("ascii")
                yield json.dumps(
                    {"label": row.label, "name": row.name, "landmarks": packed}, ensure_ascii=False
                )

    def import_lines(self, lines: Iterable[str]) -> int:
        """Keep what `export_lines` gave elsewhere; return how many lines were new audio.

        Raises InputError, naming the line, where one is no fingerprint; nothing is kept then.
        """
        added = 0
        with self._database.writing() as connection:
            for count, line in enumerate(lines, start=1):
                landmarks, label, name = _parse(line, count)
                if not _find(connection, landmarks):
                    _add(connection, landmarks, None, label, name)
                    added += 1
        return added

    def sweep(self) -> int:
        """Delete the hashes of fingerprints that went with their calls; return how many. Run it after a purge."""
        with self._database.writing() as connection:
            kept = select(fingerprints.c.id)
            gone = delete(fingerprint_hashes).where(fingerprint_hashes.c.fingerprint_id.not_in(kept))
            return connection.execute(gone).rowcount


def _sampled(landmarks: Landmarks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return hashes and frames of the eighth that is indexed."""
    spread = landmarks.hashes.astype(np.uint64) * np.uint64(_SPREADING) & np.uint64(0xFFFFFFFF)
    chosen = spread >> np.uint64(29) == 0
    return landmarks.hashes[chosen].astype(np.int64), landmarks.times[chosen].astype(np.int64)


def _find(connection: Connection, landmarks: Landmarks) -> list[_Found]:
    candidates = _candidates(connection, landmarks)
    if not candidates:
        return []
    query = (
        select(fingerprints, calls.c.number)
        .join_from(fingerprints, calls, isouter=True)
        .where(fingerprints.c.id.in_(candidates), fingerprints.c.campaign.is_not(None))
    )
    found = (_verified(row, landmarks) for row in connection.execute(query))
    return [item for item in found if item is not None]


def _candidates(connection: Connection, landmarks: Landmarks) -> list[int]:
    """Return the fingerprints of which most hashes agree on an offset."""
    hashes, frames = _sampled(landmarks)
    if len(hashes) == 0:
        return []
    table = fingerprint_hashes
    query = select(table.c.hash, table.c.fingerprint_id, table.c.frame).where(
        table.c.hash.in_(np.unique(hashes).tolist())
    )
    rows = np.array(connection.execute(query).fetchall(), np.int64).reshape(-1, 3)
    order = np.argsort(hashes, kind="stable")
    hashes, frames = hashes[order], frames[order]
    first = np.searchsorted(hashes, rows[:, 0], side="left")
    last = np.searchsorted(hashes, rows[:, 0], side="right")
    votes: list[NDArray[np.int64]] = []
    for step in range(int((last - first).max(initial=0))):
        inside = first + step < last
        offset = rows[inside, 2] - frames[first[inside] + step]
        # Offsets that differ by a frame or two agree: both neighbouring cells of 4 frames get the vote.
        cell = (offset + (1 << 20)) // 4
        votes += [
            rows[inside, 1] << 24 | cell,
            rows[inside, 1] << 24 | (offset + (1 << 20) + 2) // 4 + (1 << 23),
        ]
    places, counts = np.unique(np.concatenate(votes or [np.zeros(0, np.int64)]), return_counts=True)
    places, counts = places[counts >= _MIN_VOTES], counts[counts >= _MIN_VOTES]
    best = places[np.argsort(-counts, kind="stable")] >> 24
    return list(dict.fromkeys(best.tolist()))[:_CANDIDATES]


def _verified(row: Row[Any], landmarks: Landmarks) -> _Found | None:
    stored = Landmarks.from_bytes(row.landmarks)
    stretch = best_match(landmarks, stored.peaks, HashIndex.of(stored))
    if stretch is None or not stretch.is_same_recording:
        return None
    return _Found(row.id, row.campaign, row.label, row.number, stretch)


def _add(
    connection: Connection, landmarks: Landmarks, call_id: str | None, label: MatchLabel, name: str | None
) -> int:
    found = sorted({item.campaign for item in _find(connection, landmarks)})
    values = {"call_id": call_id, "landmarks": landmarks.to_bytes(), "label": _stored(label), "name": name}
    inserted = connection.execute(insert(fingerprints), values).inserted_primary_key
    assert inserted is not None  # noqa: S101 - one row was inserted
    new = int(inserted[0])
    campaign = found[0] if found else new
    same = fingerprints.c.campaign.in_(found) | (fingerprints.c.id == new)
    connection.execute(update(fingerprints).where(same).values(campaign=campaign))
    hashes, frames = _sampled(landmarks)
    rows = sorted(set(zip(hashes.tolist(), frames.tolist(), strict=True)))
    if rows:
        keys = [{"hash": value, "fingerprint_id": new, "frame": frame} for value, frame in rows]
        connection.execute(insert(fingerprint_hashes), keys)
    return campaign


def _match(connection: Connection, campaign: int, found: Sequence[_Found], number: str | None) -> KnownMatch:
    """Sum up a campaign for a call from `number`: all of it, not only what was found."""
    best = max(
        (item.stretch for item in found if item.campaign == campaign), key=lambda stretch: stretch.seconds
    )
    own = normalize(number) if number else ""
    rows = _members(connection, campaign)
    return KnownMatch(
        seconds=best.seconds,
        media_time=best.start,
        label=_label([row.label for row in rows]),
        calls=len(rows),
        numbers=len({row.number for row in rows} - {own}),
    )


def _campaign(connection: Connection, campaign: int) -> Campaign:
    rows = _members(connection, campaign)
    numbers = {row.number for row in rows if row.number}
    return Campaign(
        campaign,
        _label([row.label for row in rows]),
        sum(row.call_id is not None for row in rows),
        len(numbers),
    )


def _members(connection: Connection, campaign: int) -> Sequence[Any]:
    query = (
        select(fingerprints.c.label, fingerprints.c.call_id, calls.c.number)
        .join_from(fingerprints, calls, isouter=True)
        .where(fingerprints.c.campaign == campaign)
    )
    return connection.execute(query).all()


def _label(labels: Iterable[str | None]) -> MatchLabel:
    """Return what most say; in doubt a notice, for a wanted call must not be lost."""
    count = Counter(labels)
    if count["notice"] and count["notice"] >= count["unwanted"]:
        return "notice"
    return "unwanted" if count["unwanted"] else "unlabelled"


def _stored(label: MatchLabel) -> str | None:
    return None if label == "unlabelled" else label


def _parse(line: str, count: int) -> tuple[Landmarks, MatchLabel, str | None]:
    try:
        item = json.loads(line)
        landmarks = Landmarks.from_bytes(base64.b64decode(item["landmarks"], validate=True))
        label, name = item["label"], item.get("name")
    except (ValueError, KeyError, TypeError, AttributeError):
        landmarks, label, name = None, None, None
    if landmarks is None or label not in get_args(MatchLabel) or not isinstance(name, str | None):
        raise InputError(f"fingerprints, line {count}: not a fingerprint; export them again")
    return landmarks, label, None if name is None else name[:64]
