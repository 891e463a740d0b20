"""What lasts too long on a call: ringing, talking, silence of the network."""

from typing import Literal

from detector.sip.options import SipOptions

__all__ = ["CallWatch", "Overdue"]

Overdue = Literal["ring_limit", "time_limit", "rtp_dead"]


class CallWatch:
    """Watches the limits of one call. Times are seconds of the worker's clock.

    The library notices no end of media by itself: packets are counted, and a count that stands still
    is an end.
    """

    def __init__(self, options: SipOptions, now: float) -> None:
        self._options = options
        self._began = now
        self._answered_at: float | None = None
        self._packets = 0
        self._last_change = now

    @property
    def answered(self) -> bool:
        return self._answered_at is not None

    def begin(self, now: float) -> None:
        """The call was answered, and media runs."""
        self._answered_at = self._last_change = now

    def received(self, packets: int, now: float) -> None:
        """Take the number of packets received so far."""
        if packets != self._packets:
            self._packets, self._last_change = packets, now

    def on_hold(self, now: float) -> None:
        """Nothing need come for now."""
        self._last_change = now

    def verdict(self, now: float, *, bridged: bool, is_transferring: bool = False) -> Overdue | None:
        """Return which limit is exceeded, if any.

        Being put through has a limit of its own: a caller whose audio does not reach us may wait for the other side.
        Between the two who are connected then, one may be silent for as long as he likes.
        """
        options = self._options
        if self._answered_at is None:
            return "ring_limit" if now - self._began > options.ring_seconds else None
        longest = options.max_bridged_seconds if bridged else options.max_call_seconds
        if now - self._answered_at > longest:
            return "time_limit"
        if bridged or is_transferring:
            self._last_change = now  # who leaves a message after that begins anew
            return None
        return "rtp_dead" if now - self._last_change > options.rtp_timeout else None
