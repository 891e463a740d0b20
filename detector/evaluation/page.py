"""The report: one HTML file that needs nothing else and asks nobody for anything."""

from collections.abc import Sequence
from importlib import resources

from detector.evaluation.call_details import error_list
from detector.evaluation.charts import charts
from detector.evaluation.compare import Change, Comparison, Shift
from detector.evaluation.conditions import GRID_SIZE
from detector.evaluation.evaluation import About, Evaluation
from detector.evaluation.markup import Html, element, join
from detector.evaluation.metrics import Group
from detector.evaluation.sections import (
    cards,
    grid_tables,
    left_out_table,
    lines_table,
    naming_tables,
    outcome_table,
    share_cell,
    timing_table,
)
from detector.evaluation.tables import error_bound, limits

__all__ = ["render_report"]

TITLE = "Evaluation of the detector"


def render_report(found: Evaluation) -> str:
    """Return the report as HTML."""
    figures = found.figures
    sections = [
        ("Outcomes", "outcomes", _outcomes(figures.by_caller, "kind")),
        ("By category", "categories", _outcomes(figures.by_category, "category")),
        ("Seconds and questions", "seconds", join(timing_table(figures.by_caller), _timing_words())),
        ("Curves", "curves", charts(figures, found.about.hang_up_at)),
    ]
    if figures.naming.kinds:
        named = join(naming_tables(figures.naming), _naming_words())
        sections.insert(3, ("Labels and axes", "naming", named))
    if len(figures.by_language) > len({group.wanted for group in figures.by_language}):
        sections.insert(2, ("By language", "languages", _outcomes(figures.by_language, "language")))
    if found.comparison is not None:
        sections.insert(0, ("What changed", "changes", _comparison(found.comparison)))
    if found.left_out:
        words = (
            "All calls played again with one kind of evidence without weight: the agent asks and waits differently "
            "then, so this is more than a sum. Rules that do not weigh evidence (announcements, emergencies, "
            "questions answered) stay as they are."
        )
        table = left_out_table(found.left_out, figures)
        sections.append(("What each kind of evidence adds", "left-out", join(element("p", words), table)))
    if found.grid:
        words = f"The same {_few(found)} calls each time, drawn by a hash of their names."
        sections.append(("Noise and loss", "grid", join(element("p", words), grid_tables(found.grid))))
    if found.lines:
        sections.append(("Other lines", "lines", lines_table(found.lines)))
    errors = figures.errors
    sections.append((f"Calls that went wrong: {len(errors)}", "errors", error_list(errors)))
    body = join(
        _header(found),
        element("nav", *(element("a", title.split(":")[0], href=f"#{name}") for title, name, _ in sections)),
        element("main", *(_section(*one) for one in sections)),
    )
    return "<!DOCTYPE html>\n" + element("html", _document_head(), element("body", body), lang="en") + "\n"


def _document_head() -> Html:
    style = resources.files("detector.evaluation").joinpath("report.css").read_text("utf-8")
    # Nothing is fetched and nothing runs, whatever a transcript holds.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", TITLE),
        element("style", Html(style)),
    )


def _section(title: str, name: str, content: Html) -> Html:
    return element("section", element("h2", title), content, id=name)


def _header(found: Evaluation) -> Html:
    wanted = found.figures.headline.wanted.hung_up
    return element(
        "header",
        element("h1", TITLE),
        element("p", _about(found.about, len(found.figures.calls)), class_="muted"),
        element("p", error_bound(wanted), class_="bound bad" if wanted.count else "bound"),
        cards(found.figures.headline),
        element("p", limits(found.about.source), class_="limits"),
    )


def _about(about: About, calls: int) -> str:
    parts = [f"{calls} calls", f"detector {about.version}", about.day, "from " + ", ".join(about.files)]
    if about.condition is not None:
        parts.append(f"{about.condition.words}, seed {about.condition.seed}")
    parts.append(f"weights {about.fusion}")
    if about.failed:
        parts.append(f"{about.failed} could not be judged")
    if about.skipped:
        parts.append(f"{about.skipped} left out, their clips are not rendered")
    return " · ".join(parts)


