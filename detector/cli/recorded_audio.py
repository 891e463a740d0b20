"""Recordings compared with each other, and with those of earlier runs, by what they sound like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from detector.stores.database import Database
from detector.stores.fingerprints import FingerprintStore, label_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from detector.decision.verdict import Verdict
    from detector.signals.landmarks import Landmarks
    from detector.signals.playback import KnownMatch

__all__ = ["RecordedAudio"]


class RecordedAudio:
    """Keeps what recordings sound like in the SQLite file `path`, or in memory. Raises StoreError."""

    def __init__(self, path: Path | None) -> None:
        self._database = Database(":memory:" if path is None else path)
        self._fingerprints = FingerprintStore(self._database)
        self._heard: Landmarks | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def begin(self) -> None:
        """Another recording is judged now: what was heard of one that failed is not its audio."""
        self._heard = None

    def look_up(self, landmarks: Landmarks) -> Sequence[KnownMatch]:
        """Return which recordings before this one hold the same audio."""
        self._heard = landmarks
        return self._fingerprints.find(landmarks, None)

    def keep(self, verdict: Verdict | None) -> int | None:
        """Keep the recording that was looked up last; return its campaign, None where too little was said in it."""
        heard, self._heard = self._heard, None
        return None if heard is None else self._fingerprints.add(heard, None, label_of(verdict))
