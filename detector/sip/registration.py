"""Keeping an account registered: what the registrar refused is tried again, ever more slowly."""

from collections.abc import Callable
from typing import Final

from detector.sip.protocol import Registered, RegistrationFailed

__all__ = ["Registration"]

LONGEST_RETRY: Final = 300.0
"""Seconds."""


class Registration:
    """Decides when to register again. Times are seconds of the worker's clock.

    The library refreshes what succeeded; it stays silent after a refusal, whatever the code.
    """

    def __init__(
        self,
        worker: int,
        emit: Callable[[Registered | RegistrationFailed], None],
        register: Callable[[], None],
        first_retry: float,
    ) -> None:
        self._worker = worker
        self._emit = emit
        self._register = register
        self._first_retry = first_retry
        self._retry_in = first_retry
        self._retry_at: float | None = None

    def answered(self, code: int, reason: str, expires: int, now: float) -> None:
        """Take the registrar's answer; code 408 stands for none at all."""
        if 200 <= code < 300:
            self._retry_in, self._retry_at = self._first_retry, None
            if expires > 0:
                self._emit(Registered(self._worker, expires))
            return
        self._emit(RegistrationFailed(self._worker, code, reason, self._retry_in))
        self._retry_at = now + self._retry_in
        self._retry_in = min(2 * self._retry_in, LONGEST_RETRY)

    def connection_lost(self, now: float) -> None:
        """Register again where a connection broke: it may be the one that our calls would come over."""
        if self._retry_at is None:
            self._retry_at = now + self._first_retry

    def tick(self, now: float) -> None:
        if self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self._register()
