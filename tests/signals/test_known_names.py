"""Asking for somebody of the household by name speaks a little for a caller."""

import pytest

from detector.signals.known_names import KnownNames


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("王小林", "请问王小林在家吗"),
        ("王小林", "我找一下王晓林"),  # as recognition may write it
        ("Kate", "Hi, is Kate there?"),
        ("Mary Ann", "I would like to speak to Mary Ann, please."),
    ],
)
def test_a_name_of_the_household_is_heard(name: str, text: str) -> None:
    evidence = KnownNames([name]).observe(text.replace("?", ""), 1.0, 2.0)
    assert [item.source for item in evidence] == ["wanted.names_callee"]
    assert evidence[0].llr < 0
    assert name not in evidence[0].detail


def test_it_counts_once() -> None:
    names = KnownNames(["王小林"])
    assert names.observe("王小林在吗", 1.0, 2.0)
    assert not names.observe("我找王小林", 3.0, 4.0)


@pytest.mark.parametrize("names", [[], ["王"], ["林先生"]])
def test_others_are_not(names: list[str]) -> None:
    assert not KnownNames(names).observe("请问王小姐在家吗", 1.0, 2.0)
