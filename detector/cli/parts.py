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

__all__ = ["load_parts", "load_transcriber"]


def load_parts(
    lexicon: Path | None = None,
    prompts: Path | None = None,
    *,
    speaks: bool = True,
    fusion: Path | None = None,
    intent: Path | None = None,
) -> ScreenerParts:
    """Load lexicon, fusion weights, prompts and text model. Raises ConfigurationError naming the file.

    `speaks`: whether the agent does; what its prompts look like is then computed (0.4 s), so that their echo is
    known. Without the text model that ships the lexicon still judges: what is wrong with it is only warned of. One
    that is named by `intent` must be right. `fusion`: other weights than those that ship.
    """
    from detector.decision.fusion import FusionModel
    from detector.dialogue.echoes import landmarks_of_prompts
    from detector.dialogue.prompts import PromptLibrary
    from detector.screener import ScreenerParts
    from detector.text.intent import IntentModel
    from detector.text.lexicon import Lexicon
    from detector.text.matcher import Matcher

    library = PromptLibrary.load(prompts)
    echoes = landmarks_of_prompts(library) if speaks else {}
    model = _load_intent() if intent is None else IntentModel.load(intent)
    return ScreenerParts(Matcher(Lexicon.load(lexicon)), FusionModel.load(fusion), library, model, echoes)


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
