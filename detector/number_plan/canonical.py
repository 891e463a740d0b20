"""One spelling for every way of writing a number.

A domestic number is its digits as they are dialled at home ("13800138000",
"01083945521", "95588"), a foreign one "+" and its E.164 digits, and one that is withheld or senseless "".

- A service number that comes with an international prefix keeps it ("+8695588"): no bank calls that way, and
  dropping the prefix would hide it.
- An area code before a service number is dropped (01095588 is 95588), but landlines that look alike are kept
  (0955 8812345 is a landline in Ningxia).
- +86 10 6912 3456 is a landline in Beijing; 10 6912 3456 without a prefix is a text-message port.
"""

import re
import unicodedata
from urllib.parse import unquote

from detector.number_plan.areas import landline_province, split_area
from detector.number_plan.service_numbers import find_service, is_leased, is_toll_free

__all__ = ["is_machine_sim", "is_mobile", "normalize"]

_LONGEST_INPUT = 400
_LONGEST_DOMESTIC = 21
"""Digits: text-message ports run up to 20 and one more for a prefix."""
_LONGEST_FOREIGN = 15
"""Digits: E.164."""
_SHORTEST_FOREIGN = 7

_WITHHELD = frozenset(
    {"anonymous", "restricted", "unknown", "unavailable", "private", "withheld", "blocked", "null", "none"}
)
_SCHEMES = ("sips:", "sip:", "tel:", "callto:")
_PHONE_CONTEXT = re.compile(r";phone-context=\+?(\d+)")
_SEPARATORS = re.compile(r"[\s.()/‐-―−-]")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_MACHINE_SIM = re.compile(r"(1400|1410|1440|1441|146\d|148\d)(\d{7}|\d{9})|1[3-9]\d{11}|1064[6-9]\d{8}")
_DIAL_PREFIXES = ("17951", "17911", "17909", "17901", "12593")
"""Prefixes of cheap long-distance services, which some exchanges leave before the number."""


def normalize(number: str | None) -> str:
    """Return the canonical form of `number`, which may be a SIP or tel URI; "" where there is none.

    Never raises, and leaves a canonical number as it is.
    """
    written = _strip_uri(number or "")
    if written is None:
        return ""
    is_international, digits = written
    if not is_international and digits.startswith("00"):
        is_international, digits = True, digits.lstrip("0")
    return _normalize_international(digits) if is_international else _normalize_domestic(digits)


def is_mobile(digits: str) -> bool:
    """Whether `digits` is a mobile number of 11 digits."""
    return _MOBILE.fullmatch(digits) is not None


def is_machine_sim(digits: str) -> bool:
    """Whether `digits` belongs to a SIM made for machines: certain prefixes, or 13 digits."""
    return _MACHINE_SIM.fullmatch(digits) is not None


def _strip_uri(number: str) -> tuple[bool, str] | None:
    """Take away URI, parameters and separators: (had an international prefix, digits), None for garbage."""
    text = unicodedata.normalize("NFKC", number[:_LONGEST_INPUT]).strip().lower()
    if "<" in text:
        text = text.partition("<")[2].partition(">")[0].strip()
    for scheme in _SCHEMES:
        text = text.removeprefix(scheme)
    context = _PHONE_CONTEXT.search(text)
    user = unquote(text.partition("@")[0].partition(";")[0])
    user = _SEPARATORS.sub("", unicodedata.normalize("NFKC", user))
    is_international = user.startswith("+")
    digits = "".join(str(unicodedata.decimal(char, "x")) for char in user.removeprefix("+"))
    if user in _WITHHELD or not digits.isdigit() or not 3 <= len(digits) <= _LONGEST_DOMESTIC:
        return None
    if context and context[1] != "86" and not is_international and not digits.startswith("0"):
        return True, context[1] + digits
    if is_international:
        digits = digits.lstrip("0")
    return (is_international, digits) if digits.strip("0") else None


def _normalize_international(digits: str) -> str:
    if digits.startswith("86"):
        national = digits[2:].lstrip("0")
        return _full_number(national) or _international_service(national)
    service = find_service(digits)
    if service is not None and (service.claim is not None) and len(digits) < _SHORTEST_FOREIGN:
        return f"+86{digits}"
    return _normalize_foreign(digits)


def _international_service(national: str) -> str:
    """Spell what follows +86 and is no subscriber's number."""
    without_area = _without_area(national) or national
    if is_leased(without_area) or is_toll_free(without_area):
        return without_area
    if find_service(without_area) is not None:
        return f"+86{without_area}"
    if re.fullmatch(r"106\d{5,17}", national):
        return national
    return f"+86{national}" if 5 <= len(national) <= 13 else ""


def _full_number(national: str) -> str:
    """Spell a subscriber's number given without the trunk prefix 0; "" where it is none."""
    if is_mobile(national) or is_machine_sim(national):
        return national
    return f"0{national}" if landline_province(national) else ""


def _without_area(national: str) -> str:
    """Return the service number that follows an area code, "" where none does."""
    split = split_area(national)
    if split is None or landline_province(national):
        return ""
    service = split[1]
    return service if find_service(service) or is_leased(service) or is_toll_free(service) else ""


def _normalize_domestic(digits: str) -> str:
    for prefix in _DIAL_PREFIXES:
        rest = digits.removeprefix(prefix)
        if rest != digits and (full := _full_number(rest.removeprefix("0"))):
            return full
    if digits.startswith("86") and (full := _full_number(digits[2:].removeprefix("0"))):
        return full
    if not digits.startswith("0"):
        return digits
    national = digits[1:]
    if full := _full_number(national):
        return full
    if service := _without_area(national):
        return service
    is_service = find_service(national) or is_leased(national) or is_toll_free(national)
    return national if is_service else digits


def _normalize_foreign(digits: str) -> str:
    """Spell a number of another country, without its national trunk prefix where it was left in."""
    import phonenumbers  # noqa: PLC0415 - 50 ms that no domestic call pays

    for _ in range(4):  # until nothing changes: a trunk prefix may hide behind another
        if not _SHORTEST_FOREIGN <= len(digits) <= _LONGEST_FOREIGN:
            return ""
        try:
            parsed = phonenumbers.parse(f"+{digits}", None)
        except phonenumbers.NumberParseException:
            break
        spelled = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
        if spelled == digits:
            break
        digits = spelled
    return f"+{digits}"
