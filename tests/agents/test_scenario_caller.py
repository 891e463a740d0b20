"""Each sentence of the rules of a scenario, one test."""

import itertools
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from detector.agents.clips import Clips
from detector.agents.scenario import Scenario
from detector.agents.scenario_caller import ScenarioCaller
from detector.audio.frames import SAMPLE_RATE
from detector.dialogue.acts import Act
from detector.errors import ScenarioError

Make = Callable[..., Scenario]
Record = Callable[..., Clips]
Spoken = tuple[Act | None, float, float]


def play(caller: ScenarioCaller, acts: list[Spoken], until: float, chunk: int = 160) -> NDArray[np.int16]:
    """Let the agent say `acts` (what, start, end) and return the caller's audio up to `until` seconds."""
    events: list[tuple[float, Act | None, Literal["started", "ended"]]] = []
    for act, start, end in acts:
        events += [(start, act, "started"), (end, act, "ended")]
    total = round(until * SAMPLE_RATE)
    pieces = []
    done = 0
    while done < total:
        count = min(chunk, total - done)
        while events and events[0][0] < (done + count) / SAMPLE_RATE:
            now, act, state = events.pop(0)
            caller.receive_act(act, state, now)
        pieces.append(caller.samples(count))
        done += count
    return np.concatenate(pieces)


def said(caller: ScenarioCaller) -> list[tuple[str, float, float]]:
    return [(item.text, round(item.start, 2), round(item.end, 2)) for item in caller.said]


def words(caller: ScenarioCaller) -> list[str]:
    return [item.text for item in caller.said]


def has_left(caller: ScenarioCaller) -> bool:
    return caller.hung_up


def is_loud(audio: NDArray[np.int16], start: float, end: float) -> bool:
    piece = audio[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)].astype(np.float64)
    return bool(np.sqrt(np.mean(piece**2)) > 1000)


class TestOpening:
    def test_starts_after_the_connect_silence_whatever_the_agent_does(
        self, make: Make, record: Record
    ) -> None:
        scenario = make(connect_silence=1.5)
        caller = ScenarioCaller(scenario, record(scenario))
        audio = play(caller, [(Act.GREETING, 0.2, 4.0)], 3.4)
        assert said(caller) == [("opening", 1.5, 3.5)]
        assert not is_loud(audio, 0, 1.5)
        assert is_loud(audio, 1.5, 1.6)
        assert is_loud(audio, 3.3, 3.4)

    def test_waits_for_the_end_of_the_greeting(self, make: Make, record: Record) -> None:
        scenario = make(waits_for_greeting=True)
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.GREETING, 0.2, 4.0)], 9.0)
        assert said(caller) == [("opening", 4.5, 6.5)]

    def test_a_waiting_caller_keeps_the_connect_silence(self, make: Make, record: Record) -> None:
        scenario = make(waits_for_greeting=True, connect_silence=3.0)
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.GREETING, 0.2, 1.0)], 4.0)
        assert said(caller) == [("opening", 3.0, 5.0)]

    def test_a_waiting_caller_says_nothing_unasked(self, make: Make, record: Record) -> None:
        scenario = make(waits_for_greeting=True)
        caller = ScenarioCaller(scenario, record(scenario))
        assert not is_loud(play(caller, [(Act.CONNECTING, 1.0, 2.0)], 20.0), 0, 20)
        assert words(caller) == []

    def test_a_waiting_caller_lets_the_agent_finish(self, make: Make, record: Record) -> None:
        scenario = make(waits_for_greeting=True)
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.GREETING, 0.2, 1.0), (Act.ASK_NAME, 1.2, 2.0)], 6.0)
        assert said(caller) == [("opening", 2.5, 4.5)]

    def test_leaves_a_short_pause_between_utterances(self, make: Make, record: Record) -> None:
        scenario = make(opening=("one", "two", "three"))
        clips = record(scenario)
        gaps = set()
        for seed in range(8):
            caller = ScenarioCaller(scenario, clips, seed)
            play(caller, [], 9.0)
            times = said(caller)
            assert [text for text, _, _ in times] == ["one", "two", "three"]
            for (_, _, end), (_, start, _) in itertools.pairwise(times):
                assert 0.19 <= start - end <= 0.61
                gaps.add(round(start - end, 3))
        assert len(gaps) > 8

    def test_a_recording_has_the_same_pauses_in_every_call(self, make: Make, record: Record) -> None:
        scenario = make(opening=("one", "two", "three"), repeats_take=True, caller="recording")
        clips = record(scenario)
        callers = [ScenarioCaller(scenario, clips, seed) for seed in (1, 2)]
        for caller in callers:
            play(caller, [], 9.0)
        assert callers[0].said == callers[1].said


