"""Evidence adds up in log-odds, and no source and no family of sources decides alone."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.decision.fusion import Fusion, FusionModel, unexplained
from detector.decision.odds import probability
from detector.errors import ModelError
from detector.resources import models_dir
from detector.signals.evidence import Axis, Evidence


def piece(source: str, llr: float, axis: Axis = "patter") -> Evidence:
    return Evidence(source, llr, 1.0, 1.0, "words", axis)


@pytest.fixture
def model() -> FusionModel:
    return FusionModel.load()


def test_nothing_known_leaves_the_prior(model: FusionModel) -> None:
    assert Fusion(model).log_odds == model.prior


def test_a_source_is_capped_however_often_it_speaks(model: FusionModel) -> None:
    once, often = Fusion(model), Fusion(model)
    once.add([piece("number.plan", 50.0, "number")])
    often.add([piece("number.plan", 50.0, "number")] * 10)
    assert once.log_odds == often.log_odds


def test_a_family_of_sources_is_capped_as_a_whole(model: FusionModel) -> None:
    fusion = Fusion(model)
    fusion.add([piece(f"patter.{name}", 20.0) for name in ("lexicon", "opener", "wechat", "stage")])
    assert fusion.families["patter"] == model.family_caps["patter"]


def test_what_machines_do_speaks_against_a_person_but_not_against_an_announcement(model: FusionModel) -> None:
    talks_on = piece("playback.repeat", 3.0, "playback")
    person, announcement = Fusion(model), Fusion(model)
    announcement.add([piece("notice.meaning", -5.0, "wanted")])
    before = announcement.log_odds
    person.add([talks_on])
    announcement.add([talks_on])
    assert person.log_odds > 1.0
    assert announcement.log_odds - before < 0.2


@given(st.floats(-6, 6), st.floats(0, 1))
def test_an_announcement_never_makes_more_of_what_machines_do(machine: float, notice: float) -> None:
    explained = unexplained(machine, notice)
    assert abs(explained) <= abs(machine) + 1e-9
    assert explained * machine >= -1e-9


def test_words_alone_are_one_independent_source(model: FusionModel) -> None:
    fusion = Fusion(model)
    fusion.add([piece("patter.meaning", 3.0), piece("patter.wechat", 2.0)])
    assert fusion.independent_sources(model.thresholds) == (1, True)


def test_the_number_is_no_source_from_the_callers_audio(model: FusionModel) -> None:
    fusion = Fusion(model)
    fusion.add([piece("number.plan", 3.0, "number"), piece("history.refused", 3.0, "number")])
    families, from_audio = fusion.independent_sources(model.thresholds)
    assert families == 2
    assert not from_audio


def test_the_same_audio_twice_tells_of_a_machine_and_nothing_of_what_it_says(model: FusionModel) -> None:
    fusion = Fusion(model)
    before = fusion.axes
    fusion.add([piece("playback.repeat", 4.0, "playback")])
    assert fusion.axes.playback > 0.8
    assert fusion.axes.patter == before.patter
    assert fusion.axes.unresponsive > 0.8


def test_a_source_is_found_by_its_longest_prefix(model: FusionModel) -> None:
    assert model.weight_of("playback.known").cap > model.weight_of("playback.repeat").cap
    assert model.weight_of("patter.anything").family == "patter"


@given(st.floats(-800, 800))
def test_probability_is_a_probability(log_odds: float) -> None:
    assert 0.0 <= probability(log_odds) <= 1.0
    assert probability(log_odds) + probability(-log_odds) == pytest.approx(1.0)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"prior": "x"}'])
def test_unusable_weights_are_one_clear_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "weights.json"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"weights\.json"):
        FusionModel.load(path)


def test_missing_weights_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        FusionModel.load(tmp_path / "none.json")


def test_the_shipped_weights_say_how_they_were_made() -> None:
    made = json.loads((models_dir() / "fusion.json").read_text("utf-8"))["made"]
    assert made["how"]


@pytest.mark.parametrize(
    ("source", "llr", "counted"),
    [
        ("refusal.pushes_on", 0.3, 2),
        ("answers.sell", 0.3, 1),
        ("number.plan", 0.3, 1),
        ("dialer.late_start", 0.6, 1),
        ("responsive.no_reply", 0.7, 1),
        ("responsive.no_reply", 1.9, 2),
    ],
)
def test_one_weak_sign_beside_the_words_is_no_second_kind_of_evidence(
    model: FusionModel, source: str, llr: float, counted: int
) -> None:
    fusion = Fusion(model)
    fusion.add([piece("patter.meaning", 4.0), piece(source, llr)])
    assert fusion.independent_sources(model.thresholds)[0] == counted
