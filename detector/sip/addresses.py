"""Addresses as SIP headers carry them: `"name" <sip:user@host;parameters>;parameters`, bare URIs, tel URIs.

Everything here comes from strangers: whatever is malformed gives less, never an error, and nothing is
returned longer than its bound or with control characters in it.
"""

import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

__all__ = ["Address", "parse_address", "presentable", "printable", "split_list"]

LONGEST_NAME: Final = 128
"""Characters."""
LONGEST_USER: Final = 64
LONGEST_INPUT: Final = 4096
"""Characters looked at; the library takes no longer message."""
MOST_ADDRESSES: Final = 32
_SEPARATORS: Final = str.maketrans("", "", "-.() ")
"""What RFC 3966 allows between digits to please the eye."""


_DIALLED: Final = frozenset("0123456789*#")


@dataclass(frozen=True, slots=True)
class Address:
    """One address. `user` is a telephone number without separators where it looks like one."""

    display_name: str | None
    scheme: str
    user: str
    host: str
    parameters: tuple[tuple[str, str], ...]
    """Of the header, not of the URI; names in lower case."""

    @property
    def is_number(self) -> bool:
        digits = self.user.removeprefix("+")
        return digits.isascii() and any(each.isdigit() for each in digits) and not set(digits) - _DIALLED

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.parameters if key == name), None)


def parse_address(text: str) -> Address | None:
    """Read one address; None where there is no URI of a kind that we know (sip, sips, tel)."""
    text = text[:LONGEST_INPUT].strip()
    opened = _find_unquoted(text, "<")
    if opened is None:
        name, uri, rest = None, *_cut(text, ";")
    else:
        name = _display_name(text[:opened])
        uri, _, rest = text[opened + 1 :].partition(">")
        rest = rest.strip().removeprefix(";")
    scheme, colon, inside = uri.strip().partition(":")
    scheme = scheme.strip().lower()
    if not colon or scheme not in ("sip", "sips", "tel"):
        return None
    user, host = _user_and_host(scheme, inside)
    return Address(name, scheme, user, host, _parameters(rest))


def presentable(number: str) -> str:
    """Return `number` without what cannot stand before the "@" of an address that we present."""
    return "".join(each for each in number if each.isascii() and (each.isalnum() or each in "+-_.*#"))


def split_list(value: str) -> list[str]:
    """Cut a header that holds several values at the commas outside quotes and angle brackets."""
    parts: list[str] = []
    rest: str | None = value[:LONGEST_INPUT]
    while rest and len(parts) < MOST_ADDRESSES:
        comma = _find_unquoted(rest, ",", brackets=True)
        part, rest = (rest, None) if comma is None else (rest[:comma], rest[comma + 1 :])
        if part.strip():
            parts.append(part.strip())
    return parts


def printable(text: str, longest: int) -> str:
    """Leave out control and format characters, which can turn or hide text; join white space; cut."""
    kept = (each for each in text if unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return " ".join("".join(" " if each.isspace() else each for each in kept).split())[:longest].strip()


def _user_and_host(scheme: str, inside: str) -> tuple[str, str]:
    if scheme == "tel":
        user, host = inside, ""
    else:
        # A password or a question mark may hold an "@" of its own: the last one counts.
        address = inside.partition("?")[0]
        user, at, host = address.rpartition("@")
        if not at:
            user, host = "", address
        host = host.partition(";")[0].strip().lower()
        user = user.partition(":")[0]
    # Parameters of a telephone number, as in sip:+861012345;npdi@host;user=phone.
    user = printable(unquote(user.partition(";")[0], errors="replace"), LONGEST_USER)
    bare = user.translate(_SEPARATORS)
    number = bool(bare) and not set(bare.removeprefix("+")) - _DIALLED
    return (bare if number else user), printable(host, LONGEST_USER)


def _display_name(text: str) -> str | None:
    text = text.strip()
    if text.startswith('"'):
        text = _unescape(text[1:])
    return printable(text, LONGEST_NAME) or None


def _unescape(text: str) -> str:
    """Return a quoted string up to its closing quote, escapes resolved; a missing quote is forgiven."""
    out = []
    characters = iter(text)
    for each in characters:
        if each == "\\":
            out.append(next(characters, ""))
        elif each == '"':
            break
        else:
            out.append(each)
    return "".join(out)


def _parameters(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in text.split(";")[:MOST_ADDRESSES]:
        name, _, value = part.partition("=")
        if name.strip():
            pairs.append((printable(name, 64).lower(), printable(value.strip().strip('"'), LONGEST_NAME)))
    return tuple(pairs)


def _cut(text: str, separator: str) -> tuple[str, str]:
    before, _, after = text.partition(separator)
    return before, after


def _find_unquoted(text: str, wanted: str, *, brackets: bool = False) -> int | None:
    quoted = escaped = enclosed = False
    for place, each in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and each == "\\":
            escaped = True
        elif each == '"' and not enclosed:
            quoted = not quoted
        elif not quoted and not enclosed and each == wanted:
            return place
        elif brackets and not quoted and each in "<>":
            enclosed = each == "<"
    return None
