"""Fingerprints of calls, looked up by what they sound like, and the campaigns that the same audio makes.

No audio is kept, only landmarks. An index of some of their hashes proposes candidates; the peaks of the best of
them decide, as they do within a call.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, get_args

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from detector.decision.verdict import Verdict
from detector.errors import InputError
from detector.number_plan import normalize
from detector.signals.landmarks import Landmarks
from detector.signals.matching import Stretch, same_recording
from detector.signals.playback import KnownMatch, MatchLabel
from detector.stores.database import Database
from detector.stores.fingerprint_index import candidates, index_keys
from detector.stores.schema import calls, fingerprint_hashes, fingerprints

__all__ = ["Campaign", "FingerprintStore", "label_of"]

_INDEXED_OF_CAMPAIGN: Final = 8
"""The newest calls of a campaign are found by their hashes, the others only counted: thousands of them would answer
every look-up. The newest, because the oldest are purged first."""
_BATCH: Final = 100
"""So few that a call that is being written down hardly waits."""
_RATINGS: Final[dict[MatchLabel, str]] = {"unwanted": "unwanted", "notice": "wanted", "wanted": "wanted"}


@dataclass(frozen=True, slots=True)
class Campaign:
    """Calls and recordings that held the same audio."""

    id: int
    label: MatchLabel
    calls: int
    """Fingerprints, those of recordings and those from elsewhere included."""
    numbers: int
    """Numbers that they came from, as far as these are known."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A campaign that holds the same audio."""

    campaign: int
    stretch: Stretch
    id: int
    is_equal: bool
    """To the last bit."""
    is_of_call: bool


