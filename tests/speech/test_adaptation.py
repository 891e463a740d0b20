"""What telephone speech taught is added to the network that it was made for, and to no other."""

from pathlib import Path

import numpy as np
import pytest

from detector.bench.clips import synthetic_voices
from detector.errors import ModelError
from detector.speech.adaptation import Adaptation, adaptation_file, fingerprint
from detector.speech.model_files import recognition_model
from detector.speech.network_file import NetworkFile, Variable, read_network
from detector.speech.whisper import WhisperOptions, WhisperTranscriber

FLOAT16 = 4


def variable(values: np.ndarray[tuple[int, ...], np.dtype[np.float16]]) -> Variable:
    return Variable(values.shape, FLOAT16, values.tobytes())


def network(norm: float = 1.0) -> NetworkFile:
    variables = {
        "decoder/layer_0/ffn/layer_norm/gamma": variable(np.full(2, norm, np.float16)),
        "decoder/layer_0/ffn/linear_0/weight": variable(np.arange(6, dtype=np.float16).reshape(3, 2)),
        "decoder/layer_0/ffn/linear_0/bias": variable(np.ones(3, np.float16)),
    }
    return NetworkFile("SmallSpec", 3, variables, [])


def change(name: str = "decoder/layer_0/ffn/linear_0/weight", rank: int = 1) -> Adaptation:
    a = np.array([[1, 2]] * rank, np.float16)
    b = np.array([[0.5], [0], [-1]], np.float16)
    return Adaptation("one", fingerprint(network()), {name: (a, b)})


def test_the_product_of_the_factors_is_added() -> None:
    changed = change().added_to(network()).variables
    weight = changed["decoder/layer_0/ffn/linear_0/weight"]
    assert weight.values.tolist() == [[0.5, 2.0], [2.0, 3.0], [3.0, 3.0]]
    others = {name: one for name, one in network().variables.items() if not name.endswith("weight")}
    assert {name: changed[name] for name in others} == others


def test_another_network_is_left_as_it_is() -> None:
    other = network(norm=2.0)
    assert change().added_to(other) is other


@pytest.mark.parametrize("wrong", [change("decoder/layer_7/ffn/linear_0/weight"), change(rank=2)])
def test_a_change_of_other_shapes_is_a_value_error(wrong: Adaptation) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        wrong.added_to(network())


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "change.npz"
    change().save(path)
    read = Adaptation.load(path)
    assert read.fits == change().fits
    assert read.added_to(network()) == change().added_to(network())
    assert read.name != "one", "it is named by what it holds"


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "change.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"change\.npz: "):
        Adaptation.load(path)


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    path = tmp_path / "change.npz"
    change().save(path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ModelError, match=r"change\.npz: "):
        Adaptation.load(path)


@pytest.mark.end_to_end
def test_what_ships_is_made_for_the_network_that_ships() -> None:
    shipped = Adaptation.load(adaptation_file())
    whole = read_network(recognition_model() / "model.bin")
    assert shipped.fits == fingerprint(whole)
    changed = shipped.added_to(whole)
    assert changed.variables.keys() == whole.variables.keys()
    assert all(one.sizes == whole.variables[name].sizes for name, one in changed.variables.items())


@pytest.mark.end_to_end
def test_recognition_goes_on_without_a_change_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = WhisperOptions(adaptation=tmp_path / "none.npz")
    transcriber = WhisperTranscriber(recognition_model(), workers=1, options=options)
    clip = next(clip for clip in synthetic_voices() if clip.language == "zh")
    assert transcriber.transcribe(clip.samples, "zh").text
    assert "none.npz" in caplog.text
    assert transcriber.name != WhisperTranscriber(recognition_model(), workers=1).name
