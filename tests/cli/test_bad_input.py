"""Bad input on the real command line: one line that names what, where and what to do; the rest goes on."""

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.agents.clips import clip_name
from detector.resources import fixtures_dir

Run = Callable[..., Any]
WriteWav = Callable[..., Path]
DEMO = fixtures_dir() / "demo"
CONFIG = """\
[sip]
listen_address = "127.0.0.1"
port = {port}

[forward]
target = "sip:home@127.0.0.1:5999"

[store]
url = "{store}"
"""


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str = CONFIG, *, port: int = 0, store: str = "calls.sqlite3") -> Path:
        path = tmp_path / "agent.toml"
        path.write_text(text.format(port=port, store=store), "utf-8")
        return path

    return write


def rows(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_every_bad_recording_is_named_and_the_good_ones_are_judged(
    run: Run, write_wav: WriteWav, tmp_path: Path
) -> None:
    (tmp_path / "text.wav").write_text("this is a text file")
    (tmp_path / "empty.wav").touch()
    whole = write_wav("whole.wav", 2.0).read_bytes()
    (tmp_path / "header.wav").write_bytes(whole[:20])
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    write_wav("zero.wav", 0.0)
    write_wav("six-channels.wav", 1.0, channels=6)
    write_wav("slow.wav", 1.0, rate=4000)
    write_wav("eight-bit.wav", 2.0, width=1)
    write_wav("inside/silence.wav", 5.0)
    outcome = run("screen", tmp_path, tmp_path / "gone.wav", "--json")
    assert outcome.code == 1
    judged = {Path(row["file"]).name: row for row in rows(outcome.output)}
    assert set(judged) == {"whole.wav", "cut.wav", "eight-bit.wav", "silence.wav"}
    assert judged["silence.wav"]["label"] == "unsure"
    assert judged["silence.wav"]["notes"] == ["nothing but silence"]
    assert "the file is shorter than its header promises" in judged["cut.wav"]["notes"]
    keys = ["file", "label", "action", "unwanted", "axes", "decided_at"]
    assert list(judged["silence.wav"])[:6] == keys
    assert {"evidence", "turns"} <= set(judged["silence.wav"])
    for name, what in {
        "text.wav": "no audio file",
        "empty.wav": "is empty",
        "header.wav": "within its header",
        "zero.wav": "zero seconds",
        "six-channels.wav": "6 channels",
        "slow.wav": "4000 Hz",
        "gone.wav": "no such file",
    }.items():
        lines = [line for line in outcome.errors if f"{tmp_path / name}: " in line]
        assert len(lines) == 1, f"{name} is named once"
        assert what in lines[0]
    assert len(outcome.errors) == 7


def test_a_channel_that_cannot_be_chosen_is_said_of_that_file_alone(
    run: Run, write_wav: WriteWav, tmp_path: Path
) -> None:
    mono, stereo = write_wav("mono.wav", 1.0), tmp_path / "stereo.wav"
    shutil.copy(write_wav("two.wav", 1.0, channels=2), stereo)
    outcome = run("screen", mono, stereo, "--json", "--caller-channel", "right")
    assert outcome.code == 1
    assert [row["judged"] for row in rows(outcome.output)] == ["the right channel"]
    assert len(outcome.errors) == 1
    assert f"{mono}: " in outcome.errors[0]
    assert "leave the option out" in outcome.errors[0]


def test_what_a_telephone_records_and_cannot_be_read_is_not_passed_over_in_silence(
    run: Run, write_wav: WriteWav, tmp_path: Path
) -> None:
    write_wav("in/one.wav", 2.0)
    for name in ("two.m4a", "three.M4A", "four.amr", "notes.txt"):
        (tmp_path / "in" / name).touch()
    outcome = run("screen", tmp_path / "in", "--json")
    assert outcome.code == 0
    (line,) = outcome.errors
    assert "passed over: 1 .amr, 2 .m4a" in line


def test_a_folder_without_recordings_is_a_mistake_of_usage(run: Run, tmp_path: Path) -> None:
    outcome = run("screen", tmp_path)
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert "no recordings found" in outcome.errors[0]


def test_a_model_that_is_missing(run: Run, write_wav: WriteWav, tmp_path: Path) -> None:
    outcome = run("screen", write_wav("call.wav", 1.0), "--model", tmp_path / "no-model")
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert "no-model" in outcome.errors[0]


def test_a_model_that_is_not_the_one_of_the_manifest(run: Run, write_wav: WriteWav, tmp_path: Path) -> None:
    broken = tmp_path / "cache" / "models" / "whisper-base"
    broken.mkdir(parents=True)
    (broken / ".stamp.json").write_text("{}")
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        (broken / name).write_bytes(b"broken")
    outcome = run("screen", write_wav("call.wav", 1.0), DETECTOR_CACHE=str(tmp_path / "cache"))
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert str(broken) in outcome.errors[0]
    assert "detector models fetch" in outcome.errors[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (CONFIG + '\n[agent]\npersonalty = "brisk"\n', "did you mean personality?"),
        (CONFIG + "\n[agent\n", "agent.toml"),
        ("[sip]\nport = 5060\n", "forward"),
        (CONFIG + '\n[lexicon]\nfile = "my-words.toml"\n', "my-words.toml"),
    ],
    ids=["unknown key", "no TOML", "nothing to put through to", "a file that is not there"],
)
def test_a_bad_configuration(run: Run, config: Callable[..., Path], text: str, what: str) -> None:
    outcome = run("answer", "--config", config(text), "--check")
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert what in outcome.errors[0]


