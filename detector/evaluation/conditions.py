"""Under what conditions calls are played, and which of them a question needs."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from detector.decision.fusion import FusionModel
from detector.errors import ConfigurationError

__all__ = [
    "GRID_LOSS",
    "GRID_SIZE",
    "GRID_SNR",
    "Condition",
    "families_in",
    "fixed_subset",
    "grid",
    "leave_out",
    "without_family",
]

GRID_SNR = (30.0, 15.0, 8.0)
"""dB of speech over the background."""
GRID_LOSS = (0.0, 0.02, 0.05)
"""Shares of packets lost."""
GRID_SIZE = 100
Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class Condition:
    """Line and detector of a run."""

    snr: float = 30.0
    """dB of speech over the caller's background."""
    loss: float = 0.0
    """Share of packets lost."""
    seed: int = 0
    jitter: float = 0.0
    """Seconds of delay, on average."""
    without: str | None = None
    """A family of evidence whose weight is zero."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.snr):
            raise ConfigurationError(f"--snr {self.snr}: is no level; 30 is quiet, 8 is loud")

    @property
    def name(self) -> str:
        """As a file may be called."""
        line = f"{self.snr:g}db-{100 * self.loss:g}loss"
        return line if self.without is None else f"{line}-without-{self.without}"

    @property
    def words(self) -> str:
        line = f"{self.snr:g} dB, {100 * self.loss:g} % loss"
        return line if self.without is None else f"{line}, without {self.without}"

    def as_json(self) -> dict[str, Any]:
        return {"snr": self.snr, "loss": self.loss, "seed": self.seed, "without": self.without}


def grid(condition: Condition) -> list[Condition]:
    """Return every pairing of noise and loss."""
    return [replace(condition, snr=snr, loss=loss) for snr in GRID_SNR for loss in GRID_LOSS]


def leave_out(condition: Condition, model: FusionModel) -> list[Condition]:
    """Return the condition without each family of evidence in turn, in the order of the weights' file."""
    families = dict.fromkeys(entry.family for entry in model.sources.values())
    return [replace(condition, without=family) for family in families]


def without_family(model: FusionModel, family: str) -> FusionModel:
    """Return `model` in which `family` adds nothing.

    Its cap is what becomes zero, so that sources which stand in no file are silenced too.
    """
    return replace(model, family_caps={**model.family_caps, family: 0.0})


def families_in(model: FusionModel, sources: Iterable[str]) -> set[str]:
    """Return the families that these sources of evidence belong to.

    A call without a piece of a family would go exactly the same way without that family.
    """
    return {model.weight_of(source).family for source in sources}


def fixed_subset(named: Sequence[Named], size: int = GRID_SIZE) -> list[Named]:
    """Return `size` of them (things with an `id`), the same ones whatever else the file holds, in its order."""

    def rank(one: Named) -> bytes:
        return hashlib.sha256(str(getattr(one, "id")).encode()).digest()  # noqa: B009 - a scenario or a call

    chosen = {rank(one) for one in sorted(named, key=rank)[:size]}
    return [one for one in named if rank(one) in chosen]
