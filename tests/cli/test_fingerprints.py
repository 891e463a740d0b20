"""`detector screen --campaigns` and `detector fingerprints`: the same audio in several recordings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from detector.agents.replay import Replay
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE
from detector.audio.wav import wav_header
from detector.cli import screen
from detector.cli.main import app
from detector.cli.parts import load_parts
from detector.errors import DetectorError, InputError
from detector.screener import ScreenerOptions
from detector.speech.transcript import Transcript
from detector.stores.store import Store

TAKES = Path(__file__).parent.parent / "signals" / "takes"


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    if isinstance(result.exception, DetectorError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(autouse=True)
def no_recognition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recognition that hears the same words in everything: only the audio tells recordings apart."""

    def load(*_: Any) -> Replay:
        options = ScreenerOptions(interactive=False, languages=("zh",))
        return Replay(load_parts(speaks=False), options, lambda *_: Transcript("喂你好", "zh", -0.3))

    monkeypatch.setattr(screen, "load_replay", load)


@pytest.fixture
def record(tmp_path: Path) -> Callable[[str, str, int], Path]:
    """Record two takes on the caller's channel, with noise of its own."""

    def record(name: str, takes: str, seed: int) -> Path:
        clips = [read_clip(TAKES / f"{take}.wav") for take in takes.split()]
        wave = np.concatenate([np.zeros(4000 + 131 * seed), *clips, np.zeros(2 * SAMPLE_RATE)])
        wave += np.random.default_rng(seed).normal(0, 8, len(wave))
        both = np.stack([wave, np.random.default_rng(9).normal(0, 8, len(wave))], axis=1)
        audio = np.rint(both).astype("<i2").tobytes()
        (tmp_path / name).write_bytes(wav_header(len(audio), SAMPLE_RATE, 2, "pcm16") + audio)
        return tmp_path / name

    return record


@pytest.fixture
def recordings(record: Callable[[str, str, int], Path]) -> list[Path]:
    """Two recordings of the same loan call, and one of another."""
    loan = "loan_first insurance_first"
    return [
        record("a.wav", loan, 1),
        record("b.wav", "loan_faster insurance_faster", 2),
        record("c.wav", loan, 3),
    ]


def rows(*arguments: str | Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("screen", "--json", *arguments).stdout.splitlines()]


def known(row: dict[str, Any]) -> list[str]:
    return [item["detail"] for item in row["evidence"] if item["source"].startswith("playback.known")]


def test_recordings_with_the_same_audio_share_a_campaign(recordings: list[Path]) -> None:
    first, other, again = rows("--campaigns", *recordings)
    assert first["campaign"] == again["campaign"] != other["campaign"]
    assert known(first) == known(other) == []
    assert [said.endswith("as in 1 other call") for said in known(again)] == [True]


def test_nothing_is_compared_unless_asked_for(recordings: list[Path]) -> None:
    assert all("campaign" not in row and known(row) == [] for row in rows(*recordings))


def test_earlier_runs_are_remembered_in_a_file_without_audio(recordings: list[Path], tmp_path: Path) -> None:
    prints = tmp_path / "prints.sqlite3"
    (first,) = rows("--fingerprints", prints, recordings[0])
    (again,) = rows("--fingerprints", prints, recordings[2])
    assert first["campaign"] == again["campaign"]
    assert known(again)
    size = sum(path.stat().st_size for path in tmp_path.glob("prints.sqlite3*"))
    assert size < sum(path.stat().st_size for path in (recordings[0], recordings[2]))
    assert known(rows("--fingerprints", prints, recordings[0])[0])[0].endswith("1 other call"), (
        "not with itself"
    )


def test_campaigns_are_listed_labelled_and_taken_elsewhere(recordings: list[Path], tmp_path: Path) -> None:
    here, there = tmp_path / "here.sqlite3", tmp_path / "there.sqlite3"
    rows("--fingerprints", here, *recordings)
    rows("--fingerprints", there, recordings[1])
    (listed,) = run("fingerprints", "campaigns", "--file", here, "--json").stdout.splitlines()
    campaign = json.loads(listed)
    assert (campaign["calls"], campaign["label"]) == (2, "unlabelled")
    run("fingerprints", "label", str(campaign["id"]), "notice", "--file", here)
    exported = tmp_path / "prints.jsonl"
    run("fingerprints", "export", "--file", here, "--out", exported)
    assert len(exported.read_text().splitlines()) == 2
    assert "2 new" in run("fingerprints", "import", exported, "--file", there).stdout
    assert "0 new" in run("fingerprints", "import", exported, "--file", there).stdout
    assert "2 new" in run("fingerprints", "import", exported, "--file", tmp_path / "new.sqlite3").stdout
    (elsewhere,) = rows("--fingerprints", there, recordings[0])
    assert known(elsewhere)[0].endswith("an announcement that was wanted")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose store is not there yet."""
    path = tmp_path / "agent.toml"
    path.write_text('[forward]\ntarget = "sip:200@127.0.0.1"\n[store]\nurl = "calls.sqlite3"\n')
    return path


def test_the_store_of_the_service_is_meant_by_its_configuration(config: Path) -> None:
    Store(config.parent / "calls.sqlite3").close()
    assert (
        "no campaign yet: the same audio in at least 2 calls makes one"
        in run("fingerprints", "campaigns", "--config", config).stdout
    )


@pytest.mark.parametrize("command", [("campaigns",), ("export",), ("label", "1", "notice")])
def test_a_look_at_a_store_that_is_not_there_does_not_make_it(config: Path, command: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="no such store yet"):
        run("fingerprints", *command, "--config", config)
    assert list(config.parent.iterdir()) == [config]


def test_fingerprints_can_be_imported_before_the_service_ever_ran(config: Path) -> None:
    (config.parent / "none.jsonl").touch()
    run("fingerprints", "import", config.parent / "none.jsonl", "--config", config)
    assert "no campaign yet" in run("fingerprints", "campaigns", "--config", config).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["campaigns"], "--config FILE"),
        (["campaigns", "--file", "nowhere.sqlite3"], "no such file"),
        (["label", "7", "notice", "--file", "{prints}"], "campaign 7: there is none"),
        (["import", "{wrong}", "--file", "{prints}"], "wrong.jsonl, line 1: not a fingerprint"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    recordings: list[Path], tmp_path: Path, arguments: list[str], words: str
) -> None:
    prints, wrong = tmp_path / "prints.sqlite3", tmp_path / "wrong.jsonl"
    rows("--fingerprints", prints, recordings[1])
    wrong.write_text("{}\n")
    given = [each.format(prints=prints, wrong=wrong) for each in arguments]
    with pytest.raises(DetectorError, match=words) as raised:
        run("fingerprints", *given)
    assert "\n" not in str(raised.value)
