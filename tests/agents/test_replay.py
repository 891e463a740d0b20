"""Replay: recordings judged alike in pieces of any size, in level memory, and with a word on what was judged."""

import hashlib
import subprocess
import sys
import wave
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.agents.clips import Clips
from detector.agents.replay import Replay
from detector.agents.scenario import load_scenarios
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.call import Language
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.dialogue.prompts import PromptLibrary
from detector.errors import AudioFileError, RecognitionError
from detector.resources import fixtures_dir
from detector.screener import ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

DEMO = fixtures_dir() / "demo"
OPTIONS = ScreenerOptions(interactive=False, languages=("zh",), policy=PolicyOptions(deadline=45.0))
WORDS = (
    "您好您的信用额度已经提升到二十万元",
    "无抵押无担保当天就能放款月息低至三厘",
    "了解详情请按一转接人工客服请按二",
    "我们公司最近有一个活动",
)

Write = Callable[..., Path]


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    return ScreenerParts(Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load())


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(samples: Samples, name: str = "call.wav") -> Path:
        path = tmp_path / name
        soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
        return path

    return write


def hears(samples: Samples, language: Language | None) -> Transcript:
    """Recognition whose words depend on every sample of the turn: other audio, other words."""
    return Transcript(
        WORDS[hashlib.sha256(samples.tobytes()).digest()[0] % len(WORDS)], language or "zh", -0.3
    )


def speaker(scenario_id: str) -> list[Samples]:
    clips = Clips(DEMO / "clips")
    scenario = next(
        each for each in load_scenarios(DEMO / "scenarios.jsonl").scenarios if each.id == scenario_id
    )
    paths = [clips.path(scenario.id, text, 0) for text in scenario.utterances]
    return [read_clip(path) for path in paths if path is not None]


def line(clips: Sequence[Samples], pause: float = 0.8) -> Samples:
    gap = np.zeros(int(pause * SAMPLE_RATE), np.int16)
    audio = np.concatenate([gap, *(piece for clip in clips for piece in (clip, gap))])
    noise = np.rint(np.random.default_rng(1).normal(0, 6, len(audio)))
    return np.asarray(audio + noise, np.int16)


@pytest.mark.parametrize("chunk", [1, 37, 160, 1600, 4096])
def test_pieces_of_every_size_give_the_same_judgement(parts: ScreenerParts, write: Write, chunk: int) -> None:
    path = write(line(speaker("demo-loan-recording"))[: (8 if chunk == 1 else 60) * SAMPLE_RATE])

    def judged(chunk: int) -> dict[str, object]:
        latency = 0.3
        replay = Replay(parts, OPTIONS, hears, lambda _seconds, _transcript: latency, chunk=chunk)
        return replay.screen(path).record.to_json()

    whole = judged(160)
    assert judged(chunk) == whole
    assert whole["turns"]
    assert whole["evidence"]


def test_a_judged_call_is_not_listened_to_any_further(parts: ScreenerParts, write: Write) -> None:
    path = write(line(speaker("demo-loan-recording") * 3))
    brief = Replay(parts, OPTIONS, hears).screen(path)
    full = Replay(parts, replace(OPTIONS, listen_on=True), hears).screen(path)
    assert brief.record.verdict is not None
    assert brief.record.verdict.is_final
    assert brief.heard < full.heard == pytest.approx(full.seconds, abs=0.03)
    assert full.record.verdict == brief.record.verdict, "what comes later does not change a decision"
    assert len(full.record.turns) > len(brief.record.turns)


def test_the_keys_that_other_programs_read(parts: ScreenerParts, write: Write) -> None:
    row = Replay(parts, OPTIONS, hears).screen(write(line(speaker("demo-loan-recording")))).record.to_json()
    assert list(row) == ["label", "action", "unwanted", "axes", "decided_at", "reason", "evidence", "turns"]
    assert list(row["axes"]) == ["playback", "patter", "unresponsive"]
    assert set(row["evidence"][0]) == {"source", "llr", "media_time", "arrived", "detail"}
    assert set(row["turns"][0]) == {"speaker", "start", "end", "text"}
    assert 0.0 <= row["unwanted"] <= 1.0


def test_words_alone_never_hang_up_on_a_recorded_caller(parts: ScreenerParts, write: Write) -> None:
    def sells(_samples: Samples, _language: Language | None) -> Transcript:
        return Transcript(WORDS[1], "zh", -0.3)

    verdict = Replay(parts, OPTIONS, sells).screen(write(line(speaker("demo-courier")))).record.verdict
    assert verdict is not None
    assert verdict.action in {"take_message", "none"}


@pytest.mark.parametrize("seconds", [3, 60])
def test_silence_is_unsure_and_said_to_be_silence(parts: ScreenerParts, write: Write, seconds: int) -> None:
    result = Replay(parts, OPTIONS, hears).screen(write(np.zeros(seconds * SAMPLE_RATE, np.int16)))
    assert result.record.verdict is not None
    assert result.record.verdict.label == "unsure"
    assert result.record.verdict.action != "hang_up"
    assert result.notes == ("nothing but silence",)