def test_each_of_several_mistakes_is_a_line_of_its_own(run: Run, config: Callable[..., Path]) -> None:
    two = CONFIG + '\n[agent]\npersonalty = "brisk"\nlanguages = ["de"]\n'
    outcome = run("answer", "--check", "--config", config(two))
    assert outcome.code == 2
    assert len(outcome.errors) == 2
    assert all(line.startswith("detector: ") and "agent.toml:" in line for line in outcome.errors)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (CONFIG.replace("[forward]", "rtp_ports = [10000, 10003]\n[forward]"), "agent.toml:5: sip.rtp_ports"),
        (CONFIG.replace('"127.0.0.1"', '"192.0.2.7"'), "agent.toml:2: sip.listen_address: cannot listen on"),
        (
            CONFIG.replace("{store}", "agent.toml/calls.sqlite3"),
            "calls.sqlite3: cannot be opened for writing",
        ),
        (CONFIG.replace("{store}", "agent.toml"), "is not an SQLite database"),
        (
            CONFIG + '[[sip.account]]\nusername = "x"\nregistrar = "sip:192.0.2.7"\n',
            "agent.toml:10: sip.account 1: no password",
        ),
    ],
    ids=["too few ports", "no address of ours", "no folder", "no database", "no password"],
)
def test_checking_finds_what_a_start_would_stumble_over(
    run: Run, config: Callable[..., Path], text: str, what: str
) -> None:
    outcome = run("answer", "--check", "--config", config(text))
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert what in outcome.errors[0]


def test_checking_beside_a_running_service_leaves_everything_as_it_is(
    run: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        outcome = run("answer", "--check", "--config", config(port=other.getsockname()[1]))
    assert outcome.code == 0
    assert "is in use, by a service that runs already or by another program" in outcome.output
    assert "in order" in outcome.output
    assert [path.name for path in tmp_path.iterdir()] == ["agent.toml"]


def test_a_configuration_that_is_not_there(run: Run, tmp_path: Path) -> None:
    outcome = run("answer", "--config", tmp_path / "none.toml")
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert "none.toml" in outcome.errors[0]


@pytest.mark.end_to_end
def test_a_port_in_use(run: Run, config: Callable[..., Path]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        outcome = run("answer", "--config", config(port=port))
    assert outcome.code == 2
    assert [line for line in outcome.errors if line.startswith("detector: ")] == outcome.errors[-1:]
    assert str(port) in outcome.errors[-1]


@pytest.mark.parametrize("how", ["a folder", "below a file", "no database"])
def test_a_database_that_cannot_be_written(
    run: Run, config: Callable[..., Path], tmp_path: Path, how: str
) -> None:
    path = tmp_path / "calls.sqlite3"
    if how == "a folder":
        path.mkdir()
    else:
        path.write_text("these are words and no database at all, whatever the name of the file says\n" * 9)
    outcome = run(
        "answer", "--config", config(store=str(path / "inner.sqlite3" if how == "below a file" else path))
    )
    assert outcome.code == 2
    assert len(outcome.errors) == 1
    assert "calls.sqlite3" in outcome.errors[0]


@pytest.fixture
def scenarios(tmp_path: Path) -> tuple[Path, Path]:
    """Three scenarios: one whole, one without a clip, one with a key that is wrong; and their clips."""
    written = (DEMO / "scenarios.jsonl").read_text("utf-8").splitlines()
    whole = next(json.loads(line) for line in written if "demo-school-notice" in line)
    clips = tmp_path / "clips"
    clips.mkdir()
    texts = [*whole["opening"], *(text for said in whole["replies"].values() for text in said)]
    for text in texts:
        for path in (DEMO / "clips").glob(f"{clip_name(whole['id'], text, 0)}.*"):
            shutil.copy(path, clips)
    path = tmp_path / "callers.jsonl"
    several = [{**whole, "id": "without-clips"}, {**whole, "id": "wrong", "barge_in": "never"}, whole]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in several), "utf-8")
    return path, clips


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_scenario_with_a_missing_clip_prints_no_row(
    run: Run, scenarios: tuple[Path, Path], jobs: str
) -> None:
    path, clips = scenarios
    outcome = run("simulate", path, "--clips", clips, "--json", "--jobs", jobs)
    assert outcome.code == 1
    assert [row["id"] for row in rows(outcome.output)] == ["demo-school-notice"]
    assert len(outcome.errors) == 2
    assert "scenario wrong" in outcome.errors[0]
    assert f"{path}:2" in outcome.errors[0]
    assert "scenario without-clips: no clip of" in outcome.errors[1]


def test_a_scenario_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    outcome = run("simulate", tmp_path / "none.jsonl", "--clips", tmp_path)
    assert outcome.code == 1
    assert len(outcome.errors) == 1
    assert "none.jsonl" in outcome.errors[0]


@pytest.mark.end_to_end
def test_nobody_answers_a_test_call(run: Run, write_wav: WriteWav) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        free = silent.getsockname()[1]
    wav = write_wav("call.wav", 1.0)
    outcome = run("call", f"sip:agent@127.0.0.1:{free};transport=tcp", "--wav", wav)
    assert outcome.code == 1
