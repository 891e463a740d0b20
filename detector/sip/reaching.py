"""The way to a SIP address: which host it names, and from which address of ours this machine reaches it."""

import re
import socket
from typing import Final

from detector.errors import ConfigurationError, SipError

__all__ = ["address_of", "host_of", "own_address"]

FORM: Final = "sip:agent@192.0.2.10:5060"
ANY_PORT: Final = 5060
"""Nothing is sent there."""
_TARGET: Final = re.compile(
    r"<?sips?:(?:[^@\s<>]+@)?(?P<host>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?:[;?][^\s<>]*)?>?",
    re.ASCII | re.IGNORECASE,
)


def host_of(target: str) -> str:
    """Return the host that a SIP address names. Raises ConfigurationError where it is none, or is one of IPv6."""
    found = _TARGET.fullmatch(target) if target.isascii() else None
    if found is None or not 0 < int(found["port"] or ANY_PORT) < 65536:
        raise ConfigurationError(f"{target!r} is no SIP address: it has the form {FORM}")
    if found["host"].startswith("["):
        raise ConfigurationError(f"{target!r}: only IPv4 is spoken here, as in {FORM}")
    return found["host"]


def address_of(host: str) -> str:
    """Return the IPv4 address of a host. Raises SipError, in one line, where the name is not found."""
    try:
        found = socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # the latter for a name that no server could know
        why = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        raise SipError(f"The host {host} is not found{why}: check the address.") from None
    return str(found[0][4][0])


def own_address(there: str) -> str:
    """Return our IPv4 address from which this machine reaches that one; nothing is sent.

    Raises SipError where no way leads there.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((there, ANY_PORT))
        except OSError as error:
            raise SipError(f"{there} cannot be reached from this machine: {error.strerror}.") from None
        return str(probe.getsockname()[0])
