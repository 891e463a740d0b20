"""Whisper on a window as long as the speech, not on 30 seconds.

Most of what a pass costs is the encoder's, and it grows with the window. faster-whisper pads every call to
30 s; CTranslate2 takes a shorter window. Whisper knows none but full windows, and on short ones it loops.
What keeps it from that, measured on real speakers over a telephone line:

- The silence around the speech is trimmed and replaced by as much exact silence as it needs to see an end.
- It is split at its pauses, for whisper drops or repeats what follows one.
- Whisper writes time stamps too: with them it knows when it is done. They are thrown away.
- A light penalty on tokens written already, and a limit to their number by the length of the speech.
- A second pass with more beams on a longer window where a check of `checks` fails.

What is left is mostly the decoder's, and half of that goes into tokens that the language is not written with: a small
network is loaded once for each language, without them, and with what telephone speech taught it (`adaptation`). How
likely it is that nothing is said is asked only where the text is in doubt: it costs a twentieth of a pass.

No prompt and no hotwords: with a list of sales terms whisper hears them in noise.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.call import Language
from detector.errors import ModelError, RecognitionError
from detector.speech.adaptation import Adaptation, adaptation_file
from detector.speech.checks import (
    Limits,
    collapse_loops,
    find_failures,
    is_speech,
    strip_credits,
)
from detector.speech.language import LanguageGuess, LanguageOptions, guess_language
from detector.speech.network import Network, narrowed
from detector.speech.spectrum import window_spectrum
from detector.speech.transcript import Transcript
from detector.speech.trimming import SplitOptions, split_speech, trim_silence

__all__ = ["WhisperOptions", "WhisperTranscriber", "Window"]

_log = logging.getLogger(__name__)

_LONGEST_WINDOW = 30.0
_MOST_TOKENS = 224
_TIME_STAMPS = 4
"""Tokens: two of a sentence, and two more."""
_LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Window:
    """What surrounds the speech in the encoder's window, and how widely the decoder searches."""

    lead: float
    """Seconds of silence before the speech."""
    margin: float
    """Seconds of silence after it, at least."""
    shortest: float
    """Seconds in all, at least."""
    beam: int

    def seconds(self, speech: float) -> float:
        """Return the window's length for `speech` seconds."""
        wanted = max(self.shortest, self.lead + speech + self.margin)
        return min(_LONGEST_WINDOW, math.ceil(wanted * 50) / 50)  # the encoder halves the frames


