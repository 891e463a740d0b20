"""Voices in one channel: one stays one however long it speaks, two are told apart, and no turn is lost."""

import itertools

import numpy as np
import pytest

from detector.agents.clips import Clips
from detector.agents.scenario import load_scenarios
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.resources import fixtures_dir
from detector.speech.voices import LEAST_SECONDS, cepstra, tell_voices_apart

DEMO = fixtures_dir() / "demo"


def speaker(scenario_id: str) -> list[Samples]:
    """All that one caller of the demo says, a clip an utterance, through A-law as a telephone has it."""
    clips = Clips(DEMO / "clips")
    scenario = next(
        each for each in load_scenarios(DEMO / "scenarios.jsonl").scenarios if each.id == scenario_id
    )
    paths = [clips.path(scenario.id, text, 0) for text in scenario.utterances]
    return [decode_alaw(encode_alaw(read_clip(path))) for path in paths if path is not None]


SPEAKERS = (
    "demo-courier",
    "demo-insurance-agent",
    "demo-friend-mortgage",
    "demo-english-friend",
    "demo-warranty-recording",
)
UNLIKE = [
    ("demo-courier", "demo-insurance-agent"),
    ("demo-courier", "demo-friend-mortgage"),
    ("demo-friend-mortgage", "demo-english-friend"),
    ("demo-insurance-agent", "demo-warranty-recording"),
]


@pytest.mark.parametrize("name", SPEAKERS)
def test_one_voice_is_one(name: str) -> None:
    turns = speaker(name)
    voices = tell_voices_apart(turns)
    assert voices.count == 1
    assert voices.labels == (0,) * len(turns)
    assert voices.seconds[0] == pytest.approx(sum(len(turn) for turn in turns) / SAMPLE_RATE)
    assert voices.margin < 0


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_two_voices_are_two(one: str, other: str) -> None:
    first, second = speaker(one)[:3], speaker(other)[:3]
    turns = list(itertools.chain.from_iterable(zip(first, second, strict=True)))
    voices = tell_voices_apart(turns)
    assert voices.count == 2
    groups = {voices.labels[::2], voices.labels[1::2]}
    assert groups == {(0, 0, 0), (1, 1, 1)}
    assert voices.seconds[0] >= voices.seconds[1], "the voice that speaks most is number 0"
    assert voices.labels[0] == (0 if sum(map(len, first)) >= sum(map(len, second)) else 1)


def test_a_voice_that_speaks_for_minutes_does_not_become_two() -> None:
    prompts = sorted((fixtures_dir() / "prompts").glob("zh-*.wav"))
    rng = np.random.default_rng(5)
    turns = [read_clip(path) for path in prompts]
    noisy = [
        np.asarray(turn + np.rint(rng.normal(0, 20, len(turn))), np.int16) for _ in range(4) for turn in turns
    ]
    assert sum(map(len, noisy)) > 200 * SAMPLE_RATE
    assert tell_voices_apart(noisy).count == 1


def test_a_turn_too_short_for_a_judgement_goes_to_the_nearer_voice() -> None:
    courier, agent = speaker("demo-courier"), speaker("demo-insurance-agent")
    loud = int(np.abs(courier[3].astype(np.int32)).argmax())
    short = courier[3][max(0, loud - 2000) : loud + 2000]
    assert len(short) < LEAST_SECONDS * SAMPLE_RATE
    turns = [courier[0], agent[0], courier[1], agent[1], short]
    voices = tell_voices_apart(turns)
    assert voices.count == 2
    assert voices.labels[4] == voices.labels[0] == voices.labels[2]
    assert sum(voices.seconds) == pytest.approx(sum(map(len, turns)) / SAMPLE_RATE)


def test_the_level_of_a_voice_does_not_make_another_of_it() -> None:
    turns = speaker("demo-courier")
    quieter = [np.asarray(turn // 4 if number % 2 else turn, np.int16) for number, turn in enumerate(turns)]
    assert tell_voices_apart(quieter).count == 1


@pytest.mark.parametrize("turns", [[], [np.zeros(100, np.int16)], [np.zeros(SAMPLE_RATE, np.int16)] * 3])
def test_nothing_said_is_no_second_voice(turns: list[Samples]) -> None:
    voices = tell_voices_apart(turns)
    assert voices.count == min(1, len(turns))
    assert voices.labels == (0,) * len(turns)


def test_cepstra_have_one_row_a_loud_frame() -> None:
    assert cepstra(np.zeros(10, np.int16)).shape == (0, 12)
    tone = np.asarray(8000 * np.sin(np.arange(SAMPLE_RATE) * 0.3), np.int16)
    half_silent = np.concatenate([tone, np.zeros(SAMPLE_RATE, np.int16)])
    assert cepstra(tone).shape == (97, 12)
    assert 97 <= len(cepstra(half_silent)) <= 101, "the silent half is no speech of the voice"