class TestReplies:
    def test_comes_after_the_reply_delay(self, make: Make, record: Record) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 4.0, 5.0)], 8.0)
        assert said(caller)[1] == ("first name", 5.5, 7.5)

    def test_delays_have_the_mean_and_deviation_of_the_scenario(self, make: Make, record: Record) -> None:
        scenario = make(reply_delay=(1.0, 0.2))
        clips = record(scenario, seconds=0.1)
        delays = []
        for seed in range(200):
            caller = ScenarioCaller(scenario, clips, seed)
            play(caller, [(Act.ASK_NAME, 1.0, 1.1)], 3.0, chunk=4096)
            delays.append(caller.said[1].start - 1.1)
        assert np.mean(delays) == pytest.approx(1.0, abs=0.06)
        assert np.std(delays) == pytest.approx(0.2, abs=0.04)

    def test_no_delay_is_below_zero(self, make: Make, record: Record) -> None:
        scenario = make(reply_delay=(0.1, 3.0))
        clips = record(scenario, seconds=0.1)
        starts = []
        for seed in range(20):
            caller = ScenarioCaller(scenario, clips, seed)
            play(caller, [(Act.ASK_NAME, 1.0, 1.5)], 12.0, chunk=4096)
            starts.append(caller.said[1].start)
        assert min(starts) == 1.5

    def test_the_nth_time_gives_the_nth_string_and_the_last_one_repeats(
        self, make: Make, record: Record
    ) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 5.0 * n, 5.0 * n + 1) for n in (1, 2, 3)], 20.0)
        assert words(caller) == ["opening", "first name", "second name", "second name"]

    def test_a_missing_act_uses_other(self, make: Make, record: Record) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.HOLD, 5, 6), (Act.REFUSE, 10, 11)], 20.0)
        assert words(caller) == ["opening", "other one", "other two"]

    def test_an_empty_list_is_silence(self, make: Make, record: Record) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_CALLEE, 5, 6)], 20.0)
        assert words(caller) == ["opening"]

    def test_a_scenario_without_other_is_silent_to_what_is_missing(self, make: Make, record: Record) -> None:
        scenario = make(replies={"greeting": ("to the greeting",)})
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.HOLD, 5, 6)], 20.0)
        assert words(caller) == ["opening"]

    @pytest.mark.parametrize("act", [Act.INTERRUPT, Act.TAKE_MESSAGE, None])
    def test_an_interruption_uses_other(self, make: Make, record: Record, act: Act | None) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(act, 5, 6)], 10.0)
        assert words(caller) == ["opening", "other one"]

    @pytest.mark.parametrize("act", [Act.GOODBYE, Act.CONNECTING, Act.MESSAGE_TAKEN, Act.NO_MESSAGE])
    def test_a_goodbye_and_connecting_get_no_reply(self, make: Make, record: Record, act: Act) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(act, 5, 6)], 10.0)
        assert words(caller) == ["opening"]

    def test_a_greeting_that_ends_after_the_opening_is_answered(self, make: Make, record: Record) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.GREETING, 0.2, 4.0)], 8.0)
        assert said(caller) == [("opening", 0.5, 2.5), ("to the greeting", 4.5, 6.5)]

    @pytest.mark.parametrize("end", [0.4, 2.0])
    def test_a_greeting_that_ends_before_the_opening_was_said_is_not(
        self, make: Make, record: Record, end: float
    ) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.GREETING, 0.2, end)], 10.0)
        assert words(caller) == ["opening"]

    def test_an_act_before_the_reply_replaces_the_one_before(self, make: Make, record: Record) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 4, 5), (Act.HOLD, 5.2, 6.2)], 10.0)
        assert said(caller)[1:] == [("other one", 6.7, 8.7)]


