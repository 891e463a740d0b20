"""Packet loss in bursts, concealed in the spirit of G.711 appendix I.

Loss follows the two-state model of Gilbert: a packet after a lost one is lost with another probability than one after
a packet that came, so that losses come in bursts. A gap is filled with the last pitch period, repeated and faded over
60 ms; then comes faint noise. The first packet after a gap is blended in over 4 ms.
"""

from collections.abc import Callable

import numpy as np

from detector.audio.frames import BLOCK_SAMPLES, Samples

__all__ = ["PacketLoss"]

HISTORY = 390
"""Samples kept to find the pitch in: 48.75 ms, as in G.711 appendix I."""
SHORTEST_PERIOD = 40
LONGEST_PERIOD = 120
"""Pitch of 200 to 66 Hz; a higher one is found at a multiple of its period."""
HOLD = 80
"""Samples (10 ms) before the repeated period begins to fade."""
FADED = 480
"""Samples (60 ms) after which it is gone."""
BLEND = 32
COMFORT_NOISE = 10.0
"""RMS of what is heard in a long gap, about -70 dBFS."""


class PacketLoss:
    """Drops packets of 20 ms and fills the gaps; as many samples come out as go in."""

    def __init__(
        self, rate: float, burst: float = 1.5, seed: int = 0, is_late: Callable[[], bool] | None = None
    ) -> None:
        """`rate`: share of packets lost, 0 to below 1. `burst`: mean packets in a row, at least 1.

        `is_late` is asked of each packet: one that comes too late is lost as well.
        """
        if not 0 <= rate < 1 or burst < 1:
            raise ValueError("loss is a share below 1, in bursts of at least one packet")
        self._stay_lost = 1 - 1 / burst
        self._get_lost = min(1.0, rate / (burst * (1 - rate)))
        self._is_late = is_late
        self._chance = np.random.default_rng([seed, 0])
        self._noise = np.random.default_rng([seed, 1])
        self._history = np.zeros(HISTORY)
        self._period = np.zeros(0)
        self._in_packet = 0
        self._dropped = False
        """On the way, which the next packet's chances depend on."""
        self._lost = False
        self._gap = 0
        self._blending = 0

    def apply(self, samples: Samples) -> Samples:
        """Return `samples` (int16, shape (n,)) with the gaps of lost packets filled."""
        out = np.empty(len(samples))
        done = 0
        while done < len(samples):
            if self._in_packet == 0:
                self._begin_packet()
            count = min(BLOCK_SAMPLES - self._in_packet, len(samples) - done)
            piece = samples[done : done + count].astype(np.float64)
            out[done : done + count] = self._fill(count) if self._lost else self._pass(piece)
            self._remember(out[done : done + count])
            self._in_packet = (self._in_packet + count) % BLOCK_SAMPLES
            done += count
        filled: Samples = np.clip(np.rint(out), -32768, 32767).astype(np.int16)
        return filled

    def _begin_packet(self) -> None:
        was_lost = self._lost
        self._dropped = bool(self._chance.random() < (self._stay_lost if self._dropped else self._get_lost))
        is_late = self._is_late is not None and self._is_late()
        self._lost = self._dropped or is_late
        if self._lost and not was_lost:
            self._period = self._last_period()
            self._gap = 0
        elif was_lost and not self._lost:
            self._blending = BLEND

    def _last_period(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return the last pitch period: the lag at which the recent past resembles what was before it."""
        recent = self._history[-160:]
        best, best_match = LONGEST_PERIOD, 0.0
        for lag in range(SHORTEST_PERIOD, LONGEST_PERIOD + 1):
            earlier = self._history[-160 - lag : -lag]
            match = float(recent @ earlier) / float(np.sqrt(earlier @ earlier) + 1e-9)
            if match > best_match:
                best, best_match = lag, match
        return self._history[-best:].copy()

    def _fill(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        filled = self._repeated(count) + self._noise.standard_normal(count) * COMFORT_NOISE
        self._gap += count
        return filled

    def _repeated(self, count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        where = self._gap + np.arange(count)
        gain = np.clip((FADED - where) / (FADED - HOLD), 0, 1)
        return np.asarray(self._period[where % len(self._period)] * gain)

    def _pass(
        self, piece: np.ndarray[tuple[int], np.dtype[np.float64]]
    ) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        if not self._blending:
            return piece
        count = min(self._blending, len(piece))
        share = (BLEND - self._blending + np.arange(count)) / BLEND
        piece[:count] = piece[:count] * share + self._repeated(count) * (1 - share)
        self._gap += count
        self._blending -= count
        return piece

    def _remember(self, samples: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
        self._history = np.concatenate([self._history, samples])[-HISTORY:]
