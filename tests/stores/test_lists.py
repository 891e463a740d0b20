from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.errors import ConfigurationError, StoreConflict
from detector.number_plan import NumberKind
from detector.stores.lists import ListEntry, Lists, ListVerdict, Owner, parse_entry, parse_tagged
from detector.stores.store import Store

At = Callable[[float], datetime]
MOBILE = "13800138000"


def entry(written: str, verdict: ListVerdict = "deny", owner: Owner = "own") -> ListEntry:
    return parse_entry(written, owner, verdict)


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("+86 138 0013 8000", "number", MOBILE),
        ("95588", "number", "95588"),
        ("0571*", "prefix", "0571"),
        ("+1 (212)*", "prefix", "+1212"),
        ("400???1234", "pattern", "400???1234"),
        ("*8000", "pattern", "*8000"),
        ("+86138*", "prefix", "138"),
        ("0086 138*", "prefix", "138"),
        ("86138*", "prefix", "138"),
        ("+86 10*", "prefix", "010"),
        ("+86571*", "prefix", "0571"),
        ("+86400*", "prefix", "400"),
        ("+8695588*", "prefix", "+8695588"),
        ("0044*", "prefix", "+44"),
        ("+86138????8000", "pattern", "138????8000"),
        ("0044??1*", "pattern", "+44??1*"),
        ("category:machine_sim", "category", "machine_sim"),
    ],
)
def test_entries_are_read_as_people_write_them(written: str, kind: str, value: str) -> None:
    parsed = entry(written)
    assert (parsed.kind, parsed.value) == (kind, value)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+86138*", "+8613812345678"),
        ("+86138*", "13812345678"),
        ("+86571*", "0571-87654321"),
        ("+8610*", "+86 10 6912 3456"),
        ("0044*", "+442071234567"),
        ("+8695588*", "+8695588"),
        ("+86138????8000", "+8613812348000"),
    ],
)
def test_a_prefix_with_a_country_code_finds_the_numbers_that_begin_so(written: str, number: str) -> None:
    assert Lists([entry(written)]).find(number) == entry(written)


@pytest.mark.parametrize(
    "written", ["", "anonymous", "call me", "**", "???", "+86*", "+86?8000", "[0-9]+*", "category:robots"]
)
def test_anything_else_is_refused_without_repeating_a_number(written: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        entry(written)
    assert "\n" not in str(caught.value)


def test_a_message_about_a_bad_entry_does_not_show_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        entry("13800138000-home*x")
    assert "13800138000" not in str(caught.value)


def test_system_lists_hold_no_categories() -> None:
    with pytest.raises(ConfigurationError, match="only your own"):
        entry("category:machine_sim", owner="system")


ORDER = [
    entry(MOBILE, "allow", "own"),
    entry(MOBILE, "deny", "own"),
    entry(MOBILE, "allow", "system"),
    entry(MOBILE, "deny", "system"),
    entry("category:mobile", "deny", "own"),
]


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_the_first_tier_that_knows_the_number_decides(first: int) -> None:
    for entries in (ORDER[first:], ORDER[first:][::-1]):
        assert Lists(entries).find(f"+86{MOBILE}") == ORDER[first]


def test_a_wider_entry_of_an_earlier_tier_wins_over_a_number_of_a_later_one() -> None:
    prefix = entry("138*", "allow")
    assert Lists([prefix, entry(MOBILE, "deny"), entry(MOBILE, "deny", "system")]).find(MOBILE) == prefix


def test_within_a_tier_the_narrowest_entry_is_reported() -> None:
    entries = [entry("*8000"), entry("13*"), entry("1380013*"), entry(MOBILE)]
    assert Lists(entries).find(MOBILE) == entries[3]
    assert Lists(entries[:3]).find(MOBILE) == entries[2]
    assert Lists(entries[:2]).find(MOBILE) == entries[1]
    assert Lists(entries[:1]).find(MOBILE) == entries[0]


def test_patterns_fit_whole_numbers() -> None:
    lists = Lists([entry("400???1234")])
    assert lists.find("4005551234") is not None
    assert lists.find("40055501234") is None
    assert lists.find("4005551235") is None


def test_withheld_numbers_are_found_by_category_only() -> None:
    withheld = entry("category:withheld")
    assert Lists([entry("1*3*"), withheld]).find("anonymous") == withheld
    assert Lists([entry("*1")]).find(None) is None
    assert Lists([withheld]).find(MOBILE) is None


def test_allowing_a_category_wins_over_denying_it() -> None:
    allow, deny = entry("category:leased", "allow"), entry("category:leased", "deny")
    assert Lists([allow, deny]).find("95712345") == Lists([deny, allow]).find("95712345") == allow


@given(st.text(max_size=30))
def test_asking_never_fails(number: str) -> None:
    lists = Lists(
        [*ORDER, entry("*12*3*"), entry("0571*"), *(entry(f"category:{kind}") for kind in NumberKind)]
    )
    assert lists.find(number) is not None  # every number is of some category


def test_stored_entries_come_back(store: Store, at: At) -> None:
    kept = store.put_list_entry(parse_entry(MOBILE, "own", "deny", tag="loan", note="三次"), at(0))
    again = store.put_list_entry(parse_entry(f"+86{MOBILE}", "own", "deny", note="四次"), at(60))
    assert again.id == kept.id
    assert store.list_entries() == (again,)
    assert (again.created_at, again.tag, again.note) == (at(0), None, "四次")
    assert store.lists().find(MOBILE) == again
    assert store.lists((entry(MOBILE, "allow"),)).find(MOBILE) == entry(MOBILE, "allow")
    assert again.id is not None
    store.delete_list_entry(again.id)
    assert store.lists().find(MOBILE) is None
    with pytest.raises(StoreConflict):
        store.delete_list_entry(again.id)


def test_a_tag_decides_nothing() -> None:
    lists = Lists([parse_tagged(f"{MOBILE} loan", "own")])
    assert lists.find(MOBILE) is None
    tagged = lists.tagged(f"+86{MOBILE}")
    assert tagged is not None
    assert tagged.tag == "loan"
    assert Lists([entry(MOBILE)]).tagged(MOBILE) is None


def test_own_tags_come_before_those_of_others_and_narrow_ones_before_wide_ones() -> None:
    others = parse_tagged(f"{MOBILE} 骚扰电话", "system")
    wide, narrow = parse_tagged("+86 138* 快递", "own"), parse_tagged(f"{MOBILE} courier", "own")
    assert Lists([others, wide, narrow]).tagged(MOBILE) == narrow
    assert Lists([others, wide]).tagged(MOBILE) == wide
    assert Lists([others]).tagged(MOBILE) == others
    assert Lists([others]).tagged("anonymous") is None


@pytest.mark.parametrize(
    "written",
    ["", MOBILE, "loan", f"{MOBILE} 110", f"{MOBILE} a\x1bb", "call me loan", "category:mobile loan"],
)
def test_a_line_of_tags_holds_a_number_and_a_word(written: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_tagged(written, "own")
    assert "13912345678" not in str(caught.value)