class TestBargeIn:
    def test_one_who_continues_goes_on_and_answers_the_last_act_that_began_meanwhile(
        self, make: Make, record: Record
    ) -> None:
        scenario = make(barge_in="continues")
        caller = ScenarioCaller(scenario, record(scenario, seconds=6.0))
        audio = play(caller, [(Act.HOLD, 1.0, 2.0), (Act.ASK_NAME, 3.0, 4.0)], 14.0)
        assert said(caller) == [("opening", 0.5, 6.5), ("first name", 7.0, 13.0)]
        assert all(is_loud(audio, at, at + 0.1) for at in np.arange(0.5, 6.4, 0.1))

    def test_one_who_continues_lets_an_act_end_that_outlasts_his_clip(
        self, make: Make, record: Record
    ) -> None:
        scenario = make(barge_in="continues")
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 2.0, 4.0)], 6.0)
        assert said(caller) == [("opening", 0.5, 2.5), ("first name", 4.5, 6.5)]

    def test_one_who_continues_does_not_answer_a_greeting_that_his_opening_outlasts(
        self, make: Make, record: Record
    ) -> None:
        scenario = make(barge_in="continues")
        caller = ScenarioCaller(scenario, record(scenario, seconds=6.0))
        play(caller, [(Act.GREETING, 1.0, 4.0)], 14.0)
        assert words(caller) == ["opening"]

    def test_a_recording_says_all_of_its_opening(self, make: Make, record: Record) -> None:
        scenario = make(
            barge_in="continues", opening=("one", "two"), replies={"other": ()}, repeats_take=True
        )
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.INTERRUPT, 1.0, 2.0), (Act.HOLD, 2.55, 3.0)], 14.0)
        assert words(caller) == ["one", "two"]

    @pytest.mark.parametrize(("manner", "shortest", "longest"), [("stops", 0.1, 0.3), ("slows", 1.3, 1.7)])
    def test_falls_silent_and_then_answers(
        self, make: Make, record: Record, manner: str, shortest: float, longest: float
    ) -> None:
        scenario = make(barge_in=manner)
        clips = record(scenario, seconds=6.0)
        for seed in range(10):
            caller = ScenarioCaller(scenario, clips, seed)
            audio = play(caller, [(Act.ASK_NAME, 2.0, 4.0)], 6.0)
            assert is_loud(audio, 2.0, 2.0 + shortest)
            assert not is_loud(audio, 2.0 + longest, 4.5)
            assert shortest <= caller.said[0].end - 2.0 <= longest
            assert said(caller)[1] == ("first name", 4.5, 10.5)

    def test_answers_only_once_he_is_silent(self, make: Make, record: Record) -> None:
        scenario = make(barge_in="slows")
        caller = ScenarioCaller(scenario, record(scenario, seconds=6.0))
        play(caller, [(Act.ASK_NAME, 2.0, 2.3)], 6.0)
        stopped = caller.said[0].end
        assert stopped > 3.3
        assert caller.said[1].start == pytest.approx(stopped + 0.5)

    def test_what_is_left_of_the_opening_stays_unsaid(self, make: Make, record: Record) -> None:
        scenario = make(opening=("one", "two"))
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 1.0, 2.0)], 9.0)
        assert words(caller) == ["one", "first name"]

    def test_a_clip_that_ends_before_he_would_fall_silent_is_whole(self, make: Make, record: Record) -> None:
        scenario = make(barge_in="slows")
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 2.0, 4.0)], 7.0)
        assert said(caller)[0] == ("opening", 0.5, 2.5)

    def test_an_interrupted_reply_gives_way_to_the_next(self, make: Make, record: Record) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 4.0, 5.0), (Act.HOLD, 6.0, 7.0)], 10.0)
        assert words(caller) == ["opening", "first name", "other one"]
        assert caller.said[1].end < 6.3


