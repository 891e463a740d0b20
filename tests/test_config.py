import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from detector.config import Settings, load_settings
from detector.config.load import _model_in, parse_settings
from detector.config.options import list_entries, screener_options, sip_options, store_url
from detector.decision.fusion import FusionModel
from detector.decision.policy import Policy
from detector.errors import ConfigurationError
from detector.sip.options import SipOptions
from detector.stores.lists import Lists

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLE = DOCS / "agent.example.toml"
LEAST = '[forward]\ntarget = "sip:200@127.0.0.1"\n'
WHERE = Path("/etc/detector/agent.toml")


def parse(text: str, path: Path = WHERE) -> Settings:
    return parse_settings(text, path)


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    return str(caught.value).splitlines()


def keys_of(model: type[BaseModel], section: str = "") -> Iterator[tuple[str, str]]:
    for name, each in model.model_fields.items():
        inner = _model_in(each.annotation)
        if inner is None:
            yield section, name
        else:
            yield from keys_of(inner, f"{section}.{name}" if section else name)


# The files in docs/


@pytest.mark.parametrize(
    "path", [EXAMPLE, *sorted((DOCS / "examples").glob("*.toml"))], ids=lambda path: path.stem
)
def test_every_example_loads(path: Path) -> None:
    settings = load_settings(path)
    environ = {"DETECTOR_SIP_PASSWORD": "x", "FREEPBX_EXTENSION_300": "x"}
    without_files = settings.model_copy(
        update={
            "sip": settings.sip.model_copy(
                update={
                    "account": tuple(
                        account.model_copy(update={"password_file": None}) for account in settings.sip.account
                    )
                }
            )
        }
    )
    assert sip_options(without_files, environ)
    screener_options(settings)
    list_entries(settings)


def test_the_four_kinds_of_exchange_have_an_example() -> None:
    assert {path.stem for path in (DOCS / "examples").glob("*.toml")} >= {
        "asterisk",
        "freepbx",
        "fritzbox",
        "provider-trunk",
    }


