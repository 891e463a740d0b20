"""Audio between the library's bridge and the worker: frames of 20 ms, 8 kHz, mono, s16le.

The library runs these callbacks on its own clock thread, 50 times a second for each call; whatever they do
delays every call of the process. A frame takes 140 microseconds to copy through the binding and 2 through its
pointers, so the pointers are used where a self-test at start shows them to lie where expected.
"""

import ctypes
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import pjsua2 as pj

__all__ = ["FRAME_BYTES", "FRAME_SAMPLES", "FramePort", "PortPool", "frame_access"]

_log = logging.getLogger(__name__)

FRAME_SAMPLES: Final = 160
FRAME_BYTES: Final = 320
SILENCE: Final = bytes(FRAME_BYTES)
CLOCK_RATE: Final = 8000
FRAME_MICROSECONDS: Final = 20000
SAMPLE_BITS: Final = 16
REST_SECONDS: Final = 0.5
"""How long a port rests before it serves another call: the bridge may still be running it."""
REPORT_FRAMES: Final = 5
"""A hundred milliseconds between two reports of what was sent."""

Reader = Callable[[Any], bytes]
"""Takes one of the library's frames; gives none of its bytes where it holds no audio."""
Writer = Callable[[Any, bytes], None]
"""Takes a vector of bytes of the library's and its new content."""
FrameHandler = Callable[[int, float, bytes], None]
SentHandler = Callable[[int, int, int], None]


_Ends = ctypes.c_size_t * 2
"""How a C++ vector starts: the addresses of its first byte and of the byte after its last."""


_Head = ctypes.c_size_t * 3
"""How a frame starts: its type (4 bytes, then 4 of padding) and the ends of its vector."""
_TYPE_MASK: Final = 0xFFFFFFFF
_Samples = ctypes.c_char * FRAME_BYTES


def _read_by_pointer(frame: Any) -> bytes:
    kind, begin, end = _Head.from_address(int(frame.this))[:]
    if kind & _TYPE_MASK != pj.PJMEDIA_FRAME_TYPE_AUDIO or end - begin != FRAME_BYTES:
        return b""
    return _Samples.from_address(begin).raw


def _read_by_binding(frame: Any) -> bytes:
    return bytes(frame.buf) if frame.type == pj.PJMEDIA_FRAME_TYPE_AUDIO else b""


def _write_by_pointer(vector: Any, data: bytes) -> None:
    if vector.size() != len(data):
        vector.resize(len(data))
    begin, _ = _Ends.from_address(int(vector.this))
    ctypes.memmove(begin, data, len(data))


def _write_by_binding(vector: Any, data: bytes) -> None:
    vector[:] = pj.ByteVector(data)


def frame_access() -> tuple[Reader, Writer]:
    """Return how to read the library's frames and write its vectors: by pointer where that is shown to be right."""
    sample = bytes(range(256)) + bytes(FRAME_BYTES - 256)
    if _pointers_lie_as_expected(sample):
        vector = pj.ByteVector(sample)
        _write_by_pointer(vector, sample[::-1])
        if bytes(vector) == sample[::-1]:
            return _read_by_pointer, _write_by_pointer
    _log.warning("The SIP library keeps its frames in an unknown way: they are copied slowly.")
    return _read_by_binding, _write_by_binding


def _pointers_lie_as_expected(sample: bytes) -> bool:
    vector = pj.ByteVector(sample)
    begin, end = _Ends.from_address(int(vector.this))
    # Only where the distance is right is it safe to follow the pointer.
    if not begin or end - begin != len(sample) or ctypes.string_at(begin, end - begin) != sample:
        return False
    frame = pj.MediaFrame()
    frame.buf, frame.type = vector, pj.PJMEDIA_FRAME_TYPE_AUDIO
    address = int(frame.this)
    if int(frame.buf.this) - address != ctypes.sizeof(ctypes.c_size_t) or _read_by_pointer(frame) != sample:
        return False
    frame.type = pj.PJMEDIA_FRAME_TYPE_NONE
    return _read_by_pointer(frame) == b""


class _Kept(threading.local):
    """Whether this thread's state of the interpreter is kept; False on a thread that is new to Python."""

    value = False


_kept: Final = _Kept()


def keep_thread_state() -> None:
    """Have the interpreter keep its state of this thread, which is the library's, from one callback to the next.

    Otherwise the binding makes and destroys one for each callback, memory mapped and unmapped with it: a quarter of
    what the thread that moves the audio costs. The state counts its users (PyGILState_Ensure), so one that is never
    taken back keeps it for as long as the process runs.
    """
    if not _kept.value:
        ctypes.pythonapi.PyGILState_Ensure()
        _kept.value = True