class TestHangingUp:
    def test_leaves_after_the_reply_to_the_last_act(self, make: Make, record: Record) -> None:
        scenario = make(hangs_up_after=2)
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.GREETING, 0.2, 4.0), (Act.ASK_NAME, 8.0, 9.0)], 11.6)
        assert not has_left(caller)
        play(caller, [], 0.6)
        assert caller.hung_up
        assert words(caller) == ["opening", "to the greeting", "first name"]

    def test_an_act_that_gets_no_reply_counts_too(self, make: Make, record: Record) -> None:
        scenario = make(hangs_up_after=2)
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_CALLEE, 4.0, 5.0), (Act.CONNECTING, 6.0, 7.0)], 8.0)
        assert caller.hung_up

    def test_a_greeting_answered_by_the_opening_counts(self, make: Make, record: Record) -> None:
        scenario = make(hangs_up_after=1, waits_for_greeting=True)
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.GREETING, 0.2, 1.0)], 3.4)
        assert not has_left(caller)
        play(caller, [], 1.0)
        assert caller.hung_up
        assert words(caller) == ["opening"]

    def test_an_act_over_his_last_words_does_not_keep_him(self, make: Make, record: Record) -> None:
        for manner in ("continues", "stops", "slows"):
            scenario = make(hangs_up_after=1, barge_in=manner)
            caller = ScenarioCaller(scenario, record(scenario))
            play(caller, [(Act.ASK_NAME, 4.0, 5.0), (Act.HOLD, 6.0, 6.5)], 12.0)
            assert words(caller) == ["opening", "first name"]
            assert caller.hung_up

    def test_answers_the_last_act_that_counts_after_his_clip(self, make: Make, record: Record) -> None:
        scenario = make(hangs_up_after=1, barge_in="continues")
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 1.0, 1.5), (Act.HOLD, 2.0, 4.0)], 12.0)
        assert words(caller) == ["opening", "first name"]
        assert caller.hung_up

    def test_null_means_never(self, make: Make, record: Record) -> None:
        scenario = make()
        caller = ScenarioCaller(scenario, record(scenario))
        play(caller, [(Act.ASK_NAME, 5.0 * n, 5.0 * n + 1) for n in range(1, 12)], 70.0)
        assert not caller.hung_up


class TestTakes:
    def test_a_recording_repeats_the_same_audio(self, make: Make, record: Record) -> None:
        scenario = make(repeats_take=True)
        caller = ScenarioCaller(scenario, record(scenario, takes=2))
        audio = play(caller, [(Act.ASK_NAME, 5.0 * n, 5.0 * n + 1) for n in (1, 2, 3)], 20.0)
        second, third = (audio[round(start * SAMPLE_RATE) :][:16000].astype(float) for start in (11.5, 16.5))
        assert np.corrcoef(second, third)[0, 1] > 0.99

    def test_a_person_uses_take_after_take_and_then_another_speed(self, make: Make, record: Record) -> None:
        scenario = make(replies={"other": ("again",)})
        caller = ScenarioCaller(scenario, record(scenario, takes=2))
        audio = play(caller, [(Act.HOLD, 5.0 * n, 5.0 * n + 1) for n in (1, 2, 3, 4)], 25.0)
        pitches = []
        for start in (6.5, 11.5, 16.5, 21.5):
            spectrum = np.abs(np.fft.rfft(audio[round(start * SAMPLE_RATE) :][:12000] * np.hanning(12000)))
            pitches.append(float(spectrum.argmax() * SAMPLE_RATE / 12000))
        first, second, third, fourth = pitches
        assert first == pytest.approx(337, abs=1)
        assert second == pytest.approx(837, abs=1)
        for pitch in (third, fourth):
            assert 0.029 < abs(pitch / second - 1) < 0.061
        assert abs(third - fourth) > 0.05 * second


