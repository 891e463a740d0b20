"""The desk: what every call of the service works with, and how a call may be met."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from detector.agents.session import Recognition, Scheduler
from detector.clock import Clock
from detector.screener import ScreenerOptions, ScreenerParts
from detector.service.known_audio import KnownAudio
from detector.service.spectator import Spectator
from detector.sip.protocol import Command

__all__ = ["CallDesk", "ForwardOptions", "Treatment"]


@dataclass(frozen=True, slots=True)
class ForwardOptions:
    """How and where callers are put through."""

    method: Literal["refer", "bridge"] = "refer"
    target: str | None = None
    """SIP address of the person called; without one a message is taken instead."""


Treatment = Literal["screen", "allowed", "overload", "unknown"]
"""How a caller is met: screened; put through untouched, for he is on the allow list; or without being heard, as
`unsure` says, because too many are screened already or because it is not known who he is (something broke)."""


def secret_seed() -> int:
    """What nobody outside can know or work out from other calls: 64 bits of the system's own chance."""
    return secrets.randbits(64)


@dataclass(frozen=True, slots=True)
class CallDesk:
    """What every call of the service works with."""

    send: Callable[[Command], None]
    parts: ScreenerParts
    options: Callable[[], ScreenerOptions]
    """Asked for each call: quiet hours come and go."""
    forward: ForwardOptions
    recognition: Recognition
    clock: Clock
    scheduler: Scheduler
    spectator: Spectator = field(default_factory=Spectator)
    known_audio: KnownAudio | None = None
    """None: calls are not compared with others."""
    seed: Callable[[], int] = secret_seed
    """Asked for each engine: what the agent leaves to chance must not be foreseen by callers."""
