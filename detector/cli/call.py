"""`detector call`: a test caller over real SIP."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from detector.errors import AudioFileError, ConfigurationError, PortInUse

if TYPE_CHECKING:
    from detector.agents.channel import Channel
    from detector.agents.scenario import Scenario
    from detector.agents.scenario_call import CallOutcome
    from detector.agents.scenario_caller import ScenarioCaller
    from detector.audio.frames import Samples
    from detector.sip.options import SipOptions

__all__ = ["call"]

_OF_SCENARIOS = ("--scenarios", "--id", "--clips", "--snr", "--seed")
"""Options that a recording has no use for."""
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class _Party:
    """Who calls: his audio, the noise of his line, and what he presents."""

    caller: ScenarioCaller | Samples
    channel: Channel | None = None
    number: str = "anonymous"
    name: str = ""
    note: str = ""
    """What a reader of the call has to know of the audio."""


def call(
    context: typer.Context,
    target: Annotated[str, typer.Argument(help="Whom to call: sip:agent@127.0.0.1:5060")],
    scenarios: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="File of scenarios, one JSON object a line; needs --id."),
    ] = None,
    scenario_id: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--id", help="Which scenario of the file."),
    ] = None,
    clips: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Folder of the scenario's clips (default: clips/ beside the scenarios)."),
    ] = None,
    wav: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Play this recording instead of a scenario, then hang up."),
    ] = None,
    caller_channel: Annotated[
        Optional[Literal["left", "right"]],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Which channel of a stereo recording to play (default: left)."),
    ] = None,
    number: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            help="The number to present, or anonymous (default: the scenario's; anonymous for --wav)."
        ),
    ] = None,
    snr: Annotated[
        float, typer.Option(metavar="DB", help="dB of speech over the scenario's background noise.")
    ] = 30.0,
    seed: Annotated[int, typer.Option(help="Same seed, same caller.")] = 0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Our own SIP port; 0 takes any free one.")] = 0,
    listen_address: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            help="Our own IPv4 address (default: the one from which this machine reaches the target)."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print only how the call went, as one JSON object.")
    ] = False,
) -> None:
    """Place one test call over real SIP and play a scenario's caller, or a recording.

    The caller hears the agent's prompts, answers them as the scenario says, and follows a transfer. Exit code 1 where
    the call is refused or cannot be placed.
    """
    from detector.cli.given import given_options
    from detector.sip.options import SipOptions
    from detector.sip.reaching import address_of, host_of, own_address

    host = host_of(target)
    _check(given_options(context), number, listen_address)
    if wav is not None:
        party = _recording(wav, caller_channel)
    else:
        party = _of_scenario(_scenario(scenarios, scenario_id), clips, snr, seed)
    if number is not None:
        party = replace(party, number=number)
    there = address_of(host)
    address = listen_address or own_address(there)
    options = SipOptions(listen_address=address, port=port, rtp_ports=(16000, 17999), role="caller")
    try:
        outcome = asyncio.run(_place(target, options, party, quiet=as_json))
    except PortInUse:
        advice = "stop what listens there, or leave --port out to take any free one"
        raise PortInUse(f"{address}:{port} is in use: {advice}") from None
    if as_json:
        rounded = replace(outcome, seconds=round(outcome.seconds, 2))
        typer.echo(json.dumps(asdict(rounded), ensure_ascii=False))
    else:
        typer.echo(f"{outcome.seconds:5.1f}  {_ending(outcome, target)}")
    if outcome.ending in {"refused", "lost"}:
        raise typer.Exit(1)


def _ending(outcome: CallOutcome, target: str) -> str:
    from detector.sip.events import UNREACHED

    if outcome.ending == "refused" and outcome.code == UNREACHED:
        return f"nothing answered at {target} ({outcome.code}): is the service running there?"
    return f"{outcome.ending.replace('_', ' ')} ({outcome.code})"


def _check(given: frozenset[str], number: str | None, listen_address: str | None) -> None:
    """Raise ConfigurationError for options that do not go together or hold what they cannot."""
    from detector.sip.addresses import presentable

    if "--wav" in given and (unused := [name for name in _OF_SCENARIOS if name in given]):
        raise ConfigurationError(
            f"{', '.join(unused)}: --wav plays a recording and no scenario; leave the one or the other out"
        )
    if "--wav" not in given:
        if missing := [name for name in ("--scenarios", "--id") if name not in given]:
            raise ConfigurationError(f"{' and '.join(missing)} missing: give --scenarios with --id, or --wav")
        if "--caller-channel" in given:
            raise ConfigurationError("--caller-channel chooses a channel of --wav; leave it out")
    if number is not None and (not number or presentable(number) != number):
        raise ConfigurationError(
            "--number: give a number such as 02160953318, or anonymous; letters, digits and +-_.*# may stand in "
            "it, blanks may not"
        )
    if listen_address is not None and not _is_ipv4(listen_address):
        raise ConfigurationError(f"--listen-address {listen_address}: give an IPv4 address of this machine")


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _scenario(path: Path | None, scenario_id: str | None) -> tuple[Path, Scenario]:
    from detector.agents.scenario import load_scenarios

    assert path is not None  # noqa: S101 - asked for before
    loaded = load_scenarios(path)
    for scenario in loaded.scenarios:
        if scenario.id == scenario_id:
            return path, scenario
    for error in loaded.errors:
        typer.echo(f"detector: {error}", err=True)
    known = [scenario.id for scenario in loaded.scenarios]
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    there = f"; there are {', '.join(known[:_MOST_NAMED])}{more}" if known else ""
    raise ConfigurationError(f"{path}: holds no usable scenario {scenario_id!r}{there}")


def _of_scenario(found: tuple[Path, Scenario], clips: Path | None, snr: float, seed: int) -> _Party:
    from detector.agents.channel import Channel
    from detector.agents.clips import Clips
    from detector.agents.scenario_caller import ScenarioCaller
    from detector.cli.playing import clips_folder

    path, scenario = found
    library = Clips(clips_folder(clips, path))
    library.check(scenario)
    channel = Channel(scenario.noise, snr=snr, seed=seed, name=scenario.id, dead_air=scenario.connect_silence)
    caller = ScenarioCaller(scenario, library, seed)
    return _Party(caller, channel, scenario.number, scenario.display_name or "")


def _recording(path: Path, side: Literal["left", "right"] | None) -> _Party:
    from detector.audio.files import AudioFile, read_clip

    with AudioFile(path) as audio:
        is_stereo = audio.channels > 1
    if side is not None and not is_stereo:
        raise AudioFileError(f"{path}: has one channel; leave --caller-channel out")
    note = f"plays the {side or 'left'} channel of {path.name}" if is_stereo else ""
    if note and side is None:
        note += "; --caller-channel right plays the other one"
    return _Party(read_clip(path, 1 if side == "right" else 0), note=note)


async def _place(target: str, options: SipOptions, party: _Party, *, quiet: bool) -> CallOutcome:
    from detector.agents.prompt_spotter import PromptSpotter
    from detector.agents.scenario_call import TestCall
    from detector.dialogue.prompts import PromptLibrary
    from detector.sip.client import SipCaller

    def show(when: float, text: str) -> None:
        if not quiet:
            typer.echo(f"{when:5.1f}  {text}")

    async with SipCaller(options) as sip:
        # Loaded before the call is placed: while the line is up nothing may keep the caller from talking.
        spotter = PromptSpotter(PromptLibrary.load())
        show(0.0, f"calling {target}")
        if party.note:
            show(0.0, party.note)
        call = await sip.call(target, number=party.number, display_name=party.name)
        return await TestCall(sip, call, spotter, party.caller, party.channel, show).run()
