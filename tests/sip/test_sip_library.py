"""What is done to the library behind its binding's back."""

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import pjsua2 as pj
import pytest

from detector.sip import library
from detector.sip.info import read_info

KEEPS, T1 = 12, 14


@pytest.fixture
def settings() -> Iterator[Any]:
    """Lay the library's own settings open, and put them back afterwards."""
    pj.Endpoint  # noqa: B018 - the binding is loaded when first used
    memory = (ctypes.c_int * 18).in_dll(library._library(), "pjsip_sip_cfg_var")
    before = tuple(memory)
    yield memory
    memory[:] = list(before)


def test_a_call_is_kept_after_silence(settings: Any) -> None:
    assert library.keep_calls_after_silence()
    assert settings[KEEPS] == 1


@pytest.mark.parametrize("place", [0, 7, KEEPS, T1, 17])
def test_a_library_that_is_laid_out_otherwise_is_left_alone(settings: Any, place: int) -> None:
    settings[place] += 7
    before = tuple(settings)
    assert not library.keep_calls_after_silence()
    assert tuple(settings) == before


def test_a_library_that_hides_everything_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden: Callable[[], None] = lambda: None  # noqa: E731 - stands in for a function
    monkeypatch.setattr(library, "_library", hidden)
    assert not library.keep_calls_after_silence()
    assert not library.can_answer()
    assert library.limit_of_calls() == library.SMALLEST_LIMIT


def test_a_body_of_another_type_holds_no_digit() -> None:
    assert read_info("INFO sip:a SIP/2.0\r\nContent-Type: text/plain\r\n\r\nSignal=5") == (415, "")


def test_the_short_name_of_a_header_is_known() -> None:
    assert read_info("INFO sip:a SIP/2.0\r\nc: application/dtmf-relay\r\n\r\nSignal=d") == (200, "D")


def test_a_header_is_no_body() -> None:
    assert read_info("INFO sip:a SIP/2.0\r\nContent-Type: application/dtmf-relay\r\nSignal=5\r\n\r\n") == (
        200,
        "",
    )
