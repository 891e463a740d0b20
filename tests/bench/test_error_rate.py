import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.bench.error_rate import Errors, bootstrap_difference, cardinal, count_errors, error_rate

VALUES = {"零": 0, **{digit: n for n, digit in enumerate("一二三四五六七八九", 1)}}


def read_back(text: str) -> int:
    """The value of a Mandarin cardinal, by the rules of reading rather than of writing."""
    total = section = digit = 0
    for character in text:
        if character in VALUES:
            digit = VALUES[character]
        elif character in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
        elif character == "万":
            total += (section + digit) * 10_000
            section = digit = 0
        else:
            total = (total + section + digit) * 100_000_000
            section = digit = 0
    return total + section + digit


@pytest.mark.parametrize(
    ("number", "read"),
    [
        (0, "零"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (105, "一百零五"),
        (110, "一百一十"),
        (1001, "一千零一"),
        (1100, "一千一百"),
        (10_000, "一万"),
        (10_010, "一万零一十"),
        (100_000, "十万"),
        (3_281_138, "三百二十八万一千一百三十八"),
        (100_000_001, "一亿零一"),
    ],
)
def test_cardinals(number: int, read: str) -> None:
    assert cardinal(number) == read


@given(st.integers(0, 10**12 - 1))
def test_cardinals_read_back(number: int) -> None:
    assert read_back(cardinal(number)) == number


@pytest.mark.parametrize(
    ("reference", "heard"),
    [
        ("三百二十八万一千一百三十八点四八", "3,281,138.48"),
        ("三百二十八万一千一百三十八点四八", "328万1138.48"),
        ("一名六零岁左右的工人", "一名60岁左右的工人"),
        ("两百块", "200块"),
        ("两位嘉宾", "2位嘉宾"),
        ("零点三三", "0.33"),
        ("百分之五", "5%"),
        ("幺三八", "138"),
        ("繁体字没有关系", "繁體字，沒有關係。"),
        ("Hello, it's me", "hello it's me!"),
    ],
)
def test_spelling_does_not_count(reference: str, heard: str) -> None:
    assert count_errors(reference, heard).edits == 0


@pytest.mark.parametrize(
    ("reference", "heard", "edits", "units"),
    [
        ("今天天气很好", "", 6, 6),
        ("今天天气很好", "今天天汽很好", 1, 6),
        ("今天天气很好", "今天天气很好很好", 2, 6),
        ("三百", "400", 1, 2),
        ("your car warranty", "your warranty", 1, 3),
        ("加微信", "加 WeChat", 2, 3),
    ],
)
def test_edits_are_counted(reference: str, heard: str, edits: int, units: int) -> None:
    assert count_errors(reference, heard) == Errors(edits, units)


@given(st.text(alphabet="今天气很好", max_size=12), st.text(alphabet="今天气很好", max_size=12))
def test_edits_lie_between_the_bounds_and_are_symmetric(left: str, right: str) -> None:
    edits = count_errors(left, right).edits
    assert abs(len(left) - len(right)) <= edits <= max(len(left), len(right))
    assert edits == count_errors(right, left).edits


def test_the_rate_weighs_clips_by_their_length() -> None:
    assert error_rate([Errors(1, 2), Errors(0, 8)]) == pytest.approx(0.1)


def test_the_interval_holds_the_difference_and_knows_equals() -> None:
    theirs = [Errors(n % 3, 10) for n in range(20)]
    worse = [Errors(one.edits + 1, 10) for one in theirs]
    same = bootstrap_difference(theirs, theirs)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert bootstrap_difference(worse, theirs).low == pytest.approx(0.1)
    mixed = bootstrap_difference([Errors((n * 7) % 4, 10) for n in range(20)], theirs)
    assert mixed.low < mixed.value < mixed.high
