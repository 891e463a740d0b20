"""The program at a terminal: Ctrl-C, a reader that goes away, a full disk, and bars only where somebody looks."""

import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any

import pytest

from detector.bench.loopback import free_port
from detector.resources import fixtures_dir

DEMO = fixtures_dir() / "demo"
PROGRAM = [sys.executable, "-m", "detector.cli.main"]

Run = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[str]"]
CtrlC = Callable[["subprocess.Popen[str]"], tuple[int, str, float]]
WriteWav = Callable[..., Path]


@dataclass(frozen=True, slots=True)
class Watched:
    process: "subprocess.Popen[str]"
    port: int
    reading: RawIOBase
    """The end of the pipe where somebody could read what it shows and logs."""
    writing: RawIOBase


CONFIG = """\
[sip]
listen_address = "127.0.0.1"
port = 0
[forward]
target = "sip:home@127.0.0.1:5999"
[store]
url = "calls.sqlite3"
"""


def test_ctrl_c_ends_screening(start: Start, ctrl_c: CtrlC, write_wav: WriteWav) -> None:
    files = [write_wav(f"{number}.wav", 60.0) for number in range(40)]
    process = start("screen", *files, "--json")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("{")
    code, errors, _ = ctrl_c(process)
    assert code == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_ends_a_simulation_with_all_its_processes(start: Start, ctrl_c: CtrlC, jobs: str) -> None:
    process = start("simulate", DEMO / "scenarios.jsonl", "--clips", DEMO / "clips", "--json", "--jobs", jobs)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("{")
    code, errors, seconds = ctrl_c(process)
    assert code == 130
    assert "Traceback" not in errors
    assert seconds < 15
    for _ in range(100):
        if not group_lives(process.pid):
            break
        time.sleep(0.05)
    assert not group_lives(process.pid), "no process is left behind"


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.end_to_end
def test_ctrl_c_ends_the_service(start: Start, ctrl_c: CtrlC, tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text(CONFIG)
    process = start("answer", "--config", config, "--watch")
    assert process.stdout is not None
    while "ready" not in (line := process.stdout.readline()):
        assert line, "the service ended before it was ready"
    code, errors, seconds = ctrl_c(process)
    assert code == 0
    assert "Traceback" not in errors
    assert "died" not in errors, "the workers end with the service and not before it"
    assert seconds < 10


def fill(pipe: int) -> None:
    """Write into a pipe until it takes no more."""
    os.set_blocking(pipe, False)
    for size in (4096, 1):
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(pipe, b"x" * size)
    os.set_blocking(pipe, True)


@pytest.fixture
def watched(start: Start, tmp_path: Path) -> Iterator[Watched]:
    """A service that is ready, and shows and logs into a pipe."""
    config, port = tmp_path / "agent.toml", free_port()
    config.write_text(CONFIG.replace("port = 0", f"port = {port}"))
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as output, os.fdopen(writing, "wb", buffering=0) as filled:
        process = start("answer", "--config", config, "--watch", output=writing)
        try:
            shown = b""
            while b"ready: waiting for calls" not in shown:
                assert process.poll() is None, shown
                shown += output.read(65536)
            yield Watched(process, port, output, filled)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.mark.end_to_end
@pytest.mark.timeout(120)
@pytest.mark.parametrize("reader", ["sleeps", "is gone"])
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_the_service_does_without_whoever_watches(
    watched: Watched, run: Run, write_wav: WriteWav, reader: str, told: signal.Signals
) -> None:
    if reader == "sleeps":
        fill(watched.writing.fileno())
    else:
        watched.reading.close()
    target = f"sip:agent@127.0.0.1:{watched.port}"
    outcome = run("call", target, "--wav", write_wav("caller.wav", 2.0), "--json")
    assert json.loads(outcome.output)["ending"] == "hung_up_by_caller", "he was answered and heard"
    watched.process.send_signal(told)
    assert watched.process.wait(timeout=15) == 0


def children(process: int) -> set[int]:
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


@pytest.mark.end_to_end
@pytest.mark.timeout(120)
def test_the_service_does_without_whoever_reads_its_log(watched: Watched) -> None:
    fill(watched.writing.fileno())
    (worker,) = children(watched.process.pid)
    os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + 20
    while not children(watched.process.pid) - {worker}:
        assert time.monotonic() < until, "a worker that died is logged and replaced"
        time.sleep(0.05)
    watched.process.send_signal(signal.SIGTERM)
    assert watched.process.wait(timeout=15) == 0


def test_a_reader_that_goes_away_is_no_error(start: Start, write_wav: WriteWav) -> None:
    process = start("screen", *[write_wav(f"{number}.wav", 1.0) for number in range(200)], "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(timeout=60) != 0, "it stops instead of judging the rest for nobody"


def test_help_is_cut_off_quietly(start: Start) -> None:
    process = start("--help")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == ""
    process.wait(timeout=60)


@pytest.mark.parametrize("command", ["screen", "--help"])
def test_a_full_disk_is_one_line(command: str, write_wav: WriteWav, environment: dict[str, str]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    more = [str(write_wav("call.wav", 1.0)), "--json"] if command == "screen" else []
    with Path("/dev/full").open("w") as output:
        done = subprocess.run(  # noqa: S603 - our own program
            [*PROGRAM, command, *more],
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env=environment,
        )
    assert done.returncode == 2
    assert done.stderr == "detector: No space left on device\n"


def test_results_show_on_a_terminal_without_chinese_characters(
    environment: dict[str, str], write_wav: WriteWav, tmp_path: Path
) -> None:
    folder = tmp_path / "来电"
    folder.mkdir()
    path = write_wav("来电/未知.wav", 1.0)
    done = subprocess.run(  # noqa: S603 - our own program
        [*PROGRAM, "screen", str(path)],
        capture_output=True,
        timeout=60,
        check=False,
        env={**environment, "PYTHONIOENCODING": "latin-1:strict"},
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"unsure" in done.stdout


def on_a_terminal(arguments: list[str], environment: dict[str, str]) -> str:
    """Run the program on a terminal of its own and return all that is shown there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [*PROGRAM, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environment, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux reports the end of a terminal so
                break
            shown += piece
        elif process.poll() is not None:
            break
    os.close(ours)
    assert process.wait(timeout=30) == 0
    return shown.decode("utf-8", "replace")


def test_a_bar_shows_on_a_terminal_and_nowhere_else(
    run: Run, environment: dict[str, str], write_wav: WriteWav
) -> None:
    files = [str(write_wav(f"{number}.wav", 1.0)) for number in range(3)]
    shown = on_a_terminal(["screen", *files], environment)
    assert "judging" in shown
    assert shown.count("unsure") == 3, "the bar makes room for the results"
    outcome = run("screen", *files)
    assert outcome.errors == []
    assert "judging" not in outcome.output
    assert "\x1b" not in outcome.output


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ("answer", "screen", "simulate", "Exit codes", "--check")),
        (("screen",), ("A-law", "--caller-channel", "Exit code 1", "--json", "FLAC")),
        (("simulate",), ("--clips", "standard error", "--seed", "--loss SHARE", "--snr DB")),
        (("evaluate",), ("with --calls none is played", "--loss PERCENT", "--snr DB")),
        (("answer",), ("--config", "Ctrl-C", "--watch", "Exit code 2")),
        (("call",), ("sip:agent@127.0.0.1:5060", "--wav", "from which this machine reaches the target")),
    ],
)
def test_help_says_what_is_needed(run: Run, command: tuple[str, ...], words: tuple[str, ...]) -> None:
    outcome = run(*command, "--help")
    assert outcome.code == 0
    text = " ".join(outcome.output.split())
    for word in words:
        assert word in text


@pytest.mark.parametrize("command", ["answer", "screen", "simulate", "call", "bench", "models"])
def test_every_command_is_described_whole_in_the_overview(run: Run, command: str) -> None:
    line = next(
        line for line in run("--help", COLUMNS="80").output.splitlines() if line.startswith(f"  {command} ")
    )
    assert line.endswith("."), "not cut off"
