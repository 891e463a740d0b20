"""How well callers are named: labels by kind of caller, and what the axes tell apart."""

from collections.abc import Callable

import pytest

from detector.cli.progress import output_console
from detector.evaluation.calls import JudgedCall
from detector.evaluation.metrics import figures_of
from detector.evaluation.naming import naming_of
from detector.evaluation.sections import naming_tables
from detector.evaluation.tables import naming_lines, naming_table

MakeCall = Callable[..., JudgedCall]


def axes(playback: float, patter: float = 0.5, unresponsive: float = 0.5) -> dict[str, float]:
    return {"playback": playback, "patter": patter, "unresponsive": unresponsive}


def test_a_swindler_may_be_called_one_whatever_plays_his_words(
    make_call: MakeCall, unwanted: MakeCall
) -> None:
    found = naming_of(
        [
            unwanted("prize", "hang_up", label="scam"),
            unwanted("loan", "hang_up", label="recording"),
            unwanted("flats", "hang_up", label="telemarketer"),
            unwanted("tutor", "hang_up", caller="live_agent", label="telemarketer"),
            make_call("locker", "forward", caller="notice", label="person"),
        ]
    )
    fitting = {kind.name: (kind.fitting.count, kind.fitting.of) for kind in found.kinds}
    assert fitting == {"recording": (2, 3), "live_agent": (1, 1), "notice": (0, 1)}


def test_an_axis_is_measured_by_the_callers_of_whom_it_is_true(
    make_call: MakeCall, unwanted: MakeCall
) -> None:
    calls = [
        unwanted("loan", "hang_up", axes=axes(0.9)),
        make_call("locker", "forward", caller="notice", axes=axes(0.8)),
        make_call("friend", "forward", axes=axes(0.2)),
        unwanted("tutor", "hang_up", caller="live_agent", axes=axes(0.85)),
    ]
    playback = naming_of(calls).axes[0]
    assert (playback.name, playback.true, playback.of) == ("playback", 2, 4)
    assert playback.area == pytest.approx(3 / 4)
    assert playback.calibration_error == pytest.approx((0.1 + abs(0.8 + 0.85 - 1) + 0.2) / 4)


def test_an_axis_that_ranks_the_wrong_way_round_is_seen(make_call: MakeCall, unwanted: MakeCall) -> None:
    calls = [unwanted("loan", "hang_up", axes=axes(0.1)), make_call("friend", "forward", axes=axes(0.9))]
    assert naming_of(calls).axes[0].area == 0.0


@pytest.mark.parametrize("given", [None, {}, {"playback": "much"}, {"playback": True}, {"playback": 7}, 3])
def test_calls_without_usable_axes_are_left_out_of_them(make_call: MakeCall, given: object) -> None:
    found = naming_of([make_call("friend", "forward", axes=given)])
    assert [kind.name for kind in found.kinds] == ["person"]
    assert not found.axes


def test_callers_of_no_known_kind_are_not_named(make_call: MakeCall) -> None:
    found = naming_of([make_call("file.wav", "forward", caller="unknown")])
    assert found.as_json() == {"labels": {}, "axes": {}}


def test_the_figures_reach_the_terminal_the_page_and_the_json(
    make_call: MakeCall, unwanted: MakeCall
) -> None:
    calls = [unwanted("loan", "hang_up", label="recording"), make_call("friend", "forward")]
    figures = figures_of(calls)
    told = figures.as_json()["naming"]
    assert told["labels"]["recording"]["labels"] == {"recording": 1}
    assert told["axes"]["playback"] == {
        "true": 1,
        "of": 2,
        "area_under_roc": 0.5,
        "expected_calibration_error": 0.4,
    }
    console = output_console()
    with console.capture() as capture:
        console.print(naming_table(figures.naming))
    assert "recording 1" in capture.get()
    assert next(iter(naming_lines(figures.naming))).startswith("axis playback")
    assert "recording 1" in naming_tables(figures.naming)
