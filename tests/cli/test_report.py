"""`detector report` shows what the store holds; `detector purge` takes it away, and asks first."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from detector.agents.record import Turn
from detector.call import CallInfo
from detector.cli.main import app
from detector.decision.verdict import Action, Axes, Verdict
from detector.errors import ConfigurationError, DetectorError, InputError
from detector.stores.lists import parse_entry
from detector.stores.store import Store

CONFIG = '[forward]\ntarget = "sip:200@127.0.0.1"\n[store]\nurl = "calls.sqlite3"\nretention_days = 30\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose store holds a call of today with a message, and one of last year."""
    path = tmp_path / "agent.toml"
    path.write_text(CONFIG)
    now = datetime.now(UTC)
    with Store(tmp_path / "calls.sqlite3") as store:
        for name, age in (("new", 0), ("old", 365)):
            started = now - timedelta(days=age)
            store.begin_call(
                CallInfo(name, number="13800138000" if name == "new" else "02160953318"), started
            )
            store.add_turn(name, Turn("caller", 1.0, 2.0, "喂你好"))
            store.end_call(name, "message_taken", started)
        store.add_message("new", "请给我回电话", now)
    return path


def verdict(action: Action, reason: str) -> Verdict:
    return Verdict("person", action, 0.1, Axes(0, 0, 0), 9.0, 9.0, reason)


def run(*arguments: str, answer: str | None = None) -> str:
    result = CliRunner().invoke(app, list(arguments), input=answer)
    if isinstance(result.exception, DetectorError):
        raise result.exception
    assert result.exit_code in {0, 1}, result.output
    return result.output


def rows(config: Path, *more: str) -> list[dict[str, Any]]:
    lines = run("report", "--config", str(config), "--days", "1000", "--json", *more).splitlines()
    return [json.loads(line) for line in lines]


def numbers(config: Path, *more: str) -> list[str]:
    return [row["number"] for row in rows(config, *more)]


def test_the_calls_of_the_last_days_are_shown_the_newest_first(config: Path) -> None:
    assert numbers(config) == ["13800138000", "02160953318"]
    week = run("report", "--config", str(config))
    assert "13800138000" in week
    assert "02160953318" not in week


