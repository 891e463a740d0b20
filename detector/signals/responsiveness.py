"""Whether a reply fits what was asked, and whether the caller says the same thing whatever he is asked.

The rules, first as prose:

- A reply fits if it does what the question asks for: a name, a person wanted, a weekday, an assent to wait.
  Whoever gives his trade or names a matter of daily life has answered too.
- A long, well recognized reply that does nothing of the kind is off the question. It weighs more where it goes on
  offering, and nothing where it is short, badly recognized, or in a dialect that recognition does not know.
- Protest, confusion and "I can't hear you" are what people say to a machine. They never count against the caller.
- The same sentence again, after another question, is a clip. Not so where he was asked to repeat it, has not
  been heard, or where the sentence is short: people say "I am looking for Mr Wang" three times.

Live salespeople answer like anyone: a fitting reply clears of being a machine, hardly of being unwanted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher

from detector.signals.evidence import Evidence
from detector.signals.reply_moves import Move, count_units, find_moves, normalize_reply, speaks_dialect
from detector.text.pinyin import default_table

__all__ = ["ResponsivenessExtractor", "same_sentence"]

# Fitting replies, by act: how much oftener people give them than dialers that pick clips by keyword.
_FITS: dict[str, tuple[float, frozenset[Move]]] = {
    "ask_name": (-0.5, frozenset({Move.IDENTITY, Move.DENIAL})),
    "ask_callee": (-0.6, frozenset({Move.CALLEE, Move.DENIAL})),
    "ask_purpose": (-0.3, frozenset({Move.PURPOSE, Move.IDENTITY, Move.CALLEE, Move.DENIAL})),
    "ask_repeat": (-0.3, frozenset({Move.PURPOSE, Move.IDENTITY, Move.CALLEE, Move.DENIAL})),
    "hold": (-0.4, frozenset({Move.ASSENT})),
    "challenge": (-1.0, frozenset({Move.WEEKDAY, Move.NUMBER})),
    "press_key": (-0.4, frozenset({Move.KEYPAD, Move.NUMBER})),
    "refuse": (-0.5, frozenset({Move.DENIAL})),
    "greeting": (-0.2, frozenset({Move.IDENTITY, Move.CALLEE, Move.PURPOSE, Move.DENIAL})),
}
_CHALLENGE_LONGEST = 16
"""Units: a longer text holds a number by chance ("in three days at 0.3 %")."""
_LLR_PROTEST = {"challenge": -0.8, "greeting": -0.4}
_LLR_PROTEST_ELSEWHERE = -0.3
_PUSHING = 0.4
"""Factor on a fitting reply that goes on offering: a salesman's, or a good dialer's."""

# Off the question, by act: (going on with an offer, with anything else).
_OFF: dict[str, tuple[float, float]] = {
    "ask_name": (0.7, 0.3),
    "ask_callee": (0.7, 0.3),
    "ask_repeat": (0.3, 0.0),
    "hold": (0.6, 0.0),
    "challenge": (1.0, 0.5),
    "press_key": (0.7, 0.0),
    "refuse": (0.5, 0.0),
}
_OFF_CAP = 1.6
_DIALECT_FACTOR = 0.4
_SHORTEST = {"zh": 8, "en": 6}
"""Units below which nothing is off the question: a mumble, half a sentence."""

_LLR_REPEAT = 0.7
_LLR_REPEAT_MILD = 0.3
"""A sentence that offers nothing, said again: a person in a hurry who was not answered."""
_REPEAT_CAP = 1.6
_SHORTEST_REPEAT = {"zh": 10, "en": 8}
_SAME = 0.8
_TO_THE_POINT = frozenset({Move.PURPOSE, Move.CALLEE, Move.IDENTITY})
_HUMAN = frozenset({Move.IRRITATION, Move.HEARING})


@dataclass(frozen=True, slots=True)
class _Turn:
    act: str | None
    sound: tuple[str, ...]
    moves: frozenset[Move]


def _sound(reply: str) -> tuple[str, ...]:
    """Return how a normalized reply sounds: accent classes of syllables, or words."""
    if count_units(reply) and reply.isascii():
        return tuple(reply.split())
    return tuple(default_table().read(reply).classes)


def same_sentence(first: tuple[str, ...], second: tuple[str, ...]) -> float:
    """Return how far two sequences of syllables or words are one sentence, 0 to 1.

    A turn may be cut at either end, so the shorter one counts; scattered single agreements do not.
    """
    shorter, longer = sorted((len(first), len(second)))
    if shorter == 0 or longer > 2 * shorter:
        return 0.0
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size >= 2) / shorter


class ResponsivenessExtractor:
    """Judges the replies of one call in order. Sources "responsive.…", axis "unresponsive"."""

    def __init__(self, sound: Callable[[str], tuple[str, ...]] = _sound) -> None:
        self._sound = sound
        self._turns: list[_Turn] = []
        self._fitted: set[str] = set()
        self._off = 0.0
        self._repeated = 0.0
        self._in_dialect = False

    def observe(
        self,
        act_before: str | None,
        text: str,
        language: str,
        *,
        reliable: bool,
        media_time: float,
        arrived: float,
    ) -> list[Evidence]:
        """Judge `text`, said after the agent's `act_before` (None: before the agent said anything).

        `language` is what it was recognized as, `reliable` whether recognition was sure of it.
        """
        reply = normalize_reply(text)
        units = count_units(reply)
        if not units:
            return []
        self._in_dialect = self._in_dialect or speaks_dialect(text)
        turn = _Turn(act_before, self._sound(reply), find_moves(reply))
        script = "en" if reply.isascii() and language != "zh" else "zh"
        found = self._judge(turn, units, script, reliable=reliable)
        if reliable:
            self._turns.append(turn)
        return [
            Evidence(f"responsive.{name}", llr, media_time, arrived, detail, "unresponsive")
            for name, llr, detail in found
            if llr
        ]

    def _judge(self, turn: _Turn, units: int, script: str, *, reliable: bool) -> list[tuple[str, float, str]]:
        found = []
        is_repeat = False
        if reliable and units >= _SHORTEST_REPEAT[script]:
            repeat = self._repeat(turn)
            is_repeat = repeat is not None
            if repeat:
                found.append(("repeats_itself", repeat, "said the same sentence as before"))
        if turn.act is None or is_repeat:
            return found
        name = turn.act.replace("_", " ")
        if fit := self._fit(turn, units):
            llr = fit if reliable else 0.5 * fit
            found.append(("fits", llr, f"a reply that fits: {name}"))
        elif (
            not turn.moves & _HUMAN and reliable and units >= _SHORTEST[script] and (off := self._miss(turn))
        ):
            found.append(("off_question", off, f"a reply off the question: {name}"))
        return found

    def _fit(self, turn: _Turn, units: int) -> float:
        """Return the weight of a fitting reply (negative), 0.0 where it does not fit."""
        act = turn.act or ""
        llr, wanted = _FITS.get(act, (0.0, frozenset()))
        fits = bool(turn.moves & wanted)
        if act == "challenge":
            fits = fits and units <= _CHALLENGE_LONGEST
        if act == "hold" and units > 2 * _CHALLENGE_LONGEST:
            fits = False
        if not fits and Move.IRRITATION in turn.moves:
            llr, fits = _LLR_PROTEST.get(act, _LLR_PROTEST_ELSEWHERE), True
        if not fits:
            return 0.0
        if Move.PUSH in turn.moves:
            llr *= _PUSHING
        if act in self._fitted:
            llr *= 0.5  # the same question again is answered likewise
        self._fitted.add(act)
        return llr

    def _miss(self, turn: _Turn) -> float:
        pushing, otherwise = _OFF.get(turn.act or "", (0.0, 0.0))
        is_pushing = Move.PUSH in turn.moves
        if not is_pushing and turn.moves & _TO_THE_POINT:
            return 0.0  # he thinks of nothing but what he came for
        llr = pushing if is_pushing else otherwise
        if self._in_dialect:
            llr *= _DIALECT_FACTOR
        llr = min(llr, _OFF_CAP - self._off)
        self._off += llr
        return llr

    def _repeat(self, turn: _Turn) -> float | None:
        """Return the weight of a repetition, 0.0 for an innocent one, None where it is none."""
        same = [earlier for earlier in self._turns if same_sentence(earlier.sound, turn.sound) >= _SAME]
        if not same:
            return None
        was_unheard = bool(self._turns) and Move.HEARING in self._turns[-1].moves
        if turn.act is None or turn.act == "ask_repeat" or was_unheard or Move.HEARING in turn.moves:
            return 0.0
        is_clip = Move.PUSH in turn.moves and any(earlier.act != turn.act for earlier in same)
        llr = min(_LLR_REPEAT if is_clip else _LLR_REPEAT_MILD, _REPEAT_CAP - self._repeated)
        self._repeated += llr
        return llr