def _outcomes(groups: Sequence[Group], name: str) -> Html:
    tables = []
    for kind, wanted in (("Unwanted callers", False), ("Wanted callers", True)):
        chosen = [group for group in groups if group.wanted == wanted]
        if chosen:
            tables.append(join(element("h3", kind), outcome_table(name, chosen)))
    keys = ("hung up on", "message", "put through", "undecided")
    names = ("hung-up", "message", "through", "undecided")
    key = [
        element("li", element("span", class_=f"key {style}"), words)
        for words, style in zip(keys, names, strict=True)
    ]
    words = "In brackets exact 95 % intervals of the rate (Clopper and Pearson), in per cent."
    return join(element("ul", *key, class_="legend"), *tables, element("p", words, class_="muted"))


def _naming_words() -> Html:
    return element(
        "p",
        "A scam is one whoever speaks, so that label fits every unwanted caller. Playback should be probable of "
        "recordings, clip bots and announcements; patter of every unwanted caller; unresponsive of every machine.",
        class_="muted",
    )


def _timing_words() -> Html:
    return element(
        "p",
        "Median, and what nine in ten stay under. After the turn: from the end of the caller's turn that sufficed; "
        "decisions that the deadline brought about are left out. Questions: name, callee, purpose, repeat, hold, "
        "interruption, challenge, before the decision; the greeting is none.",
        class_="muted",
    )


def _few(found: Evaluation) -> int:
    return max((len(run.figures.calls) for run in found.grid), default=GRID_SIZE)


def _comparison(found: Comparison) -> Html:
    rest = (
        f"; {found.only_before} only there, {found.only_after} only here"
        if found.only_before + found.only_after
        else ""
    )
    words = (
        f"Against {found.other}: {found.pairs} calls in both{rest}. p: chance of so uneven a change if both directions "
        "were as likely (McNemar, exact). Intervals of differences: paired bootstrap."
    )
    shares = element(
        "table",
        element("thead", element("tr", *(element("th", one) for one in _CHANGE_COLUMNS))),
        element("tbody", *map(_change_row, found.changes)),
    )
    others = element(
        "table",
        element("thead", element("tr", *(element("th", one) for one in _SHIFT_COLUMNS))),
        element("tbody", *map(_shift_row, found.shifts)),
    )
    listed = [_changed_calls(one) for one in found.changes if one.gone or one.new]
    return join(
        element("p", words),
        element("div", shares, class_="wide"),
        element("h3", "Seconds, questions, probabilities"),
        element("div", others, class_="wide"),
        element("details", element("summary", "Which calls changed"), *listed) if listed else None,
    )


_CHANGE_COLUMNS = ("", "before", "after", "difference", "no longer", "new", "p")
_SHIFT_COLUMNS = ("", "before", "after", "difference", "95 % interval")


def _verdict(difference: float | None, more_is_better: bool) -> str | None:
    if not difference:
        return None
    return "better" if (difference > 0) == more_is_better else "worse"


def _change_row(one: Change) -> Html:
    return element(
        "tr",
        element("th", one.name, scope="row"),
        share_cell(one.before),
        share_cell(one.after),
        element("td", f"{100 * one.difference:+.1f} %", class_=_verdict(one.difference, one.more_is_better)),
        element("td", len(one.gone)),
        element("td", len(one.new)),
        element("td", one.chance_words),
    )


def _shift_row(one: Shift) -> Html:
    def shown(value: float | None, sign: str = "") -> str:
        return "–" if value is None else f"{value:{sign}.3f}{one.unit}"

    interval = "–" if one.low is None or one.high is None else f"{one.low:+.3f} to {one.high:+.3f}"
    return element(
        "tr",
        element("th", one.name, scope="row"),
        element("td", shown(one.before)),
        element("td", shown(one.after)),
        element("td", shown(one.difference, "+"), class_=_verdict(one.difference, one.more_is_better)),
        element("td", interval),
    )


def _changed_calls(one: Change) -> Html:
    def listed(names: Sequence[str]) -> Html:
        return join(*(join(element("code", name), " ") for name in names))

    return join(
        element("h4", one.name),
        element("p", "no longer: ", listed(one.gone)) if one.gone else None,
        element("p", "new: ", listed(one.new)) if one.new else None,
    )