class TestLine:
    def test_noise_is_always_there_and_the_same_for_every_kind(self, make: Make, record: Record) -> None:
        levels = []
        for kind in ("recording", "person", "clip_bot"):
            scenario = make(caller=kind, connect_silence=5.0)
            audio = play(ScenarioCaller(scenario, record(scenario)), [], 4.0).astype(np.float64)
            levels.append(20 * np.log10(np.sqrt(np.mean(audio**2)) / 32768))
            runs = np.split(audio, np.flatnonzero(np.diff(audio) != 0) + 1)
            assert max(len(run) for run in runs) < 10
        assert levels == [pytest.approx(-60, abs=0.2)] * 3

    def test_noise_goes_on_after_he_left(self, make: Make, record: Record) -> None:
        scenario = make(hangs_up_after=1)
        caller = ScenarioCaller(scenario, record(scenario))
        audio = play(caller, [(Act.ASK_CALLEE, 4, 5)], 10.0)
        assert caller.hung_up
        assert audio[-8000:].any()


@pytest.mark.parametrize("manner", ["continues", "stops", "slows"])
@pytest.mark.parametrize("waits", [True, False])
def test_pieces_of_every_size_give_the_same_call(
    make: Make, record: Record, manner: str, waits: bool
) -> None:
    scenario = make(barge_in=manner, waits_for_greeting=waits, opening=("one", "two"), hangs_up_after=5)
    clips = record(scenario, seconds=0.6)
    acts: list[Spoken] = [
        (Act.GREETING, 0.2, 0.4),
        (Act.HOLD, 1.0, 1.503),
        (Act.ASK_NAME, 2.1003, 2.4),
        (Act.ASK_NAME, 2.5, 2.6),
        (Act.REFUSE, 3.2, 3.4),
    ]
    runs = []
    smallest = 1 if (manner, waits) == ("slows", False) else 7
    for chunk in (smallest, 77, 160, 1000, 4096):
        caller = ScenarioCaller(scenario, clips, seed=3)
        audio = play(caller, acts, 5.5, chunk)
        runs.append((audio.tobytes(), caller.said, caller._hang_up_at))
    assert all(run == runs[0] for run in runs[1:])
    assert caller.hung_up


def test_a_seed_gives_the_same_call_and_another_one_another(make: Make, record: Record) -> None:
    scenario = make(reply_delay=(0.5, 0.3))
    clips = record(scenario)
    starts = []
    for seed in (1, 1, 2):
        caller = ScenarioCaller(scenario, clips, seed)
        play(caller, [(Act.ASK_NAME, 4.0, 5.0)], 9.0)
        starts.append(caller.said[1].start)
    assert starts[0] == starts[1] != starts[2]


def test_a_late_event_takes_effect_at_once(make: Make, record: Record) -> None:
    scenario = make()
    caller = ScenarioCaller(scenario, record(scenario))
    caller.samples(5 * SAMPLE_RATE)
    caller.receive_act(Act.ASK_NAME, "started", 4.0)
    caller.receive_act(Act.ASK_NAME, "cut", 4.5)
    caller.samples(SAMPLE_RATE)
    assert said(caller)[1][:2] == ("first name", 5.5)


def test_a_missing_clip_names_scenario_and_utterance(make: Make, record: Record) -> None:
    clips = record(make(replies={"other": ()}))
    with pytest.raises(ScenarioError, match=r"test-person.*'to the greeting'"):
        ScenarioCaller(make(), clips)
