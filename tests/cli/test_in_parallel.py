"""Several processes: order kept, a process that dies named and outlived, errors passed on."""

import importlib
import os
import sys
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from detector.cli.in_parallel import ProcessDied, in_parallel

Work = Callable[[str], Any]

# The functions below travel to other processes by name, so the module that holds them is made importable there.
MODULE = """
import os, signal, time

def nothing():
    pass

def prepare(folder):
    open(os.path.join(folder, str(os.getpid())), "w").close()

def square(number):
    time.sleep(0.02 * (3 - number % 3))
    return number * number

def die_at_four(number):
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.05)
    return number

def raise_at_two(number):
    if number == 2:
        raise ValueError("two")
    return number
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    (tmp_path / "parallel_work.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delitem(sys.modules, "parallel_work", raising=False)
    module = importlib.import_module("parallel_work")
    return lambda name: getattr(module, name)


def test_results_come_in_order_and_every_process_is_prepared(work: Work, tmp_path: Path) -> None:
    folder = tmp_path / "prepared"
    folder.mkdir()
    found = list(in_parallel(work("square"), range(9), 2, partial(work("prepare"), str(folder))))
    assert found == [number * number for number in range(9)]
    assert 1 <= len(list(folder.iterdir())) <= 2


def test_a_process_that_dies_costs_one_result(work: Work) -> None:
    found = list(in_parallel(work("die_at_four"), range(8), 2, work("nothing")))
    assert found == [0, 1, 2, 3, ProcessDied(), 5, 6, 7]


def test_an_error_is_raised_here_and_ends_the_rest(work: Work) -> None:
    results = in_parallel(work("raise_at_two"), range(1000), 2, work("nothing"))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


# The library's own thread may still hand out work to the processes that are ended here, and fail at it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_results_that_nobody_waits_for_end_the_processes(work: Work) -> None:
    results = in_parallel(work("square"), range(1000), 2, work("nothing"))
    assert isinstance(results, Generator)
    next(results)
    began = time.monotonic()
    results.close()
    assert time.monotonic() - began < 5, "and not after the thousandth"
