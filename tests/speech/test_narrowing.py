"""A model with fewer tokens: the same rows under new numbers, and no harm where a file is not as it should be."""

import json
from pathlib import Path

import numpy as np
import pytest
from ctranslate2.specs import model_spec

from detector.bench.clips import synthetic_voices
from detector.errors import ModelError
from detector.speech.model_files import recognition_model
from detector.speech.narrowing import read_vocabulary, write_narrowed
from detector.speech.network import narrowed
from detector.speech.whisper import WhisperOptions, WhisperTranscriber

TOKENS = ["<|a|>", "b", "c", "<|d|>"]


class Embeddings(model_spec.LayerSpec):  # type: ignore[misc]
    def __init__(self) -> None:
        self.weight = np.arange(len(TOKENS) * 3, dtype=np.float16).reshape(len(TOKENS), 3)


class Decoder(model_spec.LayerSpec):  # type: ignore[misc]
    def __init__(self, width: int) -> None:
        self.embeddings = Embeddings()
        self.rest = np.ones((width, 3), np.float32)


class Small(model_spec.ModelSpec):  # type: ignore[misc]
    """A model's file as CTranslate2's own code writes it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.decoder = Decoder(width)

    @property
    def name(self) -> str:
        return "SmallSpec"

    @property
    def revision(self) -> int:
        return 3


def write_model(folder: Path, width: int = 4) -> Path:
    """Write a model of `width` rows beside the embedding of its four tokens."""
    spec = Small(width)
    spec.validate()
    spec.save(str(folder))
    (folder / "vocabulary.json").write_text(json.dumps(TOKENS), encoding="utf-8")
    config = {"lang_ids": [0, 3], "suppress_ids": [1], "other": 7}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "narrowed"
    folder.mkdir()
    return folder


def test_kept_rows_are_the_rows_that_they_were(tmp_path: Path, into: Path) -> None:
    whole = write_model(tmp_path)
    assert write_narrowed(whole, [0, 2, 3], into)
    content, narrow = ((folder / "model.bin").read_bytes() for folder in (whole, into))
    rows = np.arange(12, dtype=np.float16).reshape(4, 3)
    assert rows.tobytes() in content
    assert rows[[0, 2, 3]].tobytes() in narrow
    assert rows[1].tobytes() not in narrow
    assert len(narrow) == len(content) - rows[1].nbytes
    assert read_vocabulary(into) == ["<|a|>", "c", "<|d|>"]
    config = json.loads((into / "config.json").read_text(encoding="utf-8"))
    assert config == {"lang_ids": [0, 2], "suppress_ids": [], "other": 7}


def test_all_tokens_give_the_file_that_was_read(tmp_path: Path, into: Path) -> None:
    assert write_narrowed(write_model(tmp_path), range(len(TOKENS)), into)
    assert (into / "model.bin").read_bytes() == (tmp_path / "model.bin").read_bytes()


def test_a_network_that_is_mostly_not_vocabulary_is_left_alone(tmp_path: Path, into: Path) -> None:
    assert not write_narrowed(write_model(tmp_path, width=100), [0], into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("size", [0, 3, 4, 30, 80, -1, -40])
def test_a_file_that_ends_too_early_is_a_value_error(tmp_path: Path, into: Path, size: int) -> None:
    path = write_model(tmp_path) / "model.bin"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"model\.bin|empty file"):
        write_narrowed(tmp_path, [0], into)


def test_another_version_of_the_format_is_a_value_error(tmp_path: Path, into: Path) -> None:
    path = write_model(tmp_path) / "model.bin"
    path.write_bytes(b"\x07" + path.read_bytes()[1:])
    with pytest.raises(ValueError, match="version 7"):
        write_narrowed(tmp_path, [0], into)


@pytest.mark.parametrize(
    ("content", "problem"), [("{}", "no list"), ("[1]", "no list"), ("no json", "Expecting value")]
)
def test_a_vocabulary_that_is_none_is_a_value_error(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "vocabulary.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=problem):
        read_vocabulary(tmp_path)


def test_recognition_goes_on_with_all_tokens_where_some_cannot_be_left_out(tmp_path: Path) -> None:
    room: list[str] = []
    assert narrowed(tmp_path, ["zh"], {}, lambda: room.append("made")) == {}
    assert not room
    no_whisper = write_model(tmp_path)
    assert narrowed(no_whisper, ["zh"], {"device": "cpu"}, lambda: room.append("made")) == {}
    with pytest.raises(ModelError):
        WhisperTranscriber(tmp_path)


@pytest.mark.end_to_end
def test_a_copy_that_cannot_be_loaded_leaves_the_whole_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def write_damaged(folder: Path, _: object, into: Path, __: object) -> bool:
        (into / "model.bin").write_bytes((folder / "model.bin").read_bytes()[:1000])
        return True

    monkeypatch.setattr("detector.speech.network.write_narrowed", write_damaged)
    transcriber = WhisperTranscriber(recognition_model(), workers=1)
    assert not transcriber._networks
    clip = next(clip for clip in synthetic_voices() if clip.language == "zh")
    assert transcriber.transcribe(clip.samples, None).language == "zh"


@pytest.mark.end_to_end
def test_fewer_tokens_hear_what_all_hear() -> None:
    clips = [clip for clip in synthetic_voices() if clip.language == "zh"][:6]
    clips += [clip for clip in synthetic_voices() if clip.language == "en"][:6]
    narrow, whole = (
        WhisperTranscriber(
            recognition_model(), workers=1, options=WhisperOptions(narrow=narrow, adaptation=None)
        )
        for narrow in (True, False)
    )
    assert set(narrow._networks) == {"zh", "en"}
    assert not whole._networks
    heard = [(narrow.transcribe(clip.samples, None), whole.transcribe(clip.samples, None)) for clip in clips]
    assert [few.text for few, _ in heard] == [many.text for _, many in heard]
    assert [few.language for few, _ in heard] == [clip.language for clip in clips]
    for few, many in heard:
        assert few.average_log_probability == pytest.approx(many.average_log_probability, abs=0.1)
