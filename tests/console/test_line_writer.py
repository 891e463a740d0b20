"""Lines for a reader who may be slow, asleep or gone: nobody waits for him."""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO

import pytest

from detector.console.line_writer import LineWriter

LINE = f"{'x' * 1000}\n"


class Pipe:
    """A pipe whose two ends are closed at the end of the test."""

    def __init__(self) -> None:
        self.reading, self._writing = os.pipe()
        self.input: TextIO = os.fdopen(self._writing, "w", encoding="utf-8")

    def read(self) -> str:
        return os.read(self.reading, 1_000_000).decode()

    def read_until(self, end: str) -> str:
        text = ""
        while not text.endswith(end):
            piece = self.read()
            assert piece, f"ended before {end!r}"
            text += piece
        return text

    def nobody_reads(self) -> None:
        os.close(self.reading)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self.reading)
        self.input.close()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_a_line_is_there_at_once_and_lines_keep_their_order(pipe: Pipe) -> None:
    with LineWriter(pipe.input) as lines:
        lines.write("first\n")
        assert pipe.read_until("first\n") == "first\n"
        for number in range(200):
            lines.write(f"{number}\n")
        assert pipe.read_until("199\n") == "".join(f"{number}\n" for number in range(200))


def test_what_was_written_last_is_there_at_the_end(pipe: Pipe) -> None:
    lines = LineWriter(pipe.input)
    for _ in range(50):
        lines.write("last\n")
    assert lines.close(10.0)
    assert pipe.read() == 50 * "last\n"


def test_nobody_waits_for_a_reader_who_sleeps_and_he_is_told_what_he_missed(pipe: Pipe) -> None:
    lines = LineWriter(pipe.input, capacity=100)
    began = time.monotonic()
    for _ in range(500):
        lines.write(LINE)
    assert time.monotonic() - began < 1.0
    shown = pipe.read_until(" in time)\n").splitlines()
    left_out = int(shown.pop().split()[0].removeprefix("("))
    assert left_out > 0
    assert len(shown) + left_out == 500
    lines.write("goes on\n")
    assert pipe.read_until("\n") == "goes on\n", "after what he was told he missed"
    assert lines.close(10.0)


def test_a_reader_who_sleeps_does_not_hold_up_the_end(pipe: Pipe) -> None:
    lines = LineWriter(pipe.input)
    for _ in range(500):
        lines.write(LINE)
    began = time.monotonic()
    assert not lines.close(0.1)
    assert time.monotonic() - began < 1.0
    pipe.nobody_reads()
    assert lines.close(10.0), "its thread ends with the reader"


def test_a_reader_who_went_away_is_one_line_in_the_log(pipe: Pipe, caplog: pytest.LogCaptureFixture) -> None:
    pipe.nobody_reads()
    lines = LineWriter(pipe.input)
    with caplog.at_level(logging.WARNING):
        lines.write("to nobody\n")
        assert lines.close(10.0), "the thread has ended"
    lines.write("to nobody\n")
    (record,) = caplog.records
    assert "BrokenPipeError" in record.getMessage()
    assert "to nobody" not in record.getMessage()


def test_the_log_itself_may_lose_its_reader(pipe: Pipe) -> None:
    lines = LineWriter(pipe.input)
    handler = logging.StreamHandler(lines)
    logging.getLogger().addHandler(handler)
    try:
        pipe.nobody_reads()
        for _ in range(10):
            logging.getLogger("test").warning("to nobody")
        assert lines.close(10.0)
    finally:
        logging.getLogger().removeHandler(handler)


def test_characters_that_the_reader_lacks_are_shown_as_codes(pipe: Pipe) -> None:
    pipe.input.reconfigure(encoding="latin-1")  # type: ignore[attr-defined]
    with LineWriter(pipe.input) as lines:
        lines.write("喂\n")
        assert pipe.read_until("\n") == "\\u5582\n"


def test_without_a_stream_nothing_is_written_and_nothing_fails() -> None:
    before = threading.active_count()
    with LineWriter(None) as lines:
        assert lines.write("to nobody\n")
        assert not lines.isatty()
        assert threading.active_count() == before
