"""The journal of one call: what happens is written into the store as it happens, and never waited for."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from detector.agents.record import CallRecord, Turn
from detector.audio.frames import Samples
from detector.call import CallInfo
from detector.decision.verdict import Action, Axes, Verdict
from detector.dialogue.acts import Act
from detector.errors import StoreConflict
from detector.events import Event, FingerprintReady, HangUp, PromptState, Say, TurnTranscribed
from detector.signals.evidence import Evidence
from detector.signals.landmarks import Landmarks
from detector.signals.playback import MatchLabel
from detector.stores.fingerprints import label_of
from detector.stores.records import EndReason
from detector.stores.store import Store
from detector.stores.writer import StoreWriter

__all__ = ["Journal"]

NOT_TRANSCRIBED = "(not transcribed)"
"""The message of a caller who spoke, and of whose words there is no text: he is not forgotten for that."""


class Journal:
    """Keeps the record of a call in memory and sends each line of it to the writer."""

    def __init__(
        self,
        call: CallInfo,
        writer: StoreWriter,
        wall_clock: Callable[[], datetime],
        *,
        keep_audio: bool,
    ) -> None:
        # The Call-ID of the INVITE is the caller's to choose; the store wants one that was never used before.
        self.call = replace(call, call_id=uuid.uuid4().hex)
        self.record = CallRecord()
        self._writer = writer
        self._wall_clock = wall_clock
        self._audio: list[Samples] | None = [] if keep_audio else None
        self._recorded = 0
        self._started = wall_clock()
        self._fingerprint: Landmarks | None = None
        self._refused_at: datetime | None = None
        self._is_closed = False
        self._was_asked_plainly = False
        self._row = _Row(self.call, self._started)
        writer.submit(_begin, self._row)

    def answered(self) -> None:
        self._row.answered_at = self._wall_clock()
        self._submit(Store.answer_call, self.call.call_id, self._row.answered_at)

    def audio(self, samples: Samples, position: int) -> None:
        """Take the caller's audio from sample `position` of the call on; what is missing before it was silence."""
        if self._audio is None:
            return
        if position > self._recorded:
            self._audio.append(np.zeros(position - self._recorded, np.int16))
        self._audio.append(samples)
        self._recorded = max(position, self._recorded) + len(samples)

    def event(self, event: Event) -> None:
        """Take an event of the engine."""
        self.record.receive(event)
        call_id = self.call.call_id
        match event:
            case TurnTranscribed():
                turn = Turn("caller", event.start, event.end, event.text)
                self._submit(Store.add_turn, call_id, turn)
            case Say():
                end = event.arrived + event.prompt.seconds
                self._submit(Store.add_turn, call_id, Turn("agent", event.arrived, end, event.prompt.text))
                if event.prompt.act is Act.REFUSE:
                    self._refused_at = self._wall_clock()
            case Evidence():
                self._submit(Store.add_evidence, call_id, event)
            case Verdict() if event.is_final:
                self._submit(Store.set_verdict, call_id, event)
            case FingerprintReady():
                # Kept once it is known what the call was; a second engine hears no opening.
                self._fingerprint = self._fingerprint or event.landmarks
            case _:
                pass

    def prompt(self, state: PromptState, prompt_id: str, now: float) -> None:
        self.record.prompt_state(state, prompt_id, now)

    def start_over(self) -> None:
        """Another engine goes on: its times count anew, what is stored of the first one stays."""
        self.record = CallRecord()

    def message_without_engine(self) -> None:
        """The engine is gone, and the caller was asked for a message: what he says is kept as audio if at all."""
        self._was_asked_plainly = True

    def unheard(self, action: Action, reason: str) -> None:
        """Nobody listened to this caller: lists, or circumstances, settled what is done with him."""
        nothing = Verdict("unsure", action, 0.5, Axes(0.5, 0.5, 0.5), 0.0, 0.0, reason)
        self._submit(Store.set_verdict, self.call.call_id, nothing)

    def unreached(self) -> None:
        """He was to be put through, and nobody could be reached."""
        verdict = self.record.verdict
        if verdict is not None and verdict.action == "forward":
            reason = f"{verdict.reason}; nobody could be reached"
            self._submit(Store.set_verdict, self.call.call_id, replace(verdict, reason=reason))

    def lost(self) -> None:
        """The call ended because something of ours broke."""
        if self._is_closed:
            return
        self._close()
        self._submit(Store.mark_lost, self.call.call_id, self._wall_clock())

    def ended(self, reason: EndReason) -> None:
        if self._is_closed:
            return
        verdict = self.record.verdict
        if verdict is not None and not verdict.is_final:
            self._submit(Store.set_verdict, self.call.call_id, verdict)
        self._close()
        self._submit(Store.end_call, self.call.call_id, reason, self._wall_clock())

    @property
    def end_reason(self) -> EndReason:
        """How a call ended that ended by itself, from what the engine did last."""
        if self._message():
            return "message_taken"
        if not isinstance(self.record.done, HangUp):
            return "caller_hung_up"
        return "hung_up" if self.record.message_from is None else "no_message"

    def _close(self) -> None:
        """Keep the message, the audio and what it sounded like, where there are any."""
        self._is_closed = True
        call_id, now = self.call.call_id, self._wall_clock()
        if self._refused_at is not None and not self._was_put_through:
            self._submit(Store.record_refusal, call_id, self._refused_at)
        if self._audio:
            self._submit(Store.save_audio, call_id, np.concatenate(self._audio), self._started)
        if self._fingerprint is not None:
            label = label_of(self.record.verdict)
            self._submit(_keep_fingerprint, call_id, self._fingerprint, label)
        if text := self._message():
            self._submit(Store.add_message, call_id, text, now)

    def _submit(self, write: Callable[..., object], *arguments: object) -> None:
        self._writer.submit(_in_its_call, self._row, write, arguments)

    @property
    def _was_put_through(self) -> bool:
        """He was asked in the end, whatever was said to him before."""
        return self.record.verdict is not None and self.record.verdict.action == "forward"

    def _message(self) -> str:
        """What the caller said after he was asked for a message; of a notice, all that it said. Empty: nothing."""
        record = self.record
        if record.message_from is None:
            return NOT_TRANSCRIBED if self._was_asked_plainly else ""
        verdict = record.verdict
        # One that was to be put through, and could not be, was asked for a message like everybody.
        is_notice = verdict is not None and (verdict.label, verdict.action) == ("notice", "take_message")
        # Who begins while he is still being asked means what he says as his message.
        asked = [act.start for act in record.acts if act.act is Act.TAKE_MESSAGE]
        start = 0.0 if is_notice else min([record.message_from, *asked[-1:]])
        said = "\n".join(turn.text for turn in record.turns if turn.end > start and turn.text)
        has_spoken = self._was_asked_plainly or record.spoke_until > start
        return said or (NOT_TRANSCRIBED if has_spoken else "")


def _keep_fingerprint(store: Store, call_id: str, landmarks: Landmarks, label: MatchLabel) -> None:
    store.fingerprints.add(landmarks, call_id, label)


@dataclass(slots=True)
class _Row:
    """The call's own row in the store. The writer's thread alone looks at `written_in`."""

    call: CallInfo
    started_at: datetime
    answered_at: datetime | None = None
    written_in: int = 0
    """Which of the store's files it stands in; 0: in none yet."""


def _begin(store: Store, row: _Row) -> None:
    if row.written_in == store.files:
        return
    store.begin_call(row.call, row.started_at)
    row.written_in = store.files
    if row.answered_at is not None:
        store.answer_call(row.call.call_id, row.answered_at)


def _in_its_call(
    store: Store, row: _Row, write: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    """Write a line of a call; where the store was gone as it began, or is in another file now, its row comes first.

    A row that is gone from the same file was erased on purpose, and stays away.
    """
    try:
        write(store, *arguments)
    except StoreConflict:
        if row.written_in == store.files:
            raise
        _begin(store, row)
        write(store, *arguments)
