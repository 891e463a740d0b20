"""The number plan: one spelling for every way of writing a number, and what the number alone says.

China's plan is our own table, because the general libraries know no virtual operators, call leased access
numbers invalid and read service numbers as landlines. The rest of the world comes from `phonenumbers`, which
is imported only when a foreign number is met.
"""

from detector.number_plan.blocks import block_of
from detector.number_plan.canonical import normalize
from detector.number_plan.classes import NumberClass, NumberKind, classify

__all__ = ["NumberClass", "NumberKind", "block_of", "classify", "normalize"]
