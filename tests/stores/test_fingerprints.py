"""The store of fingerprints: other calls, other numbers, campaigns, export and what is erased."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, insert, select

from detector.agents.packet_loss import PacketLoss
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.call import CallInfo
from detector.decision.verdict import Action, Axes, Label, Verdict
from detector.errors import InputError
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import Landmarks
from detector.signals.playback import MatchLabel
from detector.stores.database import Database
from detector.stores.fingerprints import Campaign, FingerprintStore, label_of
from detector.stores.schema import fingerprint_hashes, fingerprints
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


def fingerprints_indexed(path: Path) -> int:
    """How many fingerprints can be found by their hashes."""
    database = Database(path)
    with database.reading() as connection:
        count = connection.scalar(select(func.count(fingerprint_hashes.c.fingerprint_id.distinct())))
    database.close()
    return count or 0


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


def test_a_call_that_is_equal_to_the_last_bit_is_another_call(prints: FingerprintStore) -> None:
    prints.add(opening("loan_first"), "1")
    assert [found.calls for found in prints.find(opening("loan_first"), OURS)] == [1]
    prints.add(opening("loan_first"), "2")
    assert [found.calls for found in prints.find(opening("loan_first"), OURS)] == [2]


def test_a_recording_that_was_kept_before_is_not_one_more(prints: FingerprintStore) -> None:
    campaign = prints.add(opening("loan_first"), None)
    assert prints.find(opening("loan_first"), None) == []
    assert prints.add(opening("loan_first"), None, "notice") == campaign
    (found,) = prints.find(opening("loan_first", seed=1), None)
    assert (found.calls, found.label) == (1, "notice")


def test_the_same_number_again_is_told_from_others(prints: FingerprintStore) -> None:
    prints.add(opening("loan_first"), "1")
    (found,) = prints.find(opening("loan_first", seed=2), "+86 139 0013 9000")
    assert (found.calls, found.numbers) == (1, 0)


def call_from_afar(name: str, *, gain: float, loss: float, seed: int) -> Landmarks:
    """The take with noise at 15 dB through A-law, lost packets, another level and another offset within a frame."""
    random = np.random.default_rng(seed)
    clip = read_clip(TAKES / f"{name}.wav").astype(float)
    late = 0.4 + random.random()
    wave = gain * np.concatenate([np.zeros(round(late * SAMPLE_RATE)), clip, np.zeros(800)])
    wave += gain * np.sqrt(np.mean(clip**2)) * 10 ** (-15 / 20) * random.standard_normal(len(wave))
    samples = decode_alaw(encode_alaw(np.clip(wave, -32768, 32767).astype(np.int16)))
    extractor = FingerprintExtractor()
    extractor.push(PacketLoss(loss, seed=seed).apply(samples))
    return extractor.landmarks(late, late + len(clip) / SAMPLE_RATE)


@pytest.mark.parametrize("gain", [0.1, 0.5, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_a_recording_is_found_through_what_the_telephone_does_to_it(
    prints: FingerprintStore, gain: float, seed: int
) -> None:
    """And only it is: retakes at another speed, other words and another voice are in the store as well."""
    kept = ("loan_first", "loan_faster", "insurance_first", "same-words-other-voice_first")
    for count, name in enumerate(kept):
        prints.add(opening(name, seed=90 + count), None, name=name)
    campaigns = {each.id for each in prints.campaigns(1)}
    assert len(campaigns) == 4
    for name in ("loan_first", "insurance_first"):
        (found,) = prints.find(call_from_afar(name, gain=gain, loss=0.02, seed=seed), OURS)
        assert (found.calls, found.numbers) == (1, None)
        assert found.seconds > 2
    assert prints.find(call_from_afar("loan_blend", gain=gain, loss=0.02, seed=seed), OURS) == []


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
    assert fingerprints_indexed(path) == 8


def test_a_campaign_is_found_after_its_first_calls_were_purged(
    path: Path, prints: FingerprintStore, at: At
) -> None:
    with Store(path) as store:
        for count in range(3, 13):
            store.begin_call(CallInfo(str(count), number=f"139001390{count:02}"), at(100 * count))
            store.end_call(str(count), "hung_up", at(100 * count + 1))
            campaign = prints.add(opening("loan_first"), str(count))
        store.purge(at(1150))
        (found,) = prints.find(opening("loan_first", seed=2), OURS)
        assert (found.calls, found.numbers) == (1, 1)
        assert prints.add(opening("loan_first", seed=3), None) == campaign


def test_a_label_speaks_for_the_campaign_and_a_notice_wins_a_tie(prints: FingerprintStore) -> None:
    prints.add(opening("loan_first", seed=1), "0", "unwanted")
    assert prints.find(opening("loan_first", seed=3), THIRD)[0].label == "unwanted"
    prints.add(opening("loan_first", seed=2), "1", "notice")
    assert prints.find(opening("loan_first", seed=3), THIRD)[0].label == "notice"


def test_taking_a_label_back_leaves_what_was_said_of_single_calls(
    path: Path, prints: FingerprintStore, at: At
) -> None:
    with Store(path) as store:
        for name in ("a", "b"):
            store.begin_call(CallInfo(name, number="13900139000"), at(0))
            campaign = prints.add(opening("loan_first", seed=ord(name)), name)
        store.rate("b", "wanted")
        prints.label_campaign(campaign, "unwanted")
        store.rate("b", "wanted")
        prints.label_campaign(campaign, "unlabelled")
        ratings = {each.call.id: each.call.rating for each in store.calls()}
        assert (ratings["a"], ratings["b"]) == (None, "wanted")


@pytest.mark.parametrize(("wanted", "label"), [(1, "notice"), (2, "notice")])
def test_what_the_user_says_of_one_call_outweighs_what_was_thought_of_many(
    path: Path, prints: FingerprintStore, at: At, wanted: int, label: str
) -> None:
    with Store(path) as store:
        for count in range(3, 13):
            store.begin_call(CallInfo(str(count), number=f"139001390{count:02}"), at(count))
            prints.add(opening("loan_first", seed=count), str(count), "unwanted")
        for count in range(wanted):
            store.rate(str(3 + count), "wanted")
        assert prints.find(opening("loan_first", seed=1), OURS)[0].label == label
        for count in range(3, 4 + 2 * wanted):
            store.rate(str(count), "unwanted")
        assert prints.find(opening("loan_first", seed=1), OURS)[0].label == "unwanted"


def test_calls_that_were_put_through_make_a_campaign_wanted(prints: FingerprintStore) -> None:
    prints.add(opening("loan_first", seed=1), "0", "wanted")
    prints.add(opening("loan_first", seed=2), "1", "unwanted")
    assert prints.find(opening("loan_first", seed=3), THIRD)[0].label == "wanted"


def test_the_user_labels_a_whole_campaign(path: Path, prints: FingerprintStore) -> None:
    campaign = prints.add(opening("loan_first", seed=1), "0", "unwanted")
    prints.add(opening("loan_first", seed=2), "1", "unwanted")
    assert prints.label_campaign(campaign, "notice") == 2
    assert prints.find(opening("loan_first", seed=3), THIRD)[0].label == "notice"
    assert prints.label_campaign(999, "notice") == 0
    with Store(path) as store:
        assert [each.call.rating for each in store.calls()] == [None, "wanted", "wanted"]


@pytest.mark.parametrize("number", ["", "anonymous", None])
def test_withheld_numbers_and_recordings_are_no_other_numbers(
    path: Path, prints: FingerprintStore, at: At, number: str | None
) -> None:
    with Store(path) as store:
        store.begin_call(CallInfo("withheld", number=number), at(5))
    prints.add(opening("loan_first", seed=1), "withheld")
    prints.add(opening("loan_first", seed=2), None)
    (found,) = prints.find(opening("loan_first", seed=3), OURS)
    assert (found.calls, found.numbers) == (2, None)


def verdict(label: Label, action: Action) -> Verdict:
    return Verdict(label, action, 0.9, Axes(0, 0, 0), 9.0, 9.0, "a test")


@pytest.mark.parametrize(
    ("given", "label"),
    [
        (verdict("recording", "hang_up"), "unwanted"),
        (verdict("scam", "take_message"), "unlabelled"),
        (verdict("notice", "take_message"), "notice"),
        (verdict("person", "forward"), "wanted"),
        (verdict("notice", "forward"), "wanted"),
        (verdict("unsure", "forward"), "unlabelled"),
        (verdict("recording", "none"), "unlabelled"),
        (None, "unlabelled"),
    ],
)
def test_a_call_labels_its_audio_unwanted_only_where_it_was_hung_up_on(
    given: Verdict | None, label: MatchLabel
) -> None:
    assert label_of(given) == label


def test_labelled_fingerprints_travel_without_numbers(prints: FingerprintStore, tmp_path: Path) -> None:
    prints.add(opening("loan_first"), "0", "unwanted")
    prints.add(opening("insurance_first", seed=5), None, "notice", name="parcel locker")
    prints.add(opening("loan_blend", seed=6), "1")
    assert len(list(prints.export_lines(unlabelled=True))) == 3
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


def test_what_cannot_be_read_any_more_can_be_erased(prints: FingerprintStore, path: Path) -> None:
    database = Database(path)
    with database.writing() as connection:
        connection.execute(insert(fingerprints), {"call_id": "1", "landmarks": b"of another version"})
    database.close()
    with Store(path) as store:
        assert store.forget(OTHER).calls == 2
    assert prints.campaigns(1) == []


def test_what_is_forgotten_is_not_found_and_leaves_no_hashes(prints: FingerprintStore, path: Path) -> None:
    prints.add(opening("loan_first"), "1")
    with Store(path) as store:
        store.forget(OTHER)
    assert prints.find(opening("loan_first", seed=2), OURS) == []
    assert fingerprints_indexed(path) == 0
