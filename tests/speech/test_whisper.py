"""Recognition with the weights that ship, on prompts that ship and on sounds that are no speech."""

import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.bench.clips import SpokenClip, synthetic_voices
from detector.bench.error_rate import count_errors, error_rate
from detector.call import Language
from detector.errors import ModelError, RecognitionError
from detector.speech.checks import has_loop
from detector.speech.model_files import recognition_model
from detector.speech.network import Network
from detector.speech.whisper import WhisperOptions, WhisperTranscriber, Window

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def transcriber() -> WhisperTranscriber:
    return WhisperTranscriber(recognition_model(), threads=1, workers=2)


@pytest.fixture(scope="module")
def mandarin() -> list[SpokenClip]:
    return [clip for clip in synthetic_voices() if clip.language == "zh"][:4]


@pytest.fixture(scope="module")
def english() -> list[SpokenClip]:
    return [clip for clip in synthetic_voices() if clip.language == "en"][:2]


def line(samples: np.ndarray[Any, np.dtype[np.float64]]) -> Samples:
    """Send audio (float, 1.0 is full scale) through the telephone line."""
    return decode_alaw(encode_alaw(np.asarray(np.clip(samples * 32767, -32768, 32767), np.int16)))


def not_speech() -> Iterator[tuple[str, Samples]]:
    draw = np.random.default_rng(7)
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    yield "digital silence", np.zeros(len(time), np.int16)
    yield "line noise", line(draw.normal(0, 10 ** (-55 / 20), len(time)))
    yield "loud noise", line(draw.normal(0, 10 ** (-25 / 20), len(time)))
    yield "ringback", line(0.2 * np.sin(2 * np.pi * 450 * time) * (time % 5 < 1))
    yield "beep", line(0.3 * np.sin(2 * np.pi * 1000 * time) * (time < 0.5))
    chord = sum(np.sin(2 * np.pi * 220 * 2 ** (step / 12) * time) for step in (0, 4, 7, 12))
    yield "music", line(0.08 * np.asarray(chord) * (1 + 0.5 * np.sin(2 * np.pi * 2 * time)))


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """Let a method of every network be called as before, and return a list that grows by each call."""
    calls: list[str] = []
    original = getattr(Network, name)

    def counted(*arguments: Any) -> Any:
        calls.append(name)
        return original(*arguments)

    monkeypatch.setattr(Network, name, counted)
    return calls


@pytest.mark.parametrize("kind", [name for name, _ in not_speech()])
def test_what_is_no_speech_gives_no_text(transcriber: WhisperTranscriber, kind: str) -> None:
    assert transcriber.transcribe(dict(not_speech())[kind], "zh").text == ""


def test_prompts_are_understood_in_both_languages(
    transcriber: WhisperTranscriber, mandarin: list[SpokenClip], english: list[SpokenClip]
) -> None:
    for clips, worst in ((mandarin, 0.3), (english, 0.3)):
        heard = [transcriber.transcribe(clip.samples, clip.language) for clip in clips]
        assert all(transcript.is_reliable for transcript in heard)
        counted = [
            count_errors(clip.text, transcript.text) for clip, transcript in zip(clips, heard, strict=True)
        ]
        assert error_rate(counted) < worst


def test_the_language_is_detected(
    transcriber: WhisperTranscriber, mandarin: list[SpokenClip], english: list[SpokenClip]
) -> None:
    for clip in (mandarin[0], english[0]):
        assert transcriber.transcribe(clip.samples, None).language == clip.language


def test_silence_around_the_speech_changes_no_word(
    transcriber: WhisperTranscriber, mandarin: list[SpokenClip]
) -> None:
    clip = mandarin[0].samples
    quiet = np.zeros(2 * SAMPLE_RATE, np.int16)
    alone = transcriber.transcribe(clip, "zh").text
    assert (
        count_errors(alone, transcriber.transcribe(np.concatenate([quiet, clip, quiet]), "zh").text).edits
        <= 1
    )


def test_calls_at_once_hear_what_they_hear_alone(
    transcriber: WhisperTranscriber, mandarin: list[SpokenClip]
) -> None:
    alone = [transcriber.transcribe(clip.samples, "zh") for clip in mandarin]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda clip: transcriber.transcribe(clip.samples, "zh"), mandarin))
    assert together == alone


