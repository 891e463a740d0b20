"""Jitter: packets that come too late to be played.

Behind a jitter buffer nothing is heard of delays shorter than the buffer is deep; a packet that comes later is as good
as lost.
"""

import numpy as np

from detector.audio.frames import BLOCK_SECONDS

__all__ = ["Jitter"]

_BUFFER = 0.1
"""Seconds: how deep the buffer is."""
_SPIKES = 0.01
"""Share of packets that are held up ten times as long, and those behind them with them."""


class Jitter:
    """Delays of one stream of packets of 20 ms; none overtakes the one before it."""

    def __init__(self, mean: float, seed: int = 0) -> None:
        """`mean`: seconds of delay beyond the fastest packet, drawn from a gamma distribution of shape 2."""
        if mean < 0:
            raise ValueError("a mean delay is not negative")
        self._scale = mean / 2
        self._chance = np.random.default_rng(seed)
        self._sent = 0.0
        self._last_arrival = 0.0

    def is_late(self) -> bool:
        """Send the next packet and return whether it comes too late to be played."""
        delay = self._chance.gamma(2.0, self._scale) * (10 if self._chance.random() < _SPIKES else 1)
        self._last_arrival = max(self._last_arrival, self._sent + delay)
        held_up = self._last_arrival - self._sent
        self._sent += BLOCK_SECONDS
        return held_up > _BUFFER
