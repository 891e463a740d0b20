"""A recording taken apart: which channel or voice is the caller's, and when the other side speaks."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.agents.clips import Clips
from detector.agents.recording import CallerChannel, Recording
from detector.agents.scenario import load_scenarios
from detector.audio.files import AudioFile, read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.errors import AudioFileError
from detector.resources import fixtures_dir

DEMO = fixtures_dir() / "demo"
GAP = np.zeros(int(0.8 * SAMPLE_RATE), np.int16)

Write = Callable[..., Path]


def speaker(scenario_id: str) -> list[Samples]:
    """What one caller of the demo says, a clip an utterance."""
    clips = Clips(DEMO / "clips")
    scenario = next(
        each for each in load_scenarios(DEMO / "scenarios.jsonl").scenarios if each.id == scenario_id
    )
    paths = [clips.path(scenario.id, text, 0) for text in scenario.utterances]
    return [read_clip(path) for path in paths if path is not None]


def noise(samples: int, seed: int = 1) -> Samples:
    return np.asarray(np.rint(np.random.default_rng(seed).normal(0, 6, samples)), np.int16)


def mix(clips: Sequence[Samples]) -> tuple[Samples, list[tuple[int, int]]]:
    """Clips one after the other with pauses on a slightly noisy line, and where each of them lies."""
    pieces, spans, position = [GAP], [], len(GAP)
    for clip in clips:
        spans.append((position, position + len(clip)))
        pieces += [clip, GAP]
        position += len(clip) + len(GAP)
    audio = np.concatenate(pieces)
    return np.asarray(audio + noise(len(audio)), np.int16), spans


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(samples: Samples, name: str = "call.wav") -> Path:
        path = tmp_path / name
        soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
        return path

    return write


def heard(
    path: Path, caller: CallerChannel | None = None, told_apart: float = 60.0
) -> tuple[Samples, list[tuple[str, float]], str]:
    """The caller's audio, what the other side began and ended, and which speech is judged."""
    with AudioFile(path) as audio:
        recording = Recording(audio, caller, told_apart)
        pieces = list(recording.pieces())
    others = [(str(state), when) for piece in pieces for state, when in piece.other]
    return np.concatenate([piece.samples for piece in pieces]), others, recording.judged


@pytest.fixture
def stereo() -> Samples:
    """The courier speaks on the left from 0.8 s on, the person called on the right after him."""
    left, _ = mix([speaker("demo-courier")[0]])
    right, _ = mix([speaker("demo-friend-mortgage")[0]])
    quiet = noise(len(left) + len(right), 2)
    both = np.stack([quiet, quiet[::-1]], axis=1)
    both[: len(left), 0] = left
    both[len(left) :, 1] = right
    return both


def test_the_left_channel_is_the_callers_where_nothing_is_said(write: Write, stereo: Samples) -> None:
    audio, others, judged = heard(write(stereo))
    assert np.array_equal(audio, stereo[:, 0])
    assert "left" in judged
    assert "--caller-channel was not given" in judged
    assert [state for state, _ in others] == ["started", "ended"]
    assert others[0][1] > len(stereo) / 2 / SAMPLE_RATE * 0.5


def test_the_caller_can_be_on_the_right(write: Write, stereo: Samples) -> None:
    left, others_left, _ = heard(write(stereo), "left")
    right, others_right, judged = heard(write(stereo), "right")
    assert np.array_equal(left, stereo[:, 0])
    assert np.array_equal(right, stereo[:, 1])
    assert judged == "the right channel"
    assert others_right[0][1] == pytest.approx(0.8, abs=0.4), "now the left channel is the other side"
    assert others_left[0][1] > others_right[-1][1]


@pytest.mark.parametrize("difference", [0, 3])
def test_one_channel_written_twice_counts_as_mono(write: Write, difference: int) -> None:
    mono, _ = mix(speaker("demo-courier")[:3])
    twice = np.stack([mono, mono + np.int16(difference)], axis=1)
    assert heard(write(twice))[2] == "the only voice"


def test_channels_that_differ_after_a_long_silence_are_two_sides(write: Write) -> None:
    silence = np.zeros((45 * SAMPLE_RATE, 2), np.int16)
    left, _ = mix(speaker("demo-courier")[:1])
    late = np.stack([left, np.zeros_like(left)], axis=1)
    assert "left" in heard(write(np.concatenate([silence, late])))[2]


@pytest.mark.parametrize("channels", [1, 2])
def test_a_channel_cannot_be_chosen_where_both_sides_share_one(write: Write, channels: int) -> None:
    mono, _ = mix(speaker("demo-courier")[:2])
    path = write(mono if channels == 1 else np.stack([mono, mono], axis=1))
    with pytest.raises(AudioFileError, match=r"call\.wav: .*--caller-channel right"):
        heard(path, "right")


def test_of_two_voices_the_one_that_speaks_more_is_kept_and_the_other_is_blanked(write: Write) -> None:
    agent, person = speaker("demo-insurance-agent")[:4], speaker("demo-courier")[:2]
    turns = [agent[0], person[0], agent[1], person[1], agent[2], agent[3]]
    mono, spans = mix(turns)
    audio, others, judged = heard(write(mono))
    assert judged.startswith("of two voices the one that speaks more")
    for number, (begin, end) in enumerate(spans):
        inner = slice(begin + 800, end - 2400)
        if number in {1, 3}:
            assert np.abs(audio[inner].astype(int)).max() < 60, (
                "noise of the line's floor, and no digital silence"
            )
            assert np.any(audio[inner] != 0)
        else:
            assert np.array_equal(audio[inner], mono[inner])
    assert [state for state, _ in others] == ["started", "ended"] * 2
    assert others[0][1] == pytest.approx(spans[1][0] / SAMPLE_RATE, abs=0.5)


def test_voices_that_speak_about_as_long_leave_it_open_who_calls(write: Write) -> None:
    one, other = speaker("demo-insurance-agent"), speaker("demo-courier")
    turns = [one[0], other[0], one[1], other[1], other[2]]
    mono, _ = mix(turns)
    with AudioFile(write(mono)) as audio:
        recording = Recording(audio, None, 60.0)
        assert not recording.is_clear
        assert recording.judged.startswith("neither of two voices")
        assert recording.is_mixed_at(61.0)
        assert not recording.is_mixed_at(59.0)


def test_silence_holds_no_voice(write: Write) -> None:
    assert heard(write(np.zeros(5 * SAMPLE_RATE, np.int16)))[2] == "no voice"


def test_nothing_is_lost_between_the_pieces(write: Write) -> None:
    odd, _ = mix(speaker("demo-courier")[:2])
    odd = odd[: len(odd) - 37]
    assert np.array_equal(heard(write(odd))[0], odd)
