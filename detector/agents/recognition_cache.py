"""A cache of transcripts by the hash of the audio: simulating the same call again costs no recognition.

Only simulated audio is ever cached: what real callers say is not kept this way.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, fields
from pathlib import Path

from detector.agents.virtual import Recognize
from detector.audio.frames import Samples
from detector.call import Language
from detector.errors import StoreError
from detector.speech.transcript import Transcript

__all__ = ["RecognitionCache"]


class RecognitionCache:
    """Wraps recognition; several processes may share one file."""

    def __init__(self, path: Path, recognize: Recognize, recognizer: str) -> None:
        """`recognizer` names model and settings: another one has other transcripts."""
        self._recognize = recognize
        self._recognizer = recognizer
        self.hits = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path, timeout=30.0, isolation_level=None, check_same_thread=False
            )
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS transcripts (key TEXT PRIMARY KEY, value TEXT)"
            )
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path}: the cache of transcripts cannot be opened ({error})") from error

    def __call__(self, samples: Samples, language: Language | None) -> Transcript:
        key = self._key(samples, language)
        with closing(self._database.execute("SELECT value FROM transcripts WHERE key = ?", (key,))) as rows:
            found = rows.fetchone()
        if found is not None:
            self.hits += 1
            # The file outlives the version that wrote it, which may have known more fields.
            known = {field.name for field in fields(Transcript)}
            return Transcript(**{key: value for key, value in json.loads(found[0]).items() if key in known})
        transcript = self._recognize(samples, language)
        value = json.dumps(asdict(transcript), ensure_ascii=False)
        self._database.execute("INSERT OR REPLACE INTO transcripts VALUES (?, ?)", (key, value))
        return transcript

    def close(self) -> None:
        self._database.close()

    def _key(self, samples: Samples, language: Language | None) -> str:
        digest = hashlib.sha256(samples.tobytes())
        digest.update(f"|{language}|{self._recognizer}".encode())
        return digest.hexdigest()
