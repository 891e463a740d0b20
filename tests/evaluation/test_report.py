"""The report: one well-formed file that fetches nothing, shows every error, and follows no markup in what was said."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from detector.evaluation.calls import JudgedCall
from detector.evaluation.compare import compare
from detector.evaluation.conditions import Condition, grid
from detector.evaluation.evaluation import About, Beside, Evaluation
from detector.evaluation.markup import Html, element, text
from detector.evaluation.metrics import figures_of
from detector.evaluation.page import render_report
from detector.evaluation.plot import Axis, Plot, percent_axis, seconds_axis

MakeCall = Callable[..., JudgedCall]
VOID = {"meta", "br", "link", "img"}
SAID = "<script>alert('1')</script> & \x07 您好"


class Page(HTMLParser):
    """Checks that elements nest, and gathers what a test asks for."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    def values(self, tag: str, attribute: str) -> list[str]:
        return [value for name, attrs in self.elements if name == tag and (value := attrs.get(attribute))]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture
def calls(make_call: MakeCall, unwanted: MakeCall) -> list[JudgedCall]:
    turns = [{"speaker": "caller", "start": 1.0, "end": 4.0, "text": SAID}]
    found = [
        {"source": "patter.lexicon", "llr": 2.4, "media_time": 1.0, "arrived": 4.5, "detail": "loans <b>"}
    ]
    return [
        make_call("courier", "forward", language="zh"),
        make_call(
            "doctor", "hang_up", language="zh", turns=turns, evidence=found, why="soft & slow", unwanted=0.97
        ),
        unwanted("loan", "hang_up", language="en"),
        unwanted("flats", "forward", caller="live_agent", unwanted=0.3, language="zh"),
    ]


def evaluation(calls: list[JudgedCall], **more: Any) -> Evaluation:
    about = About("scenarios", ("set.jsonl",), "1.0", "2026-01-02", 2.8, Condition(), failed=1, skipped=2)
    return Evaluation(about, figures_of(calls), **more)


def test_it_is_one_file_that_fetches_nothing(calls: list[JudgedCall]) -> None:
    source = render_report(evaluation(calls))
    page = Page(source)
    assert "default-src 'none'" in page.values("meta", "content")[0]
    assert page.count("script") == page.count("link") == page.count("img") == 0
    assert all(target.startswith("#") for target in page.values("a", "href"))
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source
    assert "@import" not in source


def test_every_link_leads_to_a_section_and_no_id_stands_twice(calls: list[JudgedCall]) -> None:
    page = Page(render_report(evaluation(calls)))
    identifiers = [value for _, attrs in page.elements if (value := attrs.get("id"))]
    assert len(identifiers) == len(set(identifiers))
    assert {target[1:] for target in page.values("a", "href")} == set(page.values("section", "id"))


def test_every_error_is_told_in_full_and_nothing_in_it_is_followed(calls: list[JudgedCall]) -> None:
    page = Page(render_report(evaluation(calls)))
    assert page.values("details", "id") == ["call-doctor", "call-flats"], "the unforgivable one first"
    shown = "".join(page.text)
    assert SAID.replace("\x07", "\ufffd") in shown
    for words in ("soft & slow", "loans <b>", "+2.4", "patter.lexicon", "Wanted, hung up on: 1"):
        assert words in shown
    assert "zh" in page.values("td", "lang")


def test_it_says_what_was_left_out_and_what_it_cannot_show(calls: list[JudgedCall]) -> None:
    shown = "".join(Page(render_report(evaluation(calls))).text)
    for words in (
        "1 of 2 wanted callers was hung up on: 1 too many",
        "1 could not be judged",
        "2 left out, their clips are not rendered",
        "Simulated callers with synthetic voices",
        "30 dB, 0 % loss, seed 0",
    ):
        assert words in shown


