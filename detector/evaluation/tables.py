"""The figures as tables and sentences on a terminal."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich import box
from rich.table import Table

from detector.evaluation.compare import Comparison
from detector.evaluation.evaluation import Beside, Evaluation
from detector.evaluation.intervals import Share
from detector.evaluation.metrics import Figures, Group, Spread, row_names
from detector.evaluation.naming import Naming

__all__ = [
    "beside_tables",
    "closing_lines",
    "error_bound",
    "headline_lines",
    "limits",
    "naming_lines",
    "naming_table",
    "outcome_table",
    "timing_table",
]

RARE = 0.1
"""Rates above it are not said as "one in so many"."""
_LIMITS = {
    "scenarios": (
        "Simulated callers with synthetic voices. These figures compare versions of the detector and find its "
        "mistakes; how often it errs with real callers they do not show. No errors among N calls bound the rate, for "
        "callers like these, only below the upper end of the interval."
    ),
    "recordings": (
        "Recordings cannot be asked anything: words alone never suffice to hang up on one, so a message counts as "
        "kept from the person called. The figures hold for these recordings and their like."
    ),
    "calls": (
        "Calls that were judged before: where they come from simulation they show nothing of real callers. No errors "
        "among N calls bound the rate, for callers like these, only below the upper end of the interval."
    ),
}


def limits(source: str) -> str:
    """What the figures cannot say, by where the calls came from."""
    return _LIMITS[source]


def error_bound(wanted: Share) -> str:
    """What was seen of the unforgivable error, and what that proves."""
    if not wanted.of:
        return "No wanted caller was played: nothing is known of the error that counts most."
    seen = f"{wanted.count or 'None'} of {wanted.of} wanted callers {'was' if wanted.count < 2 else 'were'} hung up on"
    bound = f"{100 * wanted.high:.1f} % (95 % confidence)"
    if wanted.high <= RARE:
        bound += f", about one in {1 / wanted.high:.0f}"
    if not wanted.count:
        return f"{seen}. That bounds the rate for callers like these only below {bound}."
    return f"{seen}: {wanted.count} too many. The rate for callers like these may be as high as {bound}."


def headline_lines(figures: Figures) -> Iterator[str]:
    """Yield the figures that matter most, a sentence each; intervals are exact, of 95 %."""
    found = figures.headline
    yield error_bound(found.wanted.hung_up)
    yield f"unwanted, hung up on           {found.unwanted.hung_up}"
    yield f"unwanted, message taken        {found.unwanted.message}"
    yield f"unwanted, put through          {found.unwanted.put_through}"
    yield f"persons put through            {found.persons.put_through}"
    yield f"announcements delivered        {found.delivered}"
    yield f"persons asked more than twice  {found.persons.asked_too_much}"
    ranking = figures.ranking
    if ranking.area is not None and ranking.equal_error is not None:
        yield f"area under the ROC curve       {ranking.area:.4f}, equal error rate {100 * ranking.equal_error:.1f} %"
    if ranking.calibration_error is not None:
        yield f"expected calibration error     {ranking.calibration_error:.3f}, Brier score {ranking.brier:.3f}"


def outcome_table(title: str, groups: Sequence[Group]) -> Table:
    """What was done with whom: counts, and in brackets the exact 95 % interval in per cent."""
    # Eighty columns hold no more; that nobody was left undecided is the rule.
    undecided = ["undecided"] if any(group.undecided.count for group in groups) else []
    table = _table(title, "calls", "hung up on", "message", "put through", *undecided)
    for group in groups:
        cells = (group.hung_up, group.message, group.put_through, group.undecided)[: 3 + len(undecided)]
        shown = (_cell(one, bad=group.wanted and at == 0) for at, one in enumerate(cells))
        table.add_row(group.name, str(len(group.calls)), *shown)
    return table


def timing_table(title: str, groups: Sequence[Group]) -> Table:
    """Seconds to the decision, seconds after the turn that sufficed, and questions: median and nine in ten."""
    table = _table(title, "decided after", "after the turn", "questions", "more than two")
    for name, group in zip(row_names(groups), groups, strict=True):
        spreads = (_pair(group.seconds, " s"), _pair(group.after_turn, " s"), _pair(group.questions, ""))
        table.add_row(name, *spreads, _cell(group.asked_too_much))
    return table


def naming_table(found: Naming) -> Table:
    """What each kind of caller was labelled."""
    table = _table("Labels by kind of caller", "calls", "a label that fits")
    table.add_column("labels", overflow="fold")
    for kind in found.kinds:
        labels = ", ".join(f"{label} {count}" for label, count in kind.labels)
        table.add_row(kind.name, str(kind.fitting.of), _cell(kind.fitting), labels)
    return table


def naming_lines(found: Naming) -> Iterator[str]:
    """Yield a line for each axis that can be measured."""
    for axis in found.axes:
        if axis.area is not None and axis.calibration_error is not None:
            yield (
                f"{f'axis {axis.name}':30} area {axis.area:.3f} ({axis.true} of {axis.of} calls), "
                f"calibration error {axis.calibration_error:.3f}"
            )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _cell(one: Share, *, bad: bool = False) -> str:
    if not one.count:
        return f"0 (–{100 * one.high:.0f} %)"
    text = f"{one.count} ({100 * one.low:.0f}–{100 * one.high:.0f} %)"
    return f"[bold red]{text}[/bold red]" if bad else text


def _pair(found: Spread | None, unit: str) -> str:
    return "-" if found is None else f"{found.median:.1f} to {found.ninth:.1f}{unit}"


def beside_tables(found: Evaluation) -> Iterator[Table]:
    """Other lines, the grid, what each kind of evidence adds: one row a run."""
    for title, runs in (
        ("Other noise and loss", found.lines),
        ("Noise and loss, on a fixed subset", found.grid),
        ("Without one kind of evidence (all calls played again)", found.left_out),
    ):
        if runs:
            yield _beside_table(title, runs)
    if found.comparison is not None:
        yield _changes_table(found.comparison)
        yield _shifts_table(found.comparison)


def _beside_table(title: str, runs: Sequence[Beside]) -> Table:
    table = _table(
        title, "unwanted hung up on", "put through", "wanted hung up on", "persons put through", "ROC area"
    )
    for run in runs:
        head, area = run.figures.headline, run.figures.ranking.area
        lost = _of(head.wanted.hung_up)
        table.add_row(
            run.condition.without or run.condition.words,
            _of(head.unwanted.hung_up),
            _of(head.unwanted.put_through),
            f"[bold red]{lost}[/bold red]" if head.wanted.hung_up.count else lost,
            _of(head.persons.put_through),
            "-" if area is None else f"{area:.3f}",
        )
    return table


def _changes_table(found: Comparison) -> Table:
    title = f"Against {found.other}: {found.pairs} calls in both; p by McNemar, exact"
    table = _table(title, "before", "after", "difference", "no longer", "new", "p")
    for one in found.changes:
        counts = (_of(one.before), _of(one.after), f"{100 * one.difference:+.1f} %")
        table.add_row(one.name, *counts, str(len(one.gone)), str(len(one.new)), one.chance_words)
    return table


def _shifts_table(found: Comparison) -> Table:
    table = _table(
        "95 % interval of the difference: paired bootstrap", "before", "after", "difference", "from", "to"
    )
    for one in found.shifts:
        table.add_row(
            one.name,
            *("-" if value is None else f"{value:.3f}" for value in (one.before, one.after)),
            *("-" if value is None else f"{value:+.3f}" for value in (one.difference, one.low, one.high)),
        )
    return table


def closing_lines(found: Evaluation, out: Path) -> Iterator[str]:
    """What was left out, what the figures cannot say, where the rest stands."""
    about = found.about
    if about.failed:
        inputs = "1 input" if about.failed == 1 else f"{about.failed} inputs"
        yield f"{inputs} could not be judged: the figures are those of the others."
    if about.skipped:
        yield f"{about.skipped} scenarios were left out: their clips are not rendered."
    yield limits(about.source)
    wrong = len(found.figures.errors)
    yield f"{wrong} calls did not end as they should; each with its talk and evidence: {out / 'report.html'}"


def _of(one: Share) -> str:
    return f"{one.count} of {one.of}"
