"""A SIP worker: `python -m detector.sip.worker FD`, where FD is its end of a socket pair.

A process of its own, because a busy thread beside the library's makes audio late and because a failed
assertion in the library ends the process. Its threads: the library's two (signalling; media), one that
reads commands, one that writes events; and the main thread, which alone talks to the library and runs what
the others put into its inbox.

The first message must be Configure. The worker ends on Shutdown, on a broken message, and when the socket
closes, so that none is left behind when the service is killed.
"""

import gc
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from detector.errors import ConfigurationError, DetectorError, PortInUse, ProtocolError, where
from detector.sip.fields import clean
from detector.sip.options import SipOptions
from detector.sip.outbox import Outbox
from detector.sip.protocol import (
    PROTOCOL_VERSION,
    Command,
    Configure,
    Shutdown,
    StartFailed,
    StreamDecoder,
)
from detector.sip.switchboard import Switchboard

__all__ = ["main"]

_log = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.5
FAREWELL_SECONDS: Final = 1.0
"""For calls to end and the account to be unregistered."""
LAST_RESORT_SECONDS: Final = 1.8
READ_BYTES: Final = 65536

Job = Callable[[], None]


class Worker:
    """The main thread: an inbox of things to do, and the calls that they concern."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._inbox: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._outbox = Outbox(connection, self._stop_soon)
        self._switchboard: Switchboard | None = None
        self._stopping = False
        self.exit_code = 0

    def run(self) -> None:
        """Serve until told to stop, or until nobody listens any more."""
        self._outbox.start()
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        next_tick = time.monotonic()
        while not self._stopping:
            self._run_jobs_until(next_tick)
            next_tick = time.monotonic() + TICK_SECONDS
            if self._switchboard is not None:
                self._switchboard.tick(time.monotonic())
            gc.collect()
        self._say_farewell()

    def post(self, job: Job) -> None:
        """Have the main thread do something; any thread may ask."""
        self._inbox.put(job)

    def _run_jobs_until(self, deadline: float) -> None:
        while not self._stopping and (left := deadline - time.monotonic()) > 0:
            try:
                job = self._inbox.get(timeout=left)
            except queue.Empty:
                return
            try:
                job()
            except Exception as error:  # noqa: BLE001 - one call must not end the others
                # Neither message nor values: they may hold a number or a name.
                _log.error("Something broke: %s.", where(error))

    def _read(self) -> None:
        decoder = StreamDecoder()
        try:
            while data := self._connection.recv(READ_BYTES):
                for command in decoder.feed(data):
                    self.post(partial(self._obey, command))
        except (OSError, ProtocolError) as error:
            _log.error("The service cannot be understood: %s.", type(error).__name__)
        self._stop_soon()

    def _obey(self, command: Command) -> None:
        if isinstance(command, Configure):
            self._configure(command)
        elif isinstance(command, Shutdown):
            self._stopping = True
        elif self._switchboard is not None:
            self._switchboard.carry_out(command)

    def _configure(self, command: Configure) -> None:
        try:
            if command.version != PROTOCOL_VERSION:
                raise ConfigurationError(
                    "Service and SIP worker are of different versions: install one of them anew."
                )
            options = SipOptions.from_json(command.options)
            switchboard = Switchboard(command.worker, options, self._outbox, self.post, time.monotonic)
            self._outbox.put(switchboard.start())
            self._switchboard = switchboard
            gc.freeze()
        except DetectorError as error:
            kind = {PortInUse: "port_in_use", ConfigurationError: "configuration"}.get(type(error), "library")
            self._outbox.put(StartFailed(kind, clean(str(error), 500)))
            self.exit_code = 1
            self._stopping = True

    def _stop_soon(self) -> None:
        """Stop, and do not hang on the way: the library may."""
        last_resort = threading.Timer(LAST_RESORT_SECONDS, partial(os._exit, 1))
        last_resort.daemon = True
        last_resort.start()
        self.post(partial(self._obey, Shutdown()))

    def _say_farewell(self) -> None:
        deadline = time.monotonic() + FAREWELL_SECONDS
        self._stopping = False
        if self._switchboard is not None:
            self._switchboard.hang_up_all()
            self._switchboard.unregister()
            while self._switchboard.busy and time.monotonic() < deadline:
                self._run_jobs_until(min(deadline, time.monotonic() + 0.05))
        self._outbox.close(0.3)


def main() -> None:
    """Run as a worker on the socket whose number is the only argument."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        # The service ends its workers itself, when their calls are over; Ctrl-C, and whoever stops a service as a
        # group of processes, reach them as well.
        signal.signal(number, signal.SIG_IGN)
    # The collector runs on whatever thread allocates. Objects of the library may be destroyed on the main thread only,
    # which therefore collects, and little: what was there at the start is left alone.
    gc.disable()
    connection = socket.socket(fileno=int(sys.argv[1]))
    worker = Worker(connection)
    worker.run()
    logging.shutdown()
    # Taking the library down in order gains nothing, and a call that outlived it would abort the process.
    os._exit(worker.exit_code)


if __name__ == "__main__":
    main()
