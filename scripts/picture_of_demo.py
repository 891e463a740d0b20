#!/usr/bin/env python3
"""Draw what the demo shows on a terminal: docs/images/demo.svg.

    scripts/picture_of_demo.py [--out FILE] [--calls ID ...]    run the demo and draw it
    scripts/picture_of_demo.py --output-of-run FILE             draw what an earlier run printed

Every line is drawn as it was printed, with its colours. Exit code 1, and no picture, if an action of the demo is
wrong. Rich has an SVG export of its own, but it gives a Chinese character the width of a Latin one.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from rich.cells import cell_len, get_character_cell_size
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import MONOKAI, TerminalTheme
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parent.parent
COLUMNS: Final = 118
CELL_WIDTH, LINE_HEIGHT, FONT_SIZE, MARGIN, BAR = 8.4, 19.0, 14.0, 16.0, 34.0
THEME: Final = MONOKAI
WIDE_FONT_SIZE: Final = 15.4
"""Of Chinese characters: as wide as high, they stand in two cells."""
FONTS: Final = (
    "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK SC', 'PingFang SC', "
    "'Microsoft YaHei', monospace"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of one width and one style within a line. `column` and `cells` count terminal cells."""

    text: str
    column: int
    cells: int
    style: Style


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw what the demo shows on a terminal.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "demo.svg", metavar="FILE")
    parser.add_argument(
        "--output-of-run", type=Path, metavar="FILE", help="draw this instead of running the demo"
    )
    parser.add_argument(
        "--calls", nargs="+", default=[], metavar="ID", help="scenarios (default: the demo's)"
    )
    arguments = parser.parse_args()
    if arguments.output_of_run is not None:
        printed = arguments.output_of_run.read_text("utf-8")
    else:
        run = run_demo(arguments.calls)
        if run.returncode:
            sys.stderr.write(run.stdout)
            print("the demo failed, see above; no picture was made", file=sys.stderr)
            return 1
        printed = run.stdout
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(draw(printed), "utf-8")
    print(arguments.out)
    return 0


def run_demo(calls: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run the demo with colours, though it writes into a pipe."""
    command = [sys.executable, str(ROOT / "scripts" / "run_demo.py"), *(["--calls", *calls] if calls else [])]
    colours = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | colours
    return subprocess.run(  # noqa: S603 - our own script
        command, env=environ, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False
    )


def draw(printed: str) -> str:
    """Return an SVG picture of terminal output (ANSI colours allowed), wrapped at COLUMNS."""
    lines = list(terminal_lines(printed))
    width = 2 * MARGIN + COLUMNS * CELL_WIDTH
    height = BAR + 2 * MARGIN + len(lines) * LINE_HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
            "<title>$ ./scripts/demo</title>",
            "<style>text { white-space: pre }</style>",
            f'<rect width="100%" height="100%" rx="8" fill="{THEME.background_color.hex}"/>',
            *window_bar(),
            # Spaces count: by the style in browsers, by this attribute in programs that know no style.
            f'<g font-family="{FONTS}" font-size="{FONT_SIZE:g}" xml:space="preserve">',
            *text_elements(lines),
            "</g>",
            "</svg>",
            "",
        ]
    )


def window_bar() -> Iterator[str]:
    for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840")):
        yield f'<circle cx="{MARGIN + 6 + 20 * number:g}" cy="{BAR / 2 + 3:g}" r="6" fill="{colour}"/>'


def terminal_lines(printed: str) -> Iterator[list[Piece]]:
    console = Console(width=COLUMNS, force_terminal=True, color_system="truecolor", legacy_windows=False)
    for line in printed.rstrip("\n").split("\n"):
        for row in console.render_lines(Text.from_ansi(line), pad=False):
            yield list(pieces(row))


def pieces(row: Iterable[Segment]) -> Iterator[Piece]:
    """Split a row where style or width changes, so that each piece can be stretched evenly to its cells."""
    column = 0
    for text, style, _ in row:
        start = 0
        for index in range(1, len(text) + 1):
            if index < len(text) and _width(text[index]) == _width(text[start]):
                continue
            part = text[start:index]
            yield Piece(part, column, cell_len(part), style or Style.null())
            column += cell_len(part)
            start = index


def _width(character: str) -> int:
    return get_character_cell_size(character)


def text_elements(lines: Iterable[list[Piece]]) -> Iterator[str]:
    for number, line in enumerate(lines):
        baseline = BAR + MARGIN + number * LINE_HEIGHT + FONT_SIZE
        for piece in line:
            if piece.text.strip():
                yield text_element(piece, baseline)


def text_element(piece: Piece, baseline: float) -> str:
    bold = ' font-weight="bold"' if piece.style.bold else ""
    # Browsers stretch to textLength; the spacing is for programs that know nothing of it.
    spacing = f"{2 * CELL_WIDTH - WIDE_FONT_SIZE:.1f}"
    wide = f' font-size="{WIDE_FONT_SIZE:g}" letter-spacing="{spacing}"' if _width(piece.text[0]) == 2 else ""
    return (
        f'<text x="{MARGIN + piece.column * CELL_WIDTH:.1f}" y="{baseline:.1f}" '
        f'textLength="{piece.cells * CELL_WIDTH:.1f}" fill="{colour_of(piece.style, THEME)}"{bold}{wide}>'
        f"{escape(piece.text)}</text>"
    )


def colour_of(style: Style, theme: TerminalTheme) -> str:
    colour = theme.foreground_color if style.color is None else style.color.get_truecolor(theme)
    if not style.dim:
        return colour.hex
    back = theme.background_color
    faded = (round(0.62 * front + 0.38 * behind) for front, behind in zip(colour, back, strict=True))
    return "#{:02x}{:02x}{:02x}".format(*faded)


if __name__ == "__main__":
    sys.exit(main())
