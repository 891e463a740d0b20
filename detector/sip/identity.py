"""The Identity header of STIR/SHAKEN (RFC 8224, RFC 8588): what a network claims to know of a caller.

The token is decoded and its signature is not checked: the claim is evidence of little weight, never proof.
A network that verifies for us says so in P-Asserted-Identity's `verstat` or strips the header.
"""

import base64
import binascii
import json
from typing import Any, Final, cast

from detector.call import Attestation

__all__ = ["claimed_attestation"]

LONGEST_PART: Final = 4096
"""Characters of one part of the token."""
SHAKEN: Final = "shaken"


def claimed_attestation(value: str) -> Attestation | None:
    """Return A, B or C as claimed by one Identity header; None where it is of another kind or unreadable."""
    token = value.strip().partition(";")[0].strip()
    parts = token.split(".")
    # The compact form leaves header and claims out: there is nothing to read.
    if len(parts) != 3 or not all(parts):
        return None
    header, claims = _decode(parts[0]), _decode(parts[1])
    if header.get("ppt") not in (None, SHAKEN):
        return None
    attest = claims.get("attest")
    return cast("Attestation", attest) if attest in ("A", "B", "C") else None


def _decode(part: str) -> dict[str, Any]:
    """Return the JSON object of a part of a token, an empty one where it is none."""
    if len(part) > LONGEST_PART:
        return {}
    try:
        data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
        value = json.loads(data)
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
