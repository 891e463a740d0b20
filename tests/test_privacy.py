"""Numbers, names and words of callers stay out of log lines and exception messages.

The code is read for it: no call of a logger and no `raise` may hold an attribute or a variable that carries them.
"""

import ast
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import detector
from detector.agents.record import Turn
from detector.agents.virtual import VirtualDriver
from detector.audio.files import read_clip
from detector.audio.frames import Samples
from detector.call import CallInfo, Language
from detector.decision.fusion import FusionModel
from detector.dialogue.prompts import PromptLibrary
from detector.errors import RecognitionError
from detector.events import TurnTranscribed
from detector.resources import fixtures_dir
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript
from detector.stores.store import Store
from detector.stores.writer import StoreWriter
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

PACKAGE = Path(detector.__file__).parent
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
LOGGERS = ("log", "logger", "logging", "getlogger(__name__)")
PERSONAL = frozenset(
    {
        "asserted_number",
        "callee",
        "detail",
        "display_name",
        "diverted_from",
        "household",
        "known_names",
        "note",
        "password",
        "talk",
        "text",
        "transcript",
        "transcripts",
        "turns",
        "utterance",
    }
)
PERSONAL_ATTRIBUTES = PERSONAL | {"number", "from_uri", "headers"}
# In these files the name carries something else.
HARMLESS = {
    ("agents/clips.py", "utterance"): "a line of a scenario, which somebody made up",
    ("sip/process.py", "number"): "a worker's",
    ("sip/supervisor.py", "number"): "a worker's",
}


def nodes_that_speak(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what ends up in a log line or in an exception's message."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LOG_METHODS
        ):
            owner = ast.unparse(node.func.value).lower()
            if owner.endswith(LOGGERS):
                yield from (*node.args, *(keyword.value for keyword in node.keywords))
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from (*node.exc.args, *(keyword.value for keyword in node.exc.keywords))


def personal_parts(spoken: ast.AST) -> Iterator[str]:
    """Yield the personal values in an expression; their length or their mere presence is not personal."""
    if isinstance(spoken, ast.Call) and ast.unparse(spoken.func) in ("len", "bool", "type"):
        return
    if isinstance(spoken, ast.Attribute) and spoken.attr in PERSONAL_ATTRIBUTES:
        yield spoken.attr
    elif isinstance(spoken, ast.Name) and spoken.id in PERSONAL:
        yield spoken.id
    for child in ast.iter_child_nodes(spoken):
        yield from personal_parts(child)


def leaks(source: str) -> list[str]:
    return [
        f"line {getattr(spoken, 'lineno', 0)}: {part}"
        for spoken in nodes_that_speak(ast.parse(source))
        for part in personal_parts(spoken)
    ]


def test_no_log_line_and_no_error_tells_of_a_person() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        found += [
            f"{name} {leak}"
            for leak in leaks(path.read_text("utf-8"))
            if (name, leak.rpartition(" ")[2]) not in HARMLESS
        ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'log.info("heard %s", transcript.text)',
        'self._log.debug(f"{call.number} rings")',
        'logging.getLogger(__name__).warning("x %s", call.display_name)',
        'raise StoreError(f"cannot store {turn.text!r}")',
        'raise ValueError("bad " + text)',
    ],
)
def test_the_reader_finds_what_it_is_for(line: str) -> None:
    assert leaks(line)


@pytest.mark.parametrize(
    "line",
    [
        'log.info("%d characters", len(transcript.text))',
        'log.info("call %s ended", call.id)',
        'raise StoreError(f"{path}: cannot be read")',
        "print(turn.text)",
    ],
)
def test_the_reader_lets_the_rest_pass(line: str) -> None:
    assert leaks(line) == []


NUMBER, NAME, WORDS = "13912345678", "欧阳明月", "我的卡号是六二二八，您办贷款吗"


def test_a_call_leaves_no_trace_of_the_caller_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A whole call, with recognition that fails once and a store that breaks half-way, at the loudest level."""
    caplog.set_level(logging.DEBUG)
    heard = 0

    def recognize(_samples: Samples, _language: Language | None) -> Transcript:
        nonlocal heard
        heard += 1
        if heard == 2:
            raise RecognitionError("broken for this test")
        return Transcript(WORDS, "zh", -0.3)

    call = CallInfo("a", number=NUMBER, display_name=NAME)
    parts = ScreenerParts(Matcher(Lexicon.load()), FusionModel.load(), PromptLibrary.load())
    driver = VirtualDriver(CallScreener(call, ScreenerOptions(known_names=(NAME,)), parts), recognize)
    clips = [read_clip(path) for path in sorted((fixtures_dir() / "demo" / "clips").glob("*.wav"))[:4]]
    pause = np.zeros(8000, np.int16)
    audio = np.concatenate([piece for clip in clips for piece in (clip, pause)])

    store = Store(tmp_path / "calls.sqlite3")
    writer = StoreWriter(store, retry_seconds=())
    writer.submit(Store.begin_call, call, datetime(2026, 3, 7, tzinfo=UTC))
    events = [*driver.feed(audio), *driver.hang_up()]
    for event in events:
        if isinstance(event, TurnTranscribed):
            writer.submit(Store.add_turn, "a", Turn("caller", event.start, event.end, event.text))
            assert writer.flush(10)
            (tmp_path / "calls.sqlite3").write_bytes(b"no database any more" * 1000)
    writer.submit(Store.begin_call, call, datetime(2026, 3, 7, tzinfo=UTC))
    assert writer.close()
    assert heard >= 2
    assert writer.lost_writes > 0
    store.close()

    logged = caplog.text + "".join(repr(record.args) for record in caplog.records)
    assert "store" in logged  # what broke is told
    for secret in (NUMBER, NAME, WORDS):
        assert secret not in logged


@pytest.mark.end_to_end
def test_what_is_loaded_keeps_no_record_of_its_use(tmp_path: Path) -> None:
    """The runtime of the networks has telemetry of its own, which begins with a file in the user's cache."""
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
    code = "import detector.audio.silero as silero; silero.SileroStream(); silero.shared_session()"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)  # noqa: S603 - our own code
    assert list(tmp_path.rglob("*")) == []