class FingerprintStore:
    """Looks up and keeps fingerprints in an open database. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, landmarks: Landmarks, number: str | None) -> list[KnownMatch]:
        """Return which campaigns hold this audio, the longest stretch first, for a call from `number`.

        A recording that was kept before is not one more that holds the same.
        """
        with self._database.reading() as connection:
            found = _find(connection, landmarks)
            matches = [_match(connection, item, number) for item in found]
        return sorted((match for match in matches if match.calls), key=lambda match: -match.seconds)

    def add(
        self,
        landmarks: Landmarks,
        call_id: str | None,
        label: MatchLabel = "unlabelled",
        name: str | None = None,
    ) -> int:
        """Keep the landmarks of a call, of a recording, or of a known announcement; return their campaign.

        What is no call's and is there already is not kept twice: only its label is what was said last.
        """
        with self._database.writing() as connection:
            return _add(connection, landmarks, call_id, label, name)[0]

    def label_campaign(self, campaign: int, label: MatchLabel) -> int:
        """Have the user say what a campaign is; return how many fingerprints it holds, 0 where there is none."""
        with self._database.writing() as connection:
            these = fingerprints.c.campaign == campaign
            former = connection.scalars(select(fingerprints.c.label).where(these).distinct()).all()
            changed = connection.execute(update(fingerprints).where(these).values(label=_stored(label)))
            of_calls = select(fingerprints.c.call_id).where(these, fingerprints.c.call_id.is_not(None))
            rated = update(calls).where(calls.c.id.in_(of_calls)).values(rating=_RATINGS.get(label))
            if label == "unlabelled":
                # What was said of single calls stays; what came with the label goes.
                rated = rated.where(
                    calls.c.rating.in_({_RATINGS[name] for name in former if name in _RATINGS})
                )
            connection.execute(rated)
            return changed.rowcount

    def campaigns(self, least_calls: int = 2) -> list[Campaign]:
        """Return the campaigns of at least so many calls, the largest first."""
        count = func.count(fingerprints.c.id)
        query = (
            select(fingerprints.c.campaign)
            .where(fingerprints.c.campaign.is_not(None))
            .group_by(fingerprints.c.campaign)
            .having(count >= least_calls)
            .order_by(count.desc(), fingerprints.c.campaign)
        )
        with self._database.reading() as connection:
            return [_campaign(connection, campaign) for campaign in connection.scalars(query).all()]

    def export_lines(self, *, unlabelled: bool = False) -> Iterator[str]:
        """Yield each labelled fingerprint, or every one, as a line of JSON: no audio, number, time or call."""
        query = select(fingerprints.c.label, fingerprints.c.name, fingerprints.c.landmarks, calls.c.rating)
        query = query.join_from(fingerprints, calls, isouter=True).order_by(fingerprints.c.id)
        with self._database.reading() as connection:
            for row in connection.execute(query).yield_per(_BATCH):
                label = _label([(row.label, row.rating, 1)])
                if label == "unlabelled" and not unlabelled:
                    continue
                packed = base64.b64encode(row.landmarks).decode("ascii")
                yield json.dumps({"label": label, "name": row.name, "landmarks": packed}, ensure_ascii=False)

    def import_lines(self, lines: Iterable[str], source: str = "fingerprints") -> int:
        """Keep what `export_lines` gave elsewhere, in `source`; return how many lines were new.

        Raises InputError, naming the line, where one is no fingerprint; nothing is kept then.
        """
        added = 0
        with self._database.writing() as connection:
            for count, line in enumerate(lines, start=1):
                try:
                    landmarks, label, name = _parse(line)
                except (ValueError, KeyError, TypeError, AttributeError):
                    raise InputError(
                        f"{source}, line {count}: not a fingerprint; export them again"
                    ) from None
                added += _add(connection, landmarks, None, label, name)[1]
        return added

    def erase(self, of_calls: ColumnElement[bool], most: int = _BATCH) -> int:
        """Delete fingerprints of such calls, `most` of them at once, with their hashes; return how many."""
        with self._database.writing() as connection:
            these = select(fingerprints.c.id, fingerprints.c.landmarks).join_from(fingerprints, calls)
            rows = connection.execute(these.where(of_calls).limit(most)).all()
            for row in rows:
                _unindex(connection, row.id, row.landmarks)
            gone = delete(fingerprints).where(fingerprints.c.id.in_([row.id for row in rows]))
            connection.execute(gone)
            return len(rows)


def label_of(verdict: Verdict | None) -> MatchLabel:
    """Return what a call says of its audio: only what was hung up on counts as unwanted, which took more than words."""
    if verdict is None:
        return "unlabelled"
    if verdict.action == "hang_up":
        return "unwanted"
    if (verdict.label, verdict.action) == ("notice", "take_message"):
        return "notice"
    # Who is put through was not proved to be an announcement: his audio would speak for the next one too much.
    is_wanted = verdict.action == "forward" and verdict.label in ("notice", "person")
    return "wanted" if is_wanted else "unlabelled"


def _find(connection: Connection, landmarks: Landmarks) -> list[_Found]:
    offsets = candidates(connection, landmarks)
    if not offsets:
        return []
    names = ("id", "campaign", "landmarks", "call_id")
    columns = [fingerprints.c[name] for name in names]
    query = select(*columns).where(fingerprints.c.id.in_(offsets), fingerprints.c.campaign.is_not(None))
    packed = landmarks.to_bytes()
    rows = {row.id: row for row in connection.execute(query)}
    found: dict[int, _Found] = {}
    for fingerprint, offset in offsets.items():
        row = rows.get(fingerprint)
        if row is None or row.campaign in found:
            continue  # erased in the meantime, or one of its campaign speaks for it
        stretch = same_recording(landmarks, Landmarks.peaks_from_bytes(row.landmarks), offset)
        if stretch is not None:
            is_equal = row.landmarks == packed
            found[row.campaign] = _Found(row.campaign, stretch, row.id, is_equal, row.call_id is not None)
    return list(found.values())


def _add(
    connection: Connection, landmarks: Landmarks, call_id: str | None, label: MatchLabel, name: str | None
) -> tuple[int, bool]:
    """Keep landmarks; return their campaign, and whether they are new."""
    matches = _find(connection, landmarks)
    equal = next((item for item in matches if item.is_equal), None)
    if equal is not None and call_id is None:
        if label != "unlabelled":
            this = fingerprints.c.id == equal.id
            connection.execute(update(fingerprints).where(this).values(label=_stored(label)))
        return equal.campaign, False
    found = sorted(item.campaign for item in matches)
    values = {"call_id": call_id, "landmarks": landmarks.to_bytes(), "label": _stored(label), "name": name}
    inserted = connection.execute(insert(fingerprints), values).inserted_primary_key
    assert inserted is not None  # noqa: S101 - one row was inserted
    new = int(inserted[0])
    campaign = found[0] if found else new
    same = fingerprints.c.campaign.in_(found) | (fingerprints.c.id == new)
    connection.execute(update(fingerprints).where(same).values(campaign=campaign))
    if keys := index_keys(landmarks, new):
        connection.execute(insert(fingerprint_hashes), keys)
        _unindex_one(connection, campaign)
    return campaign, True


def _unindex_one(connection: Connection, campaign: int) -> None:
    """Take the hashes of the newest call that is one too many out of the index, if there are so many."""
    query = select(fingerprints.c.id, fingerprints.c.landmarks).where(fingerprints.c.campaign == campaign)
    order = query.order_by(fingerprints.c.id.desc()).offset(_INDEXED_OF_CAMPAIGN).limit(1)
    row = connection.execute(order).one_or_none()
    if row is not None:
        _unindex(connection, row.id, row.landmarks)


def _unindex(connection: Connection, fingerprint: int, packed: bytes) -> None:
    """Delete the hashes of a fingerprint, by their values: to search them by fingerprint would read them all."""
    try:
        keys = index_keys(Landmarks.from_bytes(packed), fingerprint)
    except ValueError:
        return  # of another version: never indexed by this one, and to be erased all the same
    if keys:
        columns = fingerprint_hashes.c
        these = [columns[name] == bindparam(f"this_{name}") for name in keys[0]]
        values = [{f"this_{name}": value for name, value in key.items()} for key in keys]
        connection.execute(delete(fingerprint_hashes).where(*these), values)


def _match(connection: Connection, found: _Found, number: str | None) -> KnownMatch:
    """Sum up a campaign for a call from `number`: all of it, not only what was found."""
    rows = _labels(connection, found.campaign)
    own = normalize(number) if number else ""
    known = _numbers(connection, found.campaign)
    return KnownMatch(
        seconds=found.stretch.seconds,
        media_time=found.stretch.start,
        label=_label(rows),
        calls=sum(row[2] for row in rows) - (found.is_equal and not found.is_of_call),
        numbers=len(known - {own}) if known else None,
    )


def _campaign(connection: Connection, campaign: int) -> Campaign:
    rows = _labels(connection, campaign)
    return Campaign(campaign, _label(rows), sum(row[2] for row in rows), len(_numbers(connection, campaign)))


_Labelled = tuple[str | None, str | None, int]
"""A label, what the user said of the call, and how many fingerprints have both."""


def _labels(connection: Connection, campaign: int) -> list[_Labelled]:
    labels = (fingerprints.c.label, calls.c.rating)
    query = (
        select(*labels, func.count())
        .join_from(fingerprints, calls, isouter=True)
        .where(fingerprints.c.campaign == campaign)
        .group_by(*labels)
    )
    return [(label, rating, count) for label, rating, count in connection.execute(query)]


def _numbers(connection: Connection, campaign: int) -> set[str]:
    """Return the numbers that a campaign came from; callers who withheld theirs are nobody's."""
    query = (
        select(calls.c.number)
        .join_from(fingerprints, calls)
        .where(fingerprints.c.campaign == campaign, calls.c.number != "")
        .distinct()
    )
    return set(connection.scalars(query))


