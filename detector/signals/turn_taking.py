"""Who speaks when: what the caller does when he is talked over, and how long his replies take.

The rules, first as prose:

- An interruption begins when the agent starts to speak while the caller is talking, and has not begun that very
  moment. It is settled once he has been silent for longer than a breath, or goes on and on. Where he paused, and
  begins anew once the agent has ended, that may be his reply, or the next sentence of a recording: it says nothing.
  A person stops within half a second, or finishes the phrase in two; a recording goes on. A caller who pauses
  by chance at that very moment (between two sentences) starts again at once, so a breath settles nothing.
- A monologue is talk that began before the greeting ended, ran through it, and goes on after it.
- A reply is the first talk after the agent's words. How long it took says whether a machine replies: see
  `reply_delay`.

                 agent starts, caller has talked ≥ `talked_before`
        QUIET ─────────────────────────────────────────────────────► TALKED OVER
          ▲   silent ≥ `breath`: stopped at once, soon, or later            │ talks ≥ `through`: evidence;
          └─────────────────────────────────────────────────────────────────┘ ≥ `far_through`: more of it

Only durations and flags go in: no audio, no clock. The old and hard of hearing talk on as well, and take
their time: one observation never weighs more than about one nat.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from detector.signals.evidence import Evidence
from detector.signals.reply_delay import delay_evidence

__all__ = ["TurnTakingExtractor", "TurnTakingOptions"]


@dataclass(frozen=True, slots=True)
class TurnTakingOptions:
    """Durations in seconds."""

    onset: float = 0.15
    """Speech that makes talk of a noise."""
    pause: float = 0.35
    """Silence that ends a piece of talk."""
    breath: float = 1.2
    """Silence that a speaker may leave between two sentences without having stopped; recordings leave 0.6."""
    talked_before: float = 0.2
    """Who has talked for this long when the agent starts is talked over: recordings have mostly begun their next
    sentence by then. Simulated recordings that were seen to talk on rose by it from 19 to 30 of 54 and from 13 to 20
    of 40, persons stayed at none."""
    still_talking: float = 0.15
    """Silence up to which he is still talking when the agent starts."""
    stops: float = 0.7
    """People stop within 0.5 s; voice activity ends up to 0.2 s late."""
    slows: float = 2.0
    through: float = 2.5
    far_through: float = 5.0
    resumes: float = 0.5
    """Silence after which talk that begins behind the agent's words may be a reply to them. Of the 0.6 s that
    recordings leave voice activity sees 0.4."""
    agent_heard: float = 0.8
    """Speech of the agent that nobody can miss."""
    monologue: float = 6.0
    monologue_overlap: float = 1.5
    monologue_after: float = 1.0
    echo: float = 0.5
    """Share of a stretch of talk from which on it is the agent's echo and not the caller."""
    shortest_latency: float = 0.12
    """Nobody answers sooner: who begins then began by chance."""
    longest_latency: float = 4.0
    reply_due: float = 2.2
    """Silence after which the agent does not speak again unless no reply came."""


_LLR_THROUGH = 0.9
_LLR_FAR_THROUGH = 0.5
_LLR_MONOLOGUE = 0.6
"""An old person who takes the machine for a person does this too."""
_LLR_STOPPED = -0.5
"""Live agents stop, and some dialers listen for an interruption: it clears of playback only."""
_LLR_SLOWED = -0.2
_LEAST_CHANGE = 0.1
"""A smaller change of what the delays say waits for the next reply."""
_LLR_NO_REPLY = (0.7, 1.2, 0.6)
"""No person leaves a question without a word, unless he does not hear it, and hardly two in a row; announcements do.
By the number of questions left so."""
_MOST_INTERRUPTIONS = 2
_NO_REPLY_EXPECTED = frozenset(
    {"goodbye", "connecting", "message_taken", "no_message", "take_message", "interrupt"}
)
_OTHER_PACE = frozenset({"hold", "press_key"})
"""Nobody replies at his own pace who is asked to wait, or to look at his telephone."""
_QUESTIONS = frozenset({"ask_name", "ask_callee", "ask_purpose", "ask_repeat", "challenge"})


EchoSeconds = Callable[[float, float], float]


def _no_echo(_start: float, _end: float) -> float:
    return 0.0