def test_what_became_of_a_call_is_told_where_it_is_not_what_was_decided(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.set_verdict("new", verdict("forward", "speaks like a person"))
    line = run("report", "--config", str(config))
    assert "person → forward" in line
    assert "speaks like a person; message taken" in line
    with Store(config.parent / "calls.sqlite3") as store:
        store.set_verdict("new", verdict("take_message", "suspicious"))
    assert "message taken" not in run("report", "--config", str(config))


def test_times_are_those_of_the_clock_on_the_wall(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = []
    for zone in ("UTC", "Asia/Shanghai"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        shown.append(run("report", "--config", str(config))[10:26])
    monkeypatch.undo()
    time.tzset()
    utc, shanghai = (datetime.fromisoformat(text) for text in shown)
    assert shanghai - utc == timedelta(hours=8)


def test_a_call_whose_caller_hung_up_too_early_is_not_called_undecided_as_well(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.set_verdict("new", verdict("none", "undecided"))
        store.end_call("new", "caller_hung_up", datetime.now(UTC))
    line = run("report", "--config", str(config)).rstrip()
    assert "person → - " in line
    assert line.endswith("  caller hung up before it was decided")
    with Store(config.parent / "calls.sqlite3") as store:
        store.end_call("new", "no_media", datetime.now(UTC))
    assert "  not decided; no audio came" in run("report", "--config", str(config))


def test_rows_hold_the_id_and_are_written_as_those_of_screen(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.set_verdict("new", replace(verdict("forward", "so"), unwanted=0.123456, decided_at=9.876543))
    row = rows(config)[0]
    assert (row["id"], row["unwanted"], row["decided_at"]) == ("new", 0.1235, 9.88)
    assert rows(config, "--messages")[0]["call_id"] == row["id"]
    for written in (row["started_at"], rows(config, "--messages")[0]["taken_at"]):
        assert "T" in written
        assert datetime.fromisoformat(written).utcoffset() is not None


@pytest.mark.parametrize("command", [("report",), ("report", "--call", "a"), ("purge", "--yes")])
def test_a_look_at_a_store_that_is_not_there_does_not_make_it(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(CONFIG)
    with pytest.raises(InputError, match="no such store yet"):
        run(*command, "--config", str(path))
    assert list(tmp_path.iterdir()) == [path]


def test_messages_are_shown_with_their_words_each_in_one_line(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.add_message("new", "我姓李\n明天再打", datetime.now(UTC))
    lines = run("report", "--config", str(config), "--messages").splitlines()
    assert [line.split()[-1] for line in lines] == ["明天再打", "请给我回电话"]
    assert "我姓李 / 明天再打" in lines[0]


def test_new_messages_are_marked_until_they_were_asked_for_as_new_ones(config: Path) -> None:
    command = ("report", "--config", str(config), "--messages")
    for _ in range(2):
        assert " * 13800138000" in run(*command), "looking at all of them leaves them new"
    assert "请给我回电话" in run(*command, "--unread")
    assert run(*command, "--unread") == "no new messages\n"
    assert "请给我回电话" in run(*command)
    assert "*" not in run(*command)


def test_a_new_message_is_shown_however_old_it_is_unless_days_are_given(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.add_message("old", "去年的留言", datetime.now(UTC) - timedelta(days=365))
    command = ("report", "--config", str(config), "--messages", "--unread")
    assert "去年的留言" not in run(*command, "--days", "7")
    assert "去年的留言" in run(*command)


@pytest.mark.parametrize("days", ["0", "36501", "999999999"])
def test_days_that_nobody_can_look_back_are_a_mistake_of_usage(config: Path, days: str) -> None:
    result = CliRunner().invoke(app, ["report", "--config", str(config), "--days", days])
    assert result.exit_code == 2
    assert "--days" in result.stderr


def test_a_hundred_years_can_be_looked_back(config: Path) -> None:
    assert len(run("report", "--config", str(config), "--days", "36500", "--json").splitlines()) == 2


def test_unread_calls_are_no_such_thing(config: Path) -> None:
    with pytest.raises(ConfigurationError, match="--messages --unread"):
        run("report", "--config", str(config), "--unread")


def test_purge_deletes_what_is_older_than_configured(config: Path) -> None:
    told = run("purge", "--config", str(config), "--yes").splitlines()
    assert told == ["deleted: nothing of recordings", "deleted: 1 call"]
    assert numbers(config) == ["13800138000"]


def test_purge_keeps_every_call_where_calls_are_kept_for_ever(config: Path) -> None:
    config.write_text(CONFIG.replace("retention_days = 30", "retention_days = 0"))
    assert "kept for ever" in run("purge", "--config", str(config), answer="y\n")
    assert len(numbers(config)) == 2


def test_purge_asks_first_and_a_no_deletes_nothing(config: Path) -> None:
    run("purge", "--config", str(config), answer="n\n")
    assert len(numbers(config)) == 2


def test_everything_of_one_number_can_be_erased(config: Path) -> None:
    run("purge", "--config", str(config), "--number", "+86 138 0013 8000", "--yes")
    assert numbers(config) == ["02160953318"]
    assert numbers(config, "--messages") == []


def test_the_question_names_the_number_that_is_to_be_forgotten(config: Path) -> None:
    asked = run("purge", "--config", str(config), "--number", "13800138000", answer="n\n")
    assert "of 13800138000?" in asked
    assert "13800138000" in numbers(config)


def test_counts_of_what_was_deleted_are_said_as_one_says_them(config: Path) -> None:
    with Store(config.parent / "calls.sqlite3") as store:
        store.begin_call(CallInfo("more", number="13800138000"), datetime.now(UTC))
        store.put_list_entry(parse_entry("13800138000", "own", "allow"), datetime.now(UTC))
    told = run("purge", "--config", str(config), "--number", "13800138000", "--yes")
    assert told == "deleted: 2 calls, 1 list entry\n"


def test_entries_of_a_forgotten_number_outside_of_the_store_are_pointed_out(config: Path) -> None:
    (config.parent / "deny.txt").write_text("021 6095 3318\n1381*\n")
    config.write_text(f'{CONFIG}[lists]\nallow = ["+86 138 0013 8000"]\ndeny_files = ["deny.txt"]\n')
    for number in ("13800138000", "02160953318"):
        told = run("purge", "--config", str(config), "--number", number, "--yes")
        assert "still has an entry of this number" in told
    assert "still" not in run("purge", "--config", str(config), "--number", "13811112222", "--yes")
