"""Frames in and out of the library's vectors, and the accounting of what is sent."""

import ctypes
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pjsua2 as pj
import pytest

from detector.sip import media
from detector.sip.fields import clean
from detector.sip.legs import status_code
from detector.sip.media import FRAME_BYTES, FramePort, frame_access
from detector.sip.stack import _host_of

RAMP = bytes(range(160)) * 2


def a_frame(data: bytes = bytes(FRAME_BYTES)) -> Any:
    """Make what the library hands to a port."""
    frame = pj.MediaFrame()
    frame.buf, frame.type = pj.ByteVector(data), pj.PJMEDIA_FRAME_TYPE_AUDIO
    return frame


@pytest.mark.parametrize(
    "access",
    [frame_access(), (media._read_by_binding, media._write_by_binding)],
    ids=["chosen", "binding"],
)
def test_frames_are_read_and_written(access: tuple[media.Reader, media.Writer]) -> None:
    read, write = access
    frame = a_frame(RAMP)
    assert read(frame) == RAMP
    frame.type = pj.PJMEDIA_FRAME_TYPE_NONE
    assert read(frame) == b""
    vector = pj.ByteVector(RAMP)
    for data in (RAMP[::-1], RAMP[:100], bytes(FRAME_BYTES)):
        write(vector, data)
        assert bytes(vector) == data


def test_a_frame_without_or_with_other_samples_is_not_followed() -> None:
    assert media._read_by_pointer(a_frame(b"")) == b""
    assert media._read_by_pointer(a_frame(RAMP + RAMP)) == b""


def test_pointers_are_used_where_they_are_right() -> None:
    assert frame_access() == (media._read_by_pointer, media._write_by_pointer)


def test_pointers_are_given_up_where_they_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "_read_by_pointer", lambda _vector: b"")
    assert frame_access() == (media._read_by_binding, media._write_by_binding)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[FramePort]:
    # Without a running library a port cannot join the bridge; its callbacks are ours to call.
    monkeypatch.setattr(FramePort, "createPort", lambda *_: None)
    made = FramePort("test", frame_access())
    yield made
    made.this.disown()


def test_what_is_queued_goes_out_whole_whatever_its_pieces(port: FramePort) -> None:
    told: list[tuple[int, int, int]] = []
    port.begin(lambda *_: None, lambda *report: told.append(report))
    data = bytes(range(256)) * 5
    for start in range(0, len(data), 98):
        port.queue(data[start : start + 98])
    assert port.queued == len(data)
    out = b""
    frames = 0
    while port.queued:
        frame = a_frame()
        port.onFrameRequested(frame)
        out += bytes(frame.buf)
        frames += 1
    assert out == data
    assert frames == 4
    assert told[-1] == (len(data) // 2, 0, 0)
    silent = a_frame()
    port.onFrameRequested(silent)
    assert bytes(silent.buf) == bytes(FRAME_BYTES)
    assert told[-1] == (len(data) // 2, 0, 0)


def test_a_piece_of_a_frame_is_filled_up_with_silence(port: FramePort) -> None:
    port.queue(b"\1\1")
    frame = a_frame()
    port.onFrameRequested(frame)
    assert bytes(frame.buf) == b"\1\1" + bytes(FRAME_BYTES - 2)
    assert not port.queued


def test_dropped_audio_is_accounted_for(port: FramePort) -> None:
    told: list[tuple[int, int, int]] = []
    port.begin(lambda *_: None, lambda *report: told.append(report))
    port.queue(bytes(1000))
    port.drop_queued()
    port.onFrameRequested(a_frame())
    assert told == [(500, 0, 0)]


def test_positions_count_from_the_start_of_each_call(port: FramePort) -> None:
    heard: list[tuple[int, bytes]] = []

    def take(position: int, _captured: float, data: bytes) -> None:
        heard.append((position, data))

    for _ in range(2):
        port.begin(take, lambda *_: None)
        for _ in range(3):
            port.onFrameReceived(a_frame(RAMP))
        port.end()
        port.onFrameReceived(a_frame())
    assert heard == [(0, RAMP), (160, RAMP), (320, RAMP)] * 2


def test_what_is_no_audio_is_heard_as_silence(port: FramePort) -> None:
    heard: list[bytes] = []
    port.begin(lambda _position, _captured, data: heard.append(data), lambda *_: None)
    silent = a_frame(RAMP)
    silent.type = pj.PJMEDIA_FRAME_TYPE_NONE
    for frame in (silent, a_frame(RAMP[:100]), a_frame(RAMP)):
        port.onFrameReceived(frame)
    assert heard == [bytes(FRAME_BYTES), bytes(FRAME_BYTES), RAMP]


def call_twice_from_a_foreign_thread(callback: Callable[[], None]) -> None:
    """Call from one thread that Python did not start, as the library does: closing a file writes it, then closes it."""
    libc = ctypes.CDLL(None)
    write = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    close = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)

    def on_write(_cookie: int, _data: int, size: int) -> int:
        callback()
        return size

    def on_close(_cookie: int) -> int:
        callback()
        return 0

    class Functions(ctypes.Structure):
        _fields_ = (("read", ctypes.c_void_p), ("write", write), ("seek", ctypes.c_void_p), ("close", close))

    libc.fopencookie.restype = ctypes.c_void_p
    libc.fopencookie.argtypes = (ctypes.c_void_p, ctypes.c_char_p, Functions)
    functions = Functions(None, write(on_write), None, close(on_close))
    file = ctypes.c_void_p(libc.fopencookie(None, b"w", functions))
    libc.fputs(b"x", file)
    thread = ctypes.c_ulong()
    assert libc.pthread_create(ctypes.byref(thread), None, libc.fclose, file) == 0
    assert libc.pthread_join(thread, None) == 0


@pytest.mark.parametrize(("keeps", "seen"), [(False, [1, 1]), (True, [1, 2])])
def test_the_state_of_a_foreign_thread_is_kept(keeps: bool, seen: list[int]) -> None:
    # What a thread has in Python lasts as long as its state does.
    own = threading.local()
    calls: list[int] = []

    def callback() -> None:
        own.calls = getattr(own, "calls", 0) + 1
        calls.append(own.calls)
        if keeps:
            media.keep_thread_state()

    call_twice_from_a_foreign_thread(callback)
    assert calls == seen


def test_an_exception_does_not_reach_the_library(port: FramePort, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("13800138000")

    port.begin(fail, fail)
    port.onFrameReceived(a_frame())
    assert "ValueError" in caplog.text
    assert "13800138000" not in caplog.text


def test_text_from_the_network_is_made_valid() -> None:
    assert clean("a\udcffb") == "a?b"
    assert clean("张" * 100, 10) == "张张张"


@pytest.mark.parametrize(("value", "code"), [(200, 200), (699, 699), (700, 0), (99, 0), (-1, 0), (2**31, 0)])
def test_a_status_code_is_one_of_sip(value: int, code: int) -> None:
    assert status_code(value) == code


@pytest.mark.parametrize(
    ("uri", "host"),
    [("sip:provider.example", "provider.example"), ("sip:u@p.example:5062;transport=tcp", "p.example:5062")],
)
def test_the_host_of_an_address(uri: str, host: str) -> None:
    assert _host_of(uri) == host