def documented_keys() -> set[tuple[str, str]]:
    """The keys that the example names, commented out ones included."""
    section, found = "", set()
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if header := re.fullmatch(r"\[+([\w.]+)\]+", line):
            section = header[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            found.add((section, key[1]))
    return found


def test_the_example_names_every_key_and_no_other() -> None:
    assert documented_keys() - {("", "key")} == set(keys_of(Settings))


def test_the_example_shows_what_holds_without_it() -> None:
    shown: dict[str, Any] = tomllib.loads(EXAMPLE.read_text("utf-8"))
    defaults = parse(LEAST)
    for section, values in shown.items():
        if section == "forward":
            continue
        for key, value in values.items():
            if (section, key) in {("sip", "account"), ("agent", "quiet")}:
                continue  # there is none unless one is made
            held = getattr(getattr(defaults, section), key)
            assert (list(held) if isinstance(held, tuple) else held) == value, f"{section}.{key}"


def test_the_commented_keys_of_the_example_are_right_as_well() -> None:
    uncommented = re.sub(r"(?m)^# (\w+ = )", r"\1", EXAMPLE.read_text("utf-8")).replace("key = ...", "")
    settings = parse(uncommented)
    assert settings.store.recordings == WHERE.parent / "recordings"
    assert settings.sip.public_address == "203.0.113.7"


# What is wrong is said in a line each


def test_least() -> None:
    settings = parse(LEAST)
    assert settings.forward.target == "sip:200@127.0.0.1"
    assert settings.agent.languages == ("zh", "en")
    assert problems("") == [f"{WHERE}: forward: is missing"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[agent]\npersonalty = "brisk"', ":4: agent.personalty: unknown key; did you mean personality?"),
        ("[agent]\npres_key = true", ":4: agent.pres_key: unknown key; did you mean press_key?"),
        ('[agent]\npress_key = "4"', ":4: agent.press_key: must be true or false"),
        ("\n[agnt]\nx = 1", ":4: agnt: unknown key; did you mean agent?"),
        ('[agent]\nlanguages = ["de"]', ":4: agent.languages 1: must be one of 'zh', 'en'"),
        ("[log]\nxyzzy = 1", ":4: log.xyzzy: unknown key; known are level"),
        (
            '[agent]\n\nstrictness = "hard"',
            ":5: agent.strictness: must be one of 'lenient', 'normal', 'strict'",
        ),
        ('[agent]\ndeadline_seconds = "25"', ":4: agent.deadline_seconds: must be a number"),
        ("[sip]\nport = 70000", ":4: sip.port: must be less than or equal to 65535"),
        ("[sip]\nport = 5060.5", ":4: sip.port: must be a whole number"),
        ("[store]\nkeep_audio = 1", ":4: store.keep_audio: must be true or false"),
        ('[agent]\nlanguages = "zh"', ":4: agent.languages: must be a list in brackets"),
        ('[agent]\nlanguages = ["zh", "de"]', ":4: agent.languages 2: must be one of 'zh', 'en'"),
        ('[[sip.account]]\nregistrar = "sip:x"', ":3: sip.account 1.username: is missing"),
        (
            '[[agent.quiet]]\nstart = "22:00"\nend = 07:00:00',
            ":4: agent.quiet 1.start: must be a time of day",
        ),
        ('[lexicon]\nfile = ""', ":4: lexicon.file: must be a path, not an empty text"),
        ("[prompts]\ndirectory = 3", ":4: prompts.directory: must be a path in quotes"),
        ('[lists]\nallow = ["95588", "bank"]', ":4: lists.allow: entry 2: not a phone number"),
        ("[store]\nkeep_audio = true", ": store.recordings is needed"),
        ("[store]\nretention_days = -1", ":4: store.retention_days: must be greater than or equal to 0"),
        ("agent = 3", "agent: must be a section"),
    ],
)
def test_each_mistake_is_one_clear_line(text: str, said: str) -> None:
    source = f"{text}\n{LEAST}" if text == "agent = 3" else f"{LEAST}{text}\n"
    (line,) = problems(source)
    assert line.startswith(str(WHERE))
    assert said in line


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("tel:+8613800138000", "must name the exchange as well, as in sip:+8613800138000@provider.example"),
        ("sip:", "must be an address such as sip:100@192.168.1.1"),
        ("200", "must be an address"),
        ("sip:200@", "must be an address"),
        ("sip:192.168.1.1", "must say who is to be called there"),
        ("sip:200@192.168.1.1:99999", "must be an address"),
        ("sip:200@[::1]", "must be an address"),
        ("sip:200@a b", "must be an address"),
        ("sip:200@x\\nEvil: y", "must be an address"),
    ],
)
def test_where_callers_are_put_through_to_must_be_somewhere(target: str, said: str) -> None:
    (line,) = problems(f'[forward]\ntarget = "{target}"\n')
    assert line.startswith(f"{WHERE}:2: forward.target: {said}")


def test_a_bridge_to_a_secure_address_needs_a_secure_transport() -> None:
    secure = '[forward]\nmode = "bridge"\ntarget = "sips:200@192.168.1.1"\n'
    (line,) = problems(secure)
    assert "needs tls" in line
    parse(secure.replace("bridge", "refer"))


@pytest.mark.parametrize(("days", "kept"), [(0, None), (1, 1)])
def test_no_days_of_retention_are_all_days(days: int, kept: int | None) -> None:
    assert parse(f"{LEAST}[store]\nretention_days = {days}\n").store.retention_days == kept


def test_all_mistakes_are_named_at_once() -> None:
    lines = problems('[sip]\nport = "x"\n[agent]\nunsure = "drop"\nfoo = 1\n')
    assert len(lines) == 4
    assert sorted(re.findall(r": ([a-z_.]+): ", "\n".join(lines))) == [
        "agent.foo",
        "agent.unsure",
        "forward",
        "sip.port",
    ]


