"""The agent's own words on the caller's channel: an echo alone is known, and a voice over it stays a voice."""

from pathlib import Path

import numpy as np
import pytest

from detector.audio.files import read_clip
from detector.audio.frames import BLOCK_SAMPLES, BLOCK_SECONDS, SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.resources import fixtures_dir
from detector.signals.echo import EchoFinder
from detector.signals.evidence import Evidence
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import Landmarks
from detector.signals.playback import PlaybackExtractor
from detector.signals.turn_taking import TurnTakingExtractor

TAKES = Path(__file__).parent / "takes"
GREETING = read_clip(fixtures_dir() / "prompts" / "zh-greeting-1.wav")
SECONDS = len(GREETING) / SAMPLE_RATE


def landmarks_of(clip: Samples) -> Landmarks:
    extractor = FingerprintExtractor()
    extractor.push(clip)
    return extractor.landmarks(0, len(clip) / SAMPLE_RATE)


def line(
    caller: Samples, *, begins: float, level: float, late: float, seconds: float, noise: float = 8
) -> Samples:
    """What comes from a line on which the greeting, begun at `begins`, echoes `level` dB softer and `late` s later."""
    wave = np.random.default_rng(1).normal(0, noise, round(seconds * SAMPLE_RATE))
    wave[: len(caller)] += caller[: len(wave)]
    at = round((begins + late) * SAMPLE_RATE)
    wave[at : at + len(GREETING)] += (10 ** (level / 20) * GREETING)[: len(wave) - at]
    return decode_alaw(encode_alaw(np.clip(np.rint(wave), -32768, 32767).astype(np.int16)))


def covered(heard: Landmarks, *, begins: float) -> float:
    finder = EchoFinder()
    finder.prompt_started(landmarks_of(GREETING), begins)
    return sum(end - start for start, end in finder.spans(heard)) / heard.seconds


@pytest.mark.parametrize("level", [-20, -27, -35])
@pytest.mark.parametrize("late", [0.05, 0.123, 0.3, 1.0])
@pytest.mark.parametrize("noise", [4, 20])
def test_an_echo_alone_is_known(level: float, late: float, noise: float) -> None:
    audio = line(np.zeros(0, np.int16), begins=1, level=level, late=late, seconds=6, noise=noise)
    heard = landmarks_of(audio).between(1 + late, 1 + late + SECONDS)
    assert covered(heard, begins=1) > 0.7


@pytest.mark.parametrize("level", [-20, -27, -35])
@pytest.mark.parametrize("name", ["loan_first", "insurance_first", "same-words-other-voice_first"])
def test_a_voice_over_an_echo_is_the_voice(level: float, name: str) -> None:
    audio = line(read_clip(TAKES / f"{name}.wav"), begins=1, level=level, late=0.2, seconds=5)
    assert covered(landmarks_of(audio).between(1, 5), begins=1) < 0.4


@pytest.mark.parametrize("name", ["loan_first", "insurance_first", "same-words-other-voice_first"])
def test_without_an_echo_none_is_found(name: str) -> None:
    heard = landmarks_of(read_clip(TAKES / f"{name}.wav"))
    assert covered(heard, begins=0.5) == 0


def test_an_echo_is_looked_for_only_where_its_prompt_was_played() -> None:
    audio = line(np.zeros(0, np.int16), begins=6, level=-20, late=0.2, seconds=11)
    assert covered(landmarks_of(audio), begins=0) == 0


def test_silence_and_no_prompts_have_no_echo() -> None:
    assert EchoFinder().spans(landmarks_of(GREETING)) == []
    assert covered(landmarks_of(np.zeros(16000, np.int16)), begins=0) == 0


def talked_through(audio: Samples, talk: list[tuple[float, float]], *, begins: float) -> list[Evidence]:
    """What is said of a caller whom the greeting interrupts at `begins`; voice is heard in the stretches `talk`."""
    playback = PlaybackExtractor()
    turns = TurnTakingExtractor(echo_seconds=playback.echo_seconds)
    found: list[Evidence] = []
    for at in range(0, len(audio) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
        now = at / SAMPLE_RATE
        if now <= begins < now + BLOCK_SECONDS:
            playback.prompt_started(landmarks_of(GREETING), now)
            found += turns.receive_agent("started", now, "greeting")
        if now <= begins + SECONDS < now + BLOCK_SECONDS:
            found += turns.receive_agent("ended", now, "greeting")
        playback.receive_audio(audio[at : at + BLOCK_SAMPLES], now)
        is_speech = any(start <= now < end for start, end in talk)
        found += turns.receive_activity(now, BLOCK_SECONDS, is_speech)
    return [item for item in found if item.axis == "playback" and item.llr > 0]


def test_who_stops_when_he_is_spoken_to_is_not_blamed_for_the_echo() -> None:
    said = read_clip(TAKES / "loan_first.wav")[: round(2.4 * SAMPLE_RATE)]
    audio = line(said, begins=2, level=-20, late=0.2, seconds=8)
    assert talked_through(audio, [(0.1, 2.2 + SECONDS)], begins=2) == []


def test_who_talks_on_over_the_echo_is_heard() -> None:
    said = np.concatenate([read_clip(TAKES / f"{name}_first.wav") for name in ("loan", "insurance")])
    audio = line(said, begins=2, level=-20, late=0.2, seconds=12)
    sources = [item.source for item in talked_through(audio, [(0.1, 12.0)], begins=2)]
    assert sources.count("playback.through_interruption") == 2
    assert "playback.monologue" in sources


def test_an_echo_makes_no_monologue_of_two_short_sentences() -> None:
    said = read_clip(TAKES / "loan_first.wav")
    pause = np.zeros(round((SECONDS - 0.4) * SAMPLE_RATE), np.int16)
    caller = np.concatenate([said[: 19 * 800], pause, said[19 * 800 : 45 * 800]])
    audio = line(caller, begins=1.5, level=-20, late=0.2, seconds=10)
    spoken = (0.1, len(caller) / SAMPLE_RATE)
    assert talked_through(audio, [spoken], begins=1.5) == []
    quiet = line(caller, begins=1.5, level=-90, late=0.2, seconds=10)
    assert talked_through(quiet, [spoken], begins=1.5) != [], "what is heard and no echo counts"
