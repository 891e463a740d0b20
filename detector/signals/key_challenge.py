"""Whether the caller presses the key of the telephone that he is asked for.

The rules, first as prose:

- The first key that comes after the agent began to ask settles it. The right one is evidence for a person with a
  telephone in hand. Later keys mean nothing: who tries them all finds the right one, and a line may bring one press
  both as a message and as a tone.
- A wrong key, or none until a while after the agent's words, weighs little: older people, couriers with full hands,
  lines that swallow keys. What is said meanwhile is judged as any reply is.
- Keys that nobody asked for mean nothing.

         asked            a key, or `patience` after the words
    IDLE ─────► AWAITED ───────────────────────────────────────► IDLE: evidence

Salespeople press keys as well, so this tells machines from people, and nothing about who is wanted.
"""

from typing import Final

from detector.signals.evidence import Evidence

__all__ = ["KeyChallengeExtractor"]

KEYS: Final = frozenset("0123456789*#ABCD")
PATIENCE: Final = 8.0
"""Seconds after the agent's words: a telephone at the ear has to be looked at first, and its keypad found."""
_LLR_RIGHT: Final = -1.5
_LLR_WRONG: Final = 0.2
_LLR_NONE: Final = 0.2


class KeyChallengeExtractor:
    """Watches one call, in order. Source "responsive.key"."""

    def __init__(self) -> None:
        self._awaited: str | None = None
        self._asked_at = 0.0
        self._until: float | None = None

    def asked(self, key: str, now: float) -> None:
        """The agent begins to ask for `key`."""
        self._awaited, self._asked_at, self._until = key, now, None

    def prompt_ended(self, now: float) -> None:
        """The agent's words ended, or were cut; the first end after `asked` is that of the question."""
        if self._until is None:
            self._until = now + PATIENCE

    def receive_key(self, key: str, media_time: float, now: float) -> list[Evidence]:
        """Take a key that the caller pressed at `media_time`, as his line tells it: anything may stand there."""
        if self._awaited is None or key not in KEYS or media_time < self._asked_at:
            return []
        if key == self._awaited:
            return self._settle(_LLR_RIGHT, media_time, now, "pressed the key that was asked for")
        return self._settle(_LLR_WRONG, media_time, now, "pressed another key than was asked for")

    def time_passed(self, now: float) -> list[Evidence]:
        """Time has come to `now` (seconds after answer)."""
        if self._awaited is None or self._until is None or now < self._until:
            return []
        return self._settle(_LLR_NONE, self._asked_at, now, "pressed no key")

    def _settle(self, llr: float, media_time: float, now: float, detail: str) -> list[Evidence]:
        self._awaited = None
        return [Evidence("responsive.key", llr, media_time, now, detail, "unresponsive")]
