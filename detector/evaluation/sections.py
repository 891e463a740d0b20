"""The tables of a report."""

from collections.abc import Callable, Sequence

from detector.evaluation.conditions import GRID_LOSS, GRID_SNR
from detector.evaluation.evaluation import Beside
from detector.evaluation.intervals import Share
from detector.evaluation.markup import Html, element, join
from detector.evaluation.metrics import Figures, Group, Headline, Spread, row_names
from detector.evaluation.naming import Naming

__all__ = [
    "cards",
    "grid_tables",
    "left_out_table",
    "lines_table",
    "naming_tables",
    "outcome_table",
    "share_cell",
    "timing_table",
]


def cards(headline: Headline) -> Html:
    """The figures that matter most, with their intervals as bars."""
    shown = (
        ("Wanted, hung up on", headline.wanted.hung_up, "lower"),
        ("Persons put through", headline.persons.put_through, "higher"),
        ("Announcements delivered", headline.delivered, "higher"),
        ("Unwanted, hung up on", headline.unwanted.hung_up, "higher"),
        ("Unwanted, message taken", headline.unwanted.message, "lower"),
        ("Unwanted, put through", headline.unwanted.put_through, "lower"),
    )
    return element("div", *(_card(*one) for one in shown), class_="cards")


def _card(name: str, found: Share, better: str) -> Html:
    value = found.value
    number = "–" if value is None else f"{100 * value:.1f} %"
    return element(
        "div",
        element("div", name, class_="name"),
        element("div", number, class_="number"),
        element("div", f"{found.count} of {found.of}, {_range(found)}; {better} is better", class_="muted"),
        _interval_bar(found),
        class_="card",
    )


def _range(found: Share) -> str:
    return f"{100 * found.low:.1f} to {100 * found.high:.1f} %"


def _interval_bar(found: Share) -> Html:
    if not found.of:
        return element("div", class_="range")
    inside = f"left:{100 * found.low:.2f}%;width:{100 * (found.high - found.low):.2f}%"
    return element(
        "div",
        element("i", style=inside),
        element("b", style=f"left:{100 * (found.value or 0.0):.2f}%"),
        class_="range",
        title=f"95 % interval {_range(found)}",
    )


def share_cell(found: Share, *, bad: bool = False) -> Html:
    """Count, per cent and interval."""
    if not found.of:
        return element("td", "–", class_="muted")
    interval = f"{100 * (found.value or 0.0):.0f} % ({100 * found.low:.0f}–{100 * found.high:.0f})"
    return element(
        "td",
        element("span", str(found.count), class_="count"),
        " ",
        element("span", interval, class_="muted"),
        class_="bad" if bad and found.count else None,
    )


def _head(*columns: str) -> Html:
    return element("thead", element("tr", *(element("th", name) for name in columns)))


def outcome_table(name: str, groups: Sequence[Group]) -> Html:
    """What was done with whom; the bar shows the same at a glance."""
    rows = [
        element(
            "tr",
            element("th", group.name, scope="row"),
            element("td", str(len(group.calls))),
            element("td", _outcome_bar(group), class_="outcome"),
            share_cell(group.hung_up, bad=group.wanted),
            share_cell(group.message),
            share_cell(group.put_through),
            share_cell(group.undecided),
        )
        for group in groups
    ]
    head = _head(name, "calls", "", "hung up on", "message", "put through", "undecided")
    return element("div", element("table", head, element("tbody", *rows)), class_="wide")


def _outcome_bar(group: Group) -> Html:
    parts = (
        ("hung-up lost" if group.wanted else "hung-up", group.hung_up),
        ("message", group.message),
        ("through", group.put_through),
        ("undecided", group.undecided),
    )
    shown = [
        element("i", class_=name, style=f"width:{100 * (one.value or 0.0):.2f}%")
        for name, one in parts
        if one.count
    ]
    told = ", ".join(
        f"{name.removesuffix(' lost').replace('-', ' ')} {one.count}" for name, one in parts if one.count
    )
    return element("div", *shown, class_="stack", title=told)


def timing_table(groups: Sequence[Group]) -> Html:
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            *_spread_cells(group.seconds, " s"),
            *_spread_cells(group.after_turn, " s"),
            *_spread_cells(group.questions, ""),
            share_cell(group.asked_too_much),
        )
        for name, group in zip(row_names(groups), groups, strict=True)
    ]
    head = _head(
        "kind",
        "decided after",
        "90 %",
        "after the turn",
        "90 %",
        "questions",
        "90 %",
        "more than two",
    )
    return element("div", element("table", head, element("tbody", *rows)), class_="wide")