def test_broken_toml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text("[sip]\nport = = 3\n")
    with pytest.raises(ConfigurationError, match=r"agent\.toml:2: not valid TOML") as caught:
        load_settings(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "agent.toml")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path)
    (tmp_path / "agent.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_settings(tmp_path / "agent.toml")


# Paths and secrets


def test_relative_paths_start_at_the_file() -> None:
    settings = parse(
        LEAST + '[lexicon]\nfile = "own.toml"\n[prompts]\ndirectory = "/srv/prompts"\n[store]\nurl = "c.db"\n'
    )
    assert settings.lexicon.file == Path("/etc/detector/own.toml")
    assert settings.prompts.directory == Path("/srv/prompts")
    assert store_url(settings, {}).database == "/etc/detector/c.db"


def with_account(more: str = "") -> str:
    return f'{LEAST}[[sip.account]]\nregistrar = "sip:provider.example"\nusername = "100"\n{more}\n'


@pytest.mark.parametrize(
    "line", ['password = "hunter2"', 'secret = "hunter2"', 'passwort_file = ["hunter2"]']
)
def test_a_password_in_the_file_is_refused_and_not_repeated(line: str) -> None:
    (said,) = problems(with_account(line))
    assert "password_file" in said
    assert "hunter2" not in said


def test_passwords_come_from_a_variable_a_file_or_the_usual_variable(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from file\n")
    (tmp_path / "secret").chmod(0o600)
    path = tmp_path / "agent.toml"
    environ = {"MINE": "from mine", "DETECTOR_SIP_PASSWORD": "usual"}

    def password(more: str) -> str | None:
        (options,) = sip_options(parse(with_account(more), path), environ)
        return options.password

    assert password('password_env = "MINE"\npassword_file = "secret"') == "from mine"
    assert password('password_file = "secret"') == "from file"
    assert password("") == "usual"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "no password"),
        ('password_env = "NOT_SET"', "NOT_SET is not set"),
        ('password_file = "nowhere"', "cannot be read"),
        ('password_file = "empty"', "one line"),
        ('password_file = "two"', "one line"),
    ],
)
def test_a_missing_password_is_named(tmp_path: Path, more: str, said: str) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "two").write_text("hunter2\nhunter3\n")
    settings = parse(with_account(more), tmp_path / "agent.toml")
    with pytest.raises(ConfigurationError, match=said) as caught:
        sip_options(settings, {})
    assert "sip.account 1" in str(caught.value)
    assert "hunter" not in str(caught.value)


def test_no_call_without_audio_is_ended_before_it_is_decided_on() -> None:
    for deadline in (20.0, 40.0, 120.0):
        (options,) = sip_options(parse(f"{LEAST}[agent]\ndeadline_seconds = {deadline}\n"), {})
        assert options.rtp_timeout > deadline
    (options,) = sip_options(parse(f"{LEAST}[sip]\nrtp_timeout = 90.0\n"), {})
    assert options.rtp_timeout == 90.0


def test_a_password_file_that_others_can_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secret").write_text("hunter2")
    (tmp_path / "secret").chmod(0o644)
    settings = parse(with_account('password_file = "secret"'), tmp_path / "agent.toml")
    (options,) = sip_options(settings, {})
    assert "chmod 600" in caplog.text
    shown = caplog.text + repr(settings) + repr(options) + str(options)
    assert "hunter2" not in shown


def test_the_password_of_the_store() -> None:
    url = '[store]\nurl = "postgresql://detector@db/calls"\n'
    found = store_url(parse(LEAST + url), {"DETECTOR_STORE_PASSWORD": "hunter2"})
    assert (found.password, found.host, found.drivername) == ("hunter2", "db", "postgresql+psycopg")
    assert "hunter2" not in repr(found)
    (said,) = problems(LEAST + '[store]\nurl = "postgresql://detector:hunter2@db/calls"\n')
    assert "store.password_file" in said
    assert "hunter2" not in said


def test_without_a_store_url_the_file_lies_in_the_users_own_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert store_url(parse(LEAST), {}).database == str(tmp_path / "robocall-detector" / "calls.sqlite3")


# What the parts make of it


def test_without_accounts_the_workers_listen_only() -> None:
    (options,) = sip_options(parse(LEAST), {})
    assert options == SipOptions()