def test_long_speech_is_heard_to_its_end(transcriber: WhisperTranscriber, mandarin: list[SpokenClip]) -> None:
    clips = mandarin * math.ceil(28.5 / sum(clip.seconds for clip in mandarin))
    heard = transcriber.transcribe(np.concatenate([clip.samples for clip in clips]), "zh")
    spoken = "".join(clip.text for clip in clips)
    counted = count_errors(spoken, heard.text)
    # Greetings are spoken fast: each alone has a third of errors. What is cut off would add to that.
    assert counted.edits / counted.units < 0.45


def test_a_pass_that_fails_its_checks_gets_a_second(mandarin: list[SpokenClip]) -> None:
    strict = WhisperOptions(limits=replace(WhisperOptions().limits, retry_log_probability=0.0))
    transcriber = WhisperTranscriber(recognition_model(), options=strict)
    heard = transcriber.transcribe(mandarin[0].samples, "zh")
    assert heard.passes == 2
    assert not has_loop(heard.text)


def test_whether_anything_is_said_is_asked_only_in_doubt(
    transcriber: WhisperTranscriber, mandarin: list[SpokenClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_calls(monkeypatch, "no_speech")
    for clip in mandarin:
        transcriber.transcribe(clip.samples, "zh")
    assert not asked
    transcriber.transcribe(dict(not_speech())["music"], "zh")
    assert asked


@pytest.mark.parametrize(
    "prompt", [[50258], [50258, 50259], [50258, 50259, 50359], [50258, 50259, 50359, 50363]]
)
def test_whether_anything_is_said_can_be_asked_with_any_prompt(prompt: list[int]) -> None:
    """Models for English alone have a shorter one."""
    network = Network(ctranslate2.models.Whisper(str(recognition_model()), device="cpu", compute_type="int8"))
    encoded = network.encode(np.zeros((1, 80, 500), np.float32))
    assert 0.0 <= network.no_speech(encoded, prompt) <= 1.0


@pytest.mark.parametrize(("language", "at_once"), [("zh", False), ("en", True)])
def test_english_goes_on_over_a_short_pause(
    transcriber: WhisperTranscriber,
    english: list[SpokenClip],
    monkeypatch: pytest.MonkeyPatch,
    language: Language,
    at_once: bool,
) -> None:
    encoded = count_calls(monkeypatch, "encode")
    transcriber.transcribe(english[0].samples, language)  # pauses for 0.3 to 0.5 s
    assert (len(encoded) == 1) is at_once


def test_a_broken_pass_is_an_error_and_no_empty_text(
    transcriber: WhisperTranscriber, mandarin: list[SpokenClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def encode(self, _: object) -> object:
            raise RuntimeError("out of memory near 张三")

    monkeypatch.setattr(transcriber, "_networks", {"zh": Broken()})
    with pytest.raises(RecognitionError, match=r"^recognition broke: RuntimeError$"):
        transcriber.transcribe(mandarin[0].samples, "zh")


@pytest.mark.parametrize(
    "samples", [np.zeros(800, np.float32), np.zeros((800, 2), np.int16), np.zeros((), np.int16)]
)
def test_the_wrong_kind_of_samples_is_refused(transcriber: WhisperTranscriber, samples: Any) -> None:
    with pytest.raises(RecognitionError, match="recognition wants int16"):
        transcriber.transcribe(samples, "zh")


def test_a_folder_that_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({}), encoding="utf-8")
    with pytest.raises(ModelError, match="the model cannot be loaded") as raised:
        WhisperTranscriber(tmp_path)
    assert "\n" not in str(raised.value)


def test_settings_are_part_of_the_name(transcriber: WhisperTranscriber) -> None:
    assert transcriber.name.startswith("whisper-base int8 ")
    assert "repetition_penalty" in transcriber.name


@pytest.mark.parametrize(("speech", "seconds"), [(0.5, 6.0), (4.5, 7.0), (29.0, 30.0), (60.0, 30.0)])
def test_the_window_holds_speech_and_margin(speech: float, seconds: float) -> None:
    assert Window(lead=0.5, margin=2.0, shortest=6.0, beam=2).seconds(speech) == seconds
