"""Measure what is asked of the store before each call is answered.

    scripts/bench_history.py [--calls 1000000] [--queries 200] [--seed N]

A year of calls: 200,000 numbers of 500 blocks, a tenth of the calls from one dialer's block of 10,000. Numbers that
are known, that are new, and of the dialer's block are asked for in turn.
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import insert

from detector.stores.database import Database
from detector.stores.history import read_history
from detector.stores.schema import calls

END = datetime(2026, 11, 22, 12, tzinfo=UTC)
YEAR = 365 * 86400
DIALER = "1701234"


def fill(database: Database, count: int, random: np.random.Generator) -> None:
    """Store `count` calls, spread over a year."""
    blocks = [f"138{block:04}" for block in random.integers(0, 10_000, 500)]
    for first in range(0, count, 10_000):
        rows = []
        for number in range(first, min(first + 10_000, count)):
            block = DIALER if random.random() < 0.1 else blocks[int(random.integers(500))]
            began = END - timedelta(seconds=float(random.uniform(1, YEAR)))
            rows.append(
                {
                    "id": str(number),
                    "agent": "bench",
                    "started_at": began,
                    "answered_at": began,
                    "ended_at": began + timedelta(seconds=float(random.uniform(1, 60))),
                    "end_reason": "caller_hung_up",
                    "number": f"{block}{random.integers(0, 400 if block != DIALER else 10_000):04}",
                    "action": ("none", "forward", "hang_up")[int(random.integers(3))],
                    "lost": False,
                }
            )
        with database.writing() as connection:
            connection.execute(insert(calls), rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "bench.sqlite3")
        fill(database, arguments.calls, random)
        with database.reading() as connection:
            known = connection.exec_driver_sql("SELECT number FROM calls LIMIT 5000").scalars().all()
        numbers = [
            (known[int(random.integers(len(known)))], "15900001111", f"{DIALER}9999")[at % 3]
            for at in range(arguments.queries)
        ]
        spent, busy = [], []
        for number in numbers:
            began, worked = time.perf_counter(), time.process_time()
            with database.reading() as connection:
                read_history(connection, number, END)
            spent.append(1000 * (time.perf_counter() - began))
            busy.append(1000 * (time.process_time() - worked))
        database.close()
    print(
        f"{arguments.calls} calls: CPU median {np.median(busy):.1f} ms, 95 % within "
        f"{np.percentile(busy, 95):.1f} ms; elapsed median {np.median(spent):.1f} ms"
    )


if __name__ == "__main__":
    main()