def _label(rows: Iterable[_Labelled]) -> MatchLabel:
    """Return what most say; the user before all others; in doubt that it was wanted, for such a call must not be lost.

    What the user wanted is an announcement: people do not say the same thing again to a sample.
    """
    count: Counter[str | None] = Counter()
    rated: Counter[str | None] = Counter()
    for label, rating, calls_of in rows:
        count[label] += calls_of
        rated[rating] += calls_of
    if rated["wanted"] or rated["unwanted"]:
        return "notice" if rated["wanted"] >= rated["unwanted"] else "unwanted"
    good = count["notice"] + count["wanted"]
    if good and good >= count["unwanted"]:
        return "notice" if count["notice"] else "wanted"
    return "unwanted" if count["unwanted"] else "unlabelled"


def _stored(label: MatchLabel) -> str | None:
    return None if label == "unlabelled" else label


def _parse(line: str) -> tuple[Landmarks, MatchLabel, str | None]:
    item = json.loads(line)
    label, name = item["label"], item.get("name")
    if label not in get_args(MatchLabel) or not isinstance(name, str | None):
        raise ValueError("no such label, or a name that is no text")
    landmarks = Landmarks.from_bytes(base64.b64decode(item["landmarks"], validate=True))
    return landmarks, label, None if name is None else name[:64]
