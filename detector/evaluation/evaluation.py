"""One evaluation: the main run, what was run beside it, and how it came about."""

from dataclasses import dataclass
from typing import Any

from detector.evaluation.compare import Comparison
from detector.evaluation.conditions import Condition
from detector.evaluation.metrics import Figures

__all__ = ["About", "Beside", "Evaluation"]


@dataclass(frozen=True, slots=True)
class About:
    """Where the calls came from."""

    source: str
    """"scenarios", "calls" or "recordings"."""
    files: tuple[str, ...]
    version: str
    day: str
    """Date of the run, ISO."""
    hang_up_at: float
    """Log-odds (nats) from which on the detector could hang up."""
    condition: Condition | None = None
    """Of the main run; None where the calls were not played here."""
    fusion: str = "as shipped"
    """Weights of the evidence."""
    failed: int = 0
    """Inputs that could not be judged, each named on standard error."""
    skipped: int = 0
    """Scenarios left out because their clips are not rendered."""

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "files": list(self.files),
            "detector": self.version,
            "day": self.day,
            "condition": self.condition and self.condition.as_json(),
            "fusion": self.fusion,
            "failed": self.failed,
            "skipped": self.skipped,
        }


@dataclass(frozen=True, slots=True)
class Beside:
    """A run under another condition, compared with the main run on the calls that both have."""

    condition: Condition
    figures: Figures
    comparison: Comparison | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            **self.condition.as_json(),
            "calls": len(self.figures.calls),
            "headline": self.figures.headline.as_json(),
            "ranking": self.figures.ranking.as_json(),
            "against_main_run": self.comparison and self.comparison.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    about: About
    figures: Figures
    lines: tuple[Beside, ...] = ()
    """Other noise and loss on all calls."""
    grid: tuple[Beside, ...] = ()
    """Noise and loss on the fixed subset."""
    left_out: tuple[Beside, ...] = ()
    """Each family of evidence in turn without weight."""
    comparison: Comparison | None = None
    """With an earlier evaluation: `before` is that one, `after` this one."""

    def as_json(self) -> dict[str, Any]:
        return {
            "format": 1,
            "about": self.about.as_json(),
            **self.figures.as_json(),
            "other_lines": [one.as_json() for one in self.lines],
            "grid": [one.as_json() for one in self.grid],
            "left_out": [one.as_json() for one in self.left_out],
            "comparison": self.comparison and self.comparison.as_json(),
        }
