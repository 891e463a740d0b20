"""The command line: one command a module, put together here.

Exit codes: 0 done, 1 some inputs failed (each named on standard error), 2 usage or configuration.
"""

import io
import os
import sys
from typing import Annotated, TextIO

import typer

import detector
from detector.cli import (
    answer,
    bench,
    call,
    evaluate,
    fingerprints,
    models,
    numbers,
    purge,
    report,
    screen,
    simulate,
)
from detector.errors import ConfigurationError, DetectorError, PortInUse, StoreError

__all__ = ["app", "main"]

app = typer.Typer(
    name="detector",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help=(
        "Answers unknown callers, notices recordings, sales patter and callers who do not respond, and hangs up, "
        "takes a message or puts the call through. The same judgement works on recordings of calls and on simulated "
        "callers."
    ),
    epilog=(
        "Begin with: detector screen RECORDING.wav. For your own line: copy docs/agent.example.toml, then detector "
        "answer --config FILE --check. Exit codes: 0 done, 1 some inputs failed (each is named on standard error), 2 "
        "usage or configuration."
    ),
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"detector {detector.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


app.command("answer", short_help="Run the answering service on a SIP line.")(answer.answer)
app.command("screen", short_help="Judge recordings of calls.")(screen.screen)
app.command("report", short_help="Show calls and messages.")(report.report)
app.command("purge", short_help="Delete old calls, or all of one number.")(purge.purge)
app.command("simulate", short_help="Play simulated callers against the agent.")(simulate.simulate)
app.command("evaluate", short_help="Measure the detector on simulated or labelled calls.")(evaluate.evaluate)
app.command("call", short_help="Place a test call over real SIP.")(call.call)
app.command("bench", short_help="Measure speed and accuracy on this machine.")(bench.bench)
app.add_typer(
    fingerprints.app,
    name="fingerprints",
    short_help="The same audio in several calls: campaigns, export, import.",
)
app.add_typer(
    numbers.app,
    name="numbers",
    short_help="Numbers that always or never come through, and tags.",
)
app.add_typer(models.app, name="models", short_help="Recognition weights: list, make ready, check.")


def _one_thread_for_small_sums() -> None:
    """Keep numpy's linear algebra to one thread, before numpy is loaded.

    The matrices here are small. A second thread waits for its share by spinning: a quarter of the processor time of
    recognition on two cores, and turns that take twice as long when several calls are up. Recognition has threads of
    its own. Whoever sets the variable is left with it.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """Run the program; every error that is ours is one line on standard error."""
    _one_thread_for_small_sums()
    # A terminal without Chinese characters shows codes for them, not a traceback.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app(standalone_mode=True)
        finally:
            _flush()
    except (ConfigurationError, PortInUse, StoreError) as error:
        _fail(error, 2)
    except DetectorError as error:
        _fail(error, 1)
    except BrokenPipeError:  # of what came last; for the rest Typer ends quietly by itself
        _let_go_of_output()
        sys.exit(1)
    except OSError as error:
        # A full disk under standard output, a folder that vanished.
        _let_go_of_output()
        place = f"{error.filename}: " if error.filename else ""
        _fail(DetectorError(f"{place}{error.strerror or type(error).__name__}"), 2)
    except KeyboardInterrupt:
        sys.exit(130)


def _let_go_of_output() -> None:
    """Drop what cannot be written: some versions of Python try again as they end, and complain with a code of 120."""
    try:
        _flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _flush() -> None:
    output: TextIO | None = sys.stdout  # none where the caller closed it
    if output is not None:
        output.flush()


def _fail(error: DetectorError, code: int) -> None:
    for line in str(error).splitlines():
        print(f"detector: {line}", file=sys.stderr)  # noqa: T201 - this is the command line
    sys.exit(code)


if __name__ == "__main__":
    main()
