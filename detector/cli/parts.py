"""Loading what the commands share: the engine's parts and recognition."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from detector.screener import ScreenerParts
    from detector.speech.whisper import WhisperTranscriber
    from detector.text.intent import IntentModel

__all__ = ["load_parts", "load_transcriber", "with_weights"]


def load_parts(
    lexicon: Path | None = None, prompts: Path | None = None, *, speaks: bool = True
) -> ScreenerParts:
    """Load lexicon, fusion weights, prompts and text model. Raises ConfigurationError naming the file.

    `speaks`: whether the agent does; what its prompts look like is then computed (0.4 s), so that their echo is
    known. Without the text model, the lexicon still judges: what is wrong with it is only warned of.
    """
    from detector.decision.fusion import FusionModel
    from detector.dialogue.echoes import landmarks_of_prompts
    from detector.dialogue.prompts import PromptLibrary
    from detector.screener import ScreenerParts
    from detector.text.lexicon import Lexicon
    from detector.text.matcher import Matcher

    library = PromptLibrary.load(prompts)
    echoes = landmarks_of_prompts(library) if speaks else {}
    return ScreenerParts(Matcher(Lexicon.load(lexicon)), FusionModel.load(), library, _load_intent(), echoes)


def with_weights(parts: ScreenerParts, fusion: Path | None, intent: Path | None) -> ScreenerParts:
    """Exchange the weights of fusion and the text model for those in these files. Raises ModelError."""
    from dataclasses import replace

    from detector.decision.fusion import FusionModel
    from detector.text.intent import IntentModel

    if fusion is not None:
        parts = replace(parts, fusion=FusionModel.load(fusion))
    if intent is not None:
        parts = replace(parts, intent=IntentModel.load(intent))
    return parts


def _load_intent() -> IntentModel | None:
    from detector.errors import ModelError
    from detector.text.intent import IntentModel

    try:
        return IntentModel.load()
    except ModelError as error:
        logging.getLogger(__name__).warning("going on without the text model: %s", error)
        return None


def load_transcriber(
    model: str | None = None, threads: int | None = None, workers: int = 1
) -> WhisperTranscriber:
    """Load recognition (about a second): `workers` turns at once, `threads` for each. Raises ModelError."""
    from detector.speech.model_files import recognition_model
    from detector.speech.whisper import WhisperTranscriber

    return WhisperTranscriber(
        recognition_model(model), threads=threads or min(4, os.cpu_count() or 1), workers=workers
    )
