"""A small plot as SVG: two axes, lines, points with intervals. Colours come from the page's style sheet."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from detector.evaluation.markup import Html, element, join

__all__ = ["Axis", "Plot", "percent_axis", "seconds_axis"]

LEFT, RIGHT, TOP, BOTTOM = 52, 14, 12, 42
Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, marked at `ticks`; `scale` bends it (the identity leaves it straight)."""

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    scale: Callable[[float], float] = field(default=lambda value: value)

    def place(self, value: float) -> float:
        """Return where `value` lies, 0 to 1; what is beyond an end lies at the end."""
        low, high = self.scale(self.low), self.scale(self.high)
        return (self.scale(min(self.high, max(self.low, value))) - low) / (high - low)


def percent_axis(label: str, high: float = 1.0) -> Axis:
    """Shares, marked in per cent."""
    steps = 5
    ticks = [(high * at / steps, f"{100 * high * at / steps:.3g}") for at in range(steps + 1)]
    return Axis(label, 0.0, high, ticks)


def seconds_axis(label: str, longest: float) -> Axis:
    """From 0 to a round number of seconds."""
    step = next((one for one in (1, 2, 5, 10, 20, 30, 60) if longest / one <= 6), 120)
    high = max(1, math.ceil(longest / step)) * step
    return Axis(label, 0.0, high, [(value, str(value)) for value in range(0, high + 1, step)])


class Plot:
    """Drawn from the back to the front."""

    def __init__(self, title: str, x: Axis, y: Axis, width: int = 460, height: int = 340) -> None:
        """`title` is what a screen reader says."""
        self._title = title
        self._x, self._y = x, y
        self._width, self._height = width, height
        self._drawn: list[Html] = []

    def line(self, points: Pairs, class_: str, *, steps: bool = False) -> None:
        """Draw a line, or a staircase that holds each height until the next point."""
        if steps:
            points = [corner for one, two in pairwise(points) for corner in (one, (two[0], one[1]))] + list(
                points[-1:]
            )
        written = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(self._at, points))
        self._drawn.append(element("polyline", points=written, class_=f"line {class_}"))

    def point(self, x: float, y: float, class_: str, told: str, radius: float = 4) -> None:
        """Mark a point; `told` is shown where the pointer rests on it."""
        at, height = self._at((x, y))
        circle = element(
            "circle",
            element("title", told),
            cx=f"{at:.1f}",
            cy=f"{height:.1f}",
            r=f"{radius:.1f}",
            class_=f"point {class_}",
        )
        self._drawn.append(circle)

    def upright(self, x: float, low: float, high: float, class_: str) -> None:
        """Draw an interval."""
        (at, bottom), (_, top) = self._at((x, low)), self._at((x, high))
        self._drawn.append(_line(at, bottom, at, top, f"line {class_}"))

    def render(self) -> Html:
        return element(
            "svg",
            element("title", self._title),
            self._grid(),
            *self._drawn,
            viewBox=f"0 0 {self._width} {self._height}",
            role="img",
            aria_label=self._title,
        )

    def _at(self, point: tuple[float, float]) -> tuple[float, float]:
        across = LEFT + self._x.place(point[0]) * (self._width - LEFT - RIGHT)
        down = self._height - BOTTOM - self._y.place(point[1]) * (self._height - TOP - BOTTOM)
        return across, down

    def _grid(self) -> Html:
        bottom, right = self._height - BOTTOM, self._width - RIGHT
        marks: list[Html] = []
        for value, label in self._x.ticks:
            at, _ = self._at((value, self._y.low))
            marks += [
                _line(at, TOP, at, bottom, "rule"),
                _label(at, bottom + 16, label, "middle"),
            ]
        for value, label in self._y.ticks:
            _, at = self._at((self._x.low, value))
            marks += [_line(LEFT, at, right, at, "rule"), _label(LEFT - 7, at + 4, label, "end")]
        middle = (TOP + bottom) / 2
        turned = element(
            "text",
            self._y.label,
            transform=f"translate(13 {middle:.0f}) rotate(-90)",
            text_anchor="middle",
            class_="axis",
        )
        name = element(
            "text",
            self._x.label,
            x=f"{(LEFT + right) / 2:.0f}",
            y=f"{self._height - 6}",
            text_anchor="middle",
            class_="axis",
        )
        return join(*marks, turned, name)


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    return element("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=class_)


def _label(x: float, y: float, content: str, anchor: str) -> Html:
    return element("text", content, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_="tick")