@dataclass(frozen=True, slots=True)
class WhisperOptions:
    """Chosen on half of the speakers of `detector bench` and on synthetic voices, and reported on the other half.

    Those for English were chosen on synthetic voices and one person.
    """

    first: Window = Window(lead=0.0, margin=2.0, shortest=4.0, beam=2)
    split: SplitOptions = field(default_factory=SplitOptions)
    split_english: SplitOptions = field(default_factory=lambda: SplitOptions(pause=0.5))
    """Once a call is known to be in English, which is heard as well in fewer pieces."""
    second: Window = Window(lead=0.0, margin=4.0, shortest=12.0, beam=5)
    repetition_penalty: float = 1.05
    time_stamps: bool = True
    narrow: bool = True
    """Whether a language is decoded without the tokens that it is not written with."""
    adaptation: Path | None = field(default_factory=adaptation_file, repr=False)
    """What is added to the weights of a network that it was made for, where they are narrowed; None: nothing."""
    limits: Limits = field(default_factory=Limits)
    language: LanguageOptions = field(default_factory=LanguageOptions)


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one pass wrote of one piece."""

    text: str
    tokens: int
    log_probability: float
    """Natural log, mean over the tokens and the end."""
    no_speech: float
    """How likely it is that nothing is said; 0, and not asked for, where nothing else makes one doubt."""
    failures: int


class WhisperTranscriber:
    """A Transcriber on a whisper model for CTranslate2. Thread-safe.

    `threads`: CPU threads of one pass. `workers`: passes that run at the same time; more calls wait in line.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        threads: int = 1,
        workers: int = 2,
        compute_type: str = "int8",
        options: WhisperOptions | None = None,
    ) -> None:
        """Load the model in `model_dir`.

        Raises ModelError where it cannot be loaded.
        """
        self._options = options or WhisperOptions()
        settings = {
            "device": "cpu",
            "compute_type": compute_type,
            "intra_threads": threads,
            "inter_threads": workers,
        }
        try:
            self._model = _load(model_dir, compute_type, threads, workers)
            multilingual = self._model.model.is_multilingual
            self._languages: tuple[Language, ...] = _LANGUAGES if multilingual else ("en",)
            self._tokenizers = _tokenizers(self._model.hf_tokenizer, self._languages, multilingual)
            self._networks: dict[Language, Network] = {}
            adaptation = None
            if self._options.narrow:
                adaptation = _adaptation(self._options.adaptation)
                self._networks = narrowed(model_dir, self._languages, settings, self._drop_whole, adaptation)
            if self._model.model is None and not self._networks:
                self._model = _load(model_dir, compute_type, threads, workers)
        except Exception as error:
            reason = " ".join(str(error).split())[:160]
            raise ModelError(f"{model_dir}: the model cannot be loaded ({reason})") from error
        tokens = {language: network.tokens for language, network in self._networks.items()}
        told = [model_dir.name, compute_type, str(self._options), str(tokens or "")]
        self._name = " ".join([*told, adaptation.name if adaptation else ""]).rstrip()
        # Any of the narrowed encodes and tells languages: the tokens that steer are in all.
        self._any = next(iter(self._networks.values()), None) or Network(self._model.model)

    def _drop_whole(self) -> None:
        self._model.model = None

    @property
    def name(self) -> str:
        """Weights and settings in one line: what a cache of transcripts must tell apart."""
        return self._name

    def transcribe(self, samples: Samples, language: Language | None) -> Transcript:
        """Transcribe `samples` (int16, shape (n,), mono, 8 kHz); `language` None has it detected.

        Raises RecognitionError where recognition broke.
        """
        if samples.ndim != 1 or samples.dtype != np.int16:
            raise RecognitionError(
                f"recognition wants int16 of shape (n,), not {samples.dtype}{samples.shape}"
            )
        speech = trim_silence(samples)
        if not len(speech):
            return Transcript("", language or _LANGUAGES[0], 0.0)
        try:
            return self._transcribe_speech(speech, language)
        except RecognitionError:
            raise
        except Exception as error:
            raise RecognitionError(f"recognition broke: {type(error).__name__}") from error

    def _transcribe_speech(self, speech: Samples, language: Language | None) -> Transcript:
        passes, tried, certain = [], 1, True
        window = self._options.first
        split = self._options.split_english if language == "en" else self._options.split
        for piece in split_speech(speech, split):
            encoded = self._network(language).encode(self._features(piece, window))
            if language is None:
                guess = self._detect(encoded)
                language, certain = guess.language, guess.is_certain
            best = self._generate(encoded, piece, window, language)
            if best.failures and best.no_speech < self._options.limits.certain_no_speech:
                tried = 2
                best = self._try_again(piece, best, language)
            passes.append(best)
        assert language is not None  # noqa: S101 - there is at least one piece
        return replace(self._join(passes, language, tried), is_language_certain=certain)

    def _try_again(self, piece: Samples, first: _Pass, language: Language) -> _Pass:
        window = self._options.second
        encoded = self._network(language).encode(self._features(piece, window))
        second = self._generate(encoded, piece, window, language)
        return min(first, second, key=lambda one: (one.failures, -one.log_probability))

    def _join(self, passes: list[_Pass], language: Language, tried: int) -> Transcript:
        limits = self._options.limits
        heard, texts = [], []
        for one in passes:
            text = strip_credits(collapse_loops(one.text), one.log_probability, limits)
            if text and is_speech(one.text, one.log_probability, one.no_speech, limits):
                heard.append(one)
                texts.append(text)
        weighed = heard or passes
        tokens = sum(one.tokens + 1 for one in weighed)
        mean = sum(one.log_probability * (one.tokens + 1) for one in weighed) / tokens
        text = ("" if language == "zh" else " ").join(texts)
        return Transcript(text, language, mean, tried)

    def _network(self, language: Language | None) -> Network:
        return self._any if language is None else self._networks.get(language, self._any)

    def _features(self, piece: Samples, window: Window) -> NDArray[np.float32]:
        seconds = window.seconds(len(piece) / SAMPLE_RATE)
        return window_spectrum(self._model.feature_extractor, piece, seconds, window.lead)

    def _detect(self, encoded: Any) -> LanguageGuess:
        """Return which of the languages known here is the likeliest."""
        if len(self._languages) == 1:
            return LanguageGuess(self._languages[0], is_certain=True)
        shares = {token.strip("<|>"): share for token, share in self._any.detect_language(encoded)}
        return guess_language(shares, self._options.language)

    def _generate(self, encoded: Any, piece: Samples, window: Window, language: Language) -> _Pass:
        tokenizer = self._tokenizers.get(language)
        if tokenizer is None:
            raise RecognitionError(f"the model knows no {language}; name a multilingual one")
        seconds = len(piece) / SAMPLE_RATE
        limits = self._options.limits
        most = min(
            _MOST_TOKENS, limits.new_tokens(seconds) + (_TIME_STAMPS if self._options.time_stamps else 0)
        )
        network = self._network(language)
        prompt = self._model.get_prompt(tokenizer, [], without_timestamps=not self._options.time_stamps)
        tokens, found = network.generate(
            encoded,
            prompt,
            self._suppressed,
            beam_size=window.beam,
            repetition_penalty=self._options.repetition_penalty,
            max_length=2 * most,  # CTranslate2 halves it
            return_scores=True,
        )
        written = [token for token in tokens if token < tokenizer.eot]
        text = self._normalize(tokenizer.decode(written).strip(), language)
        # The score is the mean over the tokens written; the end of the text is one more.
        mean = found.scores[0] * len(tokens) / (len(tokens) + 1)
        failures = find_failures(text, len(written), seconds, mean, limits)
        doubtful = bool(failures) or mean < limits.doubtful_log_probability
        no_speech = network.no_speech(encoded, prompt) if doubtful else 0.0
        return _Pass(text, len(tokens), mean, no_speech, len(failures))

    @cached_property
    def _suppressed(self) -> list[int]:
        from faster_whisper.transcribe import get_suppressed_tokens  # noqa: PLC0415 - loaded with the model

        return list(get_suppressed_tokens(next(iter(self._tokenizers.values())), [-1]))

    @cached_property
    def _converter(self) -> Any:
        from opencc import OpenCC  # noqa: PLC0415 - reads its tables

        return OpenCC("t2s")

    def _normalize(self, text: str, language: Language) -> str:
        return cast("str", self._converter.convert(text)) if language == "zh" else text


def _adaptation(path: Path | None) -> Adaptation | None:
    """Read what telephone speech taught; without it, or where it is damaged, recognition errs more and goes on."""
    try:
        return None if path is None else Adaptation.load(path)
    except ModelError as error:
        _log.warning("recognition goes on as it was learned, not for a telephone: %s", error)
        return None


def _load(model_dir: Path, compute_type: str, threads: int, workers: int) -> Any:
    # Takes longer than everything else that the command line needs.
    from faster_whisper import WhisperModel  # noqa: PLC0415

    return WhisperModel(
        str(model_dir),
        device="cpu",
        compute_type=compute_type,
        cpu_threads=threads,
        num_workers=workers,
        local_files_only=True,
    )


def _tokenizers(tokenizer: Any, languages: Sequence[Language], multilingual: bool) -> dict[Language, Any]:
    from faster_whisper.tokenizer import Tokenizer  # noqa: PLC0415 - loaded with the model

    return {
        language: Tokenizer(tokenizer, multilingual, task="transcribe", language=language)
        for language in languages
    }
