"""`detector numbers`: the user's own word on a number, while the service runs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from detector.cli.main import app
from detector.errors import ConfigurationError, InputError
from detector.stores.store import Store

MOBILE, LANDLINE = "13800138000", "02160953318"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration without a store yet; it allows a prefix, and names somebody else's tags."""
    path = tmp_path / "agent.toml"
    path.write_text(
        '[forward]\ntarget = "sip:200@127.0.0.1"\n[store]\nurl = "calls.sqlite3"\n'
        '[lists]\nallow = ["0571*"]\nsystem_tag_files = ["crowd.txt"]\n'
    )
    (tmp_path / "crowd.txt").write_text(f"{LANDLINE} 骚扰电话  # 214 people\n", encoding="utf-8")
    return path


def call(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["numbers", *arguments, "--config", str(config)])


def run(config: Path, *arguments: str) -> str:
    result = call(config, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def entries(config: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in run(config, "list", "--json").splitlines()]
    return [(row["entry"], row["verdict"]) for row in rows if row["in_store"]]


def test_what_is_allowed_comes_through_and_what_is_denied_does_not(config: Path) -> None:
    run(config, "allow", MOBILE, "--note", "the school")
    run(config, "deny", "400???1234", "category:machine_sim")
    with Store(config.parent / "calls.sqlite3") as store:
        lists = store.lists()
    for number, verdict in ((f"+86{MOBILE}", "allow"), ("4005551234", "deny")):
        entry = lists.find(number)
        assert entry is not None
        assert entry.verdict == verdict
    assert "# the school" in run(config, "list")


def test_who_was_denied_and_is_allowed_later_is_denied_no_longer(config: Path) -> None:
    run(config, "deny", MOBILE)
    run(config, "allow", f"+86 {MOBILE}")
    assert entries(config) == [(MOBILE, "allow")]
    run(config, "deny", MOBILE)
    assert entries(config) == [(MOBILE, "deny")]


def test_an_entry_is_taken_out_as_it_was_put_in(config: Path) -> None:
    run(config, "deny", "1381*", MOBILE)
    run(config, "tag", "loan", MOBILE)
    assert "no longer tagged loan" in run(config, "remove", MOBILE)
    assert entries(config) == [("1381*", "deny")]
    result = call(config, "remove", MOBILE)
    assert isinstance(result.exception, InputError)
    assert "there is none" in str(result.exception)


def test_entries_of_the_configuration_are_shown_and_left_alone(config: Path) -> None:
    shown = run(config, "list")
    assert "0571*" in shown
    assert "tagged 骚扰电话" in shown
    assert "# 214 people" in shown
    assert "in the configuration" in str(call(config, "remove", "0571*").exception)


def test_it_is_told_where_an_entry_does_nothing_because_another_comes_first(config: Path) -> None:
    assert "another entry comes first" in run(config, "deny", "0571 8888 9999")
    assert "another entry comes first" in run(config, "deny", "0571*")
    assert "another entry" not in run(config, "deny", MOBILE)
    assert "another entry" not in run(config, "allow", MOBILE)


def test_nothing_is_kept_where_one_entry_is_wrong(config: Path) -> None:
    result = call(config, "deny", MOBILE, "call me")
    assert isinstance(result.exception, ConfigurationError)
    assert str(result.exception).startswith("call me: not a phone number")
    assert entries(config) == []


@pytest.mark.parametrize("wrong", ["two words", "", "110", "x" * 41, "loan\n"[:5] + "\x1b"])
def test_a_tag_is_one_word(config: Path, wrong: str) -> None:
    result = call(config, "tag", wrong, MOBILE)
    assert isinstance(result.exception, ConfigurationError)
    assert "a tag is one word" in str(result.exception)


def test_what_is_known_of_a_number_is_told_before_it_calls(config: Path) -> None:
    run(config, "tag", "courier", LANDLINE)
    run(config, "deny", MOBILE)
    shown = run(config, "show", LANDLINE)
    assert "landline" in shown
    assert "tagged courier" in shown  # the user's own tag before somebody else's
    assert "it is answered and asked" in shown
    assert "none that the store remembers" in shown
    assert "declined" in run(config, "show", f"+86{MOBILE}")
    assert "withheld" in run(config, "show", "anonymous")


def test_a_look_does_not_make_a_store(config: Path) -> None:
    before = sorted(config.parent.iterdir())
    assert "0571*" in run(config, "list")
    assert "always through" in run(config, "show", "0571 8888 9999")
    assert sorted(config.parent.iterdir()) == before


def test_a_tag_that_counts_for_nothing_is_told(config: Path) -> None:
    assert "counts neither for nor against" in run(config, "tag", "blue", MOBILE)
    assert "counts neither" not in run(config, "tag", "courier", MOBILE)


def test_what_is_no_number_is_not_taken_for_a_withheld_one(config: Path) -> None:
    assert isinstance(call(config, "show", "nonsense").exception, ConfigurationError)
