"""Work in several processes: results in the order of the input, an end by Ctrl-C, no process that takes others along.

A process that dies (out of memory, a crash in a library) breaks the whole pool, and whose fault it was cannot be seen
from outside. So the piece of work that is due is tried once more by itself; if its process dies again it is given up,
and a new pool goes on with the rest.
"""

from __future__ import annotations

import multiprocessing
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["ProcessDied", "in_parallel"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ProcessDied:
    """In place of a result: the process that worked on it died, twice."""


def in_parallel(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, prepare: Callable[[], None]
) -> Iterator[Result | ProcessDied]:
    """Yield `work(item)` for each of `items` in order, from `jobs` processes that each ran `prepare` first.

    Both callables travel to other processes. What `work` raises is raised here.
    """
    done = 0
    while done < len(items):
        with _processes(min(jobs, len(items) - done), prepare) as pool:
            for future in [pool.submit(work, item) for item in items[done:]]:
                try:
                    result = future.result()
                except BrokenProcessPool:
                    break
                done += 1
                yield result
            else:
                return
        yield _alone(work, items[done], prepare)
        done += 1


def _alone(work: Callable[[Item], Result], item: Item, prepare: Callable[[], None]) -> Result | ProcessDied:
    with _processes(1, prepare) as pool:
        future: Future[Result] = pool.submit(work, item)
        try:
            return future.result()
        except BrokenProcessPool:
            return ProcessDied()


@contextmanager
def _processes(jobs: int, prepare: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(prepare,))
    try:
        yield pool
    except BaseException:
        # Ctrl-C, or a reader that went away: nobody wants the rest.
        for process in multiprocessing.active_children():
            process.terminate()
        # The pool's own threads notice, and are gone before anything else is done.
        pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def _begin(prepare: Callable[[], None]) -> None:
    # Ctrl-C reaches every process of the terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
