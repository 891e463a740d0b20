"""From settings to the options of each part: the one place where the file's words become thresholds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from detector.config.settings import Personality, Settings, Strictness
from detector.decision.policy import PolicyOptions
from detector.dialogue.planner import PlannerOptions
from detector.errors import ConfigurationError
from detector.screener import ScreenerOptions
from detector.sip.options import SipOptions, spread
from detector.stores.database import parse_url
from detector.stores.lists import ListEntry, ListVerdict, Owner, parse_entry, parse_tagged

__all__ = ["list_entries", "screener_options", "sip_options", "store_url"]

_LENIENCY: Final[Mapping[Strictness, float]] = {
    "lenient": 1.8,  # 100 : 1 with the weights that ship
    "normal": 0.0,  # 16 : 1
    "strict": -0.6,  # 9 : 1; two independent sources are needed all the same
}
"""Nats that hanging up takes beyond what stands beside the weights of fusion."""
_DECIDED_SECONDS: Final = 20.0
"""After the deadline: by then a caller whose audio does not reach us has been put through, or has left a message, as
any silent one; before that nothing but he himself may end the call."""
_PLANNER: Final[Mapping[Personality, PlannerOptions]] = {
    "patient": PlannerOptions(reply_silence=0.8, patience=4.5, monologue=13.0),
    "friendly": PlannerOptions(),
    "brisk": PlannerOptions(patience=2.4, monologue=7.0, most_questions=2, most_of_suspects=4),
}


def screener_options(settings: Settings) -> ScreenerOptions:
    """Return how calls are screened."""
    agent = settings.agent
    names = (agent.household, *agent.known_names) if agent.household else agent.known_names
    return ScreenerOptions(
        languages=agent.languages,
        known_names=names,
        transcript_patience=settings.recognition.timeout_seconds,
        policy=PolicyOptions(
            leniency=_LENIENCY[agent.strictness], deadline=agent.deadline_seconds, unsure=agent.unsure
        ),
        planner=replace(_PLANNER[agent.personality], press_key=agent.press_key),
    )


def sip_options(settings: Settings, environ: Mapping[str, str]) -> tuple[SipOptions, ...]:
    """Return the options of every SIP worker: `sip.workers` for each account, or without any account.

    The first worker of an account registers. Raises ConfigurationError.
    """
    sip = settings.sip
    base = SipOptions(
        listen_address=sip.listen_address,
        port=sip.port,
        tls_port=sip.tls_port,
        transports=sip.transports,
        public_address=sip.public_address,
        rtp_ports=sip.rtp_ports,
        codecs=sip.codecs,
        srtp=sip.srtp,
        tls_certificate=_text(sip.tls_certificate),
        tls_private_key=_text(sip.tls_private_key),
        tls_authorities=_text(sip.tls_authorities),
        identity=sip.identity,
        max_calls=sip.max_calls,
        max_call_seconds=sip.max_call_seconds,
        rtp_timeout=max(sip.rtp_timeout, settings.agent.deadline_seconds + _DECIDED_SECONDS),
        reserve_for_bridge=settings.forward.mode == "bridge",
    )
    workers = spread(base, sip.workers * max(1, len(sip.account)))
    if not sip.account:
        return workers
    return tuple(_with_accounts(settings, workers, environ))


def _with_accounts(
    settings: Settings, workers: tuple[SipOptions, ...], environ: Mapping[str, str]
) -> Iterator[SipOptions]:
    for index, account in enumerate(settings.sip.account):
        try:
            password = account.read_password(environ, "DETECTOR_SIP_PASSWORD")
        except ConfigurationError as error:
            raise ConfigurationError(f"sip.account {index + 1}: {error}") from None
        if password is None:
            raise ConfigurationError(
                f"sip.account {index + 1}: no password; name a file in password_file, or set DETECTOR_SIP_PASSWORD"
            )
        first = index * settings.sip.workers
        for number, worker in enumerate(workers[first : first + settings.sip.workers]):
            yield replace(
                worker,
                identity=account.username,
                username=account.username,
                password=password.get_secret_value(),
                realm=account.realm,
                registrar=account.registrar if number == 0 else None,
                outbound_proxy=account.outbound_proxy,
                register_seconds=account.register_seconds,
            )


def store_url(settings: Settings, environ: Mapping[str, str]) -> URL:
    """Return where the store is, with its password. Raises ConfigurationError or StoreError."""
    if settings.store.url is None:
        from platformdirs import user_data_path  # noqa: PLC0415 - only where nothing is configured

        return parse_url(user_data_path("robocall-detector") / "calls.sqlite3")
    url = parse_url(settings.store.url)
    try:
        password = settings.store.read_password(environ, "DETECTOR_STORE_PASSWORD")
    except ConfigurationError as error:
        raise ConfigurationError(f"store: {error}") from None
    return url if password is None else url.set(password=password.get_secret_value())


def list_entries(settings: Settings) -> tuple[ListEntry, ...]:
    """Return the entries of the file and of the files that it names. Raises ConfigurationError."""
    lists = settings.lists
    entries = [parse_entry(each, "own", "allow") for each in lists.allow]
    entries += [parse_entry(each, "own", "deny") for each in lists.deny]
    files: tuple[tuple[tuple[Path, ...], Owner, ListVerdict], ...] = (
        (lists.allow_files, "own", "allow"),
        (lists.deny_files, "own", "deny"),
        (lists.system_allow_files, "system", "allow"),
        (lists.system_deny_files, "system", "deny"),
        (lists.tag_files, "own", "tag"),
        (lists.system_tag_files, "system", "tag"),
    )
    for paths, owner, verdict in files:
        for path in paths:
            entries += _read_entries(path, owner, verdict)
    return tuple(entries)


def _read_entries(path: Path, owner: Owner, verdict: ListVerdict) -> Iterator[ListEntry]:
    """Read a list: an entry a line, and after a # whatever the user wants to remember of it."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(f"{path}: the list cannot be read ({reason})") from None
    for number, line in enumerate(lines, start=1):
        written, _, note = line.partition("#")
        if not written.strip():
            continue
        more = {"note": note.strip() or None}
        try:
            if verdict == "tag":
                yield parse_tagged(written, owner, **more)
            else:
                yield parse_entry(written, owner, verdict, **more)
        except ConfigurationError as error:
            raise ConfigurationError(f"{path}:{number}: {error}") from None


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