class TurnTakingExtractor:
    """Watches one call, in order. Sources "playback.…" and "responsive.…"."""

    def __init__(
        self, options: TurnTakingOptions | None = None, echo_seconds: EchoSeconds = _no_echo
    ) -> None:
        """`echo_seconds` is asked for how long, between two times, nothing but the agent's echo was heard."""
        self._options = options or TurnTakingOptions()
        self._echo_seconds = echo_seconds
        self._talk = _Talk(self._options)
        self._agent_since: float | None = None
        self._act: str | None = None
        self._talked_over: _TalkedOver | None = None
        self._interruptions = 0
        self._greeting: tuple[float, float] | None = None
        self._monologue_said = False
        self._asked_at: float | None = None
        self._latencies: list[float] = []
        """Seconds between the agent's last word and each reply."""
        self._delay_said = 0.0
        self._no_replies = 0

    def receive_agent(
        self, state: Literal["started", "ended"], now: float, act: str | None = None
    ) -> list[Evidence]:
        """The agent's speech started, or ended or was cut; `act` is what it says."""
        if state == "ended":
            return self._agent_ended(now)
        found = self._asked_again(now)
        self._agent_since, self._act, self._asked_at = now, act, None
        talk = self._talk
        is_talked_over = talk.is_talking and now - talk.start >= self._options.talked_before
        if (
            is_talked_over
            and self._interruptions < _MOST_INTERRUPTIONS
            and act not in ("goodbye", "connecting")
        ):
            self._talked_over = _TalkedOver(now, last=now)
        return found

    def receive_activity(
        self, media_time: float, seconds: float, is_speech: bool | None, arrived: float | None = None
    ) -> list[Evidence]:
        """Take the next `seconds` of the caller; `is_speech` None counts as whatever is going on."""
        now = media_time + seconds if arrived is None else arrived
        began = self._talk.push(media_time, seconds, is_speech)
        found: list[Evidence] = []
        if began:
            found += self._replied(now)
        found += self._interrupted(media_time + seconds, now)
        found += self._monologue(media_time + seconds, now)
        return found + self._unanswered(media_time + seconds, now)

    def _agent_ended(self, now: float) -> list[Evidence]:
        if self._agent_since is None:
            return []
        if self._act == "greeting" and self._greeting is None:
            self._greeting = (self._agent_since, now)
        if self._talked_over is not None:
            self._talked_over.agent_until = now
        # Somebody else's words, in a recording, are another talk, at another pace.
        is_ours = self._act is not None
        if is_ours and self._act not in _NO_REPLY_EXPECTED and not self._talk.is_talking:
            self._asked_at = now
        self._agent_since = None
        return []

    # Talked over.

    def _interrupted(self, until: float, now: float) -> list[Evidence]:
        over, options = self._talked_over, self._options
        if over is None:
            return []
        if over.may_be_replying(self._talk, options.resumes):
            self._talked_over = None
            return []
        if self._talk.last_speech > over.start:
            over.last = self._talk.last_speech
        if until - over.last >= options.breath:
            self._talked_over = None
            return self._settle(over, now)
        talked_on = over.last - over.start
        heard = (until if over.agent_until is None else over.agent_until) - over.start
        due = options.through if over.said == 0 else options.far_through
        if heard < options.agent_heard or over.said == 2 or talked_on < due:
            return []
        if self._is_echo(over.start + options.stops, over.last):
            self._talked_over = None  # when he stopped cannot be heard
            return []
        if over.said == 0:
            over.said = 1
            self._interruptions += 1
            return [self._through(over, _LLR_THROUGH, talked_on, now)]
        over.said = 2
        return [self._through(over, _LLR_FAR_THROUGH, talked_on, now)]

    def _is_echo(self, start: float, end: float) -> bool:
        return self._echo_seconds(start, end) > self._options.echo * (end - start)

    def _through(self, over: "_TalkedOver", llr: float, seconds: float, now: float) -> Evidence:
        detail = f"talked on for {seconds:.1f} s while being spoken to"
        return Evidence("playback.through_interruption", llr, over.start, now, detail, "playback")

    def _settle(self, over: "_TalkedOver", now: float) -> list[Evidence]:
        """Judge a caller who fell silent: at once, soon, or so late that it means nothing."""
        after, options = over.last - over.start, self._options
        heard = (now if over.agent_until is None else over.agent_until) - over.start
        if over.said or not options.still_talking < after <= options.slows or heard < options.agent_heard:
            return []
        self._interruptions += 1
        llr = _LLR_STOPPED if after <= options.stops else _LLR_SLOWED
        detail = f"stopped {after:.1f} s after being spoken to"
        return [Evidence("playback.yielded", llr, over.start, now, detail, "playback")]

    # Monologue.

    def _monologue(self, until: float, now: float) -> list[Evidence]:
        greeting, options, talk = self._greeting, self._options, self._talk
        if self._monologue_said or greeting is None or until - talk.last_speech >= options.breath:
            return []
        start, end = talk.run_start, greeting[1]
        overlap = end - max(start, greeting[0])
        if overlap < options.monologue_overlap or talk.last_speech < end + options.monologue_after:
            return []
        length = talk.last_speech - start
        if length < options.monologue:
            return []
        self._monologue_said = True
        if self._is_echo(max(start, greeting[0]), end):
            return []
        detail = f"talked for {length:.0f} s without a pause, through the greeting"
        return [Evidence("playback.monologue", _LLR_MONOLOGUE, start, now, detail, "playback")]

    # Replies.

    def _replied(self, now: float) -> list[Evidence]:
        asked_at, self._asked_at = self._asked_at, None
        latency = None if asked_at is None else self._talk.start - asked_at
        options = self._options
        if self._act in _OTHER_PACE:
            return []
        if latency is None or not options.shortest_latency <= latency <= options.longest_latency:
            return []
        self._latencies.append(latency)
        return self._delays_changed(now)

    def _delays_changed(self, now: float) -> list[Evidence]:
        change = delay_evidence(self._latencies) - self._delay_said
        if abs(change) < _LEAST_CHANGE:
            return []
        self._delay_said += change
        count = len(self._latencies)
        detail = f"{count} {'reply' if count == 1 else 'replies'}, after {fmean(self._latencies):.1f} s"
        return [self._responsive("delay", change, now, detail)]

    def _unanswered(self, until: float, now: float) -> list[Evidence]:
        asked_at = self._asked_at
        if asked_at is None or until - asked_at < self._options.longest_latency or self._talk.is_talking:
            return []
        return self._no_reply(now)

    def _asked_again(self, now: float) -> list[Evidence]:
        """Say so where the agent speaks again because nothing came."""
        asked_at = self._asked_at
        if asked_at is None or now - asked_at < self._options.reply_due or self._talk.is_talking:
            return []
        return self._no_reply(now)

    def _no_reply(self, now: float) -> list[Evidence]:
        self._asked_at = None
        if self._act not in _QUESTIONS or self._no_replies == len(_LLR_NO_REPLY):
            return []
        llr = _LLR_NO_REPLY[self._no_replies]
        self._no_replies += 1
        return [self._responsive("no_reply", llr, now, "no reply to a question")]

    def _responsive(self, name: str, llr: float, now: float, detail: str) -> Evidence:
        return Evidence(f"responsive.{name}", llr, self._talk.start, now, detail, "unresponsive")


