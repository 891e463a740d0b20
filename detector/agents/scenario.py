"""Scenarios: one caller each, described well enough to play the whole call.

A scenario file is JSON Lines, UTF-8, one object a line. A line that is wrong is reported with everything that is
wrong with it, and the other lines go on.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from detector.agents.scenario_fields import Problem, read_fields
from detector.call import CallInfo, Language
from detector.errors import ScenarioError

__all__ = ["BargeIn", "CallerKind", "Noise", "Scenario", "ScenarioFile", "load_scenarios"]

CallerKind = Literal["recording", "clip_bot", "tts_bot", "live_agent", "person", "notice"]
BargeIn = Literal["continues", "stops", "slows"]
Noise = Literal["none", "office", "street", "car", "home_tv", "wind"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One caller. Times in seconds; texts are what he says, never shown to the detector."""

    id: str
    language: Language
    wanted: bool
    caller: CallerKind
    category: str
    number: str
    display_name: str | None
    connect_silence: float
    """Dead air between answer and the caller's first sound."""
    barge_in: BargeIn
    """What the caller does when the agent speaks over him."""
    reply_delay: tuple[float, float]
    """Mean and standard deviation of the silence before a reply."""
    opening: tuple[str, ...]
    waits_for_greeting: bool
    replies: Mapping[str, tuple[str, ...]] = field(hash=False)
    """What he says after an act of the agent, by the act's name; "other" serves the acts that are missing."""
    repeats_take: bool
    """Whether a string said again is the same audio."""
    hangs_up_after: int | None
    """Number of agent acts, None for never."""
    noise: Noise
    why: str = ""

    @property
    def utterances(self) -> tuple[str, ...]:
        """Everything that he may say, each string once, in the order of the file."""
        texts = [*self.opening, *(text for replies in self.replies.values() for text in replies)]
        return tuple(dict.fromkeys(texts))

    @property
    def call(self) -> CallInfo:
        """What the network shows of him, and nothing else."""
        withheld = self.number == "anonymous"
        # The id may say what he is ("loan-recording"), so the call gets an opaque one.
        call_id = hashlib.sha256(self.id.encode()).hexdigest()[:16]
        return CallInfo(call_id, None if withheld else self.number, self.display_name)


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """What a scenario file holds: the rows that can be run, and one error for each problem of the others."""

    scenarios: tuple[Scenario, ...]
    errors: tuple[ScenarioError, ...]


def load_scenarios(path: Path) -> ScenarioFile:
    """Read the scenarios in `path`.

    Raises ScenarioError where the file as a whole cannot be read; a wrong row becomes one error for each problem,
    which names file and line, scenario and key.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror}); name a scenario file") from error
    reader = _Reader(path)
    # JSON strings may hold U+2028 and other separators that str.splitlines would cut at.
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            reader.read_line(number, line)
    if not reader.scenarios and not reader.errors:
        raise ScenarioError(f"{path}: holds no scenario; it needs one JSON object a line")
    if reader.is_no_scenario_file:
        raise ScenarioError(
            f"{path}: holds no scenario, not even JSON in any of its lines; name a scenario file"
        )
    return ScenarioFile(tuple(reader.scenarios), tuple(reader.errors))


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[str, int] = {}
        self._rows = 0
        self.scenarios: list[Scenario] = []
        self.errors: list[ScenarioError] = []

    @property
    def is_no_scenario_file(self) -> bool:
        """Several lines, and no JSON object among them: one error for the file says more than one for each."""
        return not self._rows and len(self.errors) > 1

    def read_line(self, number: int, line: bytes) -> None:
        where = f"{self._path}:{number}"
        row = self._parse(where, line)
        self._rows += row is not None
        if row is None:
            return
        name = row["id"] if isinstance(row.get("id"), str) and row["id"] else "without id"
        fields, problems = read_fields(row)
        first = self._lines.setdefault(name, number)
        if first != number and name != "without id":
            problems.append(Problem("id", f"stands in line {first} already; ids are unique"))
        if problems:
            self.errors += [ScenarioError(f"{where}: scenario {name}: {problem}") for problem in problems]
        else:
            self.scenarios.append(Scenario(**fields))

    def _parse(self, where: str, line: bytes) -> dict[str, Any] | None:
        twice: list[str] = []

        def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            keys = [key for key, _ in pairs]
            twice.extend(key for key in dict.fromkeys(keys) if keys.count(key) > 1)
            return dict(pairs)

        try:
            row = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode("utf-8"), object_pairs_hook=once)
        except UnicodeDecodeError as error:
            self._refuse(where, f"is not UTF-8 (byte {error.start + 1} of the line)")
        except json.JSONDecodeError as error:
            self._refuse(where, f"is not JSON: {error.msg} at column {error.colno}")
        except RecursionError:
            self._refuse(where, "is nested too deeply")
        else:
            if not isinstance(row, dict):
                self._refuse(where, "is no JSON object")
            elif twice:
                name = row.get("id", "without id")
                self._refuse(where, f"scenario {name}: key {twice[0]!r} stands there twice")
            else:
                return row
        return None

    def _refuse(self, where: str, problem: str) -> None:
        self.errors.append(ScenarioError(f"{where}: {problem}"))
