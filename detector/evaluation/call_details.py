"""One call told in full: who it was, what was said, which evidence came when, what was decided."""

from collections.abc import Mapping, Sequence
from typing import Any

from detector.evaluation.calls import JudgedCall
from detector.evaluation.markup import Html, element, join

__all__ = ["ACTION_WORDS", "error_list"]

ACTION_WORDS = {
    "forward": "put through",
    "take_message": "message taken",
    "hang_up": "hung up on",
    "none": "left undecided",
}


def error_list(calls: Sequence[JudgedCall]) -> Html:
    """Every call in a section of its own that folds out, the worst kinds first under headings of their own."""
    if not calls:
        return element("p", "None: every call ended as it should.")
    parts: list[Html] = []
    for wanted, action in (
        (True, "hang_up"),
        (True, "take_message"),
        (True, "none"),
        (False, "forward"),
        (False, "take_message"),
        (False, "none"),
        (False, "hang_up"),
    ):
        chosen = [call for call in calls if call.wanted == wanted and call.action == action]
        if chosen:
            kind = "Wanted" if wanted else "Unwanted"
            parts.append(element("h3", f"{kind}, {ACTION_WORDS[action]}: {len(chosen)}"))
            parts += map(_details, chosen)
    return join(*parts)


def _details(call: JudgedCall) -> Html:
    decided = "" if call.decided_at is None else f" at {call.decided_at:.1f} s"
    worst = call.wanted and call.action == "hang_up"
    summary = element(
        "summary",
        element("code", call.id),
        element("span", call.caller, class_="tag"),
        element("span", call.category, class_="tag"),
        element("span", f"{ACTION_WORDS[call.action]}{decided}", class_="tag bad" if worst else "tag"),
        element("span", f"unwanted {100 * call.unwanted:.0f} %, {call.label}", class_="muted"),
    )
    about = [("why", call.why), ("reason", call.reason), ("questions", str(call.questions))]
    told = [join(element("dt", name), element("dd", words)) for name, words in about if words]
    return element(
        "details",
        summary,
        element("dl", *told),
        element("table", *_story(call.row, call.language), class_="story"),
        id="call-" + "-".join(call.id.split()),
    )


def _story(row: Mapping[str, Any], language: str) -> list[Html]:
    """Both sides' words and the evidence, in the order in which they came."""
    spoken = language if language in ("zh", "en") else None
    lines: list[tuple[float, str, Html]] = []

    def add(when: float, who: str, words: object, lang: str | None = None) -> None:
        lines.append((when, who, _line(when, who, words, lang)))

    for turn in row.get("turns", ()):
        add(turn["start"], turn["speaker"], turn["text"] or "(nothing understood)", spoken)
    for piece in row.get("evidence", ()):
        name = element("span", f"{piece['llr']:+.1f}", class_="against" if piece["llr"] > 0 else "for")
        add(
            piece["arrived"],
            "evidence",
            join(name, " ", element("code", piece["source"]), " ", piece["detail"]),
        )
    decided = row.get("decided_at")
    if decided is not None:
        words = join(element("strong", ACTION_WORDS[row["action"]]), f": {row.get('reason', '')}")
        add(decided, "decision", words)
    return [line for _, _, line in sorted(lines, key=lambda line: (line[0], _ORDER.get(line[1], 0)))]


_ORDER = {"caller": 0, "evidence": 1, "decision": 2, "agent": 3}
"""What comes at one moment: the agent speaks because of what was found."""


def _line(when: float, who: str, words: object, spoken: str | None = None) -> Html:
    return element(
        "tr",
        element("td", f"{when:.1f} s", class_="when"),
        element("td", who, class_="who"),
        element("td", words, lang=spoken),
        class_=who,
    )
