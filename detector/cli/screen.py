"""`detector screen`: judge recordings of calls."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from detector.errors import ConfigurationError, InputError, RecognitionError

if TYPE_CHECKING:
    from rich.console import Console

    from detector.agents.replay import Replay, ReplayResult

__all__ = ["DEADLINE", "judge", "load_replay", "screen"]

AUDIO_ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au")

DEADLINE = 45.0
"""Seconds of a recording after which an undecided call is left as unsure."""
OTHER_AUDIO = frozenset((".m4a", ".aac", ".amr", ".awb", ".3gp", ".3gpp", ".caf", ".mp4", ".wma", ".webm"))
"""What telephones record as well, and libsndfile does not read."""


def screen(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH…", readable=False, help="Recordings, or folders of them (searched recursively)."
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line on standard output.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Transcribe every turn to the end; the decision does not change.")
    ] = False,
    caller_channel: Annotated[
        Optional[Literal["left", "right"]],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Which channel of a stereo recording is the caller's (default: left)."),
    ] = None,
    language: Annotated[
        Literal["zh", "en", "auto"], typer.Option(help="Language of the calls; auto detects it once a call.")
    ] = "auto",
    deadline: Annotated[
        float,
        typer.Option(min=5.0, help="Seconds of a recording after which an undecided call is left as unsure."),
    ] = DEADLINE,
    model: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            help="Recognition model: a faster-whisper directory or hub name (default: whisper base)."
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of recognition.")] = 2,
    lexicon: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(help="Your own lexicon file."),
    ] = None,
    campaigns: Annotated[
        bool,
        typer.Option("--campaigns", help="Compare the recordings: which of them hold the same audio?"),
    ] = False,
    fingerprints: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            help="Compare them with those of earlier runs too, kept in this file as fingerprints, without audio."
        ),
    ] = None,
) -> None:
    """Judge recordings of calls: who is calling, and whether one wants it.

    Reads WAV (PCM, A-law, µ-law, 8 to 48 kHz), FLAC, MP3, Ogg Opus, AIFF and AU, mono or with the caller on one
    channel of a stereo file. Stops listening to a recording once it is judged, unless --full. Exit code 1 if a
    recording cannot be read: it is named on standard error, the others are judged all the same.

    Compared recordings have a key "campaign" in their JSON: a number that all recordings with the same audio share,
    null where less than 3 s were said. The first of them is judged before its likes are known.
    """
    from detector.cli.progress import output_console, progress_bar
    from detector.cli.recorded_audio import RecordedAudio

    files, failed = _collect(paths)
    if not files and not failed:
        raise ConfigurationError(
            f"no recordings found in the folders given (endings: {' '.join(AUDIO_ENDINGS)})"
        )
    replay = load_replay(full, caller_channel, language, deadline, model, threads, lexicon)
    console = output_console()
    with contextlib.ExitStack() as stack:
        audio = None
        if campaigns or fingerprints is not None:
            audio = stack.enter_context(RecordedAudio(fingerprints))
            replay = replace(replay, look_up=audio.look_up)
        advance = stack.enter_context(progress_bar(console, "judging", len(files)))
        for path in files:
            if audio is not None:
                audio.begin()
            outcome = judge(replay, path)
            if isinstance(outcome, Exception):
                failed = True
                typer.echo(f"detector: {outcome}", err=True)
            else:
                more = {} if audio is None else {"campaign": audio.keep(outcome.record.verdict)}
                _print(console, path, outcome, more, as_json=as_json)
            advance()
    if failed:
        raise typer.Exit(1)


def _collect(paths: list[Path]) -> tuple[list[Path], bool]:
    """Expand folders; a path that is not there is named and the others go on."""
    files: list[Path] = []
    failed = False
    for path in paths:
        if path.is_dir():
            found, is_whole = _search(path)
            files += found
            failed = failed or not is_whole
        elif path.exists():
            files.append(path)
        else:
            failed = True
            typer.echo(f"detector: {path}: no such file or folder", err=True)
    return files, failed


def _search(folder: Path) -> tuple[list[Path], bool]:
    """Return the recordings of a folder, and whether all of it could be looked at; what is left out is told."""
    unread: list[str] = []
    items = [
        Path(place, name)
        for place, _, names in os.walk(folder, onerror=lambda error: unread.append(str(error.filename)))
        for name in names
    ]
    for place in unread:
        typer.echo(f"detector: {place}: the folder cannot be read", err=True)
    others = Counter(ending for item in items if (ending := item.suffix.lower()) in OTHER_AUDIO)
    if others:
        kinds = ", ".join(f"{count} {ending}" for ending, count in sorted(others.items()))
        typer.echo(f"detector: {folder}: passed over: {kinds}; convert them to WAV or FLAC first", err=True)
    return sorted(item for item in items if item.suffix.lower() in AUDIO_ENDINGS), not unread


def load_replay(
    full: bool,
    caller_channel: Literal["left", "right"] | None,
    language: Literal["zh", "en", "auto"],
    deadline: float,
    model: str | None,
    threads: int,
    lexicon: Path | None,
    fusion: Path | None = None,
    intent: Path | None = None,
) -> Replay:
    """Load what judging recordings needs. Raises ConfigurationError."""
    from detector.agents.replay import Replay
    from detector.cli.parts import load_parts, load_transcriber
    from detector.decision.policy import PolicyOptions
    from detector.screener import ScreenerOptions

    options = ScreenerOptions(
        interactive=False,
        listen_on=full,
        languages=("zh", "en") if language == "auto" else (language,),
        policy=PolicyOptions(deadline=deadline),
    )
    transcriber = load_transcriber(model, threads)
    parts = load_parts(lexicon, speaks=False, fusion=fusion, intent=intent)
    return Replay(parts, options, transcriber.transcribe, caller_channel=caller_channel)


def judge(replay: Replay, path: Path) -> ReplayResult | InputError | RecognitionError:
    """Judge one recording; what is wrong with it must not keep the others from being judged."""
    from detector.errors import where

    try:
        return replay.screen(path)
    except (InputError, RecognitionError) as error:
        return error
    except Exception as error:  # noqa: BLE001 - one recording of many; its message may quote what is said in it
        return InputError(f"{path}: could not be judged, please report this ({where(error)})")


def _print(
    console: Console, path: Path, result: ReplayResult, more: dict[str, Any], *, as_json: bool
) -> None:
    from detector.cli.show import print_record

    if as_json:
        row = {
            "file": str(path),
            **result.record.to_json(),
            "judged": result.judged,
            "seconds": round(result.seconds, 2),
            "heard": round(result.heard, 2),
            "notes": list(result.notes),
            **more,
        }
        print(json.dumps(row, ensure_ascii=False), flush=True)  # noqa: T201 - the command's output
    else:
        notes = (*result.notes, *(f"campaign {each}" for each in more.values() if each is not None))
        print_record(console, str(path), result.record, result.judged, notes)
