"""Whether the addresses of the configuration can be listened on: tried without taking a call."""

import errno
import socket
from collections.abc import Iterable, Iterator

from detector.errors import ConfigurationError
from detector.sip.options import SipOptions

__all__ = ["addresses_in_use"]


def addresses_in_use(workers: Iterable[SipOptions]) -> list[str]:
    """Return the addresses of `workers` that another program listens on, or a service that runs already.

    Raises ConfigurationError where one is no address of this machine, or may not be used.
    """
    return [where for worker in workers for where in _in_use(worker)]


def _in_use(options: SipOptions) -> Iterator[str]:
    for transport in options.transports:
        port = options.effective_tls_port if transport == "tls" else options.port
        where = f"{options.listen_address}:{port} ({transport})"
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        with socket.socket(socket.AF_INET, kind) as trial:
            if kind == socket.SOCK_STREAM:  # or the last moments of an old connection would count
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((options.listen_address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    yield where
                    continue
                raise ConfigurationError(
                    f"sip.listen_address: cannot listen on {where}: {error.strerror}."
                ) from None
