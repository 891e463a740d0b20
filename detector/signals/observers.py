"""All extractors of one call, behind one face: observations in, evidence out.

They only observe: nothing here decides, speaks or waits.
"""

from collections.abc import Sequence

from detector.audio.frames import Samples
from detector.audio.tones import ToneHeard
from detector.call import CallInfo
from detector.signals.evidence import Evidence
from detector.signals.fingerprint import Landmarks
from detector.signals.history import history_evidence
from detector.signals.number import number_evidence
from detector.signals.opening import OpeningExtractor
from detector.signals.patter import PatterExtractor
from detector.signals.playback import Match, PlaybackExtractor
from detector.signals.responsiveness import ResponsivenessExtractor
from detector.signals.turn_taking import TurnTakingExtractor
from detector.speech.listening import Activity
from detector.speech.transcript import Transcript
from detector.speech.turns import SpeechEnded
from detector.text.matcher import Matcher

__all__ = ["Observers"]
