"""What a call's playback extractor says, and when it keeps silent."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.signals.evidence import Evidence
from detector.signals.fingerprint import FingerprintExtractor
from detector.signals.landmarks import Landmarks
from detector.signals.playback import KnownMatch, MatchLabel, PlaybackExtractor

TAKES = Path(__file__).parent / "takes"
PAUSE = 0.9


def take(name: str) -> Samples:
    return read_clip(TAKES / f"{name}.wav")


def alaw(wave: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Samples:
    return decode_alaw(encode_alaw(np.clip(np.rint(wave), -32768, 32767).astype(np.int16)))


def call(
    turns: Sequence[Samples], *, noise: float = 12, seed: int = 1
) -> tuple[Samples, list[tuple[float, float]]]:
    """Return a call in which `turns` are said with pauses of line noise (RMS in int16 steps), and their times."""
    random = np.random.default_rng(seed)
    pause = np.zeros(round(PAUSE * SAMPLE_RATE))
    pieces, spans, at = [pause], [], PAUSE
    for turn in turns:
        pieces += [turn.astype(float), pause]
        spans.append((at, at + len(turn) / SAMPLE_RATE))
        at = spans[-1][1] + PAUSE
    wave = np.concatenate(pieces)
    return alaw(wave + noise * random.standard_normal(len(wave))), spans


def hear(
    samples: Samples,
    spans: Sequence[tuple[float, float]],
    piece: int = 160,
    extractor: PlaybackExtractor | None = None,
) -> list[Evidence]:
    """Feed in pieces; each turn is reported 0.4 s after it ended."""
    extractor = extractor or PlaybackExtractor()
    found, at = [], 0
    for start, end in spans:
        until = round((end + 0.4) * SAMPLE_RATE)
        while at < until:
            step = min(piece, until - at)
            extractor.receive_audio(samples[at : at + step], at / SAMPLE_RATE)
            at += step
        found += extractor.turn_ended(start, end, end + 0.4)
    return found


def tune() -> Samples:
    """Eight seconds of a melody of two voices."""
    random = np.random.default_rng(3)
    wave = np.zeros(8 * SAMPLE_RATE)
    for step, degree in enumerate(random.integers(0, 15, 32)):
        at = np.arange(SAMPLE_RATE // 2)
        for voice in (262.0, 523.0):
            note = 2 ** (degree / 12) * voice
            tone = sum(np.sin(2 * np.pi * note * part * at / SAMPLE_RATE) / part for part in range(1, 6))
            place = slice(step * 2000, min(step * 2000 + len(at), len(wave)))
            wave[place] += 2500 * (tone * np.exp(-at / 1600))[: place.stop - place.start]
    return wave.astype(np.int16)


@pytest.mark.parametrize("piece", [1, 80, 160, 777, 4096])
def test_a_clip_played_twice_is_evidence_whatever_the_pieces(piece: int) -> None:
    clip = take("loan_first")[4000:28000]
    samples, spans = call([clip, take("insurance_first")[8000:20000], clip])
    found = hear(samples, spans, piece)
    assert [item.source for item in found] == ["playback.repeat"]
    item = found[0]
    assert item.axis == "playback"
    assert item.llr > 1.5
    assert spans[2][0] <= item.media_time <= spans[2][0] + 1
    assert item.arrived == pytest.approx(spans[2][1] + 0.4)
    assert "s of audio as at 0:0" in item.detail
    assert found == hear(samples, spans, 160)


def test_words_said_again_are_no_repeat() -> None:
    samples, spans = call([take("loan_first"), take("loan_faster"), take("loan_blend")])
    assert hear(samples, spans) == []


@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.2])
def test_short_words_never_fire_alone(seconds: float) -> None:
    word = take("loan_first")[round(0.5 * SAMPLE_RATE) : round((0.5 + seconds) * SAMPLE_RATE)]
    samples, spans = call([word] * 5)
    assert hear(samples, spans) == []


def test_music_tones_and_hum_are_no_words() -> None:
    at = np.arange(5 * SAMPLE_RATE) / SAMPLE_RATE
    ringback = (6000 * np.sin(2 * np.pi * 450 * at) * (at < 1)).astype(np.int16)
    parts = np.arange(6, 60)[:, None]
    hum = (600 * np.sin(2 * np.pi * 50 * parts * at).sum(axis=0)).astype(np.int16)
    for sound in (tune(), ringback, hum, np.zeros(5 * SAMPLE_RATE, np.int16)):
        samples, spans = call([sound] * 3)
        assert hear(samples, spans) == []


def test_a_background_that_repeats_is_no_repeat_of_the_words() -> None:
    """A television or a loop of noise 10 dB under two different speakers."""
    first, second = take("loan_first")[:48000], take("insurance_first")[:48000]
    behind = take("same-words-other-voice_first")[: len(first)] * 0.3
    samples, spans = call([(first + behind).astype(np.int16), (second + behind).astype(np.int16)])
    assert hear(samples, spans) == []


def prompt_of(clip: Samples) -> Landmarks:
    extractor = FingerprintExtractor()
    extractor.push(clip)
    return extractor.landmarks(0, extractor.seconds)


@pytest.mark.parametrize("level", [0.1, 0.018])
def test_the_echo_of_a_prompt_is_not_the_caller(level: float) -> None:
    prompt = take("insurance_first")
    echo = (level * prompt).astype(np.int16)
    samples, spans = call([echo, take("loan_first"), echo])
    knows = PlaybackExtractor()
    for at in (0, 2):
        knows.prompt_started(prompt_of(prompt), spans[at][0] - 0.2)
    assert hear(samples, spans, extractor=knows) == []
    assert len(hear(samples, spans)) == 1, "without the prompt it is a repeat"


def test_the_agents_echo_is_no_fingerprint_of_the_caller() -> None:
    prompt, said = take("insurance_first")[4000:-4000], take("loan_first")[: 2 * SAMPLE_RATE]
    samples, spans = call([(0.05 * prompt).astype(np.int16), said])
    deaf, knows = PlaybackExtractor(), PlaybackExtractor()
    knows.prompt_started(prompt_of(prompt), spans[0][0] - 0.1)
    for extractor in (deaf, knows):
        hear(samples, spans, extractor=extractor)
    assert deaf.fingerprint_ready() is not None
    assert knows.fingerprint_ready() is None
    assert knows.fingerprint_ready(at_end=True) is None, "2 s of the caller are too little"


def test_a_fingerprint_holds_what_the_caller_said_and_no_echo() -> None:
    prompt = take("insurance_first")
    samples, spans = call([(0.05 * prompt).astype(np.int16), take("loan_first")])
    extractor = PlaybackExtractor()
    extractor.prompt_started(prompt_of(prompt), spans[0][0] - 0.1)
    hear(samples, spans, extractor=extractor)
    ready = extractor.fingerprint_ready()
    assert ready is not None
    assert (ready.times / 100 > spans[1][0] - 0.1).mean() > 0.9


def test_a_message_in_a_loop_counts_each_second_once() -> None:
    """Turns that are cut in the middle overlap in what they compare; the evidence does not grow without end."""
    clip = take("loan_first")
    samples, _ = call([np.concatenate([clip] * 3)])
    whole = 3 * len(clip) / SAMPLE_RATE
    cuts = [(PAUSE + at, PAUSE + min(at + 4.1, whole)) for at in np.arange(0, whole, 4.1)]
    found = hear(samples, cuts)
    assert found
    assert found[0].media_time > PAUSE + 5.5
    assert sum(item.llr for item in found) <= 3.5 + 1e-9
    assert all(item.llr >= 0 for item in found)


def test_a_gap_in_the_audio_keeps_the_times_right() -> None:
    samples, spans = call([take("loan_first"), take("insurance_first"), take("loan_first")])
    extractor = PlaybackExtractor()
    gap_start, gap_end = (round(at * SAMPLE_RATE) for at in (spans[1][0], spans[1][1]))
    extractor.receive_audio(samples[:gap_start], 0.0)
    extractor.turn_ended(*spans[0], spans[0][1])
    extractor.receive_audio(samples[gap_end:], gap_end / SAMPLE_RATE)
    (found,) = extractor.turn_ended(*spans[2], spans[2][1])
    assert found.media_time == pytest.approx(spans[2][0] + 0.5, abs=0.3)


def test_the_fingerprint_is_ready_once_after_five_seconds_of_speech() -> None:
    samples, spans = call(
        [take("loan_first")[: 3 * SAMPLE_RATE], take("insurance_first"), take("loan_first")]
    )
    extractor = PlaybackExtractor()
    extractor.receive_audio(samples, 0.0)
    ready = []
    for start, end in spans:
        extractor.turn_ended(start, end, end)
        ready.append(extractor.fingerprint_ready())
    assert ready[0] is None
    assert ready[2] is None
    assert ready[1] is not None
    assert (ready[1].start, ready[1].end) == (spans[0][0], spans[1][1])
    times = ready[1].times / 100
    assert not ((times > spans[0][1]) & (times < spans[1][0] - 0.1)).any(), "pauses are left out"


def test_of_a_call_that_is_over_three_seconds_are_enough() -> None:
    samples, spans = call([take("loan_first")[: round(3.4 * SAMPLE_RATE)]])
    extractor = PlaybackExtractor()
    extractor.receive_audio(samples, 0.0)
    extractor.turn_ended(*spans[0], spans[0][1])
    assert extractor.fingerprint_ready() is None
    assert extractor.fingerprint_ready(at_end=True) is not None
    assert extractor.fingerprint_ready(at_end=True) is None


def pauses_of_zeros(noisy: int, silent: int) -> tuple[Samples, list[tuple[float, float]]]:
    clip = take("loan_first")[4000:36000]
    samples, spans = call([clip + np.int16(k) for k in range(noisy + silent + 1)], noise=40)
    samples = samples.copy()
    for start in (end for _, end in spans[noisy:-1]):
        at = round((start + 0.05) * SAMPLE_RATE)
        samples[at : at + round((PAUSE - 0.1) * SAMPLE_RATE)] = 8
    return samples, spans


@pytest.mark.parametrize(
    ("noisy", "silent", "count"), [(2, 2, 1), (1, 3, 1), (2, 0, 0), (0, 3, 0), (2, 1, 0)]
)
def test_zeros_between_clips_count_where_other_pauses_have_noise(noisy: int, silent: int, count: int) -> None:
    samples, spans = pauses_of_zeros(noisy, silent)
    found = [item for item in hear(samples, spans) if item.source == "playback.digital_silence"]
    assert len(found) == count
    assert all(0 < item.llr < 1 for item in found)


@pytest.mark.parametrize(
    ("label", "numbers", "axis", "low", "high"),
    [
        ("unwanted", 3, "playback", 3, 5),
        ("unwanted", None, "playback", 3, 5),
        ("unwanted", 0, "playback", 1, 2),
        ("unlabelled", 3, "playback", 1, 3),
        ("unlabelled", 0, "playback", 0, 1),
        ("unlabelled", None, "playback", 0, 1),
        ("notice", 3, "wanted", -4, -1),
        ("notice", 0, "wanted", -4, -1),
        ("wanted", 3, "wanted", -1, 0),
    ],
)
def test_known_audio_is_weighed_by_what_it_was(
    label: MatchLabel, numbers: int | None, axis: str, low: float, high: float
) -> None:
    match = KnownMatch(seconds=4.2, media_time=1.5, label=label, calls=5, numbers=numbers)
    (found,) = PlaybackExtractor().receive_matches([match], 7.0)
    source = "playback.known.wanted" if axis == "wanted" else "playback.known"
    assert (found.source, found.axis, found.media_time, found.arrived) == (source, axis, 1.5, 7.0)
    assert low < found.llr < high
    assert found.detail.startswith("the same 4.2 s of audio as in 5 other calls")


def test_the_longest_of_several_matches_speaks() -> None:
    short = KnownMatch(seconds=2, media_time=0, label="unwanted")
    long = KnownMatch(seconds=5, media_time=0, label="notice")
    (found,) = PlaybackExtractor().receive_matches([short, long], 7.0)
    assert found.axis == "wanted"
    assert PlaybackExtractor().receive_matches([], 7.0) == []
