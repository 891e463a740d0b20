"""The engine: the same call gives the same events whatever the chunks, and no call is ever dropped by a failure."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from detector.agents.record import CallRecord
from detector.agents.virtual import VirtualDriver
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.call import CallInfo, Language, NumberHistory
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.errors import RecognitionError, RecognitionTimeout
from detector.events import Event, Forward, HangUp, Say, StopSpeaking, TakeMessage, TurnEnded
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

CALL = CallInfo("call", number="13811220457")
LOAN = (
    "您好您的信用额度已经提升到二十万元",
    "无抵押无担保当天就能放款月息低至三厘",
    "了解详情请按一转接人工客服请按二",
)


@pytest.fixture(scope="module")
def parts() -> ScreenerParts:
    return ScreenerParts(Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load())


@pytest.fixture(scope="module")
def speech(parts: ScreenerParts) -> Samples:
    """About ten seconds in which somebody speaks three times (the agent's own prompts, by another voice's words)."""
    rng = np.random.default_rng(1)
    pieces: list[Samples] = []
    for prompt in parts.prompts.for_act(Act.GREETING, "zh")[:3]:
        pieces += [np.zeros(int(0.9 * SAMPLE_RATE), np.int16), read_clip(prompt.path)]
    pieces.append(np.zeros(2 * SAMPLE_RATE, np.int16))
    audio = np.concatenate(pieces).astype(np.int32)
    return np.asarray(audio + np.rint(rng.normal(0, 6, len(audio))).astype(np.int32), np.int16)


def saying(*texts: str, language: Language = "zh") -> Callable[[Samples, Language | None], Transcript]:
    """Recognition that hears these words, one text a turn, the last one again and again."""
    left = list(texts)

    def recognize(_samples: Samples, _language: Language | None) -> Transcript:
        text = left.pop(0) if len(left) > 1 else left[0]
        return Transcript(text, language, -0.3)

    return recognize


def broken(error: Exception) -> Callable[[Samples, Language | None], Transcript]:
    def recognize(_samples: Samples, _language: Language | None) -> Transcript:
        raise error

    return recognize


def play(
    parts: ScreenerParts,
    audio: Samples,
    recognize: Callable[[Samples, Language | None], Transcript],
    *,
    call: CallInfo = CALL,
    options: ScreenerOptions | None = None,
    chunk: int = 160,
    latency: float = 0.3,
) -> tuple[CallScreener, list[Event], CallRecord]:
    """Run a call whose prompts take as long as they are, with recognition that takes `latency` seconds."""
    screener = CallScreener(call, options or ScreenerOptions(), parts)
    driver = VirtualDriver(screener, recognize, lambda _seconds, _transcript: latency)
    events: list[Event] = []
    record = CallRecord()
    ends: dict[str, float] = {}

    def take(new: Sequence[Event]) -> None:
        for event in new:
            events.append(event)
            record.receive(event)

    for start in range(0, len(audio), chunk):
        for event in driver.feed(audio[start : start + chunk]):
            take([event])
            if isinstance(event, Say):
                screener.receive_prompt_state("started", event.prompt.id, event.arrived)
                screener.receive_prompt_state("ended", event.prompt.id, event.arrived + event.prompt.seconds)
                ends[event.prompt.id] = event.arrived + event.prompt.seconds
            elif isinstance(event, StopSpeaking):
                for prompt_id in ends:
                    screener.receive_prompt_state("cut", prompt_id, event.arrived)
        if screener.has_ended:
            break
    return screener, events, record


def silence(seconds: float) -> Samples:
    noise = np.random.default_rng(2).normal(0, 6, int(seconds * SAMPLE_RATE))
    return np.asarray(np.rint(noise), np.int16)


def outline(events: list[Event]) -> list[str]:
    """Every event in words; the samples of a turn as their sum."""
    return [
        f"{replace(event, samples=np.zeros(0, np.int16))} {int(event.samples.sum())}"
        if isinstance(event, TurnEnded)
        else repr(event)
        for event in events
    ]


def test_the_language_of_a_call_waits_for_a_turn_that_tells_it(parts: ScreenerParts, speech: Samples) -> None:
    asked: list[Language | None] = []

    def recognize(_samples: Samples, language: Language | None) -> Transcript:
        asked.append(language)
        unsure = len(asked) == 1
        return Transcript("喂", "en" if unsure else "zh", -0.3, is_language_certain=not unsure)

    _, events, _ = play(parts, speech, recognize)
    assert asked[:2] == [None, None]
    assert set(asked[2:]) == {"zh"}
    assert {event.prompt.language for event in events if isinstance(event, Say)} == {"zh"}


@pytest.mark.parametrize("chunk", [1, 7, 160, 333, 1024, 4096])
def test_chunks_of_every_size_give_the_same_events(parts: ScreenerParts, speech: Samples, chunk: int) -> None:
    audio = speech[: 5 * SAMPLE_RATE] if chunk == 1 else speech
    whole = play(parts, audio, saying(*LOAN), chunk=160)[1]
    chunks = play(parts, audio, saying(*LOAN), chunk=chunk)[1]
    common = min(len(whole), len(chunks))
    # The last chunk may end behind what the smaller chunks came to.
    assert outline(chunks)[:common] == outline(whole)[:common]
    assert common > 3
    assert len(chunks) - common <= 2


def test_a_caller_is_greeted_and_asked(parts: ScreenerParts, speech: Samples) -> None:
    _, events, _ = play(parts, np.concatenate([speech, silence(8)]), saying("喂"))
    acts = [event.prompt.act for event in events if isinstance(event, Say)]
    assert acts[0] is Act.GREETING
    assert len(acts) > 1


def test_no_wording_comes_twice_in_a_call(parts: ScreenerParts, speech: Samples) -> None:
    audio = np.concatenate([speech, speech, speech, silence(20)])
    _, events, _ = play(parts, audio, saying("喂"))
    said = [event.prompt.id for event in events if isinstance(event, Say)]
    assert len(said) == len(set(said))


def test_silence_for_the_whole_call_ends_as_unsure_and_is_put_through(parts: ScreenerParts) -> None:
    _, events, record = play(parts, silence(60), saying(""))
    assert isinstance(events[-1], Forward)
    assert record.verdict is not None
    assert record.verdict.label == "unsure"


@pytest.mark.parametrize(
    "error", [RecognitionError("broken"), RecognitionTimeout("too slow")], ids=["broken", "too slow"]
)
@pytest.mark.parametrize("unsure", ["forward", "take_message"])
def test_a_caller_whom_recognition_fails_is_never_dropped(
    parts: ScreenerParts, speech: Samples, error: Exception, unsure: str
) -> None:
    options = ScreenerOptions(policy=PolicyOptions(unsure=unsure))  # type: ignore[arg-type]
    audio = np.concatenate([speech, speech, silence(30)])
    _, events, record = play(parts, audio, broken(error), options=options)
    assert record.verdict is not None
    assert record.verdict.action == unsure
    assert record.verdict.decided_at is not None
    assert record.verdict.decided_at < options.policy.deadline
    assert any(isinstance(event, Forward if unsure == "forward" else TakeMessage) for event in events)


def test_a_transcript_that_never_comes_counts_as_failed(parts: ScreenerParts, speech: Samples) -> None:
    options = ScreenerOptions(transcript_patience=3.0, failures_tolerated=0)
    _, _, record = play(
        parts, np.concatenate([speech, silence(20)]), saying(*LOAN), options=options, latency=1000.0
    )
    assert record.verdict is not None
    assert record.verdict.action == "forward"
    assert "recognition_timeout" in record.verdict.reason


def test_a_number_whose_call_we_lost_is_put_straight_through(parts: ScreenerParts) -> None:
    call = replace(CALL, history=NumberHistory(calls=1, lost_by_us=True))
    _, events, record = play(parts, silence(10), saying(""), call=call)
    acts = [event.prompt.act for event in events if isinstance(event, Say)]
    assert acts == [Act.CONNECTING]
    assert isinstance(events[-1], Forward)
    assert record.verdict is not None
    assert record.verdict.decided_at == pytest.approx(0.0, abs=0.1)


def test_a_transfer_that_fails_becomes_a_message(parts: ScreenerParts) -> None:
    call = replace(CALL, history=NumberHistory(calls=1, lost_by_us=True))
    screener, _, _ = play(parts, silence(10), saying(""), call=call)
    assert screener.has_ended
    screener.receive_failure("forward", screener.now)
    said = []
    while (event := screener.next_event()) is not None:
        said.append(event)
        if isinstance(event, Say):
            screener.receive_prompt_state("ended", event.prompt.id, screener.now)
    assert any(isinstance(event, TakeMessage) for event in said)
    assert not screener.has_ended


def test_what_is_said_after_a_transfer_that_failed_late_is_the_message(
    parts: ScreenerParts, speech: Samples
) -> None:
    call = replace(CALL, history=NumberHistory(calls=1, lost_by_us=True))
    screener, _, record = play(parts, silence(10), saying(""), call=call)
    driver = VirtualDriver(screener, saying("请转告他给我回电话"))
    for event in driver.feed(silence(30)):  # the other side rings, nobody answers
        record.receive(event)
    screener.receive_failure("forward", screener.now)
    for piece in (silence(0.1), silence(6), speech, silence(8)):
        for event in driver.feed(piece):
            record.receive(event)
            if isinstance(event, Say):
                screener.receive_prompt_state("ended", event.prompt.id, event.arrived + event.prompt.seconds)
    assert record.message_from is not None
    assert [turn.text for turn in record.turns if turn.start > record.message_from]


def test_a_message_is_listened_to_and_the_call_then_ended(parts: ScreenerParts, speech: Samples) -> None:
    options = ScreenerOptions(policy=PolicyOptions(deadline=2.0, unsure="take_message"))
    audio = np.concatenate([silence(6), speech, silence(15)])
    _, events, record = play(parts, audio, saying("请转告他给我回电话"), options=options)
    assert any(isinstance(event, TakeMessage) for event in events)
    assert isinstance(events[-1], HangUp)
    assert record.message_from is not None
    assert any(turn.start > record.message_from for turn in record.turns)


@pytest.mark.parametrize(
    ("speaks", "recognize", "parting"),
    [
        (False, saying(""), Act.NO_MESSAGE),
        (True, saying("请转告他给我回电话"), Act.MESSAGE_TAKEN),
        (True, saying(""), Act.MESSAGE_TAKEN),
        (True, broken(RecognitionError("broken")), Act.MESSAGE_TAKEN),
    ],
    ids=["says nothing", "is understood", "is not understood", "recognition broke"],
)
def test_a_caller_is_told_that_there_is_no_message_only_where_he_said_nothing(
    parts: ScreenerParts,
    speech: Samples,
    speaks: bool,
    recognize: Callable[[Samples, Language | None], Transcript],
    parting: Act,
) -> None:
    options = ScreenerOptions(policy=PolicyOptions(deadline=2.0, unsure="take_message"))
    audio = np.concatenate([silence(6), speech if speaks else silence(8), silence(15)])
    _, events, _ = play(parts, audio, recognize, options=options)
    assert [event.prompt.act for event in events if isinstance(event, Say)][-2:] == [
        Act.TAKE_MESSAGE,
        parting,
    ]
    assert isinstance(events[-1], HangUp)


def test_a_store_that_fails_changes_nothing(parts: ScreenerParts, speech: Samples) -> None:
    screener = CallScreener(CALL, ScreenerOptions(), parts)
    screener.receive_failure("store", 0.0)
    driver = VirtualDriver(screener, saying("喂"))
    events = list(driver.feed(speech[: 3 * SAMPLE_RATE]))
    assert screener.verdict.action == "none"
    assert any(isinstance(event, Say) for event in events)


def test_time_passes_without_audio(parts: ScreenerParts) -> None:
    screener = CallScreener(CALL, ScreenerOptions(), parts)
    events: list[Event] = []
    for _ in range(200):
        timer = screener.get_timer()
        if timer is None:
            break
        screener.handle_timer(timer)
        while (event := screener.next_event()) is not None:
            events.append(event)
    assert isinstance(events[-1], Forward)
