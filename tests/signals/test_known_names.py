"""Asking for somebody of the household by name speaks a little for a caller."""

import pytest

from detector.signals.known_names import LLR, KnownNames


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("王小林", "请问王小林在家吗"),
        ("王小林", "我找一下王晓林"),  # as recognition may write it
        ("王小林", "王小林，你的快递"),
        ("Kate", "Hi, is Kate there?"),
        ("Kate", "Hi, is this Kate?"),
        ("Kate", "Kate’s phone?"),
        ("Kate", "Kate! It's mum"),
        ("Kate", "请问Kate在吗"),
        ("Mary Ann", "I would like to speak to Mary Ann, please."),
        ("Smith", "Is this Mr. Smith?"),
        ("O'Brien", "Is that O'Brien's house?"),
    ],
)
def test_a_name_of_the_household_is_heard(name: str, text: str) -> None:
    evidence = KnownNames([name]).observe(text, 1.0, 2.0)
    assert [item.source for item in evidence] == ["wanted.names_callee"]
    assert evidence[0].llr < 0
    assert name not in evidence[0].detail


def test_it_counts_once() -> None:
    names = KnownNames(["王小林"])
    assert names.observe("王小林在吗", 1.0, 2.0)
    assert not names.observe("我找王小林", 3.0, 4.0)


@pytest.mark.parametrize("name", ["王", "Wang"])
@pytest.mark.parametrize("text", ["请问是王先生家吗", "请问汪女士在吗", "喂王老师啊"])
def test_a_surname_counts_before_a_title_and_less(name: str, text: str) -> None:
    (evidence,) = KnownNames([name]).observe(text, 1.0, 2.0)
    assert LLR < evidence.llr < 0


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "请问王小姐在家吗"),
        (["王"], "我往家里打过电话了"),
        (["王"], "请问李先生在吗"),
        (["林先生"], "请问王小姐在家吗"),
        (["Ann"], "Announcements, anna and an offer"),
        (["Kate", "李"], "你好，有您的快递"),
        (["", "?", "A"], "A? 你好 a"),
        (["O'Brien", "Mary-Ann"], "你好，先生，方便吗"),
    ],
)
def test_others_are_not(names: list[str], text: str) -> None:
    assert not KnownNames(names).observe(text, 1.0, 2.0)
