"""The store: what the service, the console and the command line ask and tell about calls.

Every method is one transaction and raises StoreError, in one line, where the database cannot do it. Times of
day are aware datetimes and arguments. Methods are safe to call from several threads.
"""

import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy import URL, ColumnElement

from detector.agents.record import Turn
from detector.audio.frames import Samples
from detector.call import CallInfo, NumberHistory
from detector.decision.verdict import Verdict
from detector.errors import StoreError
from detector.number_plan import normalize
from detector.signals.evidence import Evidence
from detector.stores import calls, history, list_table, messages, retention
from detector.stores.database import Database
from detector.stores.fingerprints import FingerprintStore
from detector.stores.lists import ListEntry, Lists
from detector.stores.recordings import Recordings
from detector.stores.records import (
    CallDetail,
    EndReason,
    Erased,
    Rating,
    StoredMessage,
)

__all__ = ["Store"]


class Store:
    """An open store. `agent` names the service that writes (default: its machine), where several share it."""

    def __init__(
        self, url: str | Path | URL, *, recordings: Path | None = None, agent: str | None = None
    ) -> None:
        """Open the database at `url` (a URL or the path of an SQLite file), and bring it up to date.

        `recordings`: the folder of call audio, None to keep none. Raises StoreError.
        """
        self._database = Database(url)
        self._recordings = None if recordings is None else Recordings(recordings)
        self._agent = agent or platform.node() or "agent"
        self.fingerprints = FingerprintStore(self._database)
        """What calls sounded like, to be found again in others."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    # Writing a call down while it goes on

    @property
    def files(self) -> int:
        """How many files this store has been in: one more, and nothing of before is in it."""
        return self._database.files

    def begin_call(self, call: CallInfo, now: datetime) -> None:
        """Note that `call` came in at `now`. Its `call_id` is the service's own and was never used before."""
        with self._database.writing() as connection:
            calls.begin_call(connection, call, self._agent, now)

    def answer_call(self, call_id: str, now: datetime) -> None:
        with self._database.writing() as connection:
            calls.change_call(connection, call_id, answered_at=now)

    def add_turn(self, call_id: str, turn: Turn) -> None:
        with self._database.writing() as connection:
            calls.add_turn(connection, call_id, turn)

    def add_evidence(self, call_id: str, item: Evidence) -> None:
        with self._database.writing() as connection:
            calls.add_evidence(connection, call_id, item)

    def set_verdict(self, call_id: str, verdict: Verdict) -> None:
        with self._database.writing() as connection:
            calls.set_verdict(connection, call_id, verdict)

    def record_refusal(self, call_id: str, now: datetime) -> None:
        """Note that the caller was told that there is no interest, and was not put through after it."""
        with self._database.writing() as connection:
            calls.change_call(connection, call_id, refused_at=now)

    def end_call(self, call_id: str, reason: EndReason, now: datetime) -> None:
        with self._database.writing() as connection:
            calls.change_call(connection, call_id, ended_at=now, end_reason=reason)

    def mark_lost(self, call_id: str, now: datetime) -> None:
        """Note that the call ended through us: after a day's first loss its number is put straight through."""
        with self._database.writing() as connection:
            calls.change_call(connection, call_id, ended_at=now, end_reason="lost", lost=True)

    def recover(self, now: datetime) -> int:
        """Mark this agent's calls without an end as lost, after a crash; return how many."""
        with self._database.writing() as connection:
            return calls.recover(connection, self._agent, now)

    def add_message(self, call_id: str, text: str, now: datetime, *, audio_path: str | None = None) -> int:
        """Keep a message that the caller left; returns its id."""
        with self._database.writing() as connection:
            return messages.add_message(connection, call_id, text, audio_path, now)

    def save_audio(self, call_id: str, samples: Samples, started_at: datetime) -> str | None:
        """Keep the audio of a call (int16, shape (n,), 8 kHz), where that is turned on; returns its path."""
        if self._recordings is None:
            return None
        with self._database.writing() as connection:
            # First the row: of a call that was erased meanwhile nothing is written.
            calls.change_call(connection, call_id, audio_path=None)
            path = self._recordings.save(call_id, samples, started_at)
            calls.change_call(connection, call_id, audio_path=path)
        return path

    # Asking

    def history(self, number: str | None, now: datetime) -> NumberHistory:
        """What earlier calls from `number` came to, before a call that begins at `now`."""
        with self._database.reading() as connection:
            return history.read_history(connection, number, now)

    def call(self, call_id: str) -> CallDetail | None:
        with self._database.reading() as connection:
            return calls.read_call(connection, call_id)

    def calls(
        self,
        *,
        number: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[CallDetail]:
        """Yield calls, the newest first, without holding more than some of them in memory."""
        with self._database.reading() as connection:
            yield from calls.read_calls(connection, number=number, since=since, until=until, limit=limit)

    def call_ids(self, beginning: str, *, limit: int) -> tuple[str, ...]:
        """Return up to `limit` ids of calls that begin so."""
        with self._database.reading() as connection:
            return calls.ids_beginning(connection, beginning, limit)

    def messages(self, *, unread_only: bool = False, call_id: str | None = None) -> tuple[StoredMessage, ...]:
        with self._database.reading() as connection:
            return tuple(messages.read_messages(connection, unread_only=unread_only, call_id=call_id))

    def list_entries(self) -> tuple[ListEntry, ...]:
        with self._database.reading() as connection:
            return list_table.read_entries(connection)

    def lists(self, more: tuple[ListEntry, ...] = ()) -> Lists:
        """The stored entries, and `more` from files, ready to be asked."""
        return Lists((*more, *self.list_entries()))

    def recording(self, audio_path: str) -> Path:
        """Return where a recording lies."""
        if self._recordings is None:
            raise StoreError("recordings are turned off; set store.keep_audio")
        return self._recordings.path(audio_path)

    # Changes by the user

    def rate(self, call_id: str, rating: Rating | None) -> None:
        """Note what the user said of a call; the history of its number and the label of its audio heed it."""
        with self._database.writing() as connection:
            calls.change_call(connection, call_id, rating=rating)

    def mark_read(self, message_id: int, now: datetime) -> None:
        with self._database.writing() as connection:
            messages.mark_read(connection, message_id, now)

    def put_list_entry(self, entry: ListEntry, now: datetime) -> ListEntry:
        with self._database.writing() as connection:
            return list_table.put_entry(connection, entry, now)

    def delete_list_entry(self, entry_id: int) -> None:
        with self._database.writing() as connection:
            list_table.delete_entry(connection, entry_id)

    # Taking away

    def purge(self, older_than: datetime) -> Erased:
        """Delete all calls that began before `older_than`, with everything that was kept of them."""
        which = retention.begun_before(older_than)
        self._erase_fingerprints(which)
        with self._database.writing() as connection:
            recordings = self._delete_audio(retention.audio_of_calls(connection, which))
            erased = Erased(calls=retention.delete_calls(connection, which), recordings=recordings)
        self._database.truncate_log()
        return erased

    def purge_audio(self, older_than: datetime) -> Erased:
        """Delete the recordings of calls that began before `older_than`, and stray files; the calls stay."""
        which = retention.begun_before(older_than)
        with self._database.writing() as connection:
            paths = retention.audio_of_calls(connection, which)
            if self._recordings is not None:
                paths += self._recordings.stray(retention.audio_paths(connection), older_than)
            deleted = self._delete_audio(paths)
            retention.detach_audio(connection, which)
        return Erased(recordings=deleted)

    def forget(self, number: str) -> Erased:
        """Erase all that is kept of `number`: calls, words, recordings, fingerprints, messages, entries."""
        if not normalize(number):
            raise StoreError("not a phone number; callers who withheld theirs cannot be told from each other")
        which = retention.from_number(number)
        self._erase_fingerprints(which)
        with self._database.writing() as connection:
            erased = Erased(
                recordings=self._delete_audio(retention.audio_of_calls(connection, which)),
                calls=retention.delete_calls(connection, which),
                list_entries=retention.delete_list_entries(connection, number),
            )
        self._database.truncate_log()
        return erased

    def _erase_fingerprints(self, which: ColumnElement[bool]) -> None:
        """Erase them before their calls, which would leave the hashes behind; in steps, so that no writer waits."""
        while self.fingerprints.erase(which):
            pass

    def _delete_audio(self, paths: list[str]) -> int:
        if not paths:
            return 0
        if self._recordings is None:
            raise StoreError(
                f"{self._database.name}: {len(paths)} recordings are to be deleted, but their folder is not "
                "configured; set store.recordings"
            )
        return sum(self._recordings.delete(path) for path in paths)