def test_bridging_keeps_a_slot_for_the_second_leg() -> None:
    (options,) = sip_options(parse(LEAST + 'mode = "bridge"\n'), {})
    assert options.reserve_for_bridge


def test_workers_of_several_accounts_share_the_ports_and_register_once_each() -> None:
    second = '[[sip.account]]\nregistrar = "sip:other.example"\nusername = "200"\n'
    settings = parse(with_account() + second + "[sip]\nworkers = 2\nport = 6000\n")
    workers = sip_options(settings, {"DETECTOR_SIP_PASSWORD": "x"})
    assert [(worker.username, worker.registrar) for worker in workers] == [
        ("100", "sip:provider.example"),
        ("100", None),
        ("200", "sip:other.example"),
        ("200", None),
    ]
    assert len({worker.port for worker in workers}) == 4
    ranges = sorted(worker.rtp_ports for worker in workers)
    assert all(one[1] < other[0] for one, other in pairwise(ranges))


def test_stricter_means_sooner_hung_up_on_and_patient_means_longer_waits() -> None:
    def options(**values: str) -> Any:
        lines = "\n".join(f'{key} = "{value}"' for key, value in values.items())
        return screener_options(parse(f"{LEAST}[agent]\n{lines}\n"))

    shipped = FusionModel.load().thresholds
    policies = [Policy(shipped, options(strictness=each).policy) for each in ("lenient", "normal", "strict")]
    at = [policy.thresholds.hang_up_at for policy in policies]
    assert at == [4.6, 2.8, 2.2]  # 100, 16 and 9 : 1
    waits = [options(personality=each).planner.patience for each in ("patient", "friendly", "brisk")]
    assert waits == sorted(waits, reverse=True)
    assert len(set(at)) == len(set(waits)) == 3
    assert options() == options(strictness="normal", personality="friendly")
    assert options(household="王").known_names == ("王",)


@pytest.mark.parametrize(
    ("start", "end", "quiet", "loud"),
    [
        ("22:30:00", "07:00:00", ["22:30", "23:59", "00:00", "06:59"], ["07:00", "12:00", "22:29"]),
        ("13:00:00", "14:00:00", ["13:00", "13:59"], ["12:59", "14:00", "00:00"]),
    ],
)
def test_quiet_hours_go_past_midnight(start: str, end: str, quiet: list[str], loud: list[str]) -> None:
    agent = parse(f"{LEAST}[[agent.quiet]]\nstart = {start}\nend = {end}\n").agent
    assert [
        each for each in quiet + loud if agent.is_quiet(datetime.fromisoformat(f"2026-03-07T{each}"))
    ] == quiet


def test_lists_come_from_the_file_and_from_the_files_it_names(tmp_path: Path) -> None:
    (tmp_path / "family.txt").write_text("# the family\n\n+86 138 0013 8000  # Mum\n", "utf-8")
    (tmp_path / "operator.txt").write_text("0571*\n138*\n", "utf-8")
    text = '[lists]\ndeny = ["400*"]\nallow_files = ["family.txt"]\nsystem_deny_files = ["operator.txt"]\n'
    entries = list_entries(parse(LEAST + text, tmp_path / "agent.toml"))
    lists = Lists(entries)
    assert [each.note for each in entries if each.kind == "number"] == ["Mum"]
    decided = {
        number: entry.verdict
        for number in ("13800138000", "13900139000", "4001234567", "057112345678", "13812345678")
        if (entry := lists.find(number))
    }
    assert decided == {
        "13800138000": "allow",
        "4001234567": "deny",
        "057112345678": "deny",
        "13812345678": "deny",
    }


def test_a_bad_line_of_a_list_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("13800138000\nMr Wang 13900139000x\n", "utf-8")
    settings = parse(LEAST + '[lists]\ndeny_files = ["list.txt"]\n', tmp_path / "agent.toml")
    with pytest.raises(ConfigurationError, match=r"list\.txt:2: ") as caught:
        list_entries(settings)
    assert "13900139000" not in str(caught.value)
    (tmp_path / "list.txt").unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        list_entries(settings)
