"""Settings of a SIP worker.

A plain dataclass, for the worker process imports nothing heavy. It travels to the worker as JSON over the
socket, never on a command line or in the environment, where a password could be read.
"""

import json
from dataclasses import asdict, dataclass, field, fields, replace
from ipaddress import ip_address
from typing import Any, Final, Literal, get_args

from detector.errors import ConfigurationError

__all__ = ["CODECS", "Role", "SipOptions", "Srtp", "Transport", "spread"]

Transport = Literal["udp", "tcp", "tls"]
Srtp = Literal["off", "optional", "required"]
Role = Literal["answer", "caller"]

CODECS: Final = ("PCMA", "PCMU", "G722")
"""What a telephone network speaks; anything else that the library has stays off."""
PORT_STRIDE: Final = 2
"""Ports between two workers: one for UDP and TCP, the next for TLS."""
SOCKETS_PER_CALL: Final = 2
"""RTP and RTCP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipOptions:
    """How one worker listens, registers and treats its calls."""

    listen_address: str = "0.0.0.0"  # noqa: S104 - an answering agent is to be reached; narrow it in the configuration
    port: int = 5060
    """UDP and TCP; 0 takes any free port."""
    tls_port: int | None = None
    """None: the port after `port`."""
    transports: tuple[Transport, ...] = ("udp",)
    public_address: str | None = None
    """The address that the outside sees, where a router translates it."""
    rtp_ports: tuple[int, int] = (10000, 10999)
    """First and last port for media; each call takes two."""

    identity: str = "agent"
    """The user part of our own address where no account is set."""
    registrar: str | None = None
    """`sip:provider.example`, or None to be called directly."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    realm: str = "*"
    outbound_proxy: str | None = None
    register_seconds: int = 300
    """How long a registration is asked to hold; refreshed before."""
    register_retry_seconds: float = 5.0
    """Before a refused registration is tried again; doubled with each refusal, up to five minutes."""

    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    """The first is preferred."""
    srtp: Srtp = "off"
    tls_certificate: str | None = None
    tls_private_key: str | None = None
    tls_authorities: str | None = None
    """A file of certificates to verify peers by; without it peers are not verified."""

    max_calls: int = 64
    """An upper bound; the library's own limit (4 in the published wheel) rules where it is lower."""
    reserve_for_bridge: bool = False
    """Keep a slot free for each call, because putting through by `Bridge` takes a second one."""
    ring_seconds: float = 60.0
    """A call that nobody answered by then is refused."""
    max_call_seconds: float = 600.0
    """An answered call that was not put through is ended after this time."""
    max_bridged_seconds: float = 14400.0
    transfer_seconds: float = 40.0
    """Putting through counts as failed without a final answer by then."""
    rtp_timeout: float = 60.0
    """A call without media for so long is ended; a caller whose audio does not reach us is decided on before."""

    role: Role = "answer"
    """A `caller` places calls, follows REFER and takes no calls."""
    user_agent: str = "robocall-detector"
    log_level: int = 0
    """The library's own log on standard error; from 3 on it shows phone numbers."""

    def __post_init__(self) -> None:
        self._check_addresses()
        self._check_ports()
        self._check_security()
        _need(bool(self.codecs), "sip.codecs", "names no codec")
        for codec in self.codecs:
            _need(codec in CODECS, "sip.codecs", f"only {', '.join(CODECS)} are known")
        _need(self.role in get_args(Role), "sip.role", f"must be one of {', '.join(get_args(Role))}")
        _need(self.max_calls >= 1, "sip.max_calls", "must be at least 1")
        _need(self.register_seconds >= 30, "sip.register_seconds", "must be at least 30")
        _need(0 <= self.log_level <= 6, "sip.log_level", "must be 0 to 6")
        for name in (
            "register_retry_seconds",
            "ring_seconds",
            "max_call_seconds",
            "max_bridged_seconds",
            "transfer_seconds",
            "rtp_timeout",
        ):
            _need(getattr(self, name) > 0, f"sip.{name}", "must be more than 0 seconds")

    def _check_addresses(self) -> None:
        for name in ("listen_address", "public_address"):
            value = getattr(self, name)
            _need(value is None or _is_ipv4(value), f"sip.{name}", "must be an IPv4 address")
        for name in ("registrar", "outbound_proxy"):
            value = getattr(self, name)
            _need(
                value is None or _is_sip_uri(value),
                f"sip.{name}",
                "must be an address such as sip:provider.example",
            )
        _need(self.registrar is None or bool(self.username), "sip.username", "is needed to register")
        _need(
            bool(self.identity) and _is_token(self.identity),
            "sip.identity",
            "may hold letters, digits and +-_.",
        )
        _need(
            self.username is None or _is_token(self.username),
            "sip.username",
            "may hold letters, digits and +-_.@ only",
        )
        _need(_is_text(self.user_agent), "sip.user_agent", "may not hold control characters")

    def _check_ports(self) -> None:
        _need(0 <= self.port <= 65535, "sip.port", "must be 0 to 65535")
        _need(self.tls_port is None or 0 <= self.tls_port <= 65535, "sip.tls_port", "must be 0 to 65535")
        first, last = self.rtp_ports
        _need(
            1024 <= first < last <= 65535,
            "sip.rtp_ports",
            "must be two ports of 1024 to 65535, the lower one first",
        )

    def _check_security(self) -> None:
        _need(bool(self.transports), "sip.transports", "names no transport")
        for transport in self.transports:
            known = get_args(Transport)
            _need(transport in known, "sip.transports", f"only {', '.join(known)} are known")
        _need(self.srtp in get_args(Srtp), "sip.srtp", f"must be one of {', '.join(get_args(Srtp))}")
        if "tls" in self.transports and self.role == "answer":
            _need(self.tls_certificate is not None, "sip.tls_certificate", "is needed to listen for TLS")
            _need(self.tls_private_key is not None, "sip.tls_private_key", "is needed to listen for TLS")

    @property
    def effective_tls_port(self) -> int:
        """The port for TLS; 0 where any will do."""
        if self.tls_port is not None:
            return self.tls_port
        return self.port + 1 if self.port else 0

    def to_json(self) -> str:
        """Return every setting, the password included: for the worker's socket and nothing else."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "SipOptions":
        """Read what `to_json` wrote; anything else raises ConfigurationError."""
        try:
            values: dict[str, Any] = dict(json.loads(text))
        except (ValueError, TypeError, RecursionError) as error:
            raise ConfigurationError("The settings of the SIP worker are no JSON object.") from error
        known = {each.name for each in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ConfigurationError(f"The SIP worker does not know the setting {unknown[0]!r}.")
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        try:
            return cls(**{**values, **lists})
        except (TypeError, ValueError) as error:
            raise ConfigurationError("A setting of the SIP worker has the wrong type.") from error


def spread(options: SipOptions, workers: int) -> tuple[SipOptions, ...]:
    """Give each of `workers` its own ports: SIP ports two apart, the media ports in equal shares.

    Only the first registers, for a registrar rings every contact that it knows.
    """
    _need(workers >= 1, "sip.workers", "must be at least 1")
    first, last = options.rtp_ports
    share = (last - first + 1) // workers // SOCKETS_PER_CALL * SOCKETS_PER_CALL
    _need(
        share >= 4 * SOCKETS_PER_CALL,
        "sip.rtp_ports",
        f"needs {4 * SOCKETS_PER_CALL} ports for each worker ({workers})",
    )
    return tuple(
        replace(
            options,
            port=options.port + PORT_STRIDE * index if options.port else 0,
            tls_port=options.tls_port + PORT_STRIDE * index if options.tls_port else options.tls_port,
            rtp_ports=(first + share * index, first + share * (index + 1) - 1),
            registrar=options.registrar if index == 0 else None,
        )
        for index in range(workers)
    )


def _need(holds: bool, setting: str, problem: str) -> None:
    if not holds:
        raise ConfigurationError(f"{setting} {problem}.")


def _is_ipv4(text: str) -> bool:
    try:
        return ip_address(text).version == 4
    except ValueError:
        return False


def _is_text(text: str) -> bool:
    return text.isprintable()


def _is_token(text: str) -> bool:
    return text.isascii() and all(each.isalnum() or each in "+-_.@" for each in text)


def _is_sip_uri(text: str) -> bool:
    scheme, colon, rest = text.partition(":")
    return (
        scheme in ("sip", "sips")
        and bool(colon)
        and bool(rest)
        and _is_text(text)
        and not set(text) & set(' <>"')
    )
