#!/usr/bin/env python3
"""Teach recognition telephone speech: models/telephone.npz, a small change of whisper's weights.

    scripts/adapt_recognition.py SCENARIOS.jsonl… --clips DIR --out FILE [--folds 0 1] [--steps N] [--share S]

What is learned are the rendered utterances of the scenarios with their words (synthetic voices), each heard through
another telephone line every time (`telephone_speech`), in windows as recognition makes them. Both languages are
learned by one network, and which of them it hears, and that nobody speaks where nobody does. Only the encoder
changes, and by --share of what was learned: all of it hears synthetic voices better still, and real people worse
(docs/decisions.md has the figures; weights between old and new: Wortsman et al., 2022). Folds share no voice
(`casting`): what two taught can be measured on the third. Wants the `training` extra; some 3 seconds a step on two
cores.
"""

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE
from detector.call import Language
from detector.speech.adaptation import Adaptation, fingerprint
from detector.speech.model_files import recognition_model
from detector.speech.narrowing import read_vocabulary
from detector.speech.network_file import read_network
from detector.speech.spectrum import window_spectrum
from detector.speech.vocabulary import decoded_with
from detector.speech.whisper import WhisperOptions
from telephone_speech import PACES, TelephoneLine, Utterance, read_utterances
from whisper_jax import Change, Weights, decode, encode, factors_to_add, no_change, read_weights

RANK = 16
LEARNING_RATE = 1e-3
WARM_UP = 40
SMOOTHING = 0.05
"""Share of probability spread over all tokens, so that recognition does not become too sure of itself."""
SILENT = 0.03
"""Share of a batch in which nobody speaks."""
LONGEST = 12.0
"""Seconds of an utterance that is learned."""
END_WEIGHT = 0.3
"""Of the time stamp at the end, which hardly matters."""
BATCHES = ((5, 16, 33), (6, 12, 57), (8, 8, 57), (math.inf, 6, 89))
"""Window up to so many seconds: utterances in a batch, and tokens. Each shape is compiled once (15 s)."""
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Batch:
    mel: NDArray[np.float32]
    tokens: NDArray[np.int32]
    """What the decoder is given, as rows of the language's embedding."""
    following: NDArray[np.int32]
    """What it should say next."""
    weights: NDArray[np.float32]
    language: Language


class Tokens:
    """Texts as rows of the embedding that a language is decoded with."""

    def __init__(self, model_dir: Path) -> None:
        from tokenizers import Tokenizer  # noqa: PLC0415 - comes with recognition

        vocabulary = read_vocabulary(model_dir)
        self.kept = {language: decoded_with(language, vocabulary) for language in LANGUAGES}
        self._places = {language: {t: p for p, t in enumerate(kept)} for language, kept in self.kept.items()}
        self._tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self._ids = {token: number for number, token in enumerate(vocabulary)}

    def steering(self, name: str, language: Language) -> int:
        return self._places[language][self._ids[f"<|{name}|>"]]

    def stamp(self, seconds: float, language: Language) -> int:
        return self._places[language][self._ids["<|0.00|>"] + round(min(30.0, seconds) * 50)]

    def text(self, text: str, language: Language) -> list[int] | None:
        """Return the rows of `text`, None where one of its tokens was left out."""
        spoken = f" {text}" if language == "en" else text
        ids = self._tokenizer.encode(spoken, add_special_tokens=False).ids
        places = self._places[language]
        return [places[token] for token in ids] if all(token in places for token in ids) else None


