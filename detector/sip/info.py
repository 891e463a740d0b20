"""Digits in INFO requests (`application/dtmf-relay`).

The library's own reader ends the process over a body such as `Signal=5` without a line after it: no INFO gets that far.
"""

import re
from typing import Final

__all__ = ["read_info"]

_TYPE: Final = re.compile(
    r"^(?:content-type|c)[ \t]*:\s*application\s*/\s*dtmf-relay\b", re.IGNORECASE | re.MULTILINE
)
_SIGNAL: Final = re.compile(
    r"^[ \t]*signal[ \t]*=[ \t]*(1[01]|[0-9a-d*#])[ \t]*$", re.IGNORECASE | re.MULTILINE
)
_NAMED: Final = {"10": "*", "11": "#"}

OK: Final = 200
BAD_REQUEST: Final = 400
UNSUPPORTED_MEDIA_TYPE: Final = 415


def read_info(message: str) -> tuple[int, str]:
    """Return the code that a whole INFO is to be answered with, and the digit that it carries or ""."""
    head, _, body = message.replace("\r\n", "\n").partition("\n\n")
    if not body.strip():
        # Some exchanges ask by it whether we are still there.
        return OK, ""
    if not _TYPE.search(head):
        return UNSUPPORTED_MEDIA_TYPE, ""
    found = _SIGNAL.search(body)
    if found is None:
        return BAD_REQUEST, ""
    return OK, _NAMED.get(found[1], found[1].upper())
