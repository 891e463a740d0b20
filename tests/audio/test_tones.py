"""Tones as networks, fax machines and keypads send them; and speech, which is none."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.audio.dtmf import COLUMNS, ROWS
from detector.audio.files import read_clip
from detector.audio.frames import Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.audio.tones import ToneDetector, ToneHeard

Wave = NDArray[np.float64]
KEYS = {
    key: (ROWS[row], COLUMNS[column])
    for row, keys in enumerate(("123A", "456B", "789C", "*0#D"))
    for column, key in enumerate(keys)
}


def tone(seconds: float, *frequencies: float, dbfs: float = -15.0) -> Wave:
    """Return sines, each of `dbfs` (of a full-scale sine)."""
    t = np.arange(round(8000 * seconds)) / 8000
    return sum((10 ** (dbfs / 20) * np.sin(2 * np.pi * f * t) for f in frequencies), np.zeros(len(t)))


def pause(seconds: float) -> Wave:
    return np.zeros(round(8000 * seconds))


def line(*parts: Wave, noise_dbfs: float = -60.0, seed: int = 1) -> Samples:
    """Join `parts`, add line noise, send it through A-law."""
    wave = np.concatenate(parts)
    wave = wave + np.random.default_rng(seed).normal(0, 10 ** (noise_dbfs / 20), len(wave))
    samples: Samples = np.clip(np.rint(32767 * wave), -32768, 32767).astype(np.int16)
    return decode_alaw(encode_alaw(samples))


def hear(samples: Samples, size: int = 160, start: float = 0.0) -> list[ToneHeard]:
    detector = ToneDetector(start)
    return [
        heard
        for begin in range(0, len(samples), size)
        for heard in detector.push(samples[begin : begin + size])
    ]


def digits(samples: Samples) -> str:
    return "".join(heard.digit or "?" for heard in hear(samples))


CALL_PROGRESS = [
    ("ringback", [tone(1, 450), pause(4)], 1.0, "China"),
    ("ringback", [tone(1, 425), pause(4)], 1.0, "Europe"),
    ("ringback", [tone(2, 440, 480), pause(4)], 2.0, "America"),
    ("busy", [tone(0.35, 450), pause(0.35), tone(0.35, 450), pause(1)], 1.05, "China"),
    ("busy", [tone(0.5, 480, 620), pause(0.5), tone(0.5, 480, 620), pause(1)], 1.5, "America"),
    ("congestion", [tone(0.7, 450), pause(0.7), tone(0.7, 450), pause(2)], 2.1, "China"),
    ("congestion", [tone(0.25, 480, 620), pause(0.25), tone(0.25, 480, 620), pause(1)], 0.75, "America"),
    ("dial_tone", [tone(4, 450), pause(1)], 2.6, "China"),
    ("dial_tone", [tone(4, 350, 440), pause(1)], 2.6, "America"),
    ("fax_cng", [tone(0.5, 1100), pause(2)], 0.5, "T.30"),
    ("fax_cng", [tone(0.5, 1130), pause(2)], 0.5, "T.30, 30 Hz off"),
    ("fax_ced", [tone(3, 2100), pause(1)], 1.0, "T.30"),
    ("sit", [tone(0.33, 950), tone(0.33, 1400), tone(0.33, 1800), pause(1)], 0.99, "E.180"),
    ("beep", [tone(0.4, 1000), pause(2)], 0.4, "answering machine"),
    ("beep", [tone(0.2, 1400), pause(2)], 0.2, "short"),
    ("beep", [tone(0.5, 440), pause(2)], 0.5, "near the network's tones"),
]


@pytest.mark.parametrize(
    ("kind", "parts", "seconds"),
    [
        pytest.param(kind, parts, seconds, id=f"{kind}, {where}")
        for kind, parts, seconds, where in CALL_PROGRESS
    ],
)
@pytest.mark.parametrize("offset", [0.0, 0.013, 0.027])
@pytest.mark.parametrize("noise_dbfs", [-60.0, -36.0])
def test_call_progress_fax_and_beeps(
    kind: str, parts: list[Wave], seconds: float, offset: float, noise_dbfs: float
) -> None:
    heard = hear(line(pause(0.5 + offset), *parts, noise_dbfs=noise_dbfs), start=10.0)
    assert [tone.kind for tone in heard] == [kind]
    assert heard[0].media_time == pytest.approx(10.5 + offset, abs=0.06)
    assert heard[0].seconds == pytest.approx(seconds, abs=0.09)
    assert heard[0].digit is None


def test_each_ring_is_heard() -> None:
    ring = [tone(1, 450), pause(4)]
    heard = hear(line(*ring, *ring, *ring))
    assert [tone.kind for tone in heard] == ["ringback"] * 3
    assert [tone.media_time for tone in heard] == pytest.approx([0, 5, 10], abs=0.06)


def test_a_busy_line_goes_on_and_on() -> None:
    heard = hear(line(*[tone(0.35, 450), pause(0.35)] * 10, pause(2)))
    assert [tone.kind for tone in heard] == ["busy"] * 5


def test_the_answer_tone_of_a_modem_turns_its_phase() -> None:
    steps = [tone(0.45, 2100) * (-1) ** n for n in range(6)]
    assert [tone.kind for tone in hear(line(*steps, pause(1)))] == ["fax_ced"]


def test_a_long_network_tone_followed_by_a_voice_is_no_ringback() -> None:
    speech = voice(2.0, 120)
    assert "ringback" not in [tone.kind for tone in hear(line(tone(1, 450), speech))]


def test_a_melody_means_nothing() -> None:
    notes = [tone(0.3, f) for f in (523.25, 587.33, 659.25, 698.46, 783.99, 880.0, 987.77, 1046.5)]
    assert hear(line(*notes, *notes[::-1], pause(1))) == []


@pytest.mark.parametrize("key", list(KEYS))
def test_every_digit_at_its_shortest(key: str) -> None:
    # Q.24: a tone of 40 ms must be accepted, wherever the windows fall.
    for offset in range(0, 160, 32):
        heard = hear(line(np.zeros(400 + offset), tone(0.04, *KEYS[key]), pause(0.3)))
        assert [(tone.kind, tone.digit) for tone in heard] == [("dtmf", key)], offset
        assert heard[0].media_time == pytest.approx((400 + offset) / 8000, abs=0.02)
        assert heard[0].seconds == pytest.approx(0.04, abs=0.02)


@pytest.mark.parametrize("key", list(KEYS))
def test_what_is_too_short_for_a_digit_is_none(key: str) -> None:
    # Q.24: 23 ms must be refused.
    for offset in range(0, 160, 32):
        assert digits(line(np.zeros(400 + offset), tone(0.023, *KEYS[key]), pause(0.3))) == ""


@pytest.mark.parametrize("off", [-0.015, 0.015])
@pytest.mark.parametrize("key", list(KEYS))
def test_frequencies_may_be_off_by_1_5_percent(key: str, off: float) -> None:
    row, column = KEYS[key]
    for sign in (1, -1):
        sound = tone(0.06, row * (1 + off)) + tone(0.06, column * (1 + sign * off))
        assert digits(line(pause(0.1), sound, pause(0.2))) == key


@pytest.mark.parametrize("off", [-0.035, 0.035])
@pytest.mark.parametrize("key", list(KEYS))
def test_frequencies_off_by_3_5_percent_are_refused(key: str, off: float) -> None:
    row, column = KEYS[key]
    assert digits(line(pause(0.1), tone(0.1, row * (1 + off)) + tone(0.1, column), pause(0.2))) == ""
    assert digits(line(pause(0.1), tone(0.1, row) + tone(0.1, column * (1 + off)), pause(0.2))) == ""


@pytest.mark.parametrize(("column_db", "accepted"), [(4, True), (-8, True), (9, False), (-14, False)])
def test_twist(column_db: float, accepted: bool) -> None:
    for row, column in KEYS.values():
        sound = tone(0.08, row, dbfs=-18) + tone(0.08, column, dbfs=-18 + column_db)
        heard = hear(line(pause(0.3), sound, pause(0.5)))
        assert [tone.kind for tone in heard if tone.kind == "dtmf"] == ["dtmf"] * accepted


@pytest.mark.parametrize(("dbfs", "heard"), [(-3.2, "5"), (-30, "5"), (-50, "")])
def test_level(dbfs: float, heard: str) -> None:
    assert digits(line(pause(0.1), tone(0.08, *KEYS["5"], dbfs=dbfs), pause(0.2), noise_dbfs=-70)) == heard


def test_pauses_part_digits_and_interruptions_do_not() -> None:
    for offset in range(0, 160, 32):
        lead, five = np.zeros(offset), KEYS["5"]
        assert digits(line(lead, tone(0.06, *five), pause(0.04), tone(0.06, *five), pause(0.2))) == "55"
        assert digits(line(lead, tone(0.06, *five), pause(0.01), tone(0.06, *five), pause(0.2))) == "5"


@settings(max_examples=25, deadline=None)
@given(keys=st.text("".join(KEYS), min_size=1, max_size=12), seed=st.integers(0, 1000))
def test_a_number_dialled_by_hand(keys: str, seed: int) -> None:
    lengths = np.random.default_rng(seed).uniform(0.05, 0.2, 2 * len(keys))
    parts = [
        part
        for i, key in enumerate(keys)
        for part in (tone(lengths[2 * i], *KEYS[key]), pause(lengths[2 * i + 1]))
    ]
    assert digits(line(*parts, pause(0.2), noise_dbfs=-40, seed=seed)) == keys


@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 4096))
def test_how_the_audio_is_cut_changes_nothing(size: int) -> None:
    samples = line(
        pause(0.2), tone(0.08, *KEYS["7"]), pause(0.5), tone(1, 450), pause(1.5), tone(0.4, 1000), pause(1)
    )
    whole = hear(samples, len(samples))
    assert [heard.kind for heard in whole] == ["dtmf", "ringback", "beep"]
    assert hear(samples, size) == whole


def test_a_tone_is_flagged_while_it_sounds() -> None:
    samples = line(pause(1), tone(1, 450), pause(1), tone(0.2, *KEYS["1"]), pause(1))
    detector, flags = ToneDetector(), []
    for begin in range(0, len(samples), 160):
        assert list(detector.push(samples[begin : begin + 160])) is not None
        flags.append(detector.in_tone)
    share = [
        np.mean(flags[int(50 * a) : int(50 * b)])
        for a, b in ((0, 1), (1.25, 2), (2.2, 3), (3.1, 3.2), (3.4, 4))
    ]
    assert share == [0, 1, 0, 1, 0]


def voice(seconds: float, pitch: float, seed: int = 0) -> Wave:
    """Vowels: a pulse train whose pitch moves, through two resonances that move as well."""
    rng = np.random.default_rng(seed)
    count = round(8000 * seconds)
    t = np.arange(count) / 8000
    wander = 1 + 0.15 * np.sin(2 * np.pi * 1.3 * t) + 0.03 * np.sin(2 * np.pi * 5 * t)
    phase = np.cumsum(pitch * wander) / 8000
    source = np.diff(np.floor(phase), prepend=0) + rng.normal(0, 0.01, count)
    out = np.zeros(count)
    for begin in range(0, count - 1600, 800):
        first, second = rng.uniform(300, 800), rng.uniform(900, 2500)
        impulse = np.arange(200) / 8000
        response = np.exp(-150 * impulse) * (
            np.cos(2 * np.pi * first * impulse) + 0.5 * np.cos(2 * np.pi * second * impulse)
        )
        out[begin : begin + 1600] += np.hanning(1600) * np.convolve(source, response)[begin : begin + 1600]
    spoken: Wave = 0.3 * out / np.abs(out).max() * (np.sin(2 * np.pi * 1.5 * t) > -0.7)
    return spoken


@pytest.mark.parametrize("pitch", [90, 120, 160, 200, 240, 290])
def test_a_voice_is_no_tone(pitch: float) -> None:
    samples = line(voice(8, pitch, seed=int(pitch)))
    detector, in_tone = ToneDetector(), 0
    for begin in range(0, len(samples), 160):
        assert list(detector.push(samples[begin : begin + 160])) == []
        in_tone += detector.in_tone
    assert in_tone <= 0.005 * len(samples) / 160


def test_noise_is_no_tone() -> None:
    assert hear(line(pause(30), noise_dbfs=-20)) == []


def real_speech() -> list[Path]:
    folder = os.environ.get("DETECTOR_DATA")
    return (
        []
        if folder is None
        else sorted([*Path(folder).glob("aishell3/*.flac"), *Path(folder).glob("ten_vad/*.wav")])
    )


@pytest.mark.skipif(not real_speech(), reason="DETECTOR_DATA names no folder with aishell3/ or ten_vad/")
def test_real_speech_is_no_tone() -> None:
    blocks = in_tone = 0
    for path in real_speech():
        samples = decode_alaw(encode_alaw(read_clip(path)))
        detector = ToneDetector()
        for begin in range(0, len(samples), 160):
            assert list(detector.push(samples[begin : begin + 160])) == [], path.name
            blocks += 1
            in_tone += detector.in_tone
    assert in_tone <= 0.001 * blocks


def test_what_certainly_is_a_voice_is_not_searched_and_time_goes_on() -> None:
    detector = ToneDetector()
    voice = np.random.default_rng(5).normal(0, 3000, 8000).astype(np.int16)
    assert not list(detector.push(voice, is_voice=True))
    tone = (8000 * np.sin(2 * np.pi * 1100 * np.arange(8000) / 8000)).astype(np.int16)
    heard = [*detector.push(tone), *detector.push(np.zeros(24000, np.int16))]
    assert heard
    assert heard[0].media_time == pytest.approx(1.0, abs=0.06)
