"""Every exception that the detector raises on purpose.

    DetectorError
    ├── ConfigurationError      a setting, an option or a model file is wrong: the user mends it (exit code 2)
    │   ├── ModelError          a model file is missing or its SHA-256 differs
    │   └── LexiconError        an entry of the lexicon is wrong; names file and line
    ├── InputError              one input is unusable, the others go on (exit code 1)
    │   ├── AudioFileError      a recording cannot be read; names the file
    │   └── ScenarioError       a scenario or one of its clips is wrong; names the scenario
    ├── RecognitionError        speech recognition broke; never an empty text
    │   └── RecognitionTimeout  it took longer than its deadline
    ├── StoreError              the store cannot be read or written
    │   ├── RecordingError      a recording cannot be written; the store itself works
    │   └── StoreConflict       a change does not fit what is in the store (a call that it lacks)
    └── SipError                signalling or media
        ├── PortInUse           the address to listen on is taken
        ├── WorkerDied          a SIP worker process ended unasked
        └── ProtocolError       a message between service and worker that neither would send

Messages name what and where, and what to do. They never hold a phone number, a name or a transcript.
"""

import traceback
from pathlib import Path

__all__ = [
    "AudioFileError",
    "ConfigurationError",
    "DetectorError",
    "InputError",
    "LexiconError",
    "ModelError",
    "PortInUse",
    "ProtocolError",
    "RecognitionError",
    "RecognitionTimeout",
    "RecordingError",
    "ScenarioError",
    "SipError",
    "StoreConflict",
    "StoreError",
    "WorkerDied",
    "where",
]


def where(error: BaseException) -> str:
    """Type and place of an unexpected error, for a log line: its message may quote a caller, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


class DetectorError(Exception):
    """Whatever the detector raises on purpose."""


class ConfigurationError(DetectorError):
    pass


class ModelError(ConfigurationError):
    pass


class LexiconError(ConfigurationError):
    pass


class InputError(DetectorError):
    pass


class AudioFileError(InputError):
    pass


class ScenarioError(InputError):
    pass


class RecognitionError(DetectorError):
    pass


class RecognitionTimeout(RecognitionError):  # noqa: N818 - a time-out is named so everywhere
    pass


class StoreError(DetectorError):
    pass


class RecordingError(StoreError):
    """A recording cannot be written; the store itself works."""


class StoreConflict(StoreError):  # noqa: N818 - reads as the sentence that it is
    pass


class SipError(DetectorError):
    pass


class PortInUse(SipError):  # noqa: N818 - reads as the sentence that it is
    pass


class WorkerDied(SipError):  # noqa: N818 - reads as the sentence that it is
    pass


class ProtocolError(SipError):
    pass
