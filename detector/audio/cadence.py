"""What a tone means: frequencies, how long it sounds and how long it pauses.

Rules. "Network" is one line at 415 to 475 Hz: 450 Hz in China (GB/T 3380), 425 Hz in Europe (ITU-T E.180).

| kind       | lines (Hz)                | cadence                                                   |
| ---------- | ------------------------- | --------------------------------------------------------- |
| dial_tone  | network, 350+440          | sounds for 2.6 s on end                                   |
| ringback   | network                   | 0.75 to 1.4 s, then quiet for 1.2 s (1 s on, 4 s off)     |
|            | 440+480                   | 1.5 to 2.5 s, then quiet for 1.2 s (2 s on, 4 s off)      |
| busy       | network, 480+620          | on, off and on again, each 0.28 to 0.6 s                  |
| congestion | network, 480+620          | on, off and on again, each 0.15 to 0.28 or 0.6 to 0.9 s   |
| fax_cng    | 1062 to 1138              | 0.38 to 0.7 s (0.5 s on, 3 s off; ITU-T T.30)             |
| fax_ced    | 2080 to 2120              | sounds for 1 s on end (2.6 to 4 s)                        |
| sit        | 950, 1400, 1800 in turn   | 0.2 to 0.5 s each, at once after one another (E.180)      |
| beep       | one line, none of these   | 0.15 to 2.5 s, no other tone within 0.25 s on either side |

A network tone that starts no cadence within 1.2 s is a beep, too: answering machines use such tones.
Several tones close together are music, which means nothing here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from detector.audio.lines import PAIRS, Burst

__all__ = ["CadenceReader", "Meaning", "ProgressKind"]

ProgressKind = Literal["ringback", "busy", "congestion", "dial_tone", "fax_cng", "fax_ced", "sit", "beep"]
_Family = Literal["network", "us_ring", "us_busy", "us_dial", "cng", "ced", "other"]

_PAIR_FAMILIES: Final[dict[tuple[float, float], _Family]] = dict(
    zip(PAIRS, ("us_dial", "us_ring", "us_busy"), strict=True)
)
_SETTLE_SECONDS = 1.2
_ALONE_SECONDS = 0.25
_QUIET_DB = 12.0
_EDGE_SECONDS = 0.12
"""How long after its end a tone is still in the window."""
_SIT_LINES = (950.0, 1400.0, 1800.0)


@dataclass(frozen=True, slots=True)
class Meaning:
    """A tone understood. `start` and `seconds` count from the first sample; a dial tone still sounds."""

    kind: ProgressKind
    start: float
    seconds: float


def _family(lines: tuple[float, ...]) -> _Family:
    if len(lines) == 2:
        return _PAIR_FAMILIES[min(PAIRS, key=lambda pair: abs(pair[0] - lines[0]) + abs(pair[1] - lines[1]))]
    line = lines[0]
    if 415 <= line <= 475:
        return "network"
    if abs(line - 1100) <= 38:
        return "cng"
    return "ced" if abs(line - 2100) <= 20 else "other"


def _alike(seconds: float, *others: float) -> bool:
    return all(abs(seconds - other) <= max(0.09, 0.3 * seconds) for other in others)


class CadenceReader:
    """Reads bursts as they end, and what sounds or does not sound in between."""

    def __init__(self) -> None:
        self._before: Burst | None = None
        self._pending: Burst | None = None
        self._pending_is_alone = False
        self._is_followed_by_sound = False
        self._reported: float | None = None
        self._sit: list[Burst] = []

    @property
    def is_waiting(self) -> bool:
        """A tone has ended whose meaning depends on what follows."""
        return self._pending is not None

    def sounding(self, burst: Burst) -> Iterator[Meaning]:
        """Take the tone that sounds now, as long as it has lasted."""
        if self._pending is not None and burst.start - self._pending.end < _ALONE_SECONDS:
            self._pending_is_alone = False
        if self._reported == burst.start:
            return
        family = _family(burst.lines)
        long_enough = {"network": 2.6, "us_dial": 2.6, "ced": 1.0}.get(family)
        if long_enough is not None and burst.seconds >= long_enough:
            self._reported = burst.start
            yield Meaning("fax_ced" if family == "ced" else "dial_tone", burst.start, burst.seconds)

    def ended(self, burst: Burst) -> Iterator[Meaning]:
        """Take a tone that has ended."""
        before, self._before = self._before, burst
        pending, self._pending = self._pending, None
        if self._reported == burst.start:
            return
        yield from self._special_information(burst)
        if before is not None:
            rhythm = self._rhythm(before, burst)
            if rhythm is not None:
                self._before = None
                yield rhythm
                return
        if pending is not None and burst.start - pending.end >= _ALONE_SECONDS and pending != before:
            self._pending = pending
        if _family(burst.lines) == "cng" and 0.38 <= burst.seconds <= 0.7:
            yield Meaning("fax_cng", burst.start, burst.seconds)
            return
        self._pending = burst
        self._pending_is_alone = before is None or burst.start - before.end >= _ALONE_SECONDS
        self._is_followed_by_sound = False

    def passed(self, now: float, level: float) -> Iterator[Meaning]:
        """Take the time (seconds) up to which no tone sounds, and the level (dBFS) there."""
        pending = self._pending
        if pending is None:
            return
        since = now - pending.end
        if since >= _EDGE_SECONDS and level > pending.level - _QUIET_DB:
            self._is_followed_by_sound = True
        family = _family(pending.lines)
        if since < (_ALONE_SECONDS if family in {"other", "cng", "ced"} else _SETTLE_SECONDS):
            return
        self._pending = None
        yield from self._settled(pending, family)

    def _settled(self, burst: Burst, family: _Family) -> Iterator[Meaning]:
        rings = {"network": (0.75, 1.4), "us_ring": (1.5, 2.5)}.get(family)
        if rings is not None and rings[0] <= burst.seconds <= rings[1] and not self._is_followed_by_sound:
            yield Meaning("ringback", burst.start, burst.seconds)
        elif len(burst.lines) == 1 and 0.15 <= burst.seconds <= 2.5 and self._pending_is_alone:
            yield Meaning("beep", burst.start, burst.seconds)

    @staticmethod
    def _rhythm(first: Burst, second: Burst) -> Meaning | None:
        family = _family(second.lines)
        pause = second.start - first.end
        if family not in {"network", "us_busy"} or _family(first.lines) != family:
            return None
        seconds = (first.seconds + second.seconds + pause) / 3
        if not _alike(seconds, first.seconds, second.seconds, pause) or not 0.15 <= seconds <= 0.9:
            return None
        kind: ProgressKind = "busy" if 0.28 <= seconds <= 0.6 else "congestion"
        return Meaning(kind, first.start, second.end - first.start)

    def _special_information(self, burst: Burst) -> Iterator[Meaning]:
        place = len(self._sit)
        follows = place == 0 or burst.start - self._sit[-1].end < _EDGE_SECONDS
        fits = len(burst.lines) == 1 and abs(burst.lines[0] - _SIT_LINES[place]) <= 50
        if not (follows and fits and 0.2 <= burst.seconds <= 0.5):
            self._sit = []
            return
        self._sit.append(burst)
        if len(self._sit) == len(_SIT_LINES):
            start = self._sit[0].start
            self._sit = []
            self._pending_is_alone = False
            yield Meaning("sit", start, burst.end - start)
