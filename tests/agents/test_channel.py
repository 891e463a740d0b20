from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.agents.background import Background
from detector.agents.channel import SPEECH_DBFS, Channel
from detector.agents.jitter import Jitter
from detector.agents.packet_loss import PacketLoss
from detector.agents.scenario import Noise
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples

KINDS: tuple[Noise, ...] = get_args(Noise)
NOISES = tuple(kind for kind in KINDS if kind != "none")
SIZES = (1, 79, 160, 4096)


def level(samples: NDArray[np.generic]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2)) / 32768 + 1e-12))


def voiced(seconds: float, pitch: float = 120.0) -> Samples:
    """Return a pulse-like sound with a pitch, at -20 dBFS."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = sum(np.cos(2 * np.pi * pitch * order * time) / order for order in range(1, 20))
    return np.asarray(wave / np.sqrt(np.mean(np.square(wave))) * 3277).astype(np.int16)


def chunked(channel: Channel | PacketLoss, samples: Samples, size: int) -> Samples:
    pieces = [channel.apply(samples[start : start + size]) for start in range(0, len(samples), size)]
    return np.concatenate(pieces)


@pytest.mark.parametrize("kind", NOISES)
@pytest.mark.parametrize("snr", [5.0, 20.0])
def test_noise_is_as_far_below_speech_as_asked(kind: Noise, snr: float) -> None:
    channel = Channel(kind, snr=snr, seed=4, name="call")
    heard = channel.apply(np.zeros(30 * SAMPLE_RATE, np.int16))
    assert level(heard) == pytest.approx(SPEECH_DBFS - snr, abs=1.0)


def test_without_noise_only_the_codec_is_heard() -> None:
    speech = voiced(2.0)
    heard = Channel("none", snr=0.0).apply(speech)
    error = heard.astype(float) - speech
    assert level(speech) - level(error) > 30


def test_the_codec_gives_only_levels_of_a_law() -> None:
    rng = np.random.default_rng(1)
    heard = Channel("none").apply(rng.integers(-32768, 32768, 50_000).astype(np.int16))
    assert len(np.unique(heard)) == 256


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_every_size_give_the_same_audio(kind: Noise) -> None:
    speech = voiced(1.0)
    first, *others = (
        chunked(Channel(kind, snr=10, loss=0.1, seed=2, name="x", dead_air=0.3), speech, size)
        for size in SIZES
    )
    assert len(first) == len(speech)
    assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("kind", NOISES)
def test_every_call_has_its_own_background_and_none_repeats(kind: Noise) -> None:
    ours, theirs = (Background(kind, seed).next(40 * SAMPLE_RATE) for seed in (1, 2))
    assert abs(np.corrcoef(ours, theirs)[0, 1]) < 0.1
    spectrum = np.fft.rfft(ours - ours.mean(), 2 * len(ours))
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)[: len(ours)]
    # Beyond the length of a vehicle or a note nothing comes back.
    assert np.abs(likeness[10 * SAMPLE_RATE : 35 * SAMPLE_RATE]).max() < 0.2 * likeness[0]


def test_the_kinds_differ_where_they_should() -> None:
    def share(kind: Noise, lowest: float, highest: float) -> float:
        wave = Background(kind, 5).next(14 * SAMPLE_RATE)
        power = np.abs(np.fft.rfft(wave)) ** 2
        frequency = np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE)
        return float(power[(frequency >= lowest) & (frequency < highest)].sum() / power.sum())

    assert share("wind", 0, 300) > 0.7
    assert share("car", 0, 300) > share("street", 0, 300) > share("street", 2000, 4000)
    assert share("office", 300, 3400) > 0.6


def test_dead_air_comes_before_the_background() -> None:
    heard = Channel("office", snr=15, dead_air=1.5).apply(np.zeros(3 * SAMPLE_RATE, np.int16))
    border = round(1.5 * SAMPLE_RATE)
    assert level(heard[:border]) < -70
    assert level(heard[border + 800 :]) > -45


@pytest.mark.parametrize(("rate", "burst"), [(0.02, 1.0), (0.05, 1.5), (0.2, 3.0)])
def test_packets_are_lost_at_the_rate_and_in_the_bursts_asked(rate: float, burst: float) -> None:
    packets = 20_000
    loss = PacketLoss(rate, burst, seed=3)
    sent = np.full(packets * BLOCK_SAMPLES, 5000, np.int16)
    heard = loss.apply(sent).reshape(packets, BLOCK_SAMPLES)
    lost = (heard[:, -1] != 5000).astype(int)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], lost, [0]]))))[::2]
    assert lost.mean() == pytest.approx(rate, rel=0.15)
    assert runs.mean() == pytest.approx(burst, rel=0.1)


def test_no_loss_changes_nothing() -> None:
    speech = voiced(1.0)
    assert np.array_equal(PacketLoss(0.0).apply(speech), speech)


def test_a_short_gap_goes_on_with_the_pitch() -> None:
    speech = voiced(4.0)
    filled = PacketLoss(0.03, 1.0, seed=8).apply(speech)
    missing = np.flatnonzero((filled != speech).reshape(-1, BLOCK_SAMPLES).sum(axis=1) > 100)
    assert len(missing) >= 3
    for packet in missing:
        part = slice(packet * BLOCK_SAMPLES, (packet + 1) * BLOCK_SAMPLES)
        assert np.corrcoef(filled[part], speech[part])[0, 1] > 0.8


def test_a_long_gap_fades_to_faint_noise_and_never_to_digital_silence() -> None:
    speech = voiced(30.0)
    filled = PacketLoss(0.5, 12.0, seed=1).apply(speech).reshape(-1, BLOCK_SAMPLES)
    faint = [packet for packet in filled if level(packet) < -60]
    assert faint
    assert all(len(np.unique(packet)) > 10 for packet in faint)


@pytest.mark.parametrize(("rate", "burst"), [(-0.1, 1.0), (1.0, 1.0), (0.1, 0.5)])
def test_impossible_loss_is_refused(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="loss"):
        PacketLoss(rate, burst)


def test_late_packets_are_lost_ones() -> None:
    late = iter([False, False, True, False])
    loss = PacketLoss(0.0, is_late=lambda: next(late))
    tone = np.rint(8000 * np.sin(np.arange(640) * 2 * np.pi * 200 / 8000)).astype(np.int16)
    heard = loss.apply(tone)
    assert np.array_equal(heard[:320], tone[:320])
    assert not np.array_equal(heard[320:480], tone[320:480])
    assert np.array_equal(heard[520:], tone[520:])


def test_an_even_line_loses_nothing_and_a_bad_one_in_bursts() -> None:
    even, bad = Jitter(0.002, seed=5), Jitter(0.03, seed=5)
    assert not any(even.is_late() for _ in range(2000))
    late = [bad.is_late() for _ in range(2000)]
    assert 0.02 < np.mean(late) < 0.2
    bursts = sum(late[at] and not late[at - 1] for at in range(1, 2000))
    assert sum(late) > 2 * bursts, "those behind a packet that is held up are late with it"
    again = Jitter(0.03, seed=5)
    assert late == [again.is_late() for _ in range(2000)]


def test_pieces_of_any_size_have_the_same_packets_late() -> None:
    samples = np.random.default_rng(2).integers(-9000, 9000, 16000).astype(np.int16)
    whole = Channel("none", jitter=0.03, seed=4).apply(samples)
    channel = Channel("none", jitter=0.03, seed=4)
    pieces = [channel.apply(samples[at : at + 333]) for at in range(0, len(samples), 333)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert not np.array_equal(whole, Channel("none", seed=4).apply(samples))
