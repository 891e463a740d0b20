"""Recordings: every coding is read alike, what is broken is refused in one line, memory stays level."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.audio.files import AudioFile, read_clip, write_wav
from detector.audio.frames import Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.errors import AudioFileError


def melody(rate: int, seconds: float = 1.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    t = np.arange(round(rate * seconds)) / rate
    return 0.3 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 1000 * t)


def whole(path: Path) -> Samples:
    with AudioFile(path) as recording:
        return np.concatenate(list(recording.blocks()))


def snr_db(heard: Samples, wanted: Samples) -> float:
    """How far below `wanted` the difference lies, the edges of the filters left out; any delay is allowed."""
    a, b = heard[400:-400].astype(float), wanted.astype(float)
    best = min(np.sum((a - b[400 + lag : 400 + lag + len(a)]) ** 2) for lag in range(-3, 4))
    return float(10 * np.log10(np.sum(a**2) / (best + 1e-9)))


@pytest.mark.parametrize(
    ("subtype", "least_db"),
    [
        ("PCM_U8", 30),
        ("PCM_16", 60),
        ("PCM_24", 60),
        ("PCM_32", 60),
        ("FLOAT", 60),
        ("ALAW", 30),
        ("ULAW", 30),
    ],
)
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_wav_of_every_coding_and_rate(tmp_path: Path, subtype: str, rate: int, least_db: float) -> None:
    path = tmp_path / "call.wav"
    soundfile.write(path, melody(rate), rate, subtype=subtype)
    with AudioFile(path) as recording:
        assert (recording.sample_rate, recording.channels) == (rate, 1)
        assert recording.encoding == f"WAV {subtype}"
        assert recording.seconds == pytest.approx(1.0)
        assert not recording.is_truncated
        heard = np.concatenate(list(recording.blocks()))
    assert heard.shape == (8000, 1)
    assert snr_db(heard[:, 0], np.rint(32768 * melody(8000)).astype(np.int16)) > least_db


@pytest.mark.parametrize(
    ("name", "settings", "least_db"),
    [
        ("a.flac", {}, 60),
        ("a.mp3", {}, 20),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}, 15),
        ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}, 20),
    ],
)
@pytest.mark.parametrize("rate", [16000, 48000])
def test_compressed_files(
    tmp_path: Path, name: str, settings: dict[str, str], rate: int, least_db: float
) -> None:
    path = tmp_path / name
    soundfile.write(path, melody(rate), rate, **settings)
    heard = read_clip(path)
    assert heard.ndim == 1
    assert len(heard) == pytest.approx(8000, abs=400)
    length = min(len(heard), 7000)
    assert snr_db(heard[:length], np.rint(32768 * melody(8000)).astype(np.int16)) > least_db


def test_blocks_of_any_size_hold_the_same_samples(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    both = np.stack([melody(44100, 2.3), -0.5 * melody(44100, 2.3)], axis=1)
    soundfile.write(path, both, 44100)
    with AudioFile(path) as recording:
        reference = np.concatenate(list(recording.blocks()))
        for size in (1000, 160, 4096, 100_000):
            blocks = list(recording.blocks(size))
            assert all(len(block) == size for block in blocks[:-1])
            assert np.array_equal(np.concatenate(blocks), reference)
    assert reference.shape == (round(2.3 * 8000), 2)
    assert snr_db(reference[:, 1], -(reference[:, 0] // 2)) > 60


def test_two_channels_of_a_clip_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    left, right = np.full(800, 3000, np.int16), np.full(800, -1000, np.int16)
    write_wav(path, np.stack([left, right], axis=1))
    assert np.all(read_clip(path) == 1000)


def test_samples_at_8_khz_come_back_bit_by_bit(tmp_path: Path) -> None:
    path = tmp_path / "noise.wav"
    noise = np.random.default_rng(1).integers(-32768, 32768, 12345).astype(np.int16)
    write_wav(path, noise)
    assert np.array_equal(read_clip(path), noise)
    write_wav(path, noise, encoding="alaw")
    assert np.array_equal(read_clip(path), decode_alaw(encode_alaw(noise)))
    assert [child.name for child in tmp_path.iterdir()] == ["noise.wav"]


def test_float_that_is_too_loud_or_no_number_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "float.wav"
    soundfile.write(path, np.array([2.0, -2.0, np.nan, np.inf, 0.25] * 100), 8000, subtype="FLOAT")
    assert read_clip(path)[:5].tolist() == [32767, -32768, 0, 32767, 8192]


def test_a_wav_without_its_end_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.wav"
    write_wav(path, np.arange(8000).astype(np.int16))
    path.write_bytes(path.read_bytes()[: 44 + 2 * 3000])
    with AudioFile(path) as recording:
        assert recording.is_truncated
        assert recording.seconds == pytest.approx(3000 / 8000)
    assert np.array_equal(whole(path)[:, 0], np.arange(3000))
    with pytest.raises(AudioFileError, match="promises more audio"):
        read_clip(path)


def test_a_streamed_wav_that_never_learnt_its_size_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "streamed.wav"
    write_wav(path, np.arange(4000).astype(np.int16))
    content = bytearray(path.read_bytes())
    content[4:8] = content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    with AudioFile(path) as recording:
        assert not recording.is_truncated
        assert np.array_equal(np.concatenate(list(recording.blocks()))[:, 0], np.arange(4000))


def test_chunks_before_the_audio_are_stepped_over(tmp_path: Path) -> None:
    path = tmp_path / "tagged.wav"
    write_wav(path, np.arange(4000).astype(np.int16))
    content = path.read_bytes()
    path.write_bytes(content[:36] + b"junk" + struct.pack("<I", 5) + b"12345\0" + content[36:-100])
    with AudioFile(path) as recording:
        assert recording.is_truncated
        assert recording.seconds == pytest.approx(3950 / 8000)


@pytest.mark.parametrize("name", ["cut.flac", "cut.mp3"])
def test_compressed_audio_without_its_end_is_known_at_the_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, melody(16000, 4.0), 16000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with AudioFile(path) as recording:
        heard = sum(len(block) for block in recording.blocks())
        assert recording.is_truncated
        assert sum(len(block) for block in recording.blocks()) == heard  # and it can be heard again
    assert 0.5 * 8000 < heard < 3.9 * 8000


def bad_files(folder: Path) -> dict[str, Path]:
    names = ("text", "empty", "zero", "header", "six", "slow", "bare", "nothing")
    files = {name: folder / f"{name}.wav" for name in names}
    files["text"].write_text("a shopping list, renamed\n" * 20)
    files["empty"].write_bytes(b"")
    write_wav(files["zero"], np.zeros(0, np.int16))
    write_wav(files["header"], np.zeros(800, np.int16))
    files["header"].write_bytes(files["header"].read_bytes()[:30])
    write_wav(files["bare"], np.zeros(800, np.int16))
    files["bare"].write_bytes(files["bare"].read_bytes()[:44])
    write_wav(files["six"], np.zeros((800, 6), np.int16))
    write_wav(files["slow"], np.zeros(800, np.int16), sample_rate=6000)
    return {**files, "folder": folder}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text", "is no audio file"),
        ("empty", "is empty"),
        ("zero", "zero seconds"),
        ("header", "within its header"),
        ("bare", "right after its header"),
        ("six", "has 6 channels"),
        ("slow", "6000 Hz"),
        ("nothing", "cannot be read"),
        ("folder", "is a folder"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path: Path, name: str, words: str) -> None:
    path = bad_files(tmp_path)[name]
    with pytest.raises(AudioFileError) as refused:
        AudioFile(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert words in message
    assert "; " in message
    assert "\n" not in message


def test_a_clip_may_not_be_long(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    write_wav(path, np.zeros(601 * 8000, np.int16))
    with pytest.raises(AudioFileError, match="601 s long"):
        read_clip(path)


def test_writing_into_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be written"):
        write_wav(tmp_path / "missing" / "a.wav", np.zeros(8, np.int16))


def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.wav"
    write_wav(path, np.full(10, 7, np.int16))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AudioFileError, match="No space left"):
        write_wav(path, np.zeros(10, np.int16))
    assert np.all(read_clip(path) == 7)
    assert [child.name for child in tmp_path.iterdir()] == ["kept.wav"]


def peak_memory(path: Path) -> int:
    tracemalloc.start()
    with AudioFile(path) as recording:
        for _ in recording.blocks(160):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    peaks = []
    for seconds in (5, 150):
        path = tmp_path / f"{seconds}.wav"
        write_wav(path, np.zeros(seconds * 16000, np.int16), sample_rate=16000)
        peaks.append(peak_memory(path))
    assert peaks[1] < 1.2 * peaks[0] + 20_000