def test_the_dot_of_the_curve_stands_where_the_weights_that_judged_could_hang_up(
    calls: list[JudgedCall],
) -> None:
    found = evaluation(calls)
    for at, dot in ((2.8, "The dot: 94 %"), (1.1, "The dot: 75 %")):
        judged = replace(found, about=replace(found.about, hang_up_at=at))
        assert dot in "".join(Page(render_report(judged)).text)


def test_every_colour_that_a_line_asks_for_is_in_the_style_sheet(calls: list[JudgedCall]) -> None:
    source = render_report(evaluation(calls))
    page = Page(source)
    assert page.count("svg") == 4
    used = {name for tag in ("polyline", "circle", "line", "span") for name in page.values(tag, "class")}
    series = {one for name in used for one in name.split() if one.startswith("series-")}
    assert len(series) >= 4
    for name in series:
        assert source.count(f"--{name}:") == 2, f"{name} needs a colour for light and for dark"


def test_runs_beside_the_main_one_have_their_sections(calls: list[JudgedCall]) -> None:
    earlier = compare(calls, calls, "before", resamples=20)
    beside = [
        Beside(one, figures_of(calls), compare(calls, calls, "main", resamples=0))
        for one in grid(Condition())
    ]
    without = Beside(
        Condition(without="patter"), figures_of(calls), compare(calls, calls, "main", resamples=0)
    )
    page = Page(
        render_report(
            evaluation(calls, grid=tuple(beside), lines=(beside[4],), left_out=(without,), comparison=earlier)
        )
    )
    assert {"changes", "left-out", "grid", "lines"} <= set(page.values("section", "id"))
    shown = "".join(page.text)
    assert "without patter" in shown
    assert "15 dB, 2 % loss" in shown
    assert "4 calls in both" in shown


@pytest.mark.parametrize("kept", [[0], [2], [0, 1], [2, 3]])
def test_a_run_of_few_calls_or_one_class_is_reported_all_the_same(
    calls: list[JudgedCall], kept: list[int]
) -> None:
    page = Page(render_report(evaluation([calls[at] for at in kept])))
    assert page.count("svg") == 2, "no ranking without both classes"


def test_a_run_of_undecided_calls_is_reported(make_call: MakeCall) -> None:
    assert "left undecided: 1" in "".join(Page(render_report(evaluation([make_call("a", "none")]))).text)


def test_markup_is_escaped_once() -> None:
    inner = element("b", "a < b", title='"x"', lang=None)
    assert inner == '<b title="&quot;x&quot;">a &lt; b</b>'
    assert (
        element("p", inner, None, 3, class_="k", text_anchor="end")
        == f'<p class="k" text-anchor="end">{inner}3</p>'
    )
    assert text(Html("<i>")) == "<i>"
    assert text("a\x1b[31m\nb") == "a\ufffd[31m\nb"


def test_a_plot_places_its_points_and_keeps_them_inside() -> None:
    axis = Axis("x", 1.0, 100.0, [], lambda value: value**0.5)
    assert [axis.place(value) for value in (1.0, 100.0, 0.0, 1e9)] == [0.0, 1.0, 0.0, 1.0]
    assert axis.place(30.25) == pytest.approx(0.5)
    plot = Plot("t", percent_axis("x"), percent_axis("y"), width=166, height=154)
    plot.line([(0, 0), (0.5, 1), (1, 1)], "a", steps=True)
    (drawn,) = re.findall('points="([^"]*)"', plot.render())
    assert drawn == "52.0,112.0 102.0,112.0 102.0,12.0 152.0,12.0 152.0,12.0"


@pytest.mark.parametrize(("longest", "high"), [(0.0, 1), (3.2, 4), (26.2, 30), (180.0, 180), (1000.0, 1080)])
def test_an_axis_of_seconds_ends_on_a_round_number(longest: float, high: int) -> None:
    axis = seconds_axis("s", longest)
    assert axis.high == high
    assert axis.ticks[-1][0] == high
    assert len(axis.ticks) <= 10


def test_the_style_sheet_is_part_of_the_package() -> None:
    assert (Path(__file__).parents[2] / "detector" / "evaluation" / "report.css").is_file()
