"""The wheel: it builds, and what it installs works outside of the checkout."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import detector
from detector.resources import fixtures_dir, models_dir

CHECKOUT = Path(__file__).parents[1]

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]


def run(*command: str | Path, cwd: Path) -> str:
    hidden = {"PYTHONPATH", "VIRTUAL_ENV"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and borrows the dependencies of the one that runs the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir")
    run(
        *pip,
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        folder / "dist",
        CHECKOUT,
        cwd=folder,
    )
    (wheel,) = (folder / "dist").glob("*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    fresh = folder / "venv" / "bin" / "python"
    run(*pip, "--python", fresh, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    site = Path(run(fresh, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder))
    # Behind the wheel's own packages, and without the .pth files of ours, which would name the checkout.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return fresh


def test_the_program_runs(python: Path, tmp_path: Path) -> None:
    program = python.parent / "detector"
    assert run(program, "--version", cwd=tmp_path) == f"detector {detector.__version__}"
    assert "answer" in run(program, "--help", cwd=tmp_path)


def test_the_package_is_the_installed_one(python: Path, tmp_path: Path) -> None:
    where = Path(run(python, "-c", "import detector; print(detector.__file__)", cwd=tmp_path))
    assert where.is_relative_to(python.parents[1])


@pytest.mark.parametrize(
    ("function", "below", "shipped"),
    [
        ("models_dir", ".", models_dir()),
        ("fixtures_dir", "prompts", fixtures_dir() / "prompts"),
        ("fixtures_dir", "demo", fixtures_dir() / "demo"),
    ],
)
def test_it_carries_the_files_that_ship(
    python: Path, tmp_path: Path, function: str, below: str, shipped: Path
) -> None:
    code = f"from detector.resources import {function}; print({function}())"
    installed = Path(run(python, "-c", code, cwd=tmp_path)) / below
    assert installed.is_relative_to(python.parents[1])
    names = {path.relative_to(shipped) for path in shipped.rglob("*") if path.is_file()}
    assert names == {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    assert names


def test_the_development_set_stays_in_the_checkout(python: Path, tmp_path: Path) -> None:
    code = "from detector.resources import fixtures_dir; print(fixtures_dir())"
    installed = Path(run(python, "-c", code, cwd=tmp_path))
    assert sorted(path.name for path in installed.iterdir()) == ["demo", "prompts"]


def test_a_store_can_be_made_from_it(python: Path, tmp_path: Path) -> None:
    """The steps of the migrations are files that only alembic looks for."""
    run(python, "-c", "from detector.stores.store import Store; Store('calls.sqlite3').close()", cwd=tmp_path)
    assert (tmp_path / "calls.sqlite3").stat().st_size > 0
