"""Blocks: numbers that are given out together, and are often rented together.

Who was turned away with one number comes back with the next one of his block. A block is small enough that two
strangers hardly share it within minutes, and large enough for what a renter gets.
"""

from typing import Final

from detector.number_plan.canonical import is_machine_sim, is_mobile, normalize
from detector.number_plan.service_numbers import find_service, is_leased

__all__ = ["block_of"]

_LEASED_DIGITS: Final = 5
_LEASED_DIGITS_952: Final = 6
_MOBILE_REST: Final = 4
"""Digits: mobile numbers go to operators and towns by the ten thousand."""
_LANDLINE_REST: Final = 3
"""Lines of an exchange are rented by the hundred and the thousand."""
_SHORTEST: Final = 8


def block_of(number: str | None) -> str:
    """Return the digits that all numbers of a block begin with, as `normalize` spells them; "" where it has none.

    Of a leased access number, whose holder adds digits as he likes, they are the holder's.
    """
    digits = normalize(number)
    if is_leased(digits):
        return digits[: _LEASED_DIGITS_952 if digits.startswith("952") else _LEASED_DIGITS]
    if len(digits) < _SHORTEST or find_service(digits.removeprefix("+86")) is not None:
        return ""
    if is_mobile(digits) or is_machine_sim(digits):
        return digits[:-_MOBILE_REST]
    return digits[:-_LANDLINE_REST]
