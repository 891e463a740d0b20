"""A simulated caller: plays the caller's side of a scenario against whatever the agent says.

The rules, first as prose. Times are media time, counted in samples since answer.

- A caller who does not wait says his opening once `connect_silence` is over, whatever the agent does. One who waits
  says it after the agent's greeting (or any other act that wants a reply) has ended, and not before
  `connect_silence` is over; if the agent speaks again before he began, he lets it finish and says it then.
- He answers an act when it has ended, after a reply delay. An act that begins before he answered the last one
  replaces it. An act that began before he did and ended while he spoke is not answered: he talked over it.
- When the agent speaks over him, he goes on (`continues`), falls silent within 0.3 s (`stops`) or after about 1.5 s
  (`slows`), and what is left of his opening stays unsaid. One who goes on answers the last act that began while he
  spoke, once he has finished; a greeting that ends before his opening is over gets no answer.
- An interruption and a request for a message are answered by `other`; a goodbye, "I am connecting you" and "the
  message is kept" are not answered.
- Every act counts for `hangs_up_after`; with the last one he answers it and leaves, or leaves if he has no answer.

         ┌─────────┐ silence over, or greeting ended  ┌──────────┐ clip ended or cut  ┌───────────┐
    ───► │ WAITING │ ───────────────────────────────► │ SPEAKING │ ─────────────────► │ LISTENING │
         └─────────┘                                  └──────────┘ ◄───────────────── └───────────┘
                                                            │       act ended, delay       │
                                                            ▼                              ▼
                                                       ┌────────────────────────────────────┐
                                                       │ LEFT: enough acts, last reply said │
                                                       └────────────────────────────────────┘
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from detector.agents.clips import Clips
from detector.agents.scenario import Scenario
from detector.agents.voice_line import Part, VoiceLine
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.dialogue.acts import Act

__all__ = ["ActState", "Said", "ScenarioCaller"]

ActState = Literal["started", "ended", "cut"]
STOP_SECONDS = (0.15, 0.28)
SLOW_SECONDS = (1.35, 1.65)
OPENING_PAUSE_SECONDS = (0.2, 0.6)
PARTING_SECONDS = (0.2, 0.6)
"""Between a caller's last word and his hanging up."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller said, for the record of a simulation. Seconds after answer."""

    text: str = field(repr=False)
    start: float
    end: float


@dataclass(slots=True)
class _Act:
    """An act that the caller hears or has yet to hear; `began` and `at` in samples."""

    act: Act | None
    at: int
    has_ended: bool


