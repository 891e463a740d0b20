"""A test caller knows what the agent says by the sound of its prompts."""

import numpy as np
import pytest

from detector.agents.prompt_spotter import PromptSpotter
from detector.audio.files import read_clip
from detector.audio.frames import SAMPLE_RATE, Samples
from detector.audio.g711 import decode_alaw, encode_alaw
from detector.dialogue.prompts import Prompt, PromptLibrary

LIBRARY = PromptLibrary.load()
QUIET = np.zeros(SAMPLE_RATE, np.int16)


SPOTTER = PromptSpotter(LIBRARY)


def spot(audio: Samples, chunk: int = 1600, spotter: PromptSpotter = SPOTTER) -> list[tuple[str | None, str]]:
    heard = [item for at in range(0, len(audio), chunk) for item in spotter.push(audio[at : at + chunk])]
    return [(item.prompt.id if item.prompt else None, item.state) for item in heard]


@pytest.mark.parametrize("prompt", LIBRARY.prompts, ids=lambda prompt: prompt.id)
def test_every_prompt_is_told_from_every_other_through_a_law(prompt: Prompt) -> None:
    line = decode_alaw(encode_alaw(np.concatenate([QUIET, read_clip(prompt.path) // 2, QUIET])))
    assert spot(line) == [(None, "started"), (prompt.id, "ended")]


def test_something_else_than_a_prompt_is_no_prompt() -> None:
    noise = np.random.default_rng(3).normal(0, 3000, 2 * SAMPLE_RATE).astype(np.int16)
    assert spot(np.concatenate([QUIET, noise, QUIET])) == [(None, "started"), (None, "ended")]


def test_that_the_agent_speaks_is_known_at_once() -> None:
    line = np.concatenate([QUIET, read_clip(LIBRARY.prompts[0].path)])[: int(1.2 * SAMPLE_RATE)]
    assert spot(line, spotter=PromptSpotter(LIBRARY)) == [(None, "started")]


@pytest.mark.parametrize("chunk", [1, 160, 4096])
def test_chunks_of_every_size_are_heard_alike(chunk: int) -> None:
    line = np.concatenate([QUIET, read_clip(LIBRARY.prompts[0].path), QUIET])
    assert spot(line, chunk, PromptSpotter(LIBRARY)) == spot(line)
