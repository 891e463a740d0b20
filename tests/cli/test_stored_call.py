"""`detector report --call`: one call of the store, with everything that is kept of it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from detector.agents.record import Turn
from detector.call import CallInfo
from detector.cli.main import app
from detector.decision.verdict import Action, Axes, Verdict
from detector.errors import ConfigurationError, DetectorError, InputError
from detector.signals.evidence import Evidence
from detector.stores.records import EndReason
from detector.stores.store import Store

CALL, OTHER = "3f2a9c5e" * 4, "3f2b0000" * 4
NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
EVIDENCE = Evidence("patter.lexicon", 1.51234, 3.0, 5.5, "贷款, 额度", "patter")
AXES = Axes(0.5, 0.5, 0.5)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A store with a loan call that left a message and was recorded, and with a bare call of a withheld number."""
    path = tmp_path / "agent.toml"
    path.write_text(
        '[forward]\ntarget = "sip:200@127.0.0.1"\n'
        '[store]\nurl = "calls.sqlite3"\nkeep_audio = true\nrecordings = "heard"\n'
    )
    with Store(tmp_path / "calls.sqlite3", recordings=tmp_path / "heard") as store:
        store.begin_call(CallInfo(OTHER), NOON - timedelta(hours=1))
        store.begin_call(CallInfo(CALL, number="13800138000", display_name="小王"), NOON)
        store.answer_call(CALL, NOON)
        store.add_turn(CALL, Turn("caller", 3.0, 5.0, "您好，要[贷款]吗"))
        store.add_evidence(CALL, EVIDENCE)
        store.add_turn(CALL, Turn("agent", 0.0, 2.5, "您好，我是自动语音助理"))
        store.add_turn(CALL, Turn("agent", 6.0, 8.0, "请留言"))
        store.set_verdict(
            CALL,
            Verdict(
                "telemarketer", "take_message", 0.91239, Axes(0.1, 0.9, 0.5), 6.0, 6.0, "speaks like a seller"
            ),
        )
        store.save_audio(CALL, np.zeros(800, np.int16), NOON)
        store.add_message(CALL, "第一句", NOON + timedelta(seconds=20))
        store.add_message(CALL, "第二句", NOON + timedelta(seconds=25))
        store.end_call(CALL, "message_taken", NOON + timedelta(seconds=30))
    return path