class ScenarioCaller:
    """One call of one scenario.

    `seed` varies delays and the noise of the line. The driver hands over what the agent says by `receive_act` and
    draws audio by `samples`; pieces of any size give the same call.
    """

    def __init__(self, scenario: Scenario, clips: Clips, seed: int = 0) -> None:
        """Raise ScenarioError where a clip is missing."""
        clips.check(scenario)
        self.scenario = scenario
        self._clips = clips
        self._seed = seed
        self._line = VoiceLine(_entropy(scenario.id, f"{seed}|line"))
        self._chance = np.random.default_rng(_entropy(scenario.id, f"{seed}|chance"))
        self._position = 0
        self._heard: list[_Act] = []
        self._said: list[Said] = []
        self._times_said: Counter[str] = Counter()
        self._occurrences: Counter[str] = Counter()
        self._acts = 0
        self._opened = not scenario.opening
        starts_unasked = not (self._opened or scenario.waits_for_greeting)
        self._opening_at = self._samples(scenario.connect_silence) if starts_unasked else None
        self._speech_began = 0
        self._in_opening = False
        self._speaking = False
        self._act_began = 0
        self._reply: str | None = None
        self._reply_at: int | None = None
        self._hang_up_at: int | None = None

    @property
    def hung_up(self) -> bool:
        return self._hang_up_at is not None and self._position >= self._hang_up_at

    @property
    def is_speaking(self) -> bool:
        return self._speaking

    @property
    def said(self) -> tuple[Said, ...]:
        """What he has begun to say so far."""
        return tuple(self._said)

    def receive_act(self, act: Act | None, state: ActState, now: float) -> None:
        """The agent began or ended (finished or was cut) an act at `now` (seconds after answer).

        None is an act that the caller did not make out: he answers it with `other`. An event takes effect at the
        very sample, or at once where the audio is already past it.
        """
        self._heard.append(_Act(act, self._samples(now), state != "started"))
        self._heard.sort(key=lambda heard: heard.at)

    def samples(self, count: int) -> Samples:
        """Return the caller's audio for the next `count` samples (int16, shape (count,), 8 kHz)."""
        end = self._position + count
        pieces: list[Samples] = []
        while self._position < end:
            self._settle()
            until = min([end, *(at for at in self._boundaries() if at > self._position)])
            pieces.append(self._line.samples(self._position, until - self._position))
            self._position = until
        self._settle()
        return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)

    def _boundaries(self) -> list[int]:
        marks = [self._opening_at, self._reply_at, self._hang_up_at]
        marks += [self._line.end if self._speaking else None, self._heard[0].at if self._heard else None]
        return [mark for mark in marks if mark is not None]

    def _settle(self) -> None:
        """Let everything happen that is due at this sample: the end of speech, acts, then the next words."""
        if self._speaking and self._position >= self._line.end:
            self._finish_speech()
        while self._heard and self._heard[0].at <= self._position and not self.hung_up:
            heard = self._heard.pop(0)
            if heard.has_ended:
                self._hear_end(heard.act)
            else:
                self._hear_start()
        if self._opening_at is not None and self._position >= self._opening_at:
            self._open()
        if self._reply_at is not None and self._position >= self._reply_at:
            self._speak_reply()

    def _hear_start(self) -> None:
        self._act_began = self._position
        if self._speaking:
            if self.scenario.barge_in != "continues":
                self._stop_soon()
            self._reply = self._reply if self._leaving else None
        elif self._opened and not self._leaving:
            self._reply_at = self._reply = None
        elif self.scenario.waits_for_greeting and not self._opened:
            self._opening_at = None

    def _stop_soon(self) -> None:
        bounds = STOP_SECONDS if self.scenario.barge_in == "stops" else SLOW_SECONDS
        self._line.cut(self._position + self._samples(self._chance.uniform(*bounds)))
        self._forget_unsaid()

    def _forget_unsaid(self) -> None:
        cut_at = self._line.end / SAMPLE_RATE
        unsaid = [said for said in self._said if said.start >= cut_at]
        self._times_said.subtract(said.text for said in unsaid)
        self._said = [
            Said(said.text, said.start, min(said.end, cut_at)) for said in self._said if said.start < cut_at
        ]

    def _hear_end(self, act: Act | None) -> None:
        was_leaving = self._leaving
        self._acts += 1
        if not self._opened:
            self._maybe_open_after(act)
            return
        reply = self._answer_to(act)
        if was_leaving:
            return
        if self._speaking:
            self._reply = reply if self._is_answered_later(act) else None
        else:
            self._plan_reply(reply)

    def _maybe_open_after(self, act: Act | None) -> None:
        if self.scenario.waits_for_greeting and (act is None or act.expects_reply):
            silence_over = self._samples(self.scenario.connect_silence)
            self._opening_at = max(self._position + self._delay(), silence_over)
        elif self._opening_at is None and self._leaving:
            self._leave()

    def _is_answered_later(self, act: Act | None) -> bool:
        began_over_him = self._act_began >= self._speech_began
        greets_too_early = act is Act.GREETING and self._in_opening and self.scenario.barge_in == "continues"
        return began_over_him and not greets_too_early

    def _answer_to(self, act: Act | None) -> str | None:
        if act is not None and not act.expects_reply:
            return None
        key = str(act) if act is not None and str(act) in self.scenario.replies else "other"
        texts = self.scenario.replies.get(key, ())
        occurrence = self._occurrences[key]
        self._occurrences[key] += 1
        return texts[min(occurrence, len(texts) - 1)] if texts else None

    def _plan_reply(self, reply: str | None) -> None:
        self._reply = reply
        if reply is not None:
            self._reply_at = self._position + self._delay()
        elif self._leaving:
            self._leave()

    def _open(self) -> None:
        self._opening_at = None
        self._opened = True
        self._in_opening = True
        # A recording has its pauses in it: they are the same in every call.
        salt = "pauses" if self.scenario.repeats_take else f"{self._seed}|pauses"
        chance = np.random.default_rng(_entropy(self.scenario.id, salt))
        pauses = [
            0,
            *(self._samples(chance.uniform(*OPENING_PAUSE_SECONDS)) for _ in self.scenario.opening[1:]),
        ]
        self._speak(
            [self._part(text, pause) for text, pause in zip(self.scenario.opening, pauses, strict=False)]
        )

    def _speak_reply(self) -> None:
        reply, self._reply, self._reply_at = self._reply, None, None
        self._in_opening = False
        if reply is not None:
            self._speak([self._part(reply, 0)])

    def _part(self, text: str, pause: int) -> Part:
        samples = self._clips.clip(self.scenario, text, self._times_said[text], self._seed)
        self._times_said[text] += 1
        return Part(text, pause, samples)

    def _speak(self, parts: list[Part]) -> None:
        self._speaking = True
        self._speech_began = self._position
        start = self._position
        for part in parts:
            start += part.pause
            end = start + len(part.samples)
            self._said.append(Said(part.text, start / SAMPLE_RATE, end / SAMPLE_RATE))
            start = end
        self._line.play(parts, self._position)

    def _finish_speech(self) -> None:
        self._speaking = False
        if self._reply is not None or self._leaving:
            self._plan_reply(self._reply)

    @property
    def _leaving(self) -> bool:
        limit = self.scenario.hangs_up_after
        return limit is not None and self._acts >= limit

    def _leave(self) -> None:
        if self._hang_up_at is None:
            self._hang_up_at = self._position + self._samples(self._chance.uniform(*PARTING_SECONDS))

    def _delay(self) -> int:
        mean, deviation = self.scenario.reply_delay
        return self._samples(max(0.0, self._chance.normal(mean, deviation)))

    @staticmethod
    def _samples(seconds: float) -> int:
        return round(seconds * SAMPLE_RATE)


def _entropy(scenario_id: str, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}|{scenario_id}".encode()).digest()[:8], "big")
