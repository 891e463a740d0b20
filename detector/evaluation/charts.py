"""The pictures of a report: ranking, trade-off of errors, honesty of the odds, time to the decision."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from detector.decision.odds import probability
from detector.evaluation import curves
from detector.evaluation.markup import Html, element, join
from detector.evaluation.metrics import Figures, Group, Ranking
from detector.evaluation.plot import Axis, Plot, percent_axis, seconds_axis

__all__ = ["calibration_chart", "charts", "det_chart", "roc_chart", "time_chart"]

DET_TICKS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6)
SERIES = 6
"""Colours that the style sheet has for lines."""


def charts(figures: Figures, hang_up_at: float) -> Html:
    """All four, where there is something to draw; `hang_up_at` in nats of log-odds."""
    ranking = figures.ranking
    ranked = [roc_chart(ranking, hang_up_at), det_chart(ranking)] if ranking.points else []
    return element("div", *ranked, calibration_chart(ranking), time_chart(figures.by_caller), class_="charts")


def _figure(title: str, plot: Plot, *explained: object, legend: Html | None = None) -> Html:
    caption = element("figcaption", element("strong", title), " ", *explained)
    return element("figure", plot.render(), legend, caption)


def roc_chart(ranking: Ranking, hang_up_at: float) -> Html:
    plot = Plot(
        "ROC curve: share of unwanted calls found over share of wanted calls flagged",
        percent_axis("wanted calls flagged, %"),
        percent_axis("unwanted calls found, %"),
    )
    plot.line([(0, 0), (1, 1)], "chance")
    plot.line([(point.false_alarms, point.found) for point in ranking.points], "series-0")
    least = probability(hang_up_at)
    reached = [point for point in ranking.points if point.threshold >= least]
    if reached:
        last = reached[-1]
        told = f"{100 * last.found:.1f} % found, {100 * last.false_alarms:.1f} % flagged"
        plot.point(last.false_alarms, last.found, "series-0", told, 5)
    area = f"{ranking.area:.4f}" if ranking.area is not None else "unknown"
    return _figure(
        "ROC.",
        plot,
        f"Ranked by the probability that the call is unwanted. Area {area}. The dot: {100 * least:.0f} %, where "
        "hanging up becomes possible; it takes a second kind of evidence too, which this curve does not show.",
    )


def det_chart(ranking: Ranking) -> Html:
    def axis(label: str) -> Axis:
        ticks = [(value, f"{100 * value:g}") for value in DET_TICKS]
        return Axis(label, DET_TICKS[0], DET_TICKS[-1], ticks, NormalDist().inv_cdf)

    plot = Plot(
        "DET curve: unwanted calls missed over wanted calls flagged, on normal deviate scales",
        axis("wanted calls flagged, %"),
        axis("unwanted calls missed, %"),
    )
    plot.line([(value, value) for value in (DET_TICKS[0], DET_TICKS[-1])], "chance")
    plot.line([(point.false_alarms, 1 - point.found) for point in ranking.points], "series-3")
    rate = ranking.equal_error
    equal = "" if rate is None else f" Both are {100 * rate:.1f} % at one threshold."
    return _figure(
        "DET.",
        plot,
        "The same trade-off on the scales of the normal distribution; rates below 0.5 % lie on the edge."
        + equal,
    )


def calibration_chart(ranking: Ranking) -> Html:
    plot = Plot(
        "Calibration: share of unwanted calls over the probability that the detector gave",
        percent_axis("probability given, %"),
        percent_axis("were unwanted, %"),
    )
    plot.line([(0, 0), (1, 1)], "chance")
    for one in ranking.bins:
        plot.upright(one.said, one.was.low, one.was.high, "series-2")
    most = max((one.calls for one in ranking.bins), default=1)
    for one in ranking.bins:
        told = f"said {100 * one.said:.0f} %; unwanted: {one.was}"
        radius = 3 + 5 * math.sqrt(one.calls / most)
        plot.point(one.said, (one.was.value or 0.0), "series-2", told, radius)
    error = ranking.calibration_error
    return _figure(
        "Calibration.",
        plot,
        "Dots: calls by the probability given, larger for more calls; bars: exact 95 % intervals. Expected calibration "
        f"error {error:.3f}, Brier score {ranking.brier:.3f}. It depends on how many of the calls are unwanted: "
        "a real line has another share."
        if error is not None
        else "No calls.",
    )


def time_chart(groups: Sequence[Group]) -> Html:
    longest = max((call.decided_at or 0.0 for group in groups for call in group.calls), default=0.0)
    # The deadline's decisions must not fall on the frame.
    axis = seconds_axis("seconds after answer", 1.05 * longest)
    plot = Plot("Share of calls decided over time, by kind of caller", axis, percent_axis("decided, %"))
    names = []
    for at, group in enumerate(groups):
        steps = curves.decided_by(group.calls)
        if steps:
            colour = f"series-{at % SERIES}{' dashed' if group.wanted else ''}"
            plot.line([(0, 0), *steps, (axis.high, steps[-1][1])], colour, steps=True)
        kind = "wanted, dashed" if group.wanted else "unwanted"
        names.append(
            element("li", element("span", class_=f"key series-{at % SERIES}"), f"{group.name} ({kind})")
        )
    return _figure(
        "Time to the decision.",
        plot,
        "How many of the calls of each kind were decided by then.",
        legend=join(element("ul", *names, class_="legend")),
    )