def test_noise_without_speech_is_said_to_hold_none(parts: ScreenerParts, write: Write) -> None:
    noise = np.asarray(np.rint(np.random.default_rng(3).normal(0, 300, 5 * SAMPLE_RATE)), np.int16)
    assert Replay(parts, OPTIONS, hears).screen(write(noise)).notes == ("no speech was found",)


def test_a_truncated_file_is_judged_as_far_as_it_goes(parts: ScreenerParts, write: Write) -> None:
    path = write(line(speaker("demo-courier")))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    result = Replay(parts, OPTIONS, hears).screen(path)
    assert "the file is shorter than its header promises" in result.notes
    assert result.record.turns


def test_where_it_cannot_be_told_who_calls_there_is_no_verdict(parts: ScreenerParts, write: Write) -> None:
    one, other = speaker("demo-insurance-agent"), speaker("demo-courier")
    path = write(line([one[0], other[0], one[1], other[1], other[2]]))
    asked: list[int] = []

    def recognize(samples: Samples, language: Language | None) -> Transcript:
        asked.append(len(samples))
        return hears(samples, language)

    result = Replay(parts, OPTIONS, recognize).screen(path)
    assert result.record.verdict is not None
    assert (result.record.verdict.action, result.record.verdict.label) == ("none", "unsure")
    assert result.record.verdict.decided_at is None
    assert result.record.verdict.reason == "which of the two voices calls cannot be told"
    assert result.notes == ("no verdict: record the two sides on separate channels",)
    assert result.judged.startswith("neither of two voices")
    assert not asked
    assert not result.record.evidence, "nothing of either voice counts"


def test_only_the_voice_that_calls_is_transcribed(parts: ScreenerParts, write: Write) -> None:
    agent, person = speaker("demo-insurance-agent")[:4], speaker("demo-courier")[:1]
    turns = [agent[0], agent[1], person[0], agent[2], agent[3]]
    audio = line(turns)
    begin = sum(map(len, turns[:2])) / SAMPLE_RATE + 3 * 0.8
    end = begin + len(person[0]) / SAMPLE_RATE
    result = Replay(parts, replace(OPTIONS, listen_on=True), hears).screen(write(audio))
    assert result.judged.startswith("of two voices")
    assert result.record.turns
    assert not [turn for turn in result.record.turns if begin + 0.3 < (turn.start + turn.end) / 2 < end - 0.3]


def test_recognition_that_fails_leaves_the_recording_unsure(parts: ScreenerParts, write: Write) -> None:
    def broken(_samples: Samples, _language: Language | None) -> Transcript:
        raise RecognitionError("broken")

    verdict = Replay(parts, OPTIONS, broken).screen(write(line(speaker("demo-courier")))).record.verdict
    assert verdict is not None
    assert (verdict.label, verdict.action) == ("unsure", "forward")
    assert verdict.reason == "an internal failure (recognition)"


def test_what_is_no_recording_is_named(parts: ScreenerParts, tmp_path: Path) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("these are words")
    with pytest.raises(AudioFileError, match=r"notes\.wav"):
        Replay(parts, OPTIONS, hears).screen(text)


def sparse(path: Path, seconds: int, channels: int) -> Path:
    """A long WAV file of zeros that takes no room on the disk."""
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(b"")
    size = seconds * SAMPLE_RATE * 2 * channels
    with path.open("r+b") as raw:
        header = bytearray(raw.read(44))
        header[4:8] = (36 + size).to_bytes(4, "little")
        header[40:44] = size.to_bytes(4, "little")
        raw.seek(0)
        raw.write(header)
        raw.truncate(44 + size)
    return path


PEAKS = """
import resource, sys
from pathlib import Path
from detector.agents.replay import Replay
from detector.cli.parts import load_parts
from detector.decision.policy import PolicyOptions
from detector.screener import ScreenerOptions
from detector.speech.transcript import Transcript

options = ScreenerOptions(interactive=False, listen_on=sys.argv[1] == "full", policy=PolicyOptions(deadline=45.0))
replay = Replay(load_parts(), options, lambda samples, language: Transcript("", "zh", -0.3))
for path in sys.argv[2:]:
    replay.screen(Path(path))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peaks(how: str, *paths: Path) -> list[float]:
    """Megabytes that a fresh process has taken at most after judging each of `paths`, one after the other."""
    command = [sys.executable, "-c", PEAKS, how, *map(str, paths)]
    output = subprocess.run(  # noqa: S603 - our own interpreter
        command, check=True, capture_output=True, text=True, timeout=110
    ).stdout
    return [int(line) / 1000 for line in output.split()]


def test_three_hours_take_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    minute = sparse(tmp_path / "minute.wav", 60, 2)
    hours = [sparse(tmp_path / f"hours-{channels}.wav", 3 * 3600, channels) for channels in (1, 2)]
    before, *after = peaks("brief", minute, *hours)
    assert max(after) < before + 8, "three hours of samples alone are 173 MB a channel"


def test_listening_to_the_end_takes_level_memory(tmp_path: Path) -> None:
    brief, long = peaks("full", sparse(tmp_path / "brief.wav", 60, 1), sparse(tmp_path / "long.wav", 600, 1))
    assert long < brief + 6, "the samples alone are 10 MB"
