"""Imports run downwards, modules stay small, and what must start fast imports nothing heavy."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import detector

PACKAGE = Path(detector.__file__).parent
ROOT = "detector"

FLOORS: tuple[frozenset[str], ...] = tuple(
    frozenset(floor.split())
    for floor in (
        "errors clock call resources number_plan",
        "audio corpora",
        "speech text",
        "signals",
        "decision dialogue events exchange",
        "screener screener_options",
        "agents sip",
        "stores config",
        "service console bench evaluation",
        "cli",
    )
)
# Within a floor a package uses only itself, but for these.
NEIGHBOURS = {
    ("dialogue", "decision"): "how a call is closed depends on what was decided",
    ("events", "decision"): "a verdict is an event",
    ("events", "dialogue"): "Say names a prompt",
    ("exchange", "dialogue"): "a turn follows an act",
    ("exchange", "events"): "it follows the turns that end",
    ("screener", "screener_options"): "what it is made of",
    ("agents", "sip"): "a test caller plays a scenario over a SIP worker",
    ("config", "stores"): "the lists of the file and those of the store are one kind of thing",
    ("service", "console"): "the service shows its calls there",
}
LONGEST_MODULE = 350
HEAVY = {
    "ahocorasick",
    "alembic",
    "ctranslate2",
    "faster_whisper",
    "numpy",
    "onnxruntime",
    "opencc",
    "phonenumbers",
    "pjsua2",
    "pydantic",
    "pypinyin",
    "soundfile",
    "soxr",
    "sqlalchemy",
}


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = (ROOT, *path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, *, at_start_only: bool) -> Iterator[str]:
    """Yield the modules of ours that a file imports; `at_start_only` leaves out those inside functions."""
    pending: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while pending:
        node = pending.pop()
        if at_start_only and (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_for_types_only(node)
        ):
            continue
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            full = {f"{node.module}.{each.name}" for each in node.names}
            yield from sorted((full & modules().keys()) or ({str(node.module)} & modules().keys()))
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in modules())
        pending.extend(ast.iter_child_nodes(node))


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def package_of(module: str) -> str:
    """Return the part of the package that a module belongs to; the package itself is ""."""
    return module.partition(".")[2].partition(".")[0]


def floor_of(package: str) -> int:
    return next(index for index, floor in enumerate(FLOORS) if package in floor)


def test_every_module_has_a_floor() -> None:
    known = frozenset().union(*FLOORS)
    assert {package_of(module) for module in modules()} - {""} <= known


def test_imports_run_downwards() -> None:
    wrong = []
    for module, path in modules().items():
        own = package_of(module)
        for target in imports(path, at_start_only=False):
            other = package_of(target)
            if other in ("", own) or floor_of(other) < floor_of(own):
                continue
            if floor_of(other) > floor_of(own) or (own, other) not in NEIGHBOURS:
                wrong.append(f"{module} imports {target}")
    assert wrong == []


def test_the_package_itself_imports_nothing_of_its_own() -> None:
    assert list(imports(PACKAGE / "__init__.py", at_start_only=False)) == []


def test_no_module_needs_itself_to_be_imported() -> None:
    graph = {module: set(imports(path, at_start_only=True)) - {module} for module, path in modules().items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"a cycle: {' -> '.join(error.args[1])}")


def test_modules_are_small_enough_to_read() -> None:
    lengths = {module: len(path.read_text("utf-8").splitlines()) for module, path in modules().items()}
    assert {module: lines for module, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own code
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded_after(statement: str) -> set[str]:
    """Return the heavy libraries that are loaded after `statement` in a fresh interpreter."""
    return set(run_python(f"import sys\n{statement}\nprint(*sys.modules)").split()) & HEAVY


def test_importing_the_package_costs_nothing() -> None:
    code = "import time; a = time.process_time(); import detector; print(time.process_time() - a)"
    assert min(float(run_python(code)) for _ in range(3)) < 0.3


@pytest.mark.parametrize(
    "statement", ["import detector", "import detector.cli.main", "import detector.number_plan"]
)
def test_what_starts_fast_loads_nothing_heavy(statement: str) -> None:
    assert loaded_after(statement) == set()


def test_a_sip_worker_loads_the_sip_library_alone() -> None:
    """A busy library in a worker's process ruins the audio of its calls."""
    assert loaded_after("import detector.sip.worker") <= {"pjsua2"}


def test_the_check_for_heavy_libraries_sees_them() -> None:
    assert "numpy" in loaded_after("import detector.audio.frames")
