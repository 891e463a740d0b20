"""What a call costs beside recognition: voice activity, tones, fingerprints, evidence, decision; and its SIP worker.

The engine is measured on a talking caller, with a recognizer that answers at once, at the live session's pace of one
20 ms frame at a time; the SIP worker on real calls over loopback by `detector.sip.bench`.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from detector.agents.clips import Clips
from detector.agents.scenario import Scenario
from detector.agents.virtual import VirtualDriver
from detector.audio.frames import BLOCK_SAMPLES, SAMPLE_RATE, Samples
from detector.bench.call_audio import build_call
from detector.call import CallInfo, Language
from detector.screener import CallScreener, ScreenerOptions, ScreenerParts
from detector.speech.transcript import Transcript

__all__ = ["OverheadReport", "measure_overhead"]

WORDS = "您好我这边是做贷款的您最近需要资金周转吗"
"""What the recognizer that costs nothing hears: enough for the matcher to work on."""


@dataclass(frozen=True, slots=True)
class OverheadReport:
    """Shares of one core for one call."""

    engine: float
    sip: str
    """The SIP worker's own report."""
    seconds: float
    """Of caller audio."""

    def as_json(self) -> dict[str, Any]:
        return {"engine": round(self.engine, 4), "sip": self.sip, "seconds": self.seconds}

    def lines(self) -> Iterator[str]:
        yield f"beside recognition: the engine takes {100 * self.engine:.2f} % of a core for a talking caller"
        yield f"  ({self.seconds:.0f} s of audio, frame by frame); the SIP worker: {self.sip}"


def measure_overhead(
    scenario: Scenario, clips: Clips, parts: ScreenerParts, seconds: float = 60.0
) -> OverheadReport:
    """Run the engine over a call in which the caller talks all the time, and a SIP worker with four calls."""
    audio = build_call(scenario, clips, seconds)
    run_engine(audio[: 5 * SAMPLE_RATE], parts)  # loads what is loaded once
    start = time.process_time()
    run_engine(audio, parts)
    engine = (time.process_time() - start) / seconds
    return OverheadReport(engine, _sip_worker(), seconds)


def run_engine(audio: Samples, parts: ScreenerParts) -> None:
    """One call that never decides, so that all of it is heard."""
    options = ScreenerOptions(interactive=False, listen_on=True)
    options = replace(options, policy=replace(options.policy, deadline=1e9, hang_up_at=1e9, forward_at=-1e9))

    def recognize(_samples: Samples, _language: Language | None) -> Transcript:
        return Transcript(WORDS, "zh", -0.3)

    driver = VirtualDriver(CallScreener(CallInfo("bench"), options, parts), recognize)
    for start in range(0, len(audio), BLOCK_SAMPLES):
        for _ in driver.feed(audio[start : start + BLOCK_SAMPLES]):
            pass


def _sip_worker() -> str:
    command = [sys.executable, "-m", "detector.sip.bench", "--calls", "4", "--seconds", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=Path.cwd())  # noqa: S603 - our own module
    lines = done.stdout.strip().splitlines()
    return "; ".join(lines) if done.returncode == 0 and lines else "not measured (it could not be run)"