def naming_tables(found: Naming) -> Html:
    """What each kind of caller was labelled, and what each axis tells apart."""
    kinds = [
        element(
            "tr",
            element("th", kind.name, scope="row"),
            element("td", str(kind.fitting.of)),
            share_cell(kind.fitting),
            element("td", ", ".join(f"{label} {count}" for label, count in kind.labels), class_="outcome"),
        )
        for kind in found.kinds
    ]
    axes = [
        element(
            "tr",
            element("th", axis.name, scope="row"),
            element("td", f"{axis.true} of {axis.of}"),
            *(
                element("td", "–" if value is None else f"{value:.3f}")
                for value in (axis.area, axis.calibration_error)
            ),
        )
        for axis in found.axes
    ]
    labels = element("table", _head("kind", "calls", "a label that fits", "labels"), element("tbody", *kinds))
    head = _head("axis", "calls of which it is true", "area under ROC", "calibration error")
    return join(
        element("h3", "Labels"),
        element("div", labels, class_="wide"),
        element("h3", "Axes"),
        element("div", element("table", head, element("tbody", *axes)), class_="wide"),
    )


def _spread_cells(found: Spread | None, unit: str) -> tuple[Html, Html]:
    if found is None:
        return element("td", "–"), element("td", "–")
    return element("td", f"{found.median:.1f}{unit}"), element("td", f"{found.ninth:.1f}{unit}")


def lines_table(runs: Sequence[Beside]) -> Html:
    """Other noise and loss on all calls."""
    rows = [
        element("tr", element("th", run.condition.words, scope="row"), *_headline_cells(run.figures))
        for run in runs
    ]
    return _headline_table("line", rows)


def left_out_table(runs: Sequence[Beside], main: Figures) -> Html:
    """What each kind of evidence adds: the calls were played again without it."""
    rows = [
        element(
            "tr",
            element("th", "all evidence", scope="row"),
            element("td"),
            element("td"),
            *_headline_cells(main),
        )
    ]
    for run in runs:
        change = run.comparison.change("unwanted, hung up on") if run.comparison is not None else None
        points = 0.0 if change is None else 100 * change.difference
        chance = "–" if change is None else change.chance_words
        rows.append(
            element(
                "tr",
                element("th", f"without {run.condition.without}", scope="row"),
                element("td", _change_bar(points), class_="outcome"),
                element("td", chance, class_="muted"),
                *_headline_cells(run.figures),
            )
        )
    return _headline_table("", rows, "hung up on, change in points", "p (McNemar)")


def _change_bar(points: float) -> Html:
    """A bar to the left of the middle for less, to the right for more; the half is 50 points."""
    width = min(50.0, abs(points))
    left = 50 - width if points < 0 else 50.0
    style = f"left:{left:.1f}%;width:{width:.1f}%"
    bar = element("div", element("i", class_="less" if points < 0 else "more", style=style), class_="change")
    return join(bar, element("span", f"{points:+.1f}", class_="points"))


def _headline_cells(figures: Figures) -> list[Html]:
    head, area = figures.headline, figures.ranking.area
    return [
        share_cell(head.unwanted.hung_up),
        share_cell(head.unwanted.put_through),
        share_cell(head.wanted.hung_up, bad=True),
        share_cell(head.persons.put_through),
        element("td", "–" if area is None else f"{area:.3f}"),
    ]


def _headline_table(name: str, rows: Sequence[Html], *more: str) -> Html:
    columns = (
        "unwanted hung up on",
        "unwanted put through",
        "wanted hung up on",
        "persons put through",
        "ROC area",
    )
    return element(
        "div", element("table", _head(name, *more, *columns), element("tbody", *rows)), class_="wide"
    )


def grid_tables(runs: Sequence[Beside]) -> Html:
    """Noise against loss, one small table for each figure, shaded by it."""
    found = {(run.condition.snr, run.condition.loss): run.figures.headline for run in runs}
    shown: tuple[tuple[str, Callable[[Headline], Share], str], ...] = (
        ("unwanted, hung up on", lambda head: head.unwanted.hung_up, "good"),
        ("unwanted, put through", lambda head: head.unwanted.put_through, "poor"),
        ("wanted, hung up on", lambda head: head.wanted.hung_up, "worst"),
        ("persons put through", lambda head: head.persons.put_through, "good"),
    )
    tables = []
    for name, measure, shade in shown:
        rows = []
        for snr in GRID_SNR:
            cells = [
                _heat_cell(measure(found[snr, loss]), shade) for loss in GRID_LOSS if (snr, loss) in found
            ]
            rows.append(element("tr", element("th", f"{snr:g} dB", scope="row"), *cells))
        head = _head("", *(f"{100 * loss:g} % loss" for loss in GRID_LOSS))
        of = max(measure(one).of for one in found.values())
        caption = element("figcaption", f"{name} (of {of})")
        tables.append(element("figure", element("table", head, *rows), caption))
    return element("div", *tables, class_="grid")


def _heat_cell(found: Share, shade: str) -> Html:
    value = found.value
    if value is None:
        return element("td", "–")
    return element(
        "td",
        f"{100 * value:.0f} %",
        class_=f"heat {shade}",
        style=f"--share:{100 * value:.0f}%",
        title=str(found),
    )