@dataclass(slots=True)
class _TalkedOver:
    start: float
    last: float
    """End of the caller's last speech since."""
    agent_until: float | None = None
    said: int = 0

    def may_be_replying(self, talk: "_Talk", pause: float) -> bool:
        """Whether he paused for `pause` seconds, and began anew after the agent had ended."""
        began, ended = talk.start, self.agent_until
        return ended is not None and began >= max(ended, self.last + pause)


class _Talk:
    """The caller's talk: pieces divided by `pause`, runs of pieces divided by `breath`."""

    def __init__(self, options: TurnTakingOptions) -> None:
        self.is_talking = False
        self.start = 0.0
        """Start of the present or last piece."""
        self.run_start = 0.0
        self.last_speech = -1e9
        self._options = options
        self._candidate = 0.0
        self._voiced = 0.0
        self._silent = 0.0

    def push(self, media_time: float, seconds: float, is_speech: bool | None) -> bool:
        """Return whether a piece of talk has just been found to have begun."""
        end = media_time + seconds
        if is_speech or (is_speech is None and self.is_talking):
            return self._speak(media_time, end)
        self._silent += seconds
        if self._silent >= self._options.pause - 1e-9:
            self.is_talking, self._voiced = False, 0.0
        return False

    def _speak(self, media_time: float, end: float) -> bool:
        if self._voiced == 0.0:
            self._candidate = media_time
        self._silent = 0.0
        self._voiced += end - media_time
        if self.is_talking:
            self.last_speech = end
            return False
        if self._voiced < self._options.onset - 1e-9:
            return False
        self.is_talking, self.start = True, self._candidate
        if self.start - self.last_speech >= self._options.breath:
            self.run_start = self.start
        self.last_speech = end
        return True
