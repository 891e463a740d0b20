"""The agent's wordings: recorded prompts and the library that finds them.

A prompt directory holds WAV files (mono, 8 kHz, 16-bit: what the SIP worker's player reads) and `manifest.json`:

    {"prompts": [{"id": "zh-greeting-1", "act": "greeting", "language": "zh", "text": "…",
                  "file": "zh-greeting-1.wav", "seconds": 4.2, "sha256": "…", "voice": "…"}, …]}

`seconds`, `sha256` and `voice` may be missing in a user's own directory. His wordings of an act replace the shipped
ones of the same language; the acts that he leaves out keep theirs. A wording of "press_key" also has `"key": "4"`, the
key that it asks for.
"""

import hashlib
import json
import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, get_args

from detector.call import Language
from detector.dialogue.acts import Act
from detector.dialogue.assent import words_of_assent
from detector.errors import ConfigurationError
from detector.resources import fixtures_dir

__all__ = ["MANIFEST", "Prompt", "PromptLibrary"]

MANIFEST = "manifest.json"
LONGEST_SECONDS = 15.0
"""A longer prompt is a mistake: nobody listens to it."""
_REQUIRED = ("id", "act", "language", "text", "file")
_OPTIONAL = ("seconds", "sha256", "voice", "key")
_KEYS = frozenset("0123456789")
"""Keys that can be asked for by their number."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One wording of one act, spoken."""

    id: str
    act: Act
    language: Language
    text: str
    seconds: float
    path: Path
    """WAV, mono, 8 kHz, 16-bit."""
    key: str | None = None
    """The key of the telephone that it asks for, where it asks for one."""


class PromptLibrary:
    """All wordings, in a fixed order: that of the manifest."""

    def __init__(self, prompts: Iterable[Prompt]) -> None:
        self._prompts = tuple(prompts)
        by_act: dict[tuple[Act, Language], list[Prompt]] = {}
        for prompt in self._prompts:
            by_act.setdefault((prompt.act, prompt.language), []).append(prompt)
        self._by_act = {key: tuple(found) for key, found in by_act.items()}
        self._by_id = {prompt.id: prompt for prompt in self._prompts}

    @classmethod
    def load(cls, directory: Path | None = None) -> Self:
        """Read the shipped prompts, with those in `directory` in front where one is given.

        Raises ConfigurationError where a manifest or a prompt file is missing or wrong.
        """
        shipped = _read_directory(fixtures_dir() / "prompts")
        if directory is None:
            return cls(shipped)
        own = _read_directory(directory)
        replaced = {(prompt.act, prompt.language) for prompt in own}
        kept = [prompt for prompt in shipped if (prompt.act, prompt.language) not in replaced]
        taken = {prompt.id for prompt in kept}
        for prompt in own:
            if prompt.id in taken:
                raise ConfigurationError(
                    f"{directory / MANIFEST}: prompt id {prompt.id!r} belongs to a shipped prompt; choose another"
                )
        return cls([*own, *kept])

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        return self._prompts

    def for_act(self, act: Act, language: Language) -> tuple[Prompt, ...]:
        """Return the wordings of `act` in `language`, in the order of the manifest; empty where there is none."""
        return self._by_act.get((act, language), ())

    def get(self, prompt_id: str) -> Prompt | None:
        return self._by_id.get(prompt_id)


def _read_directory(directory: Path) -> list[Prompt]:
    manifest = directory / MANIFEST
    try:
        content = json.loads(manifest.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{manifest}: not found; a prompt directory needs a manifest of its prompts"
        ) from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigurationError(f"{manifest}: cannot be read as JSON ({type(error).__name__})") from error
    rows = content.get("prompts") if isinstance(content, dict) else None
    if not isinstance(rows, list) or not rows:
        raise ConfigurationError(f'{manifest}: has no list "prompts"; it needs one row for each prompt')
    prompts: list[Prompt] = []
    for number, row in enumerate(rows, 1):
        prompt = _read_row(row, directory, f"{manifest}: prompt {number}")
        if any(prompt.id == other.id for other in prompts):
            raise ConfigurationError(
                f"{manifest}: prompt id {prompt.id!r} stands there twice; ids are unique"
            )
        prompts.append(prompt)
    return prompts


def _read_row(row: Any, directory: Path, where: str) -> Prompt:
    if not isinstance(row, dict):
        raise ConfigurationError(f"{where}: is no object with the keys {', '.join(_REQUIRED)}")
    texts = {key: _text_of(row, key, where) for key in _REQUIRED}
    where = f"{where} ({texts['id']})"
    unknown = sorted(set(row) - {*_REQUIRED, *_OPTIONAL})
    if unknown:
        raise ConfigurationError(
            f"{where}: unknown key {unknown[0]!r}; known are {', '.join(_REQUIRED + _OPTIONAL)}"
        )
    if texts["act"] not in set(Act):
        raise ConfigurationError(f"{where}: unknown act {texts['act']!r}; known are {', '.join(Act)}")
    language = _language(texts["language"], where)
    assent = words_of_assent(texts["text"], language)
    if assent:
        raise ConfigurationError(
            f"{where}: says {assent[0]!r}; the agent never says yes, dialers take it for interest: reword it"
        )
    path = directory / texts["file"]
    seconds = _checked_file(path, row, where)
    act = Act(texts["act"])
    return Prompt(texts["id"], act, language, texts["text"], seconds, path, _key_of(row, act, where))


def _key_of(row: Mapping[str, Any], act: Act, where: str) -> str | None:
    key = row.get("key")
    if act is not Act.PRESS_KEY:
        if key is not None:
            raise ConfigurationError(f"{where}: has a key, but only {Act.PRESS_KEY} asks for one; remove it")
        return None
    if not isinstance(key, str) or key not in _KEYS:
        raise ConfigurationError(f'{where}: key \'key\' must be the digit that the words ask for, "0" to "9"')
    return key


def _text_of(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ConfigurationError(f"{where}: key {key!r} must be a text that is not empty")
    return value


def _language(value: str, where: str) -> Language:
    for language in get_args(Language):
        if value == language:
            return language  # type: ignore[no-any-return]
    raise ConfigurationError(
        f"{where}: unknown language {value!r}; known are {', '.join(get_args(Language))}"
    )


def _checked_file(path: Path, row: Mapping[str, Any], where: str) -> float:
    """Return the duration in seconds of a file that the SIP worker can play and that is the one meant."""
    try:
        content = path.read_bytes()
        with wave.open(str(path)) as file:
            form = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            seconds: float = file.getnframes() / file.getframerate()
    except FileNotFoundError:
        raise ConfigurationError(f"{where}: file {path} not found; render or record it") from None
    except (OSError, EOFError, wave.Error) as error:
        raise ConfigurationError(f"{where}: file {path} is no readable PCM WAV file: {error}") from error
    if form != (1, 2, 8000):
        raise ConfigurationError(
            f"{where}: file {path} has {form[0]} channels, {8 * form[1]} bits, {form[2]} Hz; "
            "convert it to mono, 16 bits, 8000 Hz"
        )
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ConfigurationError(
            f"{where}: file {path} lasts {seconds:.1f} s; a prompt lasts up to {LONGEST_SECONDS:.0f} s"
        )
    expected = row.get("sha256")
    if expected is not None and hashlib.sha256(content).hexdigest() != expected:
        raise ConfigurationError(
            f"{where}: file {path} differs from its SHA-256 in the manifest; render it again"
        )
    return seconds