class Lessons:
    """Batches without end."""

    def __init__(self, utterances: Sequence[Utterance], tokens: Tokens, seed: int) -> None:
        from faster_whisper.feature_extractor import FeatureExtractor  # noqa: PLC0415 - heavy

        self._tokens = tokens
        self._line = TelephoneLine(seed)
        self._chance = np.random.default_rng(seed)
        self._extractor = FeatureExtractor()
        self._window = WhisperOptions().first
        self.known = [
            (one, rows)
            for one in utterances
            if len(one.samples) < LONGEST * SAMPLE_RATE and (rows := tokens.text(one.text, one.language))
        ]

    def batches(self) -> Iterator[Batch]:
        while True:
            order = self._chance.permutation(len(self.known))
            drawn = [cut for language in LANGUAGES for cut in self._cut(order, language)]
            for place in self._chance.permutation(len(drawn)):
                yield self._batch(drawn[place])

    def _cut(self, order: NDArray[np.int64], language: Language) -> Iterator[list[int]]:
        """Yield utterances of a language that are alike in length, in numbers that fit a batch."""
        mine = [int(one) for one in order if self.known[one][0].language == language]
        for first in range(0, len(mine), 640):  # others each time
            some = sorted(mine[first : first + 640], key=lambda one: len(self.known[one][0].samples))
            while some:
                size = next(n for n in (16, 12, 8, 6) if n <= self._fits(some[: n + 1]))
                if len(some) >= size:
                    yield some[:size]
                some = some[size:]

    def _fits(self, some: Sequence[int]) -> int:
        longest = max(len(self.known[one][0].samples) for one in some) / SAMPLE_RATE / PACES[0]
        window = self._window.seconds(longest)
        return next(size for most, size, _ in BATCHES if window <= most)

    def _batch(self, chosen: Sequence[int]) -> Batch:
        language = self.known[chosen[0]][0].language
        heard: list[tuple[NDArray[np.int16], list[int], list[int], list[float]]] = []
        for one in chosen:
            is_silent = self._chance.random() < SILENT
            heard.append(self._silence(language) if is_silent else self._speech(one))
        window = math.ceil(max(self._window.seconds(len(sound) / SAMPLE_RATE) for sound, *_ in heard))
        window = window if window <= BATCHES[1][0] else 2 * math.ceil(window / 2)  # fewer shapes
        length = next(length for most, _, length in BATCHES if window <= most)
        mel = [window_spectrum(self._extractor, sound, window, 0.0)[0] for sound, *_ in heard]
        rows = [_padded(given, length) for _, given, _, _ in heard]
        following = [_padded(said, length) for _, _, said, _ in heard]
        weights = [_padded(weight, length) for *_, weight in heard]
        return Batch(
            np.stack(mel),
            np.array(rows, np.int32),
            np.array(following, np.int32),
            np.array(weights, np.float32),
            language,
        )

    def _speech(self, one: int) -> tuple[NDArray[np.int16], list[int], list[int], list[float]]:
        utterance, rows = self.known[one]
        sound = self._line.said(utterance.samples)
        language = utterance.language
        end = self._tokens.stamp(len(sound) / SAMPLE_RATE, language)
        said = [*self._prompt(language), *rows, end, self._tokens.steering("endoftext", language)]
        weights = [1.0, 0.0, *[1.0] * (len(rows) + 1), END_WEIGHT, 1.0]
        return sound, said[:-1], said[1:], weights

    def _silence(self, language: Language) -> tuple[NDArray[np.int16], list[int], list[int], list[float]]:
        """Nobody speaks: no language is told, and nothing written."""
        prompt = self._prompt(language)
        nobody = self._tokens.steering("nospeech", language)
        said = [nobody, *prompt[2:], self._tokens.steering("endoftext", language)]
        return self._line.silent(self._chance.uniform(0.6, 4.0)), prompt, said, [1.0, 0.0, 1.0, 1.0]

    def _prompt(self, language: Language) -> list[int]:
        steering = ("startoftranscript", language, "transcribe")
        return [
            *(self._tokens.steering(name, language) for name in steering),
            self._tokens.stamp(0.0, language),
        ]


def _padded(values: list[int] | list[float], length: int) -> list[int] | list[float]:
    return [*values, *[0] * length][:length]


def loss_of(
    change: Change, weights: Weights, embedding: jax.Array, mel: jax.Array, rows: jax.Array,
    following: jax.Array, counted: jax.Array,
) -> jax.Array:  # fmt: skip
    """Return the cross-entropy of what follows, with smoothed labels, nats a token."""
    scores = decode(weights, change, embedding, rows, encode(weights, change, mel))
    told = jax.nn.log_softmax(scores, axis=-1)
    right = jnp.take_along_axis(told, following[..., None], axis=-1)[..., 0]
    missing = -(1 - SMOOTHING) * right - SMOOTHING * told.mean(-1)
    return (missing * counted).sum() / counted.sum()


def train(utterances: Sequence[Utterance], model_dir: Path, steps: int, seed: int) -> Change:
    tokens = Tokens(model_dir)
    lessons = Lessons(utterances, tokens, seed)
    print(f"{len(lessons.known)} of {len(utterances)} utterances", flush=True)
    weights = read_weights(model_dir)
    embedding = weights.pop("decoder/embeddings/weight")
    embeddings = {language: embedding[np.array(tokens.kept[language])] for language in LANGUAGES}
    change = no_change(weights, RANK, seed)
    warm_up = min(WARM_UP, steps // 5)
    pace = optax.warmup_cosine_decay_schedule(0.0, LEARNING_RATE, warm_up, steps, LEARNING_RATE / 50)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(pace, weight_decay=1e-4))
    state = optimizer.init(change)

    def step(
        change: Change, state: optax.OptState, weights: Weights, *batch: jax.Array
    ) -> tuple[Change, optax.OptState, jax.Array]:
        # The weights are handed in: as constants they would be folded, for minutes, whenever a shape is compiled.
        loss, slope = jax.value_and_grad(loss_of)(change, weights, *batch)
        update, state = optimizer.update(slope, state, change)
        return optax.apply_updates(change, update), state, loss

    compiled = jax.jit(step)
    began, mean = time.monotonic(), 0.0
    batches = lessons.batches()
    with ThreadPoolExecutor(1) as ahead:  # the next is heard while this one is learned
        waiting = ahead.submit(next, batches)
        for number in range(1, steps + 1):
            batch, waiting = waiting.result(), ahead.submit(next, batches)
            arrays = (embeddings[batch.language], batch.mel, batch.tokens, batch.following, batch.weights)
            change, state, loss = compiled(change, state, weights, *(jnp.asarray(array) for array in arrays))
            mean += (float(loss) - mean) / min(number, 30)
            if number % 10 == 0 or number == steps:
                told = f"step {number} of {steps}: loss {mean:.3f}, {time.monotonic() - began:.0f} s"
                print(told, flush=True)
    return change


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenarios", type=Path, nargs="+")
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--steps", type=int, default=260)
    parser.add_argument("--share", type=float, default=0.35)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model_dir = recognition_model()
    utterances = list(read_utterances(options.scenarios, options.clips, options.folds))
    if not utterances:
        parser.error("no utterance of these scenarios is rendered there")
    change = train(utterances, model_dir, options.steps, options.seed)
    fits = fingerprint(read_network(model_dir / "model.bin"))
    Adaptation("", fits, factors_to_add(change, options.share)).save(options.out)
    print(options.out)


if __name__ == "__main__":
    main()
