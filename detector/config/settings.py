"""The settings: a class for each section of the file. Durations are in seconds unless the name says otherwise."""

from datetime import datetime, time
from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from detector.call import Language
from detector.config.fields import FromFile, Section, Sequence, WithPassword, beside_file
from detector.decision.policy import PolicyOptions
from detector.errors import ConfigurationError
from detector.sip.options import SipOptions, Srtp, Transport
from detector.sip.reaching import host_of
from detector.stores.lists import ListVerdict, parse_entry

__all__ = [
    "Account",
    "Agent",
    "Forward",
    "LexiconFile",
    "ListFiles",
    "Log",
    "Personality",
    "Prompts",
    "QuietHours",
    "Recognition",
    "Settings",
    "Sip",
    "StoreSettings",
    "Strictness",
]

Personality = Literal["patient", "friendly", "brisk"]
Strictness = Literal["lenient", "normal", "strict"]
Port = Annotated[int, Field(ge=0, le=65535)]

_SIP = SipOptions()
_POLICY = PolicyOptions()


class Account(WithPassword):
    """`[[sip.account]]`: one registration at a provider or a router."""

    registrar: str
    username: str
    realm: str = _SIP.realm
    outbound_proxy: str | None = None
    register_seconds: PositiveInt = _SIP.register_seconds


class Sip(Section):
    """`[sip]`: where calls come in."""

    listen_address: str = _SIP.listen_address
    port: Port = _SIP.port
    tls_port: Port | None = None
    transports: Annotated[tuple[Transport, ...], Sequence] = _SIP.transports
    public_address: str | None = None
    rtp_ports: Annotated[tuple[int, int], Sequence] = _SIP.rtp_ports
    codecs: Annotated[tuple[str, ...], Sequence] = _SIP.codecs
    srtp: Srtp = _SIP.srtp
    tls_certificate: FromFile | None = None
    tls_private_key: FromFile | None = None
    tls_authorities: FromFile | None = None
    identity: str = _SIP.identity
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    max_calls: PositiveInt = _SIP.max_calls
    max_call_seconds: PositiveFloat = _SIP.max_call_seconds
    rtp_timeout: PositiveFloat = _SIP.rtp_timeout
    account: Annotated[tuple[Account, ...], Sequence] = ()


class QuietHours(Section):
    """`[[agent.quiet]]`: from one time of day to another, past midnight where the second is earlier."""

    start: time
    end: time

    def cover(self, when: time) -> bool:
        if self.start <= self.end:
            return self.start <= when < self.end
        return when >= self.start or when < self.end


class Agent(Section):
    """`[agent]`: whom the agent answers for, and how."""

    household: str | None = None
    known_names: Annotated[tuple[str, ...], Sequence] = ()
    languages: Annotated[tuple[Language, ...], Sequence, Field(min_length=1)] = ("zh", "en")
    personality: Personality = "friendly"
    strictness: Strictness = "normal"
    deadline_seconds: Annotated[float, Field(ge=10, le=120)] = _POLICY.deadline
    unsure: Literal["forward", "take_message"] = _POLICY.unsure
    press_key: bool = False
    max_screened: PositiveInt = 16
    quiet: Annotated[tuple[QuietHours, ...], Sequence] = ()

    def is_quiet(self, now: datetime) -> bool:
        """Whether `now`, in the household's own time zone, lies in the quiet hours."""
        return any(hours.cover(now.time()) for hours in self.quiet)


class Forward(Section):
    """`[forward]`: where callers are put through to."""

    mode: Literal["refer", "bridge"] = "refer"
    target: str

    @field_validator("target")
    @classmethod
    def _check_target(cls, target: str) -> str:
        if target.startswith("tel:"):
            number = target.removeprefix("tel:") or "+861012345678"
            raise ValueError(f"must name the exchange as well, as in sip:{number}@provider.example")
        try:
            host_of(target)
        except ConfigurationError:
            raise ValueError("must be an address such as sip:100@192.168.1.1 (a name or IPv4)") from None
        if "@" not in target or "<" in target:
            raise ValueError("must say who is to be called there, as in sip:100@192.168.1.1")
        return target


class Recognition(Section):
    """`[recognition]`: the speech recognizer."""

    model: str = "whisper-base"
    threads: PositiveInt = 2
    workers: PositiveInt = 2
    timeout_seconds: PositiveFloat = 8.0


class StoreSettings(WithPassword):
    """`[store]`: what is kept of calls, where and for how long."""

    url: str | None = None
    retention_days: NonNegativeInt | None = 180
    """None: for ever, which the file writes as 0."""
    keep_audio: bool = False
    recordings: FromFile | None = None
    audio_retention_days: PositiveInt = 30

    @field_validator("retention_days")
    @classmethod
    def _keep_for_ever(cls, days: int | None) -> int | None:
        return days or None

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        if "://" not in url:
            return str(beside_file(url, info))
        authority = url.partition("://")[2].partition("/")[0]
        if ":" in authority.rpartition("@")[0]:
            raise ValueError(
                "must not hold the password; put it in a file and name it in store.password_file"
            )
        return url


class ListFiles(Section):
    """`[lists]`: numbers that are put through unheard, numbers that are declined, and what numbers are taken for."""

    allow: Annotated[tuple[str, ...], Sequence] = ()
    deny: Annotated[tuple[str, ...], Sequence] = ()
    allow_files: Annotated[tuple[FromFile, ...], Sequence] = ()
    deny_files: Annotated[tuple[FromFile, ...], Sequence] = ()
    system_allow_files: Annotated[tuple[FromFile, ...], Sequence] = ()
    system_deny_files: Annotated[tuple[FromFile, ...], Sequence] = ()
    tag_files: Annotated[tuple[FromFile, ...], Sequence] = ()
    system_tag_files: Annotated[tuple[FromFile, ...], Sequence] = ()

    @field_validator("allow", "deny")
    @classmethod
    def _check_entries(cls, written: tuple[str, ...]) -> tuple[str, ...]:
        verdict: ListVerdict = "allow"  # either: only the form of the entries is looked at
        for position, entry in enumerate(written, start=1):
            try:
                parse_entry(entry, "own", verdict)
            except ConfigurationError as error:
                raise ValueError(f"entry {position}: {error}") from None
        return written


class Prompts(Section):
    """`[prompts]`: own wordings."""

    directory: FromFile | None = None


class LexiconFile(Section):
    """`[lexicon]`: own words."""

    file: FromFile | None = None


class Log(Section):
    """`[log]`: what the service writes on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Section):
    """The whole file."""

    sip: Sip = Sip()
    agent: Agent = Agent()
    forward: Forward
    recognition: Recognition = Recognition()
    store: StoreSettings = StoreSettings()
    lists: ListFiles = ListFiles()
    prompts: Prompts = Prompts()
    lexicon: LexiconFile = LexiconFile()
    log: Log = Log()

    @model_validator(mode="after")
    def _check_recordings(self) -> "Settings":
        if self.store.keep_audio and self.store.recordings is None:
            raise ValueError(
                "store.recordings is needed where store.keep_audio is on: the folder for recordings"
            )
        return self

    @model_validator(mode="after")
    def _check_way_out(self) -> "Settings":
        if (
            self.forward.mode == "bridge"
            and self.forward.target.startswith("sips:")
            and "tls" not in self.sip.transports
        ):
            raise ValueError("forward.target is a sips: address, which needs tls among sip.transports")
        return self
