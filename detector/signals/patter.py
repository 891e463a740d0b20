"""Sales and scam patter, announcements, emergencies: what the words of a call say about the caller.

Fed the transcripts of a call in order. Within a group of the lexicon every term counts once, the strongest
in full and each further one less, for words of one topic come together. Between groups the best counts in
full, the second by half: more topics are not more proof. What is given out is always the change since the
last transcript, so that the evidence of a call adds up to its score.

An emergency is believed at once, unless money is asked for, keys are to be pressed or something is sold
along with it: "your son had an accident, transfer the fee" is an old fraud. Doubt only withholds the haste;
it is no proof.

Another answering assistant, or an announcement of the network, is known by its own words. One that sells something is a
dialer that calls itself an assistant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

from detector.call import Language
from detector.signals.evidence import Axis, Evidence
from detector.text.lexicon import Role
from detector.text.matcher import Exactness, Hit, Matcher

__all__ = ["PatterExtractor"]

_FADING = 0.6
"""How much of its weight a further term of the same group keeps, by its rank."""
_SECOND_GROUP = 0.5
_STAGE_STEP = 0.5
"""For every stage of the sales script that follows an earlier one in the script's order."""
_NEGLIGIBLE = 0.01
"""A smaller change waits until more has come together."""
_EMERGENCY_BELIEVED = 2.0
_ASSISTANT_BELIEVED = 1.8
"""One plain term; or several weak ones, for dialers call themselves assistants, too."""
_DOUBTED = 1.5
"""Score of a category from which on an emergency, or an assistant, that comes along with it is not believed."""


@dataclass(frozen=True, slots=True)
class _Channel:
    """Where the terms of a role go. `sign`: -1 where they speak for the caller, 0 where for neither."""

    source: str
    axis: Axis
    sign: int
    cap: float


_CHANNELS: Mapping[Role, _Channel] = MappingProxyType(
    {
        Role.CATEGORY: _Channel("patter.lexicon", "patter", 1, 6.0),
        Role.OPENER: _Channel("patter.opener", "patter", 1, 3.0),
        Role.ADD_WECHAT: _Channel("patter.wechat", "patter", 1, 2.5),
        Role.PRESS_KEY: _Channel("patter.press_key", "playback", 1, 3.0),
        Role.STAGE: _Channel("patter.stage", "patter", 1, 3.0),
        Role.MONEY_DEMAND: _Channel("patter.money", "patter", 1, 1.5),
        Role.NOTICE: _Channel("notice", "wanted", -1, 4.0),
        Role.EMERGENCY: _Channel("emergency", "wanted", -1, 5.0),
        Role.WANTED: _Channel("wanted", "wanted", -1, 4.0),
        Role.PROTECTIVE: _Channel("wanted.protective", "wanted", -1, 4.0),
        Role.ANNOYED: _Channel("wanted.annoyed", "wanted", -1, 2.0),
        Role.WRONG_NUMBER: _Channel("wanted.wrong_number", "wanted", -1, 2.0),
        Role.ASSISTANT: _Channel("assistant", "wanted", 0, 4.0),
    }
)


