"""Values of a file of fusion weights, checked: what is wrong with one is said with its place, "axes.playback.prior".

All raise TypeError or ValueError.
"""

import math
import reprlib
from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["count", "entries", "number", "numbers"]


def entries(
    where: str, value: object, needed: Collection[str], known: Collection[str] = ()
) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{where}: must be an object with keys, not {reprlib.repr(value)}")
    for name in sorted(needed):
        if name not in value:
            raise ValueError(f"{where}.{name} is missing")
    for name in value:
        if name not in needed and name not in known:
            raise ValueError(f"{where}: unknown key {reprlib.repr(name)}")
    return value


def count(where: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{where}: must be a whole number, not {reprlib.repr(value)}")
    return value


def number(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{where}: must be a number, not {reprlib.repr(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{where}: must be a finite number, not {reprlib.repr(value)}")
    return number


def numbers(where: str, value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where}: must be a list of numbers, not {reprlib.repr(value)}")
    return tuple(number(f"{where}[{index}]", one) for index, one in enumerate(value))
