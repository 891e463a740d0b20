"""What an INVITE says of its caller, well-formed or not."""

import base64
import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.call import CallInfo
from detector.sip.addresses import LONGEST_NAME, LONGEST_USER, parse_address, split_list
from detector.sip.headers import HEADERS, call_info, select_headers
from detector.sip.identity import claimed_attestation
from detector.sip.protocol import IncomingCall, encode

TORTURE = os.environ.get("DETECTOR_TORTURE", "")


def info(*headers: tuple[str, str]) -> CallInfo:
    return call_info(headers)


def token(claims: object, header: object = None) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part(header or {'alg': 'ES256', 'ppt': 'shaken'})}.{part(claims)}.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("value", "number", "name"),
    [
        ('"张三" <sip:13800138000@10.0.0.1;user=phone>;tag=1', "13800138000", "张三"),
        ("<sip:+8613800138000@host>", "+8613800138000", None),
        ("sip:13800138000@host;tag=x", "13800138000", None),
        ("tel:+86-138-0013-8000", "+8613800138000", None),
        ("<tel:(010)9558;phone-context=+86>", "0109558", None),
        ('"A \\"quoted\\" one, Ltd <x>" <sip:95588@bank>;tag=2', "95588", 'A "quoted" one, Ltd <x>'),
        ("Bank of China <sip:95566;npdi@gw;user=phone>", "95566", "Bank of China"),
        ("<sip:%2B861012345@host>", "+861012345", None),
        ("<sip:1234:secret@host>", "1234", None),
        ("<sips:alice.b@host>", "alice.b", None),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=3', None, None),
        ("<sip:Unavailable@10.0.0.1>", None, None),
        ("<sip:13800138000@anonymous.invalid>", None, None),
        ('"no closing quote <sip:1@h>', None, None),
        ("<sip:host.only>", None, None),
        ("<mailto:someone@host>", None, None),
        ("", None, None),
    ],
)
def test_from(value: str, number: str | None, name: str | None) -> None:
    got = info(("From", value))
    assert (got.number, got.display_name) == (number, name)


def test_characters_that_hide_or_turn_text_are_left_out() -> None:
    got = info(("From", '"a\u202eb\x00\x1b[31mc\u200b  d" <sip:1%00%0d%0a2@host>'))
    assert got.display_name == "ab[31mc d"
    assert got.number == "12"


def test_oversize_is_cut() -> None:
    got = info(("From", f'"{"n" * 3000}" <sip:{"1" * 900}@host>'))
    assert got.display_name == "n" * LONGEST_NAME
    assert got.number == "1" * LONGEST_USER


def test_asserted_number_prefers_a_number() -> None:
    got = info(("P-Asserted-Identity", '"Bank" <sip:service@bank.example>, <tel:+86-10-95588>'))
    assert got.asserted_number == "+861095588"


def test_asserted_number_falls_back_on_remote_party_id() -> None:
    got = info(
        ("Remote-Party-ID", "<sip:400@x>;party=called"), ("Remote-Party-ID", "<sip:12345@x>;party=calling")
    )
    assert got.asserted_number == "12345"


def test_diversion_wins_over_history() -> None:
    history = ("History-Info", "<sip:111@x>;index=1, <sip:222@x;cause=302>;index=1.1")
    assert info(history).diverted_from == "111"
    assert info(history, ("Diversion", "<sip:333@x>;reason=no-answer")).diverted_from == "333"
    assert info(("History-Info", "<sip:111@x>;index=1")).diverted_from is None


@pytest.mark.parametrize("level", ["A", "B", "C"])
def test_attestation_is_read(level: str) -> None:
    value = (
        token({"attest": level, "orig": {"tn": "12155550121"}})
        + ";info=<https://c.example/c.pem>;alg=ES256;ppt=shaken"
    )
    assert info(("Identity", value)).attestation == level


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a.b",
        "..c2ln;info=<https://c>",
        token({"attest": "D"}),
        token({"attest": ["A"]}),
        token(["attest"]),
        token({"attest": "A"}, {"ppt": "div"}),
        "!!!.???.sig",
        token({"attest": "A"}).replace(".", ".é", 1),
        "eyJ9." + base64.urlsafe_b64encode(b"[" * 3000).decode() + ".s",
        "x" * 9000 + ".y.z",
    ],
    ids=range(11),
)
def test_no_attestation_from_anything_else(value: str) -> None:
    assert claimed_attestation(value) is None


def test_a_call_without_an_id_has_an_empty_one() -> None:
    assert call_info([]).call_id == ""
    assert call_info([("Call-ID", "abc@host")]).call_id == "abc@host"


def test_headers_are_selected_unfolded_and_under_long_names() -> None:
    message = (
        "INVITE sip:a@b SIP/2.0\r\nf: <sip:1@x>\r\n\t;tag=9\r\nX-Other: no\r\n"
        "i : id@x\r\nIDENTITY: t\r\nBroken\r\n\r\nFrom: <sip:body@x>\r\n"
    )
    assert select_headers(message) == (("From", "<sip:1@x> ;tag=9"), ("Call-ID", "id@x"), ("Identity", "t"))


def test_a_message_of_nothing_but_long_headers_can_be_sent() -> None:
    message = "INVITE sip:a@b SIP/2.0\r\n" + f"Diversion: {'张' * 3000}\r\n" * 40 + "\r\n"
    encode(IncomingCall(1, "", select_headers(message)))


def test_lists_are_cut_outside_quotes_and_brackets() -> None:
    assert split_list('"a, b" <sip:1,2@x>, <sip:3@x> ,,') == ['"a, b" <sip:1,2@x>', "<sip:3@x>"]


nasty = st.text(st.sampled_from('"<>;:,@\\%=.\r\n \t\0aé1+\u202e\ud800'), max_size=300) | st.text(
    max_size=300
)


@given(st.lists(st.tuples(st.sampled_from(HEADERS), nasty), max_size=20))
def test_no_header_raises_and_nothing_exceeds_its_bounds(headers: list[tuple[str, str]]) -> None:
    got = call_info(headers)
    for text, longest in (
        (got.call_id, 256),
        (got.number, LONGEST_USER),
        (got.asserted_number, LONGEST_USER),
        (got.diverted_from, LONGEST_USER),
        (got.display_name, LONGEST_NAME),
    ):
        assert text is None or len(text) <= longest
        assert not any(unicodedata.category(each).startswith("C") for each in text or "")


@given(st.binary(max_size=4000) | nasty.map(lambda text: text.encode("utf-8", "replace")))
def test_any_message_can_be_selected_from_and_sent(data: bytes) -> None:
    message = data.decode("utf-8", "replace")
    encode(IncomingCall(1, "", select_headers(message)))


@given(nasty)
def test_any_text_parses_or_is_none(text: str) -> None:
    address = parse_address(text)
    assert address is None or address.scheme in ("sip", "sips", "tel")


@pytest.mark.skipif(not TORTURE, reason="DETECTOR_TORTURE names no folder of RFC 4475 messages")
def test_torture_messages() -> None:
    files = sorted(Path(TORTURE).glob("*.dat"))
    assert files
    seen = {}
    for file in files:
        headers = select_headers(file.read_bytes().decode("utf-8", "replace"))
        encode(IncomingCall(1, "", headers))
        seen[file.stem] = call_info(headers)
    # 3.1.1.1: everything folded, escaped and abbreviated; 3.1.1.3: escaped characters in the user part.
    assert seen["wsinv"].display_name == 'J Rosenberg \\"'
    assert seen["wsinv"].number == "jdrosen"
    assert seen["esc01"].number == "I have spaces"