class PatterExtractor:
    """Listens to one call."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._heard: dict[Role, dict[str, dict[str, Hit]]] = {role: {} for role in Role}
        self._waiting: dict[str, dict[str, Hit]] = {}
        self._stages: list[str] = []
        self._given: dict[Role, float] = dict.fromkeys(Role, 0.0)

    def observe(self, text: str, language: Language, media_time: float, arrived: float) -> list[Evidence]:
        """Take what the caller said in one turn and return what it adds to the evidence, perhaps nothing.

        `media_time`: seconds after answer when the turn began; `arrived`: when its transcript came.
        """
        new: dict[Role, list[Hit]] = {}
        for hit in self._supported(self._matcher.candidates(text, language)):
            if self._keep(hit):
                new.setdefault(hit.role, []).append(hit)
        evidence = []
        for role, channel in _CHANNELS.items():
            change = self._value(role) - self._given[role]
            if abs(change) < _NEGLIGIBLE:
                continue
            self._given[role] += change
            hits = new.get(role, ())
            # Without new words of its own the value of a role changes only where doubt falls on an emergency.
            detail = (
                self._describe(hits) if hits else "the emergency is in doubt: something is asked for or sold"
            )
            source, llr = self._source(role, hits), channel.sign * change
            evidence.append(Evidence(source, llr, media_time, arrived, detail, channel.axis))
        return evidence

    @property
    def categories(self) -> Mapping[str, float]:
        """Score of every unwanted category heard so far; natural log, positive, uncapped."""
        return MappingProxyType(self._group_scores(Role.CATEGORY))

    @property
    def best_category(self) -> str | None:
        """The category with the highest score; None where nothing of the kind was offered."""
        scores = self._group_scores(Role.CATEGORY)
        return max(scores, key=lambda name: scores[name], default=None)

    @property
    def notice_score(self) -> float:
        """How much it sounds like an announcement that the callee wants; natural log, positive."""
        return self.score(Role.NOTICE)

    @property
    def is_emergency(self) -> bool:
        """Whether words of an emergency were said, and nothing beside them that casts doubt on it."""
        return self.score(Role.EMERGENCY) >= _EMERGENCY_BELIEVED and not self._emergency_is_doubtful

    @property
    def is_assistant(self) -> bool:
        """Whether another answering assistant speaks, and sells nothing."""
        return self.score(Role.ASSISTANT) >= _ASSISTANT_BELIEVED and self._sold < _DOUBTED

    def score(self, role: Role) -> float:
        """How much was said in a role; natural log, positive, capped."""
        if role is Role.STAGE:
            score = self._stage_score()
        else:
            first, second, *_ = (*sorted(self._group_scores(role).values(), reverse=True), 0.0, 0.0)
            score = first + _SECOND_GROUP * second
        return min(score, _CHANNELS[role].cap)

    @property
    def _emergency_is_doubtful(self) -> bool:
        return bool(self._sold >= _DOUBTED or self._heard[Role.MONEY_DEMAND] or self._heard[Role.PRESS_KEY])

    @property
    def _sold(self) -> float:
        """Score of the best unwanted category."""
        return max(self._group_scores(Role.CATEGORY).values(), default=0.0)

    def _value(self, role: Role) -> float:
        """The score of a role as evidence."""
        if role is Role.EMERGENCY and self._emergency_is_doubtful:
            return 0.0
        return self.score(role)

    def _group_scores(self, role: Role) -> dict[str, float]:
        return {name: _faded(hits.values()) for name, hits in self._heard[role].items()}

    def _stage_score(self) -> float:
        best = {
            name: max(hit.weight for hit in hits.values()) for name, hits in self._heard[Role.STAGE].items()
        }
        order = [group.name for group in self._matcher.lexicon.with_role(Role.STAGE)]
        places = [order.index(name) for name in self._stages]
        steps = sum(later > earlier for earlier, later in pairwise(places))
        return sum(best.values()) + _STAGE_STEP * steps

    def _supported(self, hits: Iterable[Hit]) -> list[Hit]:
        """Keep the hits that stand, and those that waited for a second one of their group until now."""
        standing: list[Hit] = []
        for hit in hits:
            group, text = hit.term.group, hit.term.text
            heard = self._heard[hit.role].get(group, {}).keys() | self._waiting.get(group, {}).keys()
            if hit.supported or heard - {text}:
                standing += [replace(hit, supported=True), *self._release(group, besides=text)]
            else:
                self._waiting.setdefault(group, {})[text] = hit
        return standing

    def _release(self, group: str, besides: str) -> list[Hit]:
        waiting = self._waiting.pop(group, {})
        return [replace(hit, supported=True) for text, hit in waiting.items() if text != besides]

    def _keep(self, hit: Hit) -> bool:
        """Note a hit; False where its term was heard before, and as strongly."""
        terms = self._heard[hit.role].setdefault(hit.term.group, {})
        before = terms.get(hit.term.spelling)
        if before is not None and before.weight >= hit.weight:
            return False
        terms[hit.term.spelling] = hit
        if hit.role is Role.STAGE and hit.term.group not in self._stages:
            self._stages.append(hit.term.group)
        return True

    def _source(self, role: Role, hits: Sequence[Hit]) -> str:
        source = _CHANNELS[role].source
        if role is not Role.WANTED or not hits:
            return source
        return f"{source}.{max(hits, key=lambda hit: hit.weight).term.group}"

    def _describe(self, hits: Sequence[Hit]) -> str:
        by_group: dict[str, list[str]] = {}
        for hit in hits:
            note = "" if hit.exactness is Exactness.CHARACTERS else " (by its sound)"
            note += "" if hit.offer or not hit.role.is_meant else " (only mentioned)"
            by_group.setdefault(hit.term.group, []).append(f"{hit.term.text}{note}")
        groups = self._matcher.lexicon.groups
        return "; ".join(f"{groups[name].title}: {', '.join(terms)}" for name, terms in by_group.items())


def _faded(hits: Iterable[Hit]) -> float:
    weights = sorted((hit.weight for hit in hits), reverse=True)
    return sum(weight * _FADING**rank for rank, weight in enumerate(weights))
