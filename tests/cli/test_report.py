"""`detector report` shows what the store holds; `detector purge` takes it away, and asks first."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detector.agents.record import Turn
from detector.call import CallInfo
from detector.cli.main import app
from detector.decision.verdict import Action, Axes, Verdict
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
    assert result.exit_code in {0, 1}, result.output
    return result.output


def numbers(config: Path, *more: str) -> list[str]:
    lines = run("report", "--config", str(config), "--days", "1000", "--json", *more).splitlines()
    return [json.loads(line)["number"] for line in lines]


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
        shown.append(run("report", "--config", str(config))[:16])
    monkeypatch.undo()
    time.tzset()
    utc, shanghai = (datetime.fromisoformat(text) for text in shown)
    assert shanghai - utc == timedelta(hours=8)


def test_a_look_at_a_store_that_is_not_there_does_not_make_it(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text(CONFIG)
    for command in (("report",), ("purge", "--yes")):
        assert "no such store yet" in run(*command, "--config", str(path))
    assert list(tmp_path.iterdir()) == [path]


def test_messages_are_shown_with_their_words(config: Path) -> None:
    assert "请给我回电话" in run("report", "--config", str(config), "--messages")


def test_purge_deletes_what_is_older_than_configured(config: Path) -> None:
    assert "1 calls" in run("purge", "--config", str(config), "--yes")
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
