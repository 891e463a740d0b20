"""The text model that ships: it loads, tells a sale from talk about one, and says what is wrong with a broken file."""

import json
import shutil
from pathlib import Path

import pytest

from detector.decision.fusion import FusionModel
from detector.errors import ModelError
from detector.resources import models_dir
from detector.text.features import turn_features, units
from detector.text.intent import Calibration, IntentModel, Reading


@pytest.fixture(scope="module")
def model() -> IntentModel:
    return IntentModel.load()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("intent.json", "intent.onnx"):
        shutil.copy(models_dir() / name, tmp_path / name)
    return tmp_path / "intent.json"


def read(model: IntentModel, *turns: tuple[str | None, str]) -> Reading:
    said = [turn_features(text, "zh", act) for act, text in turns]
    return model.read(said, sum(units(text, "zh") for _, text in turns), "zh")


def test_an_offer_of_a_loan_is_unwanted(model: IntentModel) -> None:
    reading = read(
        model,
        (None, "您好，我这边是做银行贷款的，看您最近有没有资金周转的需求？"),
        ("ask_purpose", "我们利息低，无抵押，当天就能放款，您加我微信我发您方案。"),
    )
    assert reading.unwanted > 0.9
    assert reading.unwanted_category == "loan"


def test_a_courier_is_wanted(model: IntentModel) -> None:
    reading = read(model, (None, "喂你好，你的快递到楼下了，下来拿一下吧，我放门口行不行？"))
    assert reading.unwanted < 0.25
    assert reading.category in {"delivery", "food_delivery"}


def test_an_announcement_of_a_school_is_a_notice(model: IntentModel) -> None:
    reading = read(
        model, (None, "尊敬的家长您好，接学校通知，明天因台风停课一天，请各位家长看护好孩子，收到无需回复。")
    )
    assert reading.unwanted < 0.3
    assert reading.category in {"school", "notice"}
    assert reading.notice > 0.5


def test_the_stages_of_a_sale_are_told_apart(model: IntentModel) -> None:
    opening, share = model.stage(turn_features("喂您好，打扰一下，我是融贷金融的客户经理。", "zh", None))
    offer, _ = model.stage(turn_features("我们的利率三厘，无抵押，额度最高五十万。", "zh", "ask_purpose"))
    assert (opening, offer) == ("开场", "产介")
    assert 0 < share <= 1


def test_nothing_said_is_no_evidence_beyond_the_offset(model: IntentModel) -> None:
    assert abs(model.read([], 0, "zh").log_odds) < 1.0


@pytest.mark.parametrize(
    "words",
    [
        "喂，是我呀，上次你说的那个房贷利率，你帮我问了没有？我周末去你家吃饭再说。",
        "您好，我是招商银行反诈中心的，您卡上刚才有一笔可疑交易，我们已经拦下来了，请您不要给任何人转账。",
        "你托我看的那套房子，房东说可以再便宜两万，你什么时候有空去看？",
        "张经理，贷款那份材料财务说还差一个章，你下午回办公室补一下。",
    ],
)
def test_talk_about_money_or_houses_scores_far_below_an_offer(model: IntentModel, words: str) -> None:
    offer = read(model, (None, "您好，我这边是做银行贷款的，看您最近有没有资金周转的需求？"))
    limit = FusionModel.load().thresholds.hang_up_at
    assert read(model, (None, words)).log_odds < min(limit, offer.log_odds / 4)


def test_only_categories_with_a_name_are_told(model: IntentModel) -> None:
    unnamed = {"any_robocall", "any_fraud", "any_talk"}
    for text in (
        "你好，我想找一家便宜的酒店。",
        "您名下的银行卡涉嫌洗钱，请配合调查。",
        "我看那天气挺适合睡觉的",
    ):
        reading = read(model, (None, text))
        assert {reading.category, reading.unwanted_category} & unnamed == set()


def test_more_words_make_a_score_more_certain() -> None:
    calibration = Calibration(slope=1.0, slope_per_length=0.5, offset=0.0)
    assert calibration.log_odds(1.0, 80) > calibration.log_odds(1.0, 5) > 1.0


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"intent\.json: cannot be read"):
        IntentModel.load(tmp_path / "intent.json")


def test_missing_weights_are_named(copy: Path) -> None:
    copy.with_suffix(".onnx").unlink()
    with pytest.raises(ModelError, match=r"intent\.onnx: cannot be read"):
        IntentModel.load(copy)


def test_weights_of_another_training_are_refused(copy: Path) -> None:
    weights = copy.with_suffix(".onnx")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(ModelError, match=r"intent\.onnx: not the weights that intent\.json names"):
        IntentModel.load(copy)


@pytest.mark.parametrize("key", ["format", "categories", "calibration", "sha256"])
def test_settings_that_lack_a_key_are_refused(copy: Path, key: str) -> None:
    settings = json.loads(copy.read_text("utf-8"))
    del settings[key]
    copy.write_text(json.dumps(settings), "utf-8")
    with pytest.raises(ModelError, match=r"intent\.json: the text model is not valid"):
        IntentModel.load(copy)


def test_settings_of_another_format_are_named_as_such(copy: Path) -> None:
    settings = json.loads(copy.read_text("utf-8"))
    copy.write_text(json.dumps({**settings, "format": 1}), "utf-8")
    with pytest.raises(ModelError, match=r"intent\.json: a text model of format 1, where 2 is read"):
        IntentModel.load(copy)


def test_settings_without_the_calibration_of_a_language_are_refused(copy: Path) -> None:
    settings = json.loads(copy.read_text("utf-8"))
    del settings["calibration"]["en"]
    copy.write_text(json.dumps(settings), "utf-8")
    with pytest.raises(ModelError, match=r"intent\.json: the text model is not valid"):
        IntentModel.load(copy)


def test_each_language_has_its_own_calibration(copy: Path) -> None:
    settings = json.loads(copy.read_text("utf-8"))
    settings["calibration"]["en"]["unwanted"]["offset"] += 1.0
    copy.write_text(json.dumps(settings), "utf-8")
    changed, said = IntentModel.load(copy), [turn_features("I want my deposit back", "en", None)]
    before = IntentModel.load()
    assert changed.read(said, 10, "en").log_odds == pytest.approx(before.read(said, 10, "en").log_odds + 1.0)
    assert changed.read(said, 10, "zh").log_odds == pytest.approx(before.read(said, 10, "zh").log_odds)


def test_the_settings_say_what_it_was_made_of() -> None:
    settings = json.loads((models_dir() / "intent.json").read_text("utf-8"))
    assert all(source["licence"] and source["calls"] > 0 for source in settings["made"]["data"])
    assert settings["made"]["seed"] is not None
    assert len(settings["categories"]) - len(settings["unnamed"]) == 34
    assert len(set(settings["unwanted"]) - set(settings["unnamed"])) == 18
