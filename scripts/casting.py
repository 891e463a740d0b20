"""Who speaks a scenario: voices drawn by the scenario's id, so that every run casts the same.

Scenarios fall into three folds by their id, and no two folds share a base voice: what is learned on two folds can
be measured on the third without meeting a known voice. Kinds of callers share one distribution, so that the voice
tells nothing about them.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from detector.call import Language

__all__ = ["FOLDS", "Voice", "cast", "fold_of"]

FOLDS = 3
_POOLS: dict[Language, tuple[tuple[str, ...], ...]] = {
    "zh": (
        ("zf_xiaobei", "zm_yunjian"),
        ("zf_xiaoxiao", "zm_yunxi"),
        ("zf_xiaoyi", "zm_yunxia", "zm_yunyang"),
    ),
    "en": (
        ("af_heart", "am_michael", "bf_emma"),
        ("af_bella", "am_fenrir", "bm_george"),
        ("af_sarah", "am_puck", "af_kore"),
    ),
}
SPEEDS = (1.0, 1.22)
PITCHES = (0.95, 1.06)
TAKE_SPEED_STEPS = (1.0, 0.93, 1.06)
"""Further takes of a string are this much quicker: the model itself never says a string in two ways."""


@dataclass(frozen=True, slots=True)
class Voice:
    blend: tuple[tuple[str, float], ...]
    """Base voices and their weights, summing to 1."""
    speed: float
    pitch: float
    """Pitch and formants of the speaker, relative to the blend; the pace is kept."""

    def take(self, number: int) -> "Voice":
        """Return the voice for take `number` of a string."""
        return Voice(self.blend, round(self.speed * TAKE_SPEED_STEPS[number], 4), self.pitch)

    def __str__(self) -> str:
        names = "+".join(f"{name}:{weight:g}" for name, weight in self.blend)
        return f"{names}@{self.speed:g}^{self.pitch:g}"


def _generator(scenario_id: str, salt: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{salt}|{scenario_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "big"))


def fold_of(scenario_id: str) -> int:
    """Return the fold of a scenario, 0 to FOLDS - 1."""
    return hashlib.sha256(f"fold|{scenario_id}".encode()).digest()[0] % FOLDS


def cast(scenario_id: str, language: Language) -> Voice:
    """Return the voice of a scenario's caller."""
    generator = _generator(scenario_id, "voice")
    pool = _POOLS[language][fold_of(scenario_id)]
    first, second = generator.choice(len(pool), size=2, replace=False)
    share = round(float(generator.uniform(0.55, 1.0)), 2)
    return Voice(
        ((pool[first], share), (pool[second], round(1 - share, 2))),
        round(float(generator.uniform(*SPEEDS)), 3),
        round(float(generator.uniform(*PITCHES)), 3),
    )
