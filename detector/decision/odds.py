"""Log-odds and probabilities."""

import math

__all__ = ["probability"]


def probability(log_odds: float) -> float:
    """The logistic function, without overflow."""
    return 0.5 * (1.0 + math.tanh(0.5 * log_odds))
