"""Transcripts kept by the hash of their audio."""

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import numpy as np

from detector.agents.recognition_cache import RecognitionCache
from detector.audio.frames import Samples
from detector.call import Language
from detector.speech.transcript import Transcript

TURN: Samples = np.ones(800, np.int16)
HEARD = Transcript("您好", "zh", -0.2, passes=2)


def test_what_was_heard_once_is_not_recognized_again(tmp_path: Path) -> None:
    asked = []

    def recognize(_samples: Samples, language: Language | None) -> Transcript:
        asked.append(language)
        return HEARD

    cache = RecognitionCache(tmp_path / "cache.sqlite", recognize, "whisper-base")
    with closing(cache):
        assert [cache(TURN, "zh"), cache(TURN, "zh"), cache(TURN, None)] == [HEARD] * 3
    assert asked == ["zh", None]


def test_a_transcript_of_another_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with closing(RecognitionCache(path, lambda *_: HEARD, "whisper-base")) as cache:
        cache(TURN, "zh")
    with closing(sqlite3.connect(path)) as database, database:
        value = json.dumps(asdict(HEARD) | {"mood": 0.5})
        database.execute("UPDATE transcripts SET value = ?", (value,))
    with closing(RecognitionCache(path, lambda *_: Transcript("", "en", 0.0), "whisper-base")) as cache:
        assert cache(TURN, "zh") == HEARD
