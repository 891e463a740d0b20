"""What a screener is made of: the parts that all calls share, and the settings of one call."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from detector.call import Language
from detector.decision.fusion import FusionModel
from detector.decision.policy import PolicyOptions
from detector.dialogue.closing import ClosingOptions
from detector.dialogue.planner import PlannerOptions
from detector.dialogue.prompts import PromptLibrary
from detector.signals.landmarks import Landmarks
from detector.speech.turns import TurnOptions
from detector.text.intent import IntentModel
from detector.text.matcher import Matcher

__all__ = ["ScreenerOptions", "ScreenerParts"]


@dataclass(frozen=True, slots=True)
class ScreenerParts:
    """What all calls share and none changes: loaded once by the driver."""

    matcher: Matcher
    fusion: FusionModel
    prompts: PromptLibrary
    intent: IntentModel | None = None
    """The text model; None where it is missing or broken: the call is judged without it."""

    echoes: Mapping[str, Landmarks] = field(default_factory=dict, hash=False, compare=False)
    """What prompts look like, by their ids (`landmarks_of_prompts`): their echo is not the caller. A prompt that is
    not there has no echo that could be told."""


@dataclass(frozen=True, slots=True)
class ScreenerOptions:
    """Settings of one call. Durations in seconds."""

    interactive: bool = True
    """False: a recording is judged, the agent cannot speak."""
    listen_on: bool = False
    """Go on observing after the decision (`screen --full`); the decision stays."""
    languages: tuple[Language, ...] = ("zh", "en")
    known_names: tuple[str, ...] = ()
    """Names of the household: a caller who asks for one of them knows whom he calls."""
    transcript_patience: float = 8.0
    """A transcript that has not come by then counts as failed."""
    failures_tolerated: int = 1
    """Turns that recognition may fail on before the call is handled as `unsure`."""
    seed: int = 0
    """Of what the agent leaves to chance: the key that it asks for. Nobody outside may know that of a live call."""
    turns: TurnOptions = field(default_factory=TurnOptions)
    policy: PolicyOptions = field(default_factory=PolicyOptions)
    planner: PlannerOptions = field(default_factory=PlannerOptions)
    closing: ClosingOptions = field(default_factory=ClosingOptions)