def show(config: Path, call: str, *more: str) -> str:
    arguments = ["report", "--config", str(config), "--call", call, *more]
    result = CliRunner(env={"COLUMNS": "60"}).invoke(app, arguments)
    if isinstance(result.exception, DetectorError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_a_call_is_told_in_the_order_in_which_it_went(config: Path) -> None:
    lines = show(config, CALL).splitlines()
    told = (
        (CALL, "13800138000", "小王", "mobile"),
        ("telemarketer → take_message", "at 0:06.0", "unwanted 91%", "(speaks like a seller)"),
        ("patter 90%",),
        ("message taken, 0:30.0 after it was answered",),
        ("0:00.0", "agent", "您好，我是自动语音助理"),
        ("0:03.0", "caller", "您好，要[贷款]吗"),
        ("0:05.5", "++", "patter.lexicon: 贷款, 额度"),
        ("0:06.0", "agent", "请留言"),
        ("message", "第一句"),
        ("message", "第二句"),
        ("recording:", str(config.parent / f"heard/2026/03/07/{CALL}.wav")),
    )
    assert len(lines) == len(told)
    for line, words in zip(lines, told, strict=True):
        assert [word for word in words if word not in line] == []


def test_the_whole_call_is_one_object_for_other_programs(config: Path) -> None:
    call = json.loads(show(config, CALL, "--json"))
    assert (call["id"], call["number"], call["end_reason"]) == (CALL, "13800138000", "message_taken")
    assert datetime.fromisoformat(call["ended_at"]) == NOON + timedelta(seconds=30)
    assert (call["label"], call["unwanted"], call["axes"]["patter"]) == ("telemarketer", 0.9124, 0.9)
    assert [turn["speaker"] for turn in call["turns"]] == ["agent", "caller", "agent"]
    assert [(item["source"], item["llr"]) for item in call["evidence"]] == [("patter.lexicon", 1.512)]
    assert [message["text"] for message in call["messages"]] == ["第一句", "第二句"]
    assert Path(call["audio_path"]).is_file()


def test_a_call_that_nobody_judged_is_shown_as_far_as_it_goes(config: Path) -> None:
    first, *rest = show(config, OTHER).splitlines()
    assert "(withheld)" in first
    assert [line.strip() for line in rest] == ["not judged", "not ended, or its end was never written down"]
    call = json.loads(show(config, OTHER, "--json"))
    assert (call["label"], call["axes"], call["turns"], call["messages"], call["audio_path"]) == (
        *(None, None),
        *([], []),
        None,
    )


def test_an_id_may_be_cut_short_as_the_list_shows_it(config: Path) -> None:
    listed = CliRunner().invoke(app, ["report", "--config", str(config), "--days", "3000"]).output
    shown = [line.split()[0] for line in listed.splitlines()]
    assert [show(config, each).split()[0] for each in shown] == [CALL, OTHER]


def test_an_id_that_also_begins_another_one_means_its_own_call(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.begin_call(CallInfo("3f2"), NOON)
    assert show(config, "3f2").startswith("3f2 ")


@pytest.mark.parametrize(
    ("written", "words"),
    [("3f2", "several calls begin so"), ("abc", "has no such call"), ("%", "has no such call")],
)
def test_an_id_that_means_no_call_or_several_is_told_in_one_line(
    config: Path, written: str, words: str
) -> None:
    with pytest.raises(InputError, match=words) as raised:
        show(config, written)
    assert "\n" not in str(raised.value)


def test_one_call_and_a_list_at_once_are_refused(config: Path) -> None:
    for more in (("--messages",), ("--days", "3")):
        with pytest.raises(ConfigurationError, match="--call shows one call"):
            show(config, CALL, *more)


def test_where_recordings_lie_is_told_as_far_as_the_configuration_says(config: Path) -> None:
    config.write_text('[forward]\ntarget = "sip:200@127.0.0.1"\n[store]\nurl = "calls.sqlite3"\n')
    assert json.loads(show(config, CALL, "--json"))["audio_path"] == f"2026/03/07/{CALL}.wav"


def test_a_message_is_heard_in_the_recording_of_its_call_while_that_is_kept(config: Path) -> None:
    def path_of_message() -> str | None:
        arguments = ["report", "--config", str(config), "--days", "3000", "--messages", "--json"]
        row = json.loads(CliRunner().invoke(app, arguments).output.splitlines()[0])
        found: str | None = row["audio_path"]
        return found

    assert path_of_message() == json.loads(show(config, CALL, "--json"))["audio_path"]
    with Store(config.parent / "calls.sqlite3", recordings=config.parent / "heard") as store:
        store.purge_audio(NOON + timedelta(days=1))
    assert path_of_message() is None


def test_the_user_says_what_a_call_was_and_may_take_it_back(config: Path) -> None:
    assert "from now on it counts as wanted" in show(config, CALL[:8], "--rate", "wanted")
    assert "you say: wanted" in show(config, CALL)
    assert json.loads(show(config, CALL, "--json"))["rating"] == "wanted"
    show(config, CALL, "--rate", "unrated")
    assert "you say" not in show(config, CALL)


def test_only_a_call_that_is_named_can_be_rated(config: Path) -> None:
    arguments = ["report", "--config", str(config), "--rate", "wanted"]
    assert isinstance(CliRunner().invoke(app, arguments).exception, ConfigurationError)


def test_a_call_in_which_no_message_was_left_says_so(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.begin_call(CallInfo("silent"), NOON)
        store.set_verdict(
            "silent", Verdict("unsure", "take_message", 0.5, AXES, 20.0, 20.0, "nobody can tell")
        )
        store.end_call("silent", "no_message", NOON + timedelta(seconds=40))
    lines = CliRunner().invoke(app, ["report", "--config", str(config), "--days", "9999"]).output
    assert "unsure → take_message" in lines
    assert "nobody can tell; no message was left" in lines
    assert "no message was left, 0:40.0 after it came in" in show(config, "silent")
    assert json.loads(show(config, "silent", "--json"))["end_reason"] == "no_message"


@pytest.mark.parametrize(
    ("action", "end", "shown"),
    [
        ("none", "rejected", "on the deny list; declined"),
        ("none", "forwarded", "too many calls are being screened; forwarded"),
        ("forward", "forwarded", "on the allow list"),
    ],
)
def test_a_call_that_nobody_listened_to_says_why(
    config: Path, action: Action, end: EndReason, shown: str
) -> None:
    reason = shown.partition(";")[0]
    with Store(config.parent / "calls.sqlite3") as store:
        store.begin_call(CallInfo("unheard"), NOON)
        store.set_verdict("unheard", Verdict("unsure", action, 0.5, AXES, 0.0, 0.0, reason))
        store.end_call("unheard", end, NOON)
    lines = CliRunner().invoke(app, ["report", "--config", str(config), "--days", "9999"]).output
    assert shown in lines
    whole = show(config, "unheard")
    assert f"not judged: {reason}" in whole
    assert "50%" not in whole
