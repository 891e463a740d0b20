"""Whose number alone keeps a caller from being hung up on."""

import pytest

from detector.call import CallInfo
from detector.signals.observers import Observers
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher


@pytest.mark.parametrize(
    ("number", "asserted", "is_protected"),
    [
        ("96110", None, True),
        ("95588", None, True),
        ("95588", "95588", True),
        ("95588", "17012345678", False),
        ("95566", "95588", True),
        ("0095588", None, False),
        ("10001", None, False),
        ("13800138000", None, False),
        (None, None, False),
    ],
)
def test_a_banks_own_number_protects_its_caller_unless_the_network_knows_another(
    number: str | None, asserted: str | None, is_protected: bool
) -> None:
    call = CallInfo("call", number=number, asserted_number=asserted)
    observers = Observers(call, Matcher(Lexicon.load()))
    assert observers.is_protected_number is is_protected
