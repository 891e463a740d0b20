"""What every call of a worker uses: the library, the way out, the clock."""

from collections.abc import Callable
from dataclasses import dataclass

from detector.sip.legs import Leg, Post
from detector.sip.media import PortPool
from detector.sip.options import SipOptions
from detector.sip.outbox import Outbox
from detector.sip.stack import SipStack

__all__ = ["Tools"]


@dataclass(frozen=True, slots=True)
class Tools:
    """What every call of a worker uses."""

    stack: SipStack
    options: SipOptions
    ports: PortPool
    outbox: Outbox
    post: Post
    now: Callable[[], float]
    """Seconds of the worker's clock."""
    ended: Callable[[int], None]
    """Forgets a call."""
    referred: Callable[[Leg], int]
    """Adopts the call that a REFER made and returns its number."""
