"""Evidence from the number and the headers of a call, before anybody has spoken.

All of it is weak: numbers are forged, reassigned and rarely reused. Together it stays within `NUMBER_CAP`.
"""

from collections.abc import Iterable

from detector.call import CallInfo
from detector.number_plan import NumberClass, NumberKind, classify, normalize
from detector.signals.evidence import Evidence
from detector.signals.number_tag import tag_llr

__all__ = ["NUMBER_CAP", "number_evidence"]

NUMBER_CAP = 1.0
"""The most that number, headers, attestation and tag may say together, either way (natural log)."""

_MISMATCH_LLR = 0.3
"""A company shows its switchboard and calls from another line; a campaign does the same."""
_FORGED_CLAIM_LLR = 0.6
"""The number shown is a bank's or an authority's, and the network's own word on the caller is another."""
_ATTESTATION_LLR = {"A": -0.1, "B": 0.0, "C": 0.15}
"""Attestation says who signed, not who calls: campaigns rent numbers that are signed A."""

_Found = tuple[str, float, str]


def number_evidence(call: CallInfo, arrived: float = 0.0) -> list[Evidence]:
    """Return what number, headers, attestation and tag say; sources "number.…", axis "number".

    Whether nobody may hang up on the number is not evidence: see `NumberClass.never_hang_up`.
    """
    shown = classify(call.number)
    asserted = normalize(call.asserted_number)
    found = [_from_class(shown, bool(asserted))]
    if asserted and asserted != normalize(call.number):
        found += _from_asserted_number(shown, classify(asserted))
    if call.attestation is not None:
        found.append(_from_attestation(call.attestation, found))
    if normalize(call.diverted_from):
        # Anyone may have dialled the first number: it speaks for neither, but the user wants to see it.
        found.append(("number.diverted", 0.0, "diverted from another number"))
    if call.tag is not None:
        whose = "by you" if call.tag.is_own else "by others"
        found.append(("number.tag", tag_llr(call.tag), f"tagged {whose}: {call.tag.text}"))
    return [Evidence(source, llr, 0.0, arrived, detail, "number") for source, llr, detail in _capped(found)]


def _from_class(shown: NumberClass, is_known_to_network: bool) -> _Found:
    detail = shown.display
    if shown.kind is NumberKind.WITHHELD and is_known_to_network:
        detail = "withheld number, known to the network"
    return "number.plan", shown.llr, detail


def _from_asserted_number(shown: NumberClass, behind: NumberClass) -> Iterable[_Found]:
    """Compare what is shown with P-Asserted-Identity (RFC 3325), where they differ."""
    if shown.claims and behind.claims != shown.claims and not shown.never_hang_up:
        detail = f"shows {shown.display}, but the network says: {behind.display}"
        yield "number.asserted", _FORGED_CLAIM_LLR, detail
    elif shown.kind is not NumberKind.WITHHELD and behind.llr > shown.llr:
        yield "number.asserted", _MISMATCH_LLR, f"shows another number than the network's: {behind.display}"


def _from_attestation(level: str, found: list[_Found]) -> _Found:
    """Weigh attestation, which must not excuse anything that speaks against the number."""
    is_suspect = any(llr > 0 for _, llr, _ in found)
    llr = _ATTESTATION_LLR[level]
    return "number.attestation", max(0.0, llr) if is_suspect else llr, f"attestation {level}"


def _capped(found: list[_Found]) -> list[_Found]:
    total = abs(sum(llr for _, llr, _ in found))
    scale = NUMBER_CAP / total if total > NUMBER_CAP else 1.0
    return [(source, llr * scale, detail) for source, llr, detail in found]
