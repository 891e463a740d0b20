from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from detector.agents.record import Turn
from detector.audio.files import read_clip
from detector.call import CallInfo
from detector.errors import StoreError
from detector.signals.landmarks import Landmarks
from detector.stores.lists import parse_entry
from detector.stores.recordings import Recordings
from detector.stores.records import Erased
from detector.stores.store import Store

At = Callable[[float], datetime]
DAY = 86400.0
AUDIO = np.arange(-8000, 8000, dtype=np.int16)
PEAKS = np.random.default_rng(1).integers((0, 200, 0, 0), (4000, 1500, 20, 256), (300, 4), np.int32)
WORDS = "我的身份证号是一个秘密"


def full_call(store: Store, name: str, number: str, when: datetime) -> None:
    store.begin_call(CallInfo(name, number=number), when)
    store.add_turn(name, Turn("caller", 0.0, 1.0, WORDS))
    store.fingerprints.add(Landmarks.of_peaks(0, 5, PEAKS), name)
    store.save_audio(name, AUDIO, when)
    store.add_message(name, WORDS, when)
    store.end_call(name, "message_taken", when)


def recordings(tmp_path: Path) -> list[str]:
    root = tmp_path / "recordings"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.wav"))


def test_purge_takes_old_calls_and_all_that_hangs_on_them(store: Store, at: At, tmp_path: Path) -> None:
    full_call(store, "old", "13800138000", at(0))
    full_call(store, "new", "13800138000", at(DAY))
    assert recordings(tmp_path) == ["2026/03/07/old.wav", "2026/03/08/new.wav"]
    assert store.purge(at(DAY)) == Erased(calls=1, recordings=1)
    assert [detail.call.id for detail in store.calls()] == ["new"]
    assert [message.call_id for message in store.messages()] == ["new"]
    assert [each.calls for each in store.fingerprints.campaigns(1)] == [1]
    assert recordings(tmp_path) == ["2026/03/08/new.wav"]
    assert not (tmp_path / "recordings/2026/03/07").exists()


def test_a_call_that_goes_on_is_not_purged(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a"), at(0))
    assert store.purge(at(DAY)) == Erased()
    assert store.call("a") is not None


def test_audio_has_a_shorter_life_than_the_call(store: Store, at: At, tmp_path: Path) -> None:
    full_call(store, "old", "13800138000", at(0))
    full_call(store, "new", "13800138000", at(DAY))
    assert store.purge_audio(at(DAY)) == Erased(recordings=1)
    detail = store.call("old")
    assert detail is not None
    assert detail.call.audio_path is None
    assert recordings(tmp_path) == ["2026/03/08/new.wav"]


def test_stray_recordings_go_once_they_are_old(store: Store, at: At, tmp_path: Path) -> None:
    kept = Recordings(tmp_path / "recordings")
    stray = kept.path(kept.save("stray", AUDIO, at(0)))
    written = datetime.fromtimestamp(stray.stat().st_mtime, UTC)
    assert store.purge_audio(written - timedelta(seconds=1)) == Erased()
    assert stray.exists()
    assert store.purge_audio(written + timedelta(seconds=1)) == Erased(recordings=1)
    assert not stray.exists()


def test_forgetting_a_number_erases_the_person(store: Store, at: At, tmp_path: Path) -> None:
    full_call(store, "his", "13800138000", at(0))
    full_call(store, "hers", "13900139000", at(1))
    store.put_list_entry(parse_entry("13800138000", "own", "deny", note=WORDS), at(2))
    store.put_list_entry(parse_entry("138*", "own", "deny"), at(2))
    erased = store.forget("+86 138 0013 8000")
    assert erased == Erased(calls=1, recordings=1, list_entries=1)
    assert store.history("13800138000", at(9)).calls == 0
    assert [detail.call.id for detail in store.calls()] == ["hers"]
    assert [entry.kind for entry in store.list_entries()] == ["prefix"]
    assert recordings(tmp_path) == ["2026/03/07/hers.wav"]
    assert store.forget("13800138000") == Erased()


def test_forgetting_a_withheld_number_erases_nothing(store: Store, at: At) -> None:
    full_call(store, "a", "anonymous", at(0))
    with pytest.raises(StoreError, match="phone number"):
        store.forget("anonymous")
    assert store.call("a") is not None


def test_nothing_of_a_forgotten_person_stays_on_disk(tmp_path: Path, at: At) -> None:
    with Store(tmp_path / "calls.sqlite3", recordings=tmp_path / "recordings") as store:
        full_call(store, "his", "13800138000", at(0))
        on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("calls.sqlite3*"))
        assert WORDS.encode() in on_disk
        assert b"13800138000" in on_disk
        store.forget("13800138000")
        on_disk = b"".join(path.read_bytes() for path in tmp_path.glob("calls.sqlite3*"))
    assert WORDS.encode() not in on_disk
    assert b"13800138000" not in on_disk


def test_recordings_without_a_configured_folder_are_not_forgotten_silently(tmp_path: Path, at: At) -> None:
    with Store(tmp_path / "calls.sqlite3", recordings=tmp_path / "recordings") as store:
        full_call(store, "his", "13800138000", at(0))
    with Store(tmp_path / "calls.sqlite3") as store:
        with pytest.raises(StoreError, match=r"store\.recordings"):
            store.forget("13800138000")
        assert store.call("his") is not None
        assert store.save_audio("his", AUDIO, at(0)) is None


def test_recordings_are_readable_and_private(store: Store, at: At) -> None:
    store.begin_call(CallInfo("a"), at(0))
    saved = store.save_audio("a", AUDIO, at(0))
    assert saved is not None
    path = store.recording(saved)
    assert path.stat().st_mode & 0o077 == 0
    heard = read_clip(path)
    assert heard.shape == AUDIO.shape
    assert np.abs(heard.astype(int) - AUDIO).max() <= 256  # half a step of A-law at this level


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "a" * 200, "名"])
def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path, at: At, name: str) -> None:
    with pytest.raises(StoreError):
        Recordings(tmp_path / "r").save(name, AUDIO, at(0))
    assert not (tmp_path / "evil.wav").exists()


@pytest.mark.parametrize("path", ["../calls.sqlite3", "/etc/passwd", "2026/../../x.wav", ""])
def test_a_path_from_the_database_cannot_lead_out_of_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(StoreError, match="outside"):
        Recordings(tmp_path).path(path)
