"""A whisper network as CTranslate2 runs it, with all of its tokens or with those that a language needs."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detector.call import Language
from detector.speech.adaptation import Adaptation
from detector.speech.narrowing import read_vocabulary, write_narrowed
from detector.speech.vocabulary import decoded_with

__all__ = ["Generation", "Network", "narrowed"]

_log = logging.getLogger(__name__)


class Generation(Protocol):
    """The best of what a pass wrote, as CTranslate2 gives it."""

    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float


class Network:
    """Encoder and decoder. Thread-safe. Ids of tokens are those of the whole vocabulary, whatever was left out."""

    def __init__(self, model: Any, kept: Sequence[int] | None = None) -> None:
        """`model`: ctranslate2.models.Whisper. `kept`: ids of its tokens in the whole vocabulary; None: it has all."""
        self._model = model
        self._kept = kept
        self._places = None if kept is None else {token: place for place, token in enumerate(kept)}

    @property
    def tokens(self) -> int | None:
        """How many it has, None: all of the model's."""
        return None if self._kept is None else len(self._kept)

    def encode(self, features: NDArray[np.float32]) -> Any:
        """Return what the encoder makes of `features`, float32 of shape (1, bands, frames); any network can read it."""
        import ctranslate2  # noqa: PLC0415 - comes with the model

        return self._model.encode(ctranslate2.StorageView.from_array(features))

    def detect_language(self, encoded: Any) -> Sequence[tuple[str, float]]:
        """Return languages (as "<|zh|>") with their shares of 1."""
        shares: Sequence[tuple[str, float]] = self._model.detect_language(encoded)[0]
        return shares

    def generate(
        self, encoded: Any, prompt: Sequence[int], suppressed: Sequence[int], **settings: Any
    ) -> tuple[list[int], Generation]:
        """Return the tokens of the best that the decoder finds, and what else it says of them.

        `settings` are those of ctranslate2.models.Whisper.generate. Raises what that raises.
        """
        found: Generation = self._model.generate(
            encoded, [self._inside(prompt)], suppress_tokens=self._inside(suppressed), **settings
        )[0]
        tokens = found.sequences_ids[0]
        return (tokens if self._kept is None else [self._kept[token] for token in tokens]), found

    def no_speech(self, encoded: Any, prompt: Sequence[int]) -> float:
        """Return how likely it is, for the decoder, that nothing is said. Raises what `generate` raises."""
        # The least that leaves room for one token, by CTranslate2's count: half of it, and all of it less the prompt.
        shortest = {"beam_size": 1, "max_length": max(2, len(prompt)), "return_no_speech_prob": True}
        found: Generation = self._model.generate(encoded, [self._inside(prompt)], **shortest)[0]
        return found.no_speech_prob

    def _inside(self, tokens: Sequence[int]) -> list[int]:
        if self._places is None:
            return list(tokens)
        return [self._places[token] for token in tokens if token in self._places]


def narrowed(
    folder: Path,
    languages: Sequence[Language],
    settings: Mapping[str, Any],
    make_room: Callable[[], None],
    adaptation: Adaptation | None = None,
) -> dict[Language, Network]:
    """Load the model in `folder` once for each language, with its tokens alone; {} where it gains nothing or fails.

    `settings` are those of ctranslate2.models.Whisper. `make_room` is called before the first is loaded. `adaptation`
    is added to a network that it was made for. They are loaded from a folder that is gone afterwards: given its files
    as bytes the library would keep them as long as the network.
    """
    import ctranslate2  # noqa: PLC0415 - comes with the model

    try:
        vocabulary = read_vocabulary(folder)
        kept = {language: decoded_with(language, vocabulary) for language in languages}
        with TemporaryDirectory(prefix="detector-") as made:
            places = {language: Path(made, language) for language in languages}
            for language, place in places.items():
                place.mkdir()
                if not write_narrowed(folder, kept[language], place, adaptation):
                    return {}
            make_room()
            return {
                language: Network(ctranslate2.models.Whisper(str(place), **settings), kept[language])
                for language, place in places.items()
            }
    except (OSError, ValueError, RuntimeError) as error:
        _log.info("recognition goes on with the whole vocabulary: %s", error)
        return {}
