"""The real command line in a process of its own, with a cache that is not the user's."""

import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from detector.resources import models_dir
from detector.speech.model_files import recognition_model

PROGRAM = [sys.executable, "-m", "detector.cli.main"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of the program ended."""

    code: int
    output: str
    errors: list[str]
    """Lines on standard error."""


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of the program: its caches are empty but for the recognition weights, which are only linked."""
    cache = tmp_path_factory.mktemp("cache")
    (cache / "models").symlink_to(recognition_model().parent)
    checkout = str(models_dir().parent)
    return {**os.environ, "DETECTOR_CACHE": str(cache), "PYTHONPATH": checkout, "COLUMNS": "200"}


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the program to its end; every test that does so checks that nobody is shown a traceback."""

    def run(*arguments: str | Path, **more: str) -> Outcome:
        done = subprocess.run(  # noqa: S603 - our own program
            [*PROGRAM, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            cwd=tmp_path,
            env={**environment, **more},
        )
        assert "Traceback" not in done.stderr + done.stdout
        return Outcome(done.returncode, done.stdout, done.stderr.splitlines())

    return run


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start the program in a process group of its own, as a terminal would."""
    # Tests that run as a shell's background job ignore Ctrl-C, and what they start would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments: str | Path, output: int = subprocess.PIPE) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own program
            [*PROGRAM, *map(str, arguments)],
            stdout=output,
            stderr=output,
            text=True,
            cwd=tmp_path,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )

    yield start
    signal.signal(signal.SIGINT, before)


def press_ctrl_c(process: "subprocess.Popen[str]") -> tuple[int, str, float]:
    """Send SIGINT to the program and all its processes; return exit code, standard error and seconds that it took."""
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    return process.returncode, errors, time.monotonic() - began


@pytest.fixture
def ctrl_c() -> Callable[["subprocess.Popen[str]"], tuple[int, str, float]]:
    return press_ctrl_c


@pytest.fixture
def write_wav(tmp_path: Path) -> Callable[..., Path]:
    """Write silence: name, seconds, channels, bytes a sample, rate."""

    def write(name: str, seconds: float, channels: int = 1, width: int = 2, rate: int = 8000) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as file:
            file.setparams((channels, width, rate, 0, "NONE", ""))
            file.writeframes((b"\x80" if width == 1 else b"\0" * width) * int(seconds * rate) * channels)
        return path

    return write
