"""A person with a telephone in hand presses the key that he is asked for; a recording does not."""

import pytest

from detector.decision.fusion import Fusion, FusionModel
from detector.signals.evidence import Evidence
from detector.signals.key_challenge import PATIENCE, KeyChallengeExtractor


@pytest.fixture
def asked() -> KeyChallengeExtractor:
    """The agent asked for key 4 from 10 to 12 s."""
    extractor = KeyChallengeExtractor()
    extractor.asked("4", 10.0)
    extractor.prompt_ended(12.0)
    return extractor


def weights(evidence: list[Evidence]) -> list[float]:
    return [piece.llr for piece in evidence]


def test_the_right_key_speaks_for_a_person(asked: KeyChallengeExtractor) -> None:
    (piece,) = asked.receive_key("4", 14.0, 14.0)
    assert (piece.source, piece.llr, piece.axis) == ("responsive.key", -1.5, "unresponsive")
    assert (piece.media_time, piece.arrived) == (14.0, 14.0)


def test_the_right_key_may_come_before_the_agent_has_finished() -> None:
    extractor = KeyChallengeExtractor()
    extractor.asked("4", 10.0)
    assert weights(extractor.receive_key("4", 11.5, 11.5)) == [-1.5]


def test_a_wrong_key_or_none_weighs_little(asked: KeyChallengeExtractor) -> None:
    assert weights(asked.receive_key("5", 14.0, 14.0)) == [0.2]
    silent = KeyChallengeExtractor()
    silent.asked("4", 10.0)
    silent.prompt_ended(12.0)
    assert silent.time_passed(12.0 + PATIENCE - 0.1) == []
    assert weights(silent.time_passed(12.0 + PATIENCE)) == [0.2]


def test_who_tries_all_keys_has_not_pressed_the_right_one(asked: KeyChallengeExtractor) -> None:
    found = [piece for key in "123456789" for piece in asked.receive_key(key, 14.0, 14.0)]
    assert weights(found) == [0.2]


def test_a_press_that_comes_twice_counts_once(asked: KeyChallengeExtractor) -> None:
    assert weights([*asked.receive_key("4", 14.0, 14.0), *asked.receive_key("4", 13.9, 14.2)]) == [-1.5]
    assert asked.time_passed(100.0) == []


def test_the_right_key_too_late_is_none(asked: KeyChallengeExtractor) -> None:
    assert weights(asked.time_passed(25.0)) == [0.2]
    assert asked.receive_key("4", 25.1, 25.1) == []


def test_keys_that_nobody_asked_for_mean_nothing() -> None:
    extractor = KeyChallengeExtractor()
    assert extractor.receive_key("4", 3.0, 3.0) == []
    extractor.prompt_ended(4.0)
    assert extractor.time_passed(60.0) == []
    extractor.asked("4", 61.0)
    assert extractor.receive_key("4", 60.9, 61.1) == [], "it was pressed before it was asked for"


@pytest.mark.parametrize("junk", ["", "44", " 4", "４", "四", "E", "a", "\x00", "4\n", "-", "1234" * 500])
def test_what_is_no_single_key_is_ignored(asked: KeyChallengeExtractor, junk: str) -> None:
    assert asked.receive_key(junk, 13.0, 13.0) == []
    assert weights(asked.receive_key("4", 14.0, 14.0)) == [-1.5]


def test_a_key_tells_machines_from_people_and_clears_nobody_of_selling() -> None:
    model = FusionModel.load()
    assert model.weight_of("responsive.key").family in model.machine_families
    seller = Fusion(model)
    seller.add([Evidence("patter.meaning", 4.0, 5.0, 5.0, "loans", "patter")])
    before = seller.log_odds
    seller.add([Evidence("responsive.key", -1.5, 14.0, 14.0, "pressed", "unresponsive")])
    assert 1.0 < before - seller.log_odds <= 1.5
    assert seller.log_odds > 2.0
