"""Places three real SIP calls to a real answering service on this machine and checks what becomes of them.

`scripts/demo` sets everything up and runs this. Exit code 1 if an action is wrong.
"""

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from detector.agents.scenario import Scenario, load_scenarios
from detector.bench.loopback import Loopback, Outcome
from detector.resources import fixtures_dir
from detector.stores.store import Store

CALLS = ("demo-loan-recording", "demo-courier", "demo-property-clip-bot")
ENDINGS = {
    "hung_up_by_agent": "hung up on",
    "put_through": "put through",
    "message_taken": "message taken",
    "hung_up_by_caller": "hung up himself",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--calls", nargs="+", default=CALLS, metavar="ID", help="scenarios to play (default: three)"
    )
    chosen = parser.parse_args().calls
    known = {
        scenario.id for scenario in load_scenarios(fixtures_dir() / "demo" / "scenarios.jsonl").scenarios
    }
    if unknown := [name for name in chosen if name not in known]:
        parser.error(f"no scenario {unknown[0]}; there are {', '.join(sorted(known))}")
    try:
        return asyncio.run(demo(chosen))
    except KeyboardInterrupt:
        return 130


async def demo(wanted: list[str]) -> int:
    folder = fixtures_dir() / "demo"
    scenarios = {item.id: item for item in load_scenarios(folder / "scenarios.jsonl").scenarios}
    outcomes = []
    print("starting the answering service (SIP on 127.0.0.1, SQLite, the weights that ship) ...", flush=True)
    async with Loopback(
        folder / "scenarios.jsonl", folder / "clips", show=lambda line: print(line, flush=True)
    ).running() as loopback:
        for name in wanted:
            print(f"\n─── {name}: {scenarios[name].why}", flush=True)
            outcome = await loopback.place(scenarios[name])
            await asyncio.sleep(1.0)  # the service's last lines belong to this call
            outcomes.append(with_message(outcome, loopback.work / "calls.sqlite3"))
    return report(outcomes)


def report(outcomes: list[Outcome]) -> int:
    print("\n─── what became of the calls")
    wrong = 0
    for outcome in outcomes:
        expected = right_endings(outcome.scenario)
        is_right = outcome.ending in expected
        wrong += not is_right
        verdict = "right" if is_right else f"WRONG, expected: {' or '.join(ENDINGS[one] for one in expected)}"
        shown = ENDINGS.get(outcome.ending, outcome.ending.replace("_", " "))
        print(f"{outcome.scenario.id:28} {shown:18} after {outcome.seconds:4.1f} s   {verdict}")
    return 1 if wrong else 0


def right_endings(scenario: Scenario) -> tuple[str, ...]:
    """How a call of this kind should end: an announcement may leave its message."""
    if not scenario.wanted:
        return ("hung_up_by_agent",)
    return ("put_through", "message_taken") if scenario.caller == "notice" else ("put_through",)


def with_message(outcome: Outcome, store: Path) -> Outcome:
    """To the caller a message that was taken looks as if he had been hung up on; the store knows better."""
    if outcome.ending != "hung_up_by_agent":
        return outcome
    with Store(store) as kept:
        last = next(iter(kept.calls()), None)
    was_taken = last is not None and last.call.end_reason == "message_taken"
    return replace(outcome, ending="message_taken") if was_taken else outcome


if __name__ == "__main__":
    sys.exit(main())
