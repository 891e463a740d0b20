"""The way from the caller to the agent: background noise, G.711, lost and late packets.

    caller ─► + background of his scenario ─► A-law and back ─► packets lost or late, and concealed ─► the engine

Everything is drawn from the seed and the call's name; pieces of any size give the same audio.
"""

import hashlib

import numpy as np

from detector.agents.background import Background
from detector.agents.jitter import Jitter
from detector.agents.packet_loss import PacketLoss
from detector.agents.scenario import Noise
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw

__all__ = ["SPEECH_DBFS", "Channel"]

SPEECH_DBFS = -20.0
"""Level of active speech that the noise is measured against: that of our own clips."""
OPENING_RAMP = SAMPLE_RATE // 100


class Channel:
    """One direction of one call.

    `snr` is in dB of active speech at `speech_dbfs` over the background. `dead_air` seconds pass before the caller's
    end of the line is open and its background is heard. `loss` is the share of 20 ms packets that never arrive, in
    bursts of `burst` packets on average; `jitter` is how many seconds a packet is delayed on average.
    """

    def __init__(
        self,
        noise: Noise,
        *,
        snr: float = 30.0,
        loss: float = 0.0,
        burst: float = 1.5,
        jitter: float = 0.0,
        seed: int = 0,
        name: str = "",
        dead_air: float = 0.0,
        speech_dbfs: float = SPEECH_DBFS,
    ) -> None:
        self._background = Background(noise, derived_seed(seed, name, "background"))
        self._scale = 32768 * 10 ** ((speech_dbfs - snr) / 20)
        self._opens_at = round(dead_air * SAMPLE_RATE)
        late = Jitter(jitter, derived_seed(seed, name, "jitter")).is_late if jitter else None
        drops = derived_seed(seed, name, "loss")
        self._loss = PacketLoss(loss, burst, drops, late) if loss or jitter else None
        self._position = 0

    def apply(self, samples: Samples) -> Samples:
        """Return what arrives of `samples` (int16, shape (n,), 8 kHz); the same length."""
        noise = self._background.next(len(samples)) * self._scale
        if self._position < self._opens_at + OPENING_RAMP:
            when = self._position + np.arange(len(samples)) - self._opens_at
            noise *= np.clip(when / OPENING_RAMP, 0, 1)
        self._position += len(samples)
        mixed: Samples = np.clip(np.rint(samples + noise), -32768, 32767).astype(np.int16)
        coded = decode_alaw(encode_alaw(mixed))
        return coded if self._loss is None else self._loss.apply(coded)


def derived_seed(seed: int, name: str, purpose: str) -> int:
    """Return a seed of its own for one random process of one call."""
    return int.from_bytes(hashlib.sha256(f"{seed}|{name}|{purpose}".encode()).digest()[:8], "big")
