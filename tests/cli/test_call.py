"""`detector call`: mistakes are told before anything is done, and the end in words of the caller."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detector.agents.scenario_call import CallOutcome
from detector.audio.files import write_wav
from detector.cli.call import _ending, _recording
from detector.errors import AudioFileError
from detector.resources import fixtures_dir

Run = Callable[..., Any]
TARGET = "sip:agent@127.0.0.1:5099"
SCENARIOS = str(fixtures_dir() / "demo" / "scenarios.jsonl")


def test_a_target_where_nothing_listens_has_refused_nobody() -> None:
    told = _ending(CallOutcome(ending="refused", code=408), TARGET)
    assert told == f"nothing answered at {TARGET} (408): is the service running there?"


def test_a_refusal_is_called_one() -> None:
    assert _ending(CallOutcome(ending="refused", code=403), TARGET) == "refused (403)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("foo", "--wav", "x"), "'foo' is no SIP address: it has the form sip:agent@192.0.2.10:5060"),
        ((TARGET,), "--scenarios and --id missing: give --scenarios with --id, or --wav"),
        ((TARGET, "--scenarios", SCENARIOS), "--id missing: "),
        (
            (TARGET, "--wav", "x", "--id", "demo-courier", "--snr", "9"),
            "--id, --snr: --wav plays a recording",
        ),
        (
            (TARGET, "--scenarios", SCENARIOS, "--id", "nope"),
            "'nope'; there are demo-loan-recording, demo-courier, ",
        ),
        (
            (TARGET, "--wav", "x", "--number", "abc def"),
            "--number: give a number such as 02160953318, or anonymous",
        ),
        ((TARGET, "--wav", "x", "--number", ""), "--number: give a number such as"),
        ((TARGET, "--wav", "x", "--listen-address", "eth0"), "--listen-address eth0: give an IPv4 address"),
        (
            (TARGET, "--scenarios", SCENARIOS, "--id", "demo-courier", "--caller-channel", "left"),
            "--caller-channel chooses a channel of --wav",
        ),
        (
            (TARGET, "--scenarios", SCENARIOS, "--id", "demo-courier", "--clips", "gone"),
            "--clips gone: cannot be read",
        ),
    ],
)
def test_a_mistake_of_usage_is_one_line_and_no_call(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    outcome = run("call", *arguments)
    assert outcome.code == 2
    assert outcome.output == ""
    assert len(outcome.errors) == 1
    assert message in outcome.errors[0]


def test_a_host_that_is_not_found(run: Run, write_wav: Callable[..., Path]) -> None:
    host = f"{'a' * 64}.example"
    outcome = run("call", f"sip:agent@{host}", "--wav", write_wav("call.wav", 1.0))
    assert outcome.code == 1
    assert outcome.output == ""
    assert outcome.errors == [f"detector: The host {host} is not found: check the address."]


@pytest.mark.end_to_end
def test_a_port_in_use_is_told_in_words_of_this_command(run: Run, write_wav: Callable[..., Path]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        outcome = run("call", TARGET, "--wav", write_wav("call.wav", 1.0), "--port", str(port))
    assert outcome.code == 2
    assert outcome.output == ""
    assert [line.partition(" is in use: ")[0] for line in outcome.errors] == [f"detector: 127.0.0.1:{port}"]
    assert "--port" in outcome.errors[0]
    assert "sip.port" not in outcome.errors[0]


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    path = tmp_path / "two.wav"
    write_wav(path, np.tile(np.array([[100, 200]], np.int16), (8000, 1)))
    return path


def test_of_a_stereo_recording_one_channel_is_played_and_named(stereo: Path) -> None:
    left, right = _recording(stereo, None), _recording(stereo, "right")
    assert np.all(left.caller == np.int16(100))
    assert left.note == "plays the left channel of two.wav; --caller-channel right plays the other one"
    assert np.all(right.caller == np.int16(200))
    assert right.note == "plays the right channel of two.wav"


def test_a_mono_recording_has_no_channel_to_choose(tmp_path: Path) -> None:
    path = tmp_path / "one.wav"
    write_wav(path, np.full(8000, 100, np.int16))
    assert _recording(path, None).note == ""
    with pytest.raises(AudioFileError, match="has one channel; leave --caller-channel out"):
        _recording(path, "left")


def test_a_recording_without_a_number_withholds_it(stereo: Path) -> None:
    assert _recording(stereo, None).number == "anonymous"
