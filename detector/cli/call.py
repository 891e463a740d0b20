"""`detector call`: a test caller over real SIP."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from detector.errors import ConfigurationError, ScenarioError

if TYPE_CHECKING:
    from detector.agents.channel import Channel
    from detector.agents.scenario import Scenario
    from detector.agents.scenario_call import CallOutcome
    from detector.agents.scenario_caller import ScenarioCaller
    from detector.audio.frames import Samples

__all__ = ["call"]


def call(
    target: Annotated[str, typer.Argument(help="Whom to call: sip:agent@127.0.0.1:5060")],
    scenarios: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="File of scenarios, one JSON object a line; needs --id and --clips."),
    ] = None,
    scenario_id: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option("--id", help="Which scenario of the file."),
    ] = None,
    clips: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Folder of the scenario's clips."),
    ] = None,
    wav: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Play this recording instead of a scenario, then hang up."),
    ] = None,
    number: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="The number to present (default: the scenario's)."),
    ] = None,
    snr: Annotated[float, typer.Option(help="dB of speech over the scenario's background noise.")] = 30.0,
    seed: Annotated[int, typer.Option(help="Same seed, same caller.")] = 0,
    port: Annotated[int, typer.Option(help="Our own SIP port; 0 takes any free one.")] = 0,
    listen_address: Annotated[str, typer.Option(help="Our own IPv4 address.")] = "127.0.0.1",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print only how the call went, as one JSON object.")
    ] = False,
) -> None:
    """Place one test call over real SIP and play a scenario's caller, or a recording.

    The caller hears the agent's prompts, answers them as the scenario says, and follows a transfer. Exit code 1 where
    the call is refused or cannot be placed.
    """
    from detector.sip.options import SipOptions

    scenario = _scenario(scenarios, scenario_id) if wav is None else None
    if scenario is not None and clips is None:
        raise ConfigurationError("--scenarios needs --clips, the folder of the utterances")
    caller, channel = _caller(scenario, clips, wav, snr, seed)
    shown = number if number is not None else (scenario.number if scenario is not None else "")
    name = scenario.display_name if scenario is not None else None
    options = SipOptions(listen_address=listen_address, port=port, rtp_ports=(16000, 17999), role="caller")
    outcome = asyncio.run(_place(target, options, shown, name or "", caller, channel, quiet=as_json))
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


def _scenario(path: Path | None, scenario_id: str | None) -> Scenario:
    from detector.agents.scenario import load_scenarios

    if path is None or scenario_id is None:
        raise ConfigurationError("give --scenarios with --id and --clips, or --wav")
    loaded = load_scenarios(path)
    for scenario in loaded.scenarios:
        if scenario.id == scenario_id:
            return scenario
    for error in loaded.errors:
        typer.echo(f"detector: {error}", err=True)
    raise ScenarioError(f"{path}: holds no usable scenario {scenario_id!r}")


def _caller(
    scenario: Scenario | None, clips: Path | None, wav: Path | None, snr: float, seed: int
) -> tuple[ScenarioCaller | Samples, Channel | None]:
    from detector.agents.channel import Channel
    from detector.agents.clips import Clips
    from detector.agents.scenario_caller import ScenarioCaller
    from detector.audio.files import read_clip

    if scenario is None or clips is None:
        assert wav is not None  # noqa: S101 - one of the two was required before
        return read_clip(wav), None
    library = Clips(clips)
    library.check(scenario)
    channel = Channel(scenario.noise, snr=snr, seed=seed, name=scenario.id, dead_air=scenario.connect_silence)
    return ScenarioCaller(scenario, library, seed), channel


async def _place(
    target: str,
    options: object,
    number: str,
    name: str,
    caller: ScenarioCaller | Samples,
    channel: Channel | None,
    *,
    quiet: bool,
) -> CallOutcome:
    from detector.agents.prompt_spotter import PromptSpotter
    from detector.agents.scenario_call import TestCall
    from detector.dialogue.prompts import PromptLibrary
    from detector.sip.client import SipCaller
    from detector.sip.options import SipOptions

    def show(when: float, text: str) -> None:
        if not quiet:
            typer.echo(f"{when:5.1f}  {text}")

    assert isinstance(options, SipOptions)  # noqa: S101 - made by us
    async with SipCaller(options) as sip:
        # Loaded before the call is placed: while the line is up nothing may keep the caller from talking.
        spotter = PromptSpotter(PromptLibrary.load())
        show(0.0, f"calling {target}")
        call = await sip.call(target, number=number, display_name=name)
        return await TestCall(sip, call, spotter, caller, channel, show).run()
