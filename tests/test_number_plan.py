"""The number plan against the traps of Chinese numbering, and its promises for any input at all."""

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detector.number_plan import NumberKind, block_of, classify, normalize
from detector.number_plan.areas import AREA_CODES, landline_province


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("13800138000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0086 138 0013 8000", "13800138000"),
        ("8613800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("tel:+86-138-0013-8000;ext=1", "13800138000"),
        ("sip:13800138000@sip.example.com;user=phone", "13800138000"),
        ("sip:%2B8613800138000@sip.example.com", "13800138000"),
        ('"Li" <sip:+8613800138000@sip.example.com>;tag=77', "13800138000"),
        ("1795113800138000", "13800138000"),
        ("+861083945521", "01083945521"),
        ("+86(0)10-8394-5521", "01083945521"),
        ("861083945521", "01083945521"),
        ("83945521", "83945521"),
        ("86123456", "86123456"),
        ("01095580", "95580"),
        ("01095588", "95588"),
        ("095588", "95588"),
        ("0755956123", "956123"),
        ("01010086", "10086"),
        ("01096110", "96110"),
        ("01095213344", "95213344"),
        ("+8695213344812", "95213344812"),
        ("095195588", "95588"),
        ("09558812345", "09558812345"),
        ("09528812345", "09528812345"),
        ("+864001234567", "4001234567"),
        ("0104001234567", "4001234567"),
        ("1069123456", "1069123456"),
        ("01069123456", "01069123456"),
        ("+861069123456", "01069123456"),
        ("+86106901234567890", "106901234567890"),
        ("+95588", "+8695588"),
        ("0095588", "+8695588"),
        ("008695588", "+8695588"),
        ("+861095588", "+8695588"),
        ("0010086", "+8610086"),
        ("+12125551234", "+12125551234"),
        ("+4402079460018", "+442079460018"),
        ("tel:2125551234;phone-context=+1", "+12125551234"),
    ],
)
def test_one_spelling_for_every_way_of_writing(written: str, canonical: str) -> None:
    assert normalize(written) == canonical


@pytest.mark.parametrize(
    "written",
    [
        *(
            None,
            "",
            " ",
            "anonymous",
            "Anonymous",
            "sip:anonymous@anonymous.invalid",
            "unknown",
            "alice",
            "\x00",
        ),
        *("000000", "+", "+0", "12", "1" * 40, "tel:", "<>", "13800138000x5", "+123", "1-800-FLOWERS"),
    ],
)
def test_withheld_and_senseless_numbers_are_empty(written: str | None) -> None:
    assert normalize(written) == ""
    assert classify(written).kind is NumberKind.WITHHELD


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("13800138000", NumberKind.MOBILE),
        ("19912345678", NumberKind.MOBILE),
        ("16212345678", NumberKind.VIRTUAL_OPERATOR),
        ("16512345678", NumberKind.VIRTUAL_OPERATOR),
        ("16712345678", NumberKind.VIRTUAL_OPERATOR),
        ("17071220398", NumberKind.VIRTUAL_OPERATOR),
        ("17121886034", NumberKind.VIRTUAL_OPERATOR),
        ("17212345678", NumberKind.MOBILE),
        ("1410123456789", NumberKind.MACHINE_SIM),
        ("1440123456789", NumberKind.MACHINE_SIM),
        ("1441123456789", NumberKind.MACHINE_SIM),
        ("14612345678", NumberKind.MACHINE_SIM),
        ("1481234567890", NumberKind.MACHINE_SIM),
        ("1064712345678", NumberKind.MACHINE_SIM),
        ("14712345678", NumberKind.MOBILE),
        ("01083945521", NumberKind.LANDLINE),
        ("02087654120", NumberKind.LANDLINE),
        ("4001234567", NumberKind.TOLL_FREE),
        ("8001234567", NumberKind.TOLL_FREE),
        ("95013", NumberKind.LEASED),
        ("95188123", NumberKind.LEASED),
        ("952133", NumberKind.LEASED),
        ("95213344", NumberKind.LEASED),
        ("95213344812", NumberKind.LEASED),
        ("95712345", NumberKind.LEASED),
        ("95399", NumberKind.SERVICE),
        ("956123", NumberKind.SERVICE),
        ("95612", NumberKind.UNKNOWN),
        ("953999", NumberKind.UNKNOWN),
        ("1069", NumberKind.TEXT_PORT),
        ("106901234567", NumberKind.TEXT_PORT),
        ("1069123456", NumberKind.TEXT_PORT),
        ("+12125551234", NumberKind.FOREIGN),
        ("+85223456789", NumberKind.FOREIGN),
        ("+999123456789", NumberKind.IMPOSSIBLE),
        ("+8699999", NumberKind.IMPOSSIBLE),
        ("+8695588", NumberKind.FORGED_ABROAD),
        ("00110", NumberKind.FORGED_ABROAD),
        ("8001", NumberKind.UNKNOWN),
    ],
)
def test_kinds(number: str, kind: NumberKind) -> None:
    assert classify(number).kind is kind


