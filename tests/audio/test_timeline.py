"""The timeline gives out audio and inputs in the order of time, whatever the chunks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detector.audio.timeline import Block, Timeline


def drain(timeline: Timeline) -> list[float]:
    """Media time of every block and input, in the order in which they come."""
    order: list[float] = []
    while (step := timeline.next_step()) is not None:
        if isinstance(step, Block):
            order.append(step.media_time)
        elif callable(step):
            step()
    return order


def test_an_early_input_waits_for_the_audio_before_it() -> None:
    timeline, seen = Timeline(), []
    timeline.push(0.05, lambda: seen.append(timeline.now))
    timeline.push_audio(np.zeros(1600, np.int16))
    drain(timeline)
    assert seen == [0.06]


def test_a_late_input_is_due_at_once() -> None:
    timeline, seen = Timeline(), []
    timeline.push_audio(np.zeros(1600, np.int16))
    drain(timeline)
    timeline.push(0.05, lambda: seen.append(timeline.now))
    drain(timeline)
    assert len(seen) == 1


def test_time_passes_without_audio() -> None:
    timeline, seen = Timeline(), []
    timeline.push(2.0, lambda: seen.append(timeline.now))
    drain(timeline)
    assert not seen
    timeline.pass_time(3.0)
    drain(timeline)
    assert seen == [2.0]
    assert timeline.now == 3.0


@given(st.lists(st.integers(1, 4096), min_size=1, max_size=20), st.lists(st.floats(0, 3), max_size=5))
def test_chunks_of_every_size_give_the_same_order(chunks: list[int], inputs: list[float]) -> None:
    def order(sizes: list[int]) -> list[tuple[str, float]]:
        timeline = Timeline()
        seen: list[tuple[str, float]] = []
        for index, when in enumerate(inputs):
            timeline.push(when, lambda index=index: seen.append((f"input {index}", timeline.now)))  # type: ignore[misc]
        for size in sizes:
            timeline.push_audio(np.zeros(size, np.int16))
            while (step := timeline.next_step()) is not None:
                if isinstance(step, Block):
                    seen.append(("block", step.media_time))
                elif callable(step):
                    step()
        return seen

    assert order(chunks) == order([sum(chunks)])