class FramePort(pj.AudioMediaPort):  # type: ignore[misc]  # the library has no types
    """Both directions of one call: hands out what is heard, and sends what is queued.

    Its callbacks run on the library's clock thread; `begin`, `end` and `queue` on the worker's own.
    """

    def __init__(self, name: str, access: tuple[Reader, Writer]) -> None:
        super().__init__()
        self._read, self._write = access
        self._heard: FrameHandler | None = None
        self._told: SentHandler | None = None
        self._lock = threading.Lock()
        self._queue: deque[bytes] = deque()
        self._tail = bytearray()
        """Less than a frame, waiting for the rest."""
        self._gone = 0
        """Samples sent or dropped."""
        self._to_report = 0
        self.position = 0
        """Samples heard since `begin`."""
        form = pj.MediaFormatAudio()
        form.init(pj.PJMEDIA_FORMAT_PCM, CLOCK_RATE, 1, FRAME_MICROSECONDS, SAMPLE_BITS)
        self.createPort(name, form)

    def begin(self, heard: FrameHandler, told: SentHandler) -> None:
        """Serve a call.

        `heard(position, captured, samples)` gets each frame, `told(sent, queued, position)` the pace of sending.
        """
        self.drop_queued()
        self._gone = self._to_report = self.position = 0
        self._told, self._heard = told, heard

    def end(self) -> None:
        self._heard = self._told = None
        self.drop_queued()

    @property
    def queued(self) -> int:
        """Bytes waiting to be sent."""
        return len(self._queue) * FRAME_BYTES

    def queue(self, data: bytes) -> None:
        """Add audio to be sent.

        A piece of a frame waits for the rest; it is filled up with silence when that does not come in time.
        """
        with self._lock:
            self._tail += data
            whole = len(self._tail) // FRAME_BYTES * FRAME_BYTES
            self._queue.extend(
                bytes(self._tail[at : at + FRAME_BYTES]) for at in range(0, whole, FRAME_BYTES)
            )
            del self._tail[:whole]

    def drop_queued(self) -> None:
        """Forget what waits to be sent and report so."""
        with self._lock:
            self._gone += len(self._queue) * FRAME_SAMPLES + len(self._tail) // 2
            self._queue.clear()
            self._tail.clear()
            self._to_report = REPORT_FRAMES

    def onFrameReceived(self, frame: Any) -> None:  # noqa: N802 - the library's name
        try:
            keep_thread_state()
            if (heard := self._heard) is None:
                return
            data = self._read(frame)
            position = self.position
            self.position = position + FRAME_SAMPLES
            heard(position, time.monotonic(), data if len(data) == FRAME_BYTES else SILENCE)
        except Exception as error:  # noqa: BLE001 - an exception that reaches the library ends the process
            _log.error("A frame was lost: %s.", type(error).__name__)

    def onFrameRequested(self, frame: Any) -> None:  # noqa: N802 - the library's name
        try:
            keep_thread_state()
            frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
            self._write(frame.buf, self._next_to_send())
        except Exception as error:  # noqa: BLE001 - an exception that reaches the library ends the process
            _log.error("A frame was not sent: %s.", type(error).__name__)

    def _next_to_send(self) -> bytes:
        with self._lock:
            data = self._queue.popleft() if self._queue else bytes(self._tail)
            if len(data) < FRAME_BYTES:
                self._tail.clear()
            self._gone += len(data) // 2
            self._to_report += bool(data)
            queued = len(self._queue) * FRAME_SAMPLES + len(self._tail) // 2
            due = self._to_report >= REPORT_FRAMES or (self._to_report and not queued)
            self._to_report = 0 if due else self._to_report
            report = (self._gone, queued, self.position)
        if due and self._told is not None:
            self._told(*report)
        return data.ljust(FRAME_BYTES, b"\0")


class PortPool:
    """Ports are made once and used again: the bridge may run one that was just given back."""

    def __init__(self) -> None:
        self._access = frame_access()
        self._resting: deque[tuple[float, FramePort]] = deque()
        self._made: list[FramePort] = []

    def take(self, now: float) -> FramePort:
        if self._resting and self._resting[0][0] <= now:
            return self._resting.popleft()[1]
        port = FramePort(f"frames-{len(self._made)}", self._access)
        self._made.append(port)
        return port

    def give_back(self, port: FramePort, now: float) -> None:
        port.end()
        self._resting.append((now + REST_SECONDS, port))