@pytest.mark.parametrize(
    ("number", "claims"),
    [
        ("95588", "bank"),
        ("956123", "bank"),
        ("10086", "operator"),
        ("1008611", "operator"),
        ("12306", "railway"),
        ("12345", "authority"),
        ("12368", "authority"),
        ("12110", "police"),
        ("95338", "courier"),
        ("0095588", "bank"),
        ("13800138000", None),
    ],
)
def test_whom_a_number_claims_to_be(number: str, claims: str | None) -> None:
    assert classify(number).claims == claims


@pytest.mark.parametrize("number", ["96110", "01096110", "+8696110", "075596110", "120", "010120", "119"])
def test_the_anti_fraud_centre_and_ambulances_are_never_hung_up_on(number: str) -> None:
    assert classify(number).never_hang_up
    assert classify(number).llr <= 0


def test_numbers_that_only_receive_speak_against_their_caller() -> None:
    neutral = classify("01083945521").llr
    for number in ("110", "12110", "4001234567", "106901234567", "+8610086", "952133448"):
        assert classify(number).llr > neutral + 0.5


def test_genuine_authorities_and_operators_are_nearly_neutral() -> None:
    for number in ("10086", "10010", "10000", "12345", "12368", "12306", "95588"):
        assert abs(classify(number).llr) <= 0.1
        assert not classify(number).never_hang_up


def test_couriers_on_virtual_operators_are_hardly_burdened() -> None:
    assert 0 < classify("17071220398").llr <= 0.3


def test_regions() -> None:
    assert classify("075512345678").region is None  # no subscriber's number begins with 1
    assert classify("075522345678").region == "广东"
    assert classify("02087654120").display == "landline, Guangdong"
    assert classify("+442079460018").region == "GB"


def test_area_codes_hold_every_province_and_no_doubtful_code() -> None:
    assert len(set(AREA_CODES.values())) == 31
    assert all(len(code) == 3 or code[0] in "12" for code in AREA_CODES)
    two_digit = {code for code in AREA_CODES if len(code) == 2}
    assert not any(code[:2] in two_digit for code in AREA_CODES if len(code) == 3)
    assert landline_province("9118234567") is not None


def test_importing_the_plan_does_not_load_the_numbering_of_the_world() -> None:
    code = (
        "import sys; from detector.number_plan import classify;"
        "classify('01095580'); classify('+8613800138000'); print('phonenumbers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own interpreter
    assert done.stdout.strip() == "False"


numberlike = st.from_regex(r"(\+|00|0|86|\+86|17951|010|0951)?[0-9]{0,16}", fullmatch=True)
service_like = st.from_regex(
    r"(\+|00|0|\+86|0086|86|010|0953)?(9[56]|1[0-4]|400|106)[0-9]{1,10}", fullmatch=True
)
anything = st.one_of(st.none(), st.text(), numberlike, service_like)


@settings(deadline=None)
@given(anything)
@example("+4400000201234567")
@example("0" * 20)
@example("+86000000")
def test_any_input_has_one_spelling_and_one_class(number: str | None) -> None:
    canonical = normalize(number)
    assert normalize(canonical) == canonical
    assert classify(canonical) == classify(number)
    assert canonical.removeprefix("+").isascii()
    assert canonical == "" or canonical.removeprefix("+").isdigit()
    assert abs(classify(number).llr) <= 0.7


@settings(deadline=None)
@given(st.sampled_from(sorted(AREA_CODES)), st.from_regex(r"[2-8][0-9]{6,7}", fullmatch=True))
def test_every_landline_survives_every_prefix(code: str, subscriber: str) -> None:
    expected = f"0{code}{subscriber}"
    for prefix in ("0", "+86", "0086", "86", "+86 0"):
        assert normalize(f"{prefix}{code}{subscriber}") == expected
    assert classify(expected).kind is NumberKind.LANDLINE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("13811220457", "+86 138 1122 9999"),
        ("17012345678", "17012340000"),
        ("01069123456", "+861069123001"),
        ("9501312345", "95013987"),
        ("952123", "9521234567"),
        ("+442079460123", "00442079460999"),
    ],
)
def test_numbers_of_one_block_begin_alike(one: str, other: str) -> None:
    assert block_of(one) == block_of(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("13811220457", "13811230457"),
        ("01069123456", "01069124456"),
        ("9501312345", "9501412345"),
        ("952123", "952124"),
    ],
)
def test_other_blocks_begin_otherwise(one: str, other: str) -> None:
    assert block_of(one) != block_of(other)


@pytest.mark.parametrize("number", [None, "", "anonymous", "110", "95588", "10086", "96110", "+8695588"])
def test_service_numbers_and_withheld_ones_have_no_block(number: str | None) -> None:
    assert block_of(number) == ""


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("95588", True),
        ("12345", True),
        ("11183", True),
        ("+8695588", False),
        ("10001", False),
        ("110", False),
        ("95188888888", False),
        ("13800138000", False),
        (None, False),
    ],
)
def test_institutions_are_told_by_their_own_numbers_and_not_by_forged_or_selling_ones(
    number: str | None, expected: bool
) -> None:
    assert classify(number).is_institution is expected
