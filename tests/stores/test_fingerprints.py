"""The store of fingerprints: other calls, other numbers, campaigns, export and what is erased."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.call import CallInfo
from detector.errors import InputError
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import Landmarks
from detector.stores.database import Database
from detector.stores.fingerprints import Campaign, FingerprintStore
from detector.stores.schema import fingerprint_hashes
from detector.stores.store import Store

At = Callable[[float], datetime]
TAKES = Path(__file__).parent.parent / "signals" / "takes"
OURS, OTHER, THIRD = "13800138000", "13900139000", "17012345678"


def opening(name: str, *, seed: int = 0, late: float = 0.0, snr: float = 20) -> Landmarks:
    """What a call sounds like in which the take is played `late` seconds after the answer, with noise."""
    random = np.random.default_rng(seed)
    clip = read_clip(TAKES / f"{name}.wav").astype(float)
    wave = np.concatenate([np.zeros(round(late * SAMPLE_RATE)), clip, np.zeros(800)])
    wave += np.sqrt(np.mean(clip**2)) * 10 ** (-snr / 20) * random.standard_normal(len(wave))
    samples: Samples = decode_alaw(encode_alaw(np.clip(wave, -32768, 32767).astype(np.int16)))
    extractor = FingerprintExtractor()
    extractor.push(samples)
    return extractor.landmarks(late, late + len(clip) / SAMPLE_RATE)


@pytest.fixture
def path(tmp_path: Path, at: At) -> Path:
    """A database with three calls, of two numbers."""
    path = tmp_path / "calls.sqlite3"
    with Store(path) as store:
        for count, number in enumerate((OURS, OTHER, OTHER)):
            store.begin_call(CallInfo(str(count), number=number), at(count))
            store.end_call(str(count), "hung_up", at(count + 1))
    return path


@pytest.fixture
def prints(path: Path) -> Iterator[FingerprintStore]:
    database = Database(path)
    yield FingerprintStore(database)
    database.close()


def test_the_same_audio_in_another_call_is_found(prints: FingerprintStore) -> None:
    prints.add(opening("loan_first", seed=1), "1")
    (found,) = prints.find(opening("loan_first", seed=2, late=1.2345, snr=15), OURS)
    assert (found.label, found.calls, found.numbers) == ("unlabelled", 1, 1)
    assert found.seconds > 4
    assert 1.2 < found.media_time < 2.5


def test_the_same_number_again_is_told_from_others(prints: FingerprintStore) -> None:
    prints.add(opening("loan_first"), "1")
    (found,) = prints.find(opening("loan_first", seed=2), "+86 139 0013 9000")
    assert (found.calls, found.numbers) == (1, 0)


@pytest.mark.parametrize(
    "name", ["loan_faster", "loan_blend", "insurance_first", "same-words-other-voice_first"]
)
def test_other_audio_is_not_found(prints: FingerprintStore, name: str) -> None:
    prints.add(opening("loan_first"), "1")
    assert prints.find(opening(name, seed=2), OURS) == []


def test_nothing_is_found_for_silence_or_in_an_empty_store(prints: FingerprintStore) -> None:
    assert prints.find(opening("loan_first"), OURS) == []
    assert prints.find(Landmarks.of_peaks(0, 5, np.zeros((0, 4), np.int32)), None) == []


def test_calls_with_the_same_audio_are_a_campaign(prints: FingerprintStore) -> None:
    first = prints.add(opening("loan_first", seed=1), "0")
    assert prints.add(opening("loan_first", seed=2, late=0.5), "1") == first
    assert prints.add(opening("insurance_first", seed=3), "2") != first
    assert prints.campaigns() == [Campaign(first, "unlabelled", calls=2, numbers=2)]
    assert len(prints.campaigns(least_calls=1)) == 2


def test_a_large_campaign_is_counted_whole_and_indexed_in_part(
    path: Path, prints: FingerprintStore, at: At
) -> None:
    with Store(path) as store:
        for count in range(3, 13):
            store.begin_call(CallInfo(str(count), number=f"139001390{count:02}"), at(count))
    landmarks = opening("loan_first")
    for count in range(3, 13):
        prints.add(landmarks, str(count))
    (found,) = prints.find(opening("loan_first", seed=2), OURS)
    assert (found.calls, found.numbers) == (10, 10)
    database = Database(path)
    with database.reading() as connection:
        indexed = connection.scalar(select(func.count(fingerprint_hashes.c.fingerprint_id.distinct())))
    database.close()
    assert indexed == 8


def test_a_label_speaks_for_the_campaign_and_a_notice_wins_a_tie(prints: FingerprintStore) -> None:
    prints.add(opening("loan_first", seed=1), "0")
    prints.add(opening("loan_first", seed=2), "1")
    prints.set_label("0", "unwanted")
    assert prints.find(opening("loan_first", seed=3), THIRD)[0].label == "unwanted"
    prints.set_label("1", "notice")
    assert prints.find(opening("loan_first", seed=3), THIRD)[0].label == "notice"
    prints.set_label("1", "unlabelled")
    assert prints.find(opening("loan_first", seed=3), THIRD)[0].label == "unwanted"


def test_labelled_fingerprints_travel_without_numbers(prints: FingerprintStore, tmp_path: Path) -> None:
    prints.add(opening("loan_first"), "0", "unwanted")
    prints.add(opening("insurance_first", seed=5), None, "notice", name="parcel locker")
    prints.add(opening("loan_blend", seed=6), "1")
    lines = list(prints.export_lines())
    assert sorted(json.loads(line)["label"] for line in lines) == ["notice", "unwanted"]
    assert not any(number in line for line in lines for number in (OURS, OTHER))

    database = Database(tmp_path / "elsewhere.sqlite3")
    elsewhere = FingerprintStore(database)
    assert elsewhere.import_lines(lines) == 2
    assert elsewhere.import_lines(lines) == 0
    (found,) = elsewhere.find(opening("insurance_first", seed=3), THIRD)
    assert found.label == "notice"
    database.close()


@pytest.mark.parametrize(
    "line", ["", "{}", "[]", "7", '{"label": "unwanted", "landmarks": "AAAA"}', "no JSON"]
)
def test_a_line_that_is_no_fingerprint_is_named_and_nothing_is_kept(
    prints: FingerprintStore, line: str
) -> None:
    prints.add(opening("loan_first"), None, "unwanted")
    (good,) = prints.export_lines()
    with pytest.raises(InputError, match="line 2"):
        prints.import_lines([good, line])
    assert len(list(prints.export_lines())) == 1


def test_what_is_forgotten_is_not_found_and_leaves_no_hashes(prints: FingerprintStore, path: Path) -> None:
    prints.add(opening("loan_first"), "1")
    with Store(path) as store:
        store.forget(OTHER)
    assert prints.find(opening("loan_first", seed=2), OURS) == []
    assert prints.sweep() > 20
    assert prints.sweep() == 0
