"""What the number says before anybody has spoken: little, and never an excuse."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.call import Attestation, CallInfo, NumberTag
from detector.signals.evidence import Evidence
from detector.signals.number import NUMBER_CAP, number_evidence


def by_source(evidence: list[Evidence]) -> dict[str, Evidence]:
    assert len({piece.source for piece in evidence}) == len(evidence)
    return {piece.source: piece for piece in evidence}


def total(call: CallInfo) -> float:
    return sum(piece.llr for piece in number_evidence(call))


def test_every_call_gets_the_class_of_its_number() -> None:
    (piece,) = number_evidence(CallInfo("c", "95213344812"), arrived=0.25)
    assert piece == Evidence("number.plan", 0.7, 0.0, 0.25, "leased access number", "number")


def test_a_plain_mobile_speaks_slightly_for_its_caller() -> None:
    assert -0.2 <= total(CallInfo("c", "13811220457")) < 0


@pytest.mark.parametrize("number", [None, "anonymous", "sip:anonymous@anonymous.invalid"])
def test_a_withheld_number_is_weak_evidence(number: str | None) -> None:
    assert 0 < total(CallInfo("c", number)) <= 0.3


def test_a_withheld_number_that_the_network_knows() -> None:
    found = by_source(number_evidence(CallInfo("c", "anonymous", asserted_number="13811220457")))
    assert found["number.plan"].detail == "withheld number, known to the network"
    assert "number.asserted" not in found


def test_a_bank_number_that_the_network_contradicts() -> None:
    found = by_source(number_evidence(CallInfo("c", "95588", asserted_number="+8617121886034")))
    assert found["number.asserted"].llr == pytest.approx(0.6)
    assert "ICBC" in found["number.asserted"].detail


def test_the_same_number_written_differently_is_no_contradiction() -> None:
    call = CallInfo("c", "01095588", asserted_number="95588")
    assert set(by_source(number_evidence(call))) == {"number.plan"}


def test_a_switchboard_in_front_of_an_ordinary_line_is_no_contradiction() -> None:
    call = CallInfo("c", "13811220457", asserted_number="13811220458")
    assert set(by_source(number_evidence(call))) == {"number.plan"}


def test_a_leased_number_behind_a_mobile_is() -> None:
    call = CallInfo("c", "13811220457", asserted_number="95213344")
    assert by_source(number_evidence(call))["number.asserted"].llr == pytest.approx(0.3)


def test_the_anti_fraud_centre_is_not_accused_of_forgery() -> None:
    assert total(CallInfo("c", "96110", asserted_number="01083945521")) <= 0


@pytest.mark.parametrize("level", ["A", "B", "C", None])
@pytest.mark.parametrize("number", ["95213344812", "4001234567", "0095588", "anonymous", "17071220398"])
def test_attestation_never_excuses_a_number(number: str, level: Attestation | None) -> None:
    assert total(CallInfo("c", number, attestation=level)) >= total(CallInfo("c", number))


def test_attestation_orders_clean_numbers() -> None:
    a, b, c = (total(CallInfo("c", "01083945521", attestation=level)) for level in ("A", "B", "C"))
    assert a < b < c
    assert c - a <= 0.3


def test_a_diversion_is_shown_and_weighs_nothing() -> None:
    call = CallInfo("c", "13811220457", diverted_from="sip:+8613800138000@sip.example.com")
    diverted = by_source(number_evidence(call))["number.diverted"]
    assert diverted.llr == 0
    assert total(call) == total(CallInfo("c", "13811220457"))


@pytest.mark.parametrize(
    ("text", "sign"), [("loan", 1), ("骚扰电话", 1), ("Spam", 1), ("快递", -1), ("school", -1), ("红色", 0)]
)
@pytest.mark.parametrize("is_own", [True, False])
def test_a_tag_counts_for_what_it_says_and_half_where_it_is_somebody_elses(
    text: str, sign: int, is_own: bool
) -> None:
    plain = CallInfo("c", "13811220457")
    tagged = total(replace(plain, tag=NumberTag(text, is_own))) - total(plain)
    assert tagged == pytest.approx(sign * (0.8 if is_own else 0.4))


def test_a_tag_never_says_more_than_numbers_may() -> None:
    for text in ("scam", "family"):
        call = CallInfo("c", "95213344812", tag=NumberTag(text))
        assert abs(total(call)) <= NUMBER_CAP
        assert by_source(number_evidence(call))["number.tag"].detail == f"tagged by you: {text}"


anything = st.one_of(st.none(), st.text(), st.from_regex(r"\+?[0-9]{3,13}", fullmatch=True))


@settings(deadline=None)
@given(anything, anything, anything, st.sampled_from(["A", "B", "C", None]))
def test_headers_are_never_trusted_far_nor_repeated(
    number: str | None, asserted: str | None, diverted: str | None, level: Attestation | None
) -> None:
    call = CallInfo("c", number, asserted_number=asserted, diverted_from=diverted, attestation=level)
    assert abs(total(call)) <= NUMBER_CAP + 1e-9
    for piece in number_evidence(call):
        assert piece.axis == "number"
        for secret in (number, asserted, diverted):
            # Fewer digits are a country code, 400, or a number of days.
            digits = "".join(char for char in secret or "" if char.isdigit())
            assert len(digits) < 4 or digits not in piece.detail
