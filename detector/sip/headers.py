"""From the headers of an INVITE to what is known of a call. Nothing here trusts, and nothing raises.

The worker selects headers, the service reads them. Who may assert a number is for the network to settle: a
registrar or trunk that lets strangers' P-Asserted-Identity through makes it worthless.
"""

import re
from collections.abc import Iterable
from typing import Final

from detector.call import Attestation, CallInfo
from detector.sip.addresses import Address, parse_address, printable, split_list
from detector.sip.fields import clean
from detector.sip.identity import claimed_attestation

__all__ = ["HEADERS", "call_info", "select_headers"]

HEADERS: Final = (
    "From",
    "To",
    "Call-ID",
    "P-Asserted-Identity",
    "Remote-Party-ID",
    "Diversion",
    "History-Info",
    "Identity",
    "User-Agent",
)
"""The headers that the worker passes on."""
MOST_HEADERS: Final = 32
LONGEST_VALUE: Final = 4000
"""Bytes of UTF-8."""
MOST_BYTES: Final = 32000
"""Of all values together; the library takes no message beyond 4,000, another build may."""
LONGEST_CALL_ID: Final = 256
_BY_NAME: Final = {name.lower(): name for name in HEADERS} | {
    "f": "From",
    "t": "To",
    "i": "Call-ID",
    "y": "Identity",
}
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_LINE: Final = re.compile(r"\r?\n")
_WITHHELD: Final = frozenset({"anonymous", "unknown", "unavailable", "restricted", "private", "withheld"})
_WITHHELD_HOST: Final = "anonymous.invalid"

Headers = Iterable[tuple[str, str]]


def select_headers(message: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a SIP message that we know, unfolded, under their long names, in their order."""
    head = re.split(r"\r?\n\r?\n", message, maxsplit=1)[0]
    chosen: list[tuple[str, str]] = []
    left = MOST_BYTES
    for line in _LINE.split(_FOLD.sub(" ", head))[1:]:
        name, colon, value = line.partition(":")
        known = _BY_NAME.get(name.strip().lower())
        if colon and known is not None and len(chosen) < MOST_HEADERS:
            bounded = clean(value.strip(), min(left, LONGEST_VALUE))
            left -= len(bounded.encode())
            chosen.append((known, bounded))
    return tuple(chosen)


def call_info(headers: Headers) -> CallInfo:
    """Read what an INVITE says of its caller; `call_id` is empty where the Call-ID cannot be used.

    A number is as the network shows it: a telephone number without separators, or the user part of an
    address.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name, []).append(value)
    caller = _first_address(values.get("From", []))
    return CallInfo(
        call_id=printable(next(iter(values.get("Call-ID", [])), ""), LONGEST_CALL_ID),
        number=None if caller is None or _is_withheld(caller) else caller.user or None,
        display_name=_shown_name(caller),
        asserted_number=_asserted(values),
        diverted_from=_diverted_from(values),
        attestation=_attestation(values.get("Identity", [])),
    )


def _addresses(values: Iterable[str]) -> list[Address]:
    parsed = (parse_address(part) for value in values for part in split_list(value))
    return [each for each in parsed if each is not None]


def _first_address(values: list[str]) -> Address | None:
    # From holds one address and no list: a comma in it belongs to the name.
    return parse_address(values[0]) if values else None


def _is_withheld(address: Address) -> bool:
    host = address.host.partition(":")[0]
    return address.user.lower() in _WITHHELD or host == _WITHHELD_HOST or host.endswith("." + _WITHHELD_HOST)


def _shown_name(caller: Address | None) -> str | None:
    if caller is None or caller.display_name is None or caller.display_name.lower() in _WITHHELD:
        return None
    return caller.display_name


def _asserted(values: dict[str, list[str]]) -> str | None:
    """Return the number that the network vouches for (RFC 3325), else that of the older Remote-Party-ID."""
    asserted = _addresses(values.get("P-Asserted-Identity", []))
    remote = [
        each
        for each in _addresses(values.get("Remote-Party-ID", []))
        if (each.parameter("party") or "calling").lower() == "calling"
    ]
    known = [each for each in (*asserted, *remote) if each.user and not _is_withheld(each)]
    # Of a tel and a sip address the number is the one to have.
    known.sort(key=lambda each: not each.is_number)
    return known[0].user if known else None


def _diverted_from(values: dict[str, list[str]]) -> str | None:
    """Return who was called first: the top Diversion (RFC 5806), else History-Info (RFC 7044)."""
    diverted = [each.user for each in _addresses(values.get("Diversion", [])) if each.user]
    if diverted:
        return diverted[0]
    history = [each.user for each in _addresses(values.get("History-Info", [])) if each.user]
    # The last entry is where the call is now; the one before it sent it on.
    return history[-2] if len(history) >= 2 else None


def _attestation(values: list[str]) -> Attestation | None:
    claimed = (claimed_attestation(each) for value in values for each in split_list(value))
    return next((each for each in claimed if each is not None), None)
