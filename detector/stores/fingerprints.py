"""Fingerprints of calls, looked up by what they sound like, and the campaigns that the same audio makes.

No audio is kept, only landmarks. An index of some of their hashes proposes candidates; the peaks of the best of
them decide, as they do within a call.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from sqlalchemy import Connection, delete, func, insert, select, update

from detector.errors import InputError
from detector.number_plan import normalize
from detector.signals.landmarks import Landmarks
from detector.signals.matching import Stretch, aligned_stretch
from detector.signals.playback import KnownMatch, MatchLabel
from detector.stores.database import Database
from detector.stores.fingerprint_index import candidates, index_keys
from detector.stores.schema import calls, fingerprint_hashes, fingerprints

__all__ = ["Campaign", "FingerprintStore"]

_INDEXED_OF_CAMPAIGN: Final = 8
"""Further calls of a campaign are counted, not indexed: thousands of them would answer every look-up."""
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


def _find(connection: Connection, landmarks: Landmarks) -> list[_Found]:
    offsets = candidates(connection, landmarks)
    if not offsets:
        return []
    query = (
        select(fingerprints, calls.c.number)
        .join_from(fingerprints, calls, isouter=True)
        .where(fingerprints.c.id.in_(offsets), fingerprints.c.campaign.is_not(None))
    )
    found: list[_Found] = []
    for row in connection.execute(query):
        stretch = aligned_stretch(landmarks, Landmarks.peaks_from_bytes(row.landmarks), offsets[row.id])
        if stretch is not None and stretch.is_same_recording:
            found.append(_Found(row.id, row.campaign, row.label, row.number, stretch))
    return found


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
    keys = index_keys(landmarks, new)
    if keys and len(_members(connection, campaign)) <= _INDEXED_OF_CAMPAIGN:
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
