"""What kind of number it is, and how far the kind alone speaks for or against its caller.

The priors are natural-log likelihood ratios, unwanted against wanted. They are weak on purpose: ranges are
reassigned, and any number can be forged. None may decide a call.
"""

import enum
from dataclasses import dataclass

from detector.number_plan.areas import landline_province
from detector.number_plan.canonical import is_machine_sim, is_mobile, normalize
from detector.number_plan.service_numbers import (
    Claim,
    ServiceNumber,
    find_service,
    is_leased,
    is_toll_free,
)

__all__ = ["NumberClass", "NumberKind", "classify"]


class NumberKind(enum.StrEnum):
    """The kind of number, independent of who holds it."""

    WITHHELD = "withheld"
    """Anonymous, empty or senseless."""
    MOBILE = "mobile"
    VIRTUAL_OPERATOR = "virtual_operator"
    MACHINE_SIM = "machine_sim"
    LANDLINE = "landline"
    SERVICE = "service"
    """A service number of a bank, an operator, an authority …; see `claims`."""
    LEASED = "leased"
    """950, 951, 952 and 957: access numbers for whoever pays."""
    TOLL_FREE = "toll_free"
    TEXT_PORT = "text_port"
    FOREIGN = "foreign"
    FORGED_ABROAD = "forged_abroad"
    """A domestic service number that comes with an international prefix."""
    IMPOSSIBLE = "impossible"
    """An international number that no plan allows."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class NumberClass:
    """What the number plan says of a number."""

    kind: NumberKind
    display: str
    """A few words for the user: "landline, Beijing"."""
    llr: float = 0.0
    """Prior: natural log of P(number | unwanted) / P(number | wanted)."""
    region: str | None = None
    """A Chinese province by its Chinese name, or a country by its ISO 3166 letters."""
    claims: Claim | None = None
    never_hang_up: bool = False
    """Whatever else is heard, this caller is not hung up on."""

    @property
    def is_institution(self) -> bool:
        """A service number, not of those used for selling, of somebody whose calls matter, such as a bank."""
        return self.kind is NumberKind.SERVICE and self.claims in _INSTITUTIONS and self.llr <= _RAISED


# High: hardly a wanted caller shows these. Raised: many campaigns do, and so do couriers and shops.
_HIGH, _RAISED, _LOW = 0.7, 0.3, -0.1
_VIRTUAL_PREFIXES = ("162", "165", "167", "170", "171")
_LEASED = NumberClass(NumberKind.LEASED, "leased access number", _HIGH)
_TOLL_FREE = NumberClass(NumberKind.TOLL_FREE, "400 or 800 number, which can only be called", _HIGH)
_MACHINE_SIM = NumberClass(NumberKind.MACHINE_SIM, "machine SIM", _HIGH)
_TEXT_PORT = NumberClass(NumberKind.TEXT_PORT, "text-message port, which cannot call", _HIGH)
_VIRTUAL_OPERATOR = NumberClass(NumberKind.VIRTUAL_OPERATOR, "mobile of a virtual operator", _RAISED)
_MOBILE = NumberClass(NumberKind.MOBILE, "mobile", _LOW)
_PROTECTED: tuple[Claim, ...] = ("anti_fraud", "emergency")
_INSTITUTIONS: tuple[Claim, ...] = (
    "airline",
    "authority",
    "bank",
    "courier",
    "payment",
    "railway",
    "shop",
    "utility",
)
"""Not insurers and operators, who sell under all their numbers, nor the police, whose lines only receive."""


def classify(number: str | None) -> NumberClass:
    """Classify `number` as SIP shows it or as `normalize` spells it; never raises."""
    canonical = normalize(number)
    if not canonical:
        return NumberClass(NumberKind.WITHHELD, "withheld number", 0.3)
    if canonical.startswith("+86"):
        return _classify_prefixed(canonical)
    if canonical.startswith("+"):
        return _classify_foreign(canonical)
    return _classify_domestic(canonical)


def _classify_prefixed(canonical: str) -> NumberClass:
    """Classify a number that kept its +86: a service number from abroad, or none at all."""
    service = find_service(canonical.removeprefix("+86"))
    if service is None:
        return NumberClass(NumberKind.IMPOSSIBLE, "number that cannot exist", 0.5, "CN")
    # Some trunks put +86 before everything, and losing these callers costs most.
    is_protected = service.claim in _PROTECTED
    return NumberClass(
        NumberKind.FORGED_ABROAD,
        f"claims to be {service.name}, with an international prefix",
        0.0 if is_protected else _HIGH,
        claims=service.claim,
        never_hang_up=is_protected,
    )


def _classify_foreign(canonical: str) -> NumberClass:
    import phonenumbers  # noqa: PLC0415 - 50 ms that no domestic call pays

    impossible = NumberClass(NumberKind.IMPOSSIBLE, "number that cannot exist", 0.5)
    try:
        parsed = phonenumbers.parse(canonical, None)
    except phonenumbers.NumberParseException:
        return impossible
    if not phonenumbers.is_possible_number(parsed):
        return impossible
    region = phonenumbers.region_code_for_number(parsed)
    country = region or f"+{parsed.country_code}"
    return NumberClass(NumberKind.FOREIGN, f"foreign number, {country}", _RAISED, region)


def _classify_domestic(digits: str) -> NumberClass:
    service = find_service(digits)
    if service is not None:
        return _classify_service(service)
    if is_leased(digits):
        return _LEASED
    if is_toll_free(digits):
        return _TOLL_FREE
    if is_machine_sim(digits):
        return _MACHINE_SIM
    if is_mobile(digits):
        return _VIRTUAL_OPERATOR if digits.startswith(_VIRTUAL_PREFIXES) else _MOBILE
    return _classify_rest(digits)


def _service_prior(service: ServiceNumber) -> float:
    if service.claim == "police":
        return _HIGH  # these lines only receive calls
    if service.claim in _PROTECTED:
        return -0.5
    if service.sells:
        return 0.5
    # Banks and insurers sell under their own numbers, and theirs are forged most.
    by_claim = {"bank": 0.1, "insurer": 0.2, "courier": _LOW, "airline": _LOW}
    return by_claim.get(service.claim or "", 0.0)


def _classify_service(service: ServiceNumber) -> NumberClass:
    return NumberClass(
        NumberKind.SERVICE,
        service.name,
        _service_prior(service),
        claims=service.claim,
        never_hang_up=service.claim in _PROTECTED,
    )


def _classify_rest(digits: str) -> NumberClass:
    province = landline_province(digits[1:]) if digits.startswith("0") else None
    if province is not None:
        return NumberClass(NumberKind.LANDLINE, f"landline, {province.en}", 0.0, province.zh)
    if digits.startswith("106"):
        return _TEXT_PORT
    if len(digits) in (7, 8) and digits[0] in "2345678":
        return NumberClass(NumberKind.LANDLINE, "local landline")
    return NumberClass(NumberKind.UNKNOWN, "number of no known kind", 0.1)
