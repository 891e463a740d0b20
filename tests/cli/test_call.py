"""`detector call` says how a test call ended in words of its caller."""

from detector.agents.scenario_call import CallOutcome
from detector.cli.call import _ending

TARGET = "sip:agent@127.0.0.1:5099"


def test_a_target_where_nothing_listens_has_refused_nobody() -> None:
    told = _ending(CallOutcome(ending="refused", code=408), TARGET)
    assert told == f"nothing answered at {TARGET} (408): is the service running there?"


def test_a_refusal_is_called_one() -> None:
    assert _ending(CallOutcome(ending="refused", code=403), TARGET) == "refused (403)"
