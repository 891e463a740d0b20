"""The command line: one command a module, put together here.

Exit codes: 0 done, 1 some inputs failed (each named on standard error), 2 usage or configuration.
"""

import os
import signal
import sys
from typing import Annotated

import typer

import detector
from detector.cli import answer, bench, call, models, screen, simulate
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


app.command("answer")(answer.answer)
app.command("screen")(screen.screen)
app.command("call")(call.call)
app.command("simulate")(simulate.simulate)
app.command("bench")(bench.bench)
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the program; every error that is ours is one line on standard error."""
    # A reader of our output that goes away (`| head`) is no error.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        app(standalone_mode=True)
    except (ConfigurationError, PortInUse, StoreError) as error:
        _fail(error, 2)
    except DetectorError as error:
        _fail(error, 1)
    except KeyboardInterrupt:
        sys.stdout.flush()
        os._exit(130)


def _fail(error: DetectorError, code: int) -> None:
    print(f"detector: {error}", file=sys.stderr)  # noqa: T201 - this is the command line
    sys.exit(code)


if __name__ == "__main__":
    main()
