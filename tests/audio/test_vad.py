"""Voice activity: silero run in a stream equals silero run whole, pieces equal the whole, trouble stays inside."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.audio.files import read_clip
from detector.audio.frames import Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.audio.level import rms_dbfs
from detector.audio.silero import WINDOW_SAMPLES, SileroStream, shared_session, upsample
from detector.audio.vad import VadOptions, VoiceActivityDetector, VoiceDecision, WebrtcGate
from detector.resources import fixtures_dir

FORMANTS = np.array(
    [[730, 1090, 2440], [270, 2290, 3010], [300, 870, 2240], [530, 1840, 2480], [570, 840, 2410]], float
)
"""Hz: of a, i, u, e and o."""


@cache
def vowels(seconds: float, pitch: float = 110.0) -> Samples:
    """Syllables that both detectors take for a voice: glottal pulses through three resonances that move."""
    count = round(8000 * seconds)
    t = np.arange(count) / 8000
    phase = np.cumsum(pitch * (1 + 0.12 * np.sin(2 * np.pi * 0.6 * t) + 0.02 * np.sin(35 * t))) / 8000 % 1
    opening = 0.5 * (1 - np.cos(np.pi * phase / 0.4))
    closing = np.cos(np.pi / 2 * (phase - 0.4) / 0.16)
    glottis = np.where(phase < 0.4, opening, np.where(phase < 0.56, closing, 0.0))
    sound = np.diff(glottis, prepend=0) + np.random.default_rng(0).normal(0, 0.003, count)
    syllable, within = np.divmod(4.5 * t, 1)
    for formant, bandwidth in zip(FORMANTS.T, (80, 100, 140), strict=True):
        here, there = formant[syllable.astype(int) % 5], formant[(syllable.astype(int) + 1) % 5]
        sound = resonate(sound, here + (there - here) * np.clip((within - 0.6) / 0.4, 0, 1), bandwidth)
    sound = sound * np.clip(1.6 * np.sin(np.pi * within), 0.03, 1)
    spoken: Samples = np.rint(9000 * sound / np.abs(sound).max()).astype(np.int16)
    return spoken


def resonate(
    sound: NDArray[np.float64], frequency: NDArray[np.float64], bandwidth: float
) -> NDArray[np.float64]:
    radius = np.exp(-np.pi * bandwidth / 8000)
    out, last, second_last = np.zeros(len(sound)), 0.0, 0.0
    for i, turn in enumerate(2 * radius * np.cos(2 * np.pi * frequency / 8000)):
        value = (1 - turn + radius**2) * sound[i] + turn * last - radius**2 * second_last
        out[i], last, second_last = value, value, last
    return out


def noise(seconds: float, dbfs: float) -> Samples:
    values = np.random.default_rng(2).normal(0, 32768 * 10 ** (dbfs / 20), round(8000 * seconds))
    hiss: Samples = np.rint(values).astype(np.int16)
    return hiss


def call() -> Samples:
    return np.concatenate([noise(1, -70), vowels(2), noise(1, -70), vowels(1), np.zeros(4000, np.int16)])


def decide(samples: Samples, size: int, detector: VoiceActivityDetector | None = None) -> list[VoiceDecision]:
    detector = detector or VoiceActivityDetector()
    return [d for start in range(0, len(samples), size) for d in detector.push(samples[start : start + size])]


class FixedJudge:
    """Says what it is told to say, then breaks where it is told to break."""

    def __init__(self, probabilities: list[float], breaks_at: int | None = None) -> None:
        self._probabilities = probabilities
        self._breaks_at = breaks_at
        self.calls = 0
        self.skipped = 0

    def skip(self, windows: Samples) -> None:
        self.skipped += len(windows) // WINDOW_SAMPLES

    def probabilities(self, windows: Samples) -> list[float]:
        return [self._next() for _ in range(len(windows) // WINDOW_SAMPLES)]

    def _next(self) -> float:
        self.calls += 1
        if self._breaks_at is not None and self.calls > self._breaks_at:
            raise RuntimeError("the model broke")
        return self._probabilities[min(self.calls, len(self._probabilities)) - 1]


class OpenGate(WebrtcGate):
    """A gate that hears speech in everything."""

    def share(self, window: Samples) -> float:
        return 1.0


class BrokenGate(WebrtcGate):
    def share(self, window: Samples) -> float:
        raise RuntimeError("the gate broke")


def unusable_gate(_mode: int) -> WebrtcGate:
    raise ImportError("no module named webrtcvad")


def test_upsampling_keeps_samples_and_finds_those_between() -> None:
    times = np.arange(415) / 8000
    low = np.sin(2 * np.pi * 1000 * times).astype(np.float32)
    heard = upsample(low)
    wanted = np.sin(2 * np.pi * 1000 * (np.arange(len(heard)) / 16000 + 15 / 8000))
    assert len(heard) == 2 * (415 - 31)
    assert np.abs(heard - wanted).max() < 0.01
    assert np.array_equal(heard[::2], low[15 : 15 + len(heard) // 2])


def one_by_one(stream: SileroStream, samples: Samples) -> list[float]:
    return [
        stream.probabilities(samples[i : i + WINDOW_SAMPLES])[0]
        for i in range(0, len(samples), WINDOW_SAMPLES)
    ]


@pytest.mark.parametrize("count", [2, 4, 5])
def test_windows_in_one_run_are_judged_like_one_after_the_other(count: int) -> None:
    samples = vowels(2)[: 60 * WINDOW_SAMPLES]
    grouped, size = SileroStream(), count * WINDOW_SAMPLES
    together = [
        value for i in range(0, len(samples), size) for value in grouped.probabilities(samples[i : i + size])
    ]
    assert together == pytest.approx(one_by_one(SileroStream(), samples), abs=1e-4)


def test_a_stream_is_judged_like_the_whole_clip() -> None:
    samples = vowels(2)[: 60 * WINDOW_SAMPLES]
    streamed = one_by_one(SileroStream(), samples)
    wide = upsample(np.concatenate([np.zeros(63, np.float32), samples.astype(np.float32) / 32768]))
    windows = np.stack([wide[512 * i : 512 * i + 576] for i in range(60)])
    zero = np.zeros((1, 1, 128), np.float32)
    whole = shared_session().run(None, {"input": windows, "h": zero, "c": zero})[0]
    assert streamed == pytest.approx(whole.tolist(), abs=1e-4)
    assert max(streamed) > 0.5


def test_a_voice_is_heard_and_noise_and_silence_are_not() -> None:
    decisions = decide(call(), 160)
    assert all(d.seconds == 0.032 for d in decisions)
    assert [d.media_time for d in decisions[:3]] == [0.0, 0.032, 0.064]
    spoken = [d.media_time for d in decisions if d.is_speech]
    assert spoken
    assert min(spoken) > 0.95
    assert max(spoken) < 5.4
    in_first = [d for d in decisions if 1.2 < d.media_time < 2.9]
    assert np.mean([bool(d.is_speech) for d in in_first]) > 0.5
    assert not any(d.is_speech for d in decisions if 3.5 < d.media_time < 3.9)


@pytest.mark.parametrize("dbfs", [-20.0, -40.0])
def test_loud_noise_opens_the_gate_but_is_no_speech(dbfs: float) -> None:
    assert not any(d.is_speech for d in decide(noise(6, dbfs), 160))


@settings(max_examples=6, deadline=None)
@given(size=st.integers(1, 4096))
def test_how_the_audio_is_cut_changes_no_decision(size: int) -> None:
    samples = call()[6000:18000]
    assert decide(samples, size) == decide(samples, len(samples))


def test_calls_side_by_side_do_not_disturb_each_other() -> None:
    calls = [vowels(1.5, pitch) for pitch in (90, 110, 140, 180)]
    alone = [decide(samples, 160) for samples in calls]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda samples: decide(samples, 160), calls))
    assert together == alone


def test_silence_never_reaches_the_judge() -> None:
    judge = FixedJudge([1.0])
    decisions = decide(np.zeros(8000, np.int16), 160, VoiceActivityDetector(judge=judge))
    assert (judge.calls, judge.skipped) == (0, len(decisions))
    assert all(d.is_speech is False and d.probability == 0.0 for d in decisions)


def after_skipping(samples: Samples, *counts: int) -> list[float]:
    """Skip so many windows, then so many, ...; and return what three more are judged to be."""
    stream = SileroStream()
    for count in counts:
        stream.skip(samples[: count * WINDOW_SAMPLES])
        samples = samples[count * WINDOW_SAMPLES :]
    return stream.probabilities(samples[: 3 * WINDOW_SAMPLES])


def test_windows_that_were_skipped_warm_the_judge_up() -> None:
    samples = vowels(1)[8 * WINDOW_SAMPLES :]
    heard_all = one_by_one(SileroStream(), samples[: 5 * WINDOW_SAMPLES])[2:]
    assert after_skipping(samples, 2) == pytest.approx(heard_all, abs=1e-4)
    heard_cold = one_by_one(SileroStream(), samples[2 * WINDOW_SAMPLES : 5 * WINDOW_SAMPLES])
    assert heard_cold != pytest.approx(heard_all, abs=1e-2)


def test_only_the_last_two_windows_that_were_skipped_count() -> None:
    samples = vowels(1)
    assert after_skipping(samples, 9) == after_skipping(samples, 6, 1, 2)
    assert after_skipping(samples, 9) == pytest.approx(
        after_skipping(samples[6 * WINDOW_SAMPLES :], 3), abs=1e-4
    )


def test_speech_begins_high_and_ends_low() -> None:
    judge = FixedJudge([0.1, 0.39, 0.4, 0.3, 0.16, 0.14, 0.3, 0.9])
    options = VadOptions(begin_probability=0.4, end_probability=0.15)
    detector = VoiceActivityDetector(options, judge=judge, gate=OpenGate)
    decisions = decide(noise(0.032 * 8, -30), WINDOW_SAMPLES, detector)
    assert [d.is_speech for d in decisions] == [False, False, True, True, True, False, False, True]


def test_media_time_starts_where_it_is_told() -> None:
    first = decide(np.zeros(512, np.int16), 512, VoiceActivityDetector(start=12.5))[0]
    assert first.media_time == 12.5


def test_without_its_judge_the_gate_decides(caplog: pytest.LogCaptureFixture) -> None:
    detector = VoiceActivityDetector(judge=FixedJudge([0.9], breaks_at=10))
    decisions = decide(call(), 160, detector)
    after = [d for d in decisions if d.media_time > 2.0]
    assert all(d.probability is None and d.is_speech is not None for d in after)
    assert any(d.is_speech for d in after)
    assert not any(d.is_speech for d in decisions if d.media_time > 5.2)
    assert len([record for record in caplog.records if "silero failed" in record.message]) == 1


def test_a_judge_that_cannot_be_loaded_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable() -> None:
        raise OSError("no such model")

    monkeypatch.setattr("detector.audio.silero.shared_session", unavailable)
    decisions = decide(vowels(1), 160, VoiceActivityDetector())
    assert any(d.is_speech for d in decisions)
    assert all(d.probability is None for d in decisions)


@pytest.mark.parametrize("gate", [BrokenGate, unusable_gate])
def test_without_its_gate_the_judge_decides(gate: type[WebrtcGate]) -> None:
    decisions = decide(call(), 160, VoiceActivityDetector(gate=gate))
    assert any(d.is_speech for d in decisions)
    assert not any(d.is_speech for d in decisions if d.media_time < 0.9)


def test_without_either_nothing_is_known() -> None:
    detector = VoiceActivityDetector(judge=FixedJudge([], breaks_at=0), gate=BrokenGate)
    decisions = decide(vowels(0.5), 160, detector)
    assert decisions
    assert all(d.is_speech is None and d.probability is None for d in decisions)


PROMPTS = sorted((fixtures_dir() / "prompts").glob("zh-*.wav"))


@pytest.mark.skipif(not PROMPTS, reason="no Mandarin prompts were rendered into audio_fixtures/prompts")
@pytest.mark.parametrize("gain", [1.0, 0.05])
def test_spoken_prompts_are_heard_loud_and_faint(gain: float) -> None:
    loud = heard = 0
    for path in PROMPTS[::8]:
        clip = read_clip(path)
        faint = np.rint(clip * gain).astype(np.int16)
        for decision in decide(decode_alaw(encode_alaw(faint)), 160):
            begin = round(decision.media_time * 8000)
            if rms_dbfs(clip[begin : begin + WINDOW_SAMPLES]) > -30:
                loud += 1
                heard += bool(decision.is_speech)
    assert loud > 100
    assert heard / loud > 0.93


DATA = os.environ.get("DETECTOR_DATA")
CLIPS = sorted(Path(DATA).glob("ten_vad/*.wav")) if DATA else []


@pytest.mark.skipif(not CLIPS, reason="DETECTOR_DATA names no folder with ten_vad/")
def test_hand_labelled_speech_through_a_law() -> None:
    hit = false = missed = 0
    for path in CLIPS[1::2]:
        samples = decode_alaw(encode_alaw(read_clip(path)))
        fields = path.with_suffix(".scv").read_text().strip().split(",")[1:]
        spans = [(float(a), float(b)) for a, b, flag in zip(*[iter(fields)] * 3, strict=True) if flag == "1"]
        for decision in decide(samples, 160):
            middle = decision.media_time + decision.seconds / 2
            label = any(start <= middle < end for start, end in spans)
            hit += bool(decision.is_speech) and label
            false += bool(decision.is_speech) and not label
            missed += not decision.is_speech and label
    # Measured by scripts/eval_vad.py; webrtcvad alone has 0.81 to 0.87 and 0.92 to 0.98.
    assert hit / (hit + false) > 0.89
    assert hit / (hit + missed) > 0.90
