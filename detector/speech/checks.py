"""Checks on what whisper wrote: loops, too many tokens, improbable text, and phrases that nobody said.

Whisper was trained on subtitles. Given no speech, or a window that it does not know, it repeats itself or
signs off as a subtitle would. A first pass that fails a check is tried again on a longer window; what still
fails is repaired (`collapse_loops`, `strip_credits`) or given up as no speech (`is_speech`).

A loop is a unit of 1 character or word 4 times in a row, of 2 to 4 three times, of 5 to 24 twice. Words
are the units of scripts with spaces, characters those of Chinese. Digits need 8 in a row: 八八八八 is said.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Failure", "Limits", "collapse_loops", "find_failures", "has_loop", "is_speech", "strip_credits"]


class Failure(StrEnum):
    LOOP = "loop"
    TOO_MANY_TOKENS = "too many tokens"
    IMPROBABLE = "improbable"


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a transcript stops to be believed."""

    tokens_per_second: float = 10.0
    tokens_always: int = 10
    """New tokens allowed: `tokens_per_second` x seconds of speech + `tokens_always`."""
    retry_log_probability: float = -1.0
    """Natural log a token: a first pass below it gets a second."""
    speech_log_probability: float = -1.35
    """Text below it is taken for no speech."""
    doubtful_no_speech: float = 0.4
    """From this probability of no speech on, text must be free of loops and as probable as the next says.
    Highest on 85 clips of real speakers: 0.43; lowest on 42 noises, tones and chords: 0.40."""
    doubtful_log_probability: float = -0.8
    certain_no_speech: float = 0.6
    """From it on, a pass that fails a check gets no second: there is nothing to hear."""
    credit_log_probability: float = -0.6
    """A polite phrase alone, which is as often made up as said, is believed above it."""

    def new_tokens(self, seconds: float) -> int:
        """Return how many tokens `seconds` of speech can need."""
        return int(self.tokens_per_second * seconds) + self.tokens_always


_UNITS = re.compile(r"[㐀-䶿一-鿿]|[^\W_㐀-䶿一-鿿]+(?:['’][^\W_]+)*")
_DIGITS = frozenset("零〇一二三四五六七八九幺两0123456789")
_DIGITS_IN_A_ROW = 8
_TIMES = {1: 4, 2: 3, 3: 3, 4: 3} | dict.fromkeys(range(5, 25), 2)
"""By length of the unit: how often in a row makes a loop."""

_CREDITS = re.compile(
    r"""
    (?:中文)?字幕[^，。,!！?？\s]{0,16}(?:提供|制作|製作|志愿者|志願者|by|组|組)[^，。,.!！?？]{0,20}
    | (?:优优)?独播剧场\S{0,20}YoYo\s*Television\s*Series\s*Exclusive | YoYo\s*Television\s*Series\s*Exclusive
    | (?:请|請)?(?:不吝)?\s*点赞\s*[，,、\s]*(?:订阅|关注)[^。!！]{0,24}
    | (?:欢迎|请|记得)?(?:订阅|点赞|关注)(?:我们|我|本)?的?(?:频道|栏目)
    | 打赏支持明镜与点点栏目 | 明镜(?:与|需要您的)[^。]{0,12}
    | (?:多?谢谢?|感谢)(?:大家|各位|您|你)?的?(?:观看|收看|收听)
    | (?:我们)?下(?:期|集|个视频)(?:再见|见)
    | 本(?:视频|字幕|节目)由[^。]{0,24}
    | thanks?\s+(?:you\s+)?(?:so\s+much\s+)?for\s+(?:watching|listening|viewing)[^.!?]{0,20}
    | (?:please\s+)?like\s+and\s+subscribe[^.!?]{0,30}
    | (?:please\s+|don'?t\s+forget\s+to\s+)?subscribe\s+to\s+(?:my|our|the)\s+channel[^.!?]{0,30}
    | (?:subtitles?|captions?|transcription)\s+by\s+[^!?，。]{0,40}
    | (?:www\.)?(?:amara|zeoranger|otter)\s*\.\s*(?:org|ai|co\.uk)\S{0,20}
    | see\s+you\s+(?:in\s+the\s+)?next\s+(?:video|time\s+on)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OFTEN_MADE_UP = frozenset(
    {
        "谢谢",
        "作词",
        "作曲",
        "作词作曲",
        "词曲",
        "编曲",
        "中文字幕",
        "字幕制作",
        "字幕制作人",
        "字幕制作曲",
        "驾驶",
        "来吧",
        "谢谢大家",
        "谢谢你",
        "再见",
        "拜拜",
        "嗯",
        "啊",
        "哦",
        "好",
        "字幕",
        "thankyou",
        "thanks",
        "you",
        "bye",
        "byebye",
        "so",
        "the",
    }
)


def has_loop(text: str) -> bool:
    return collapse_loops(text) != text


def collapse_loops(text: str) -> str:
    """Return `text` with each run of repetitions cut down to its first occurrence; the rest stays."""
    spans = [match.span() for match in _UNITS.finditer(text)]
    units = [text[start:end].lower() for start, end in spans]
    kept: list[str] = []
    copied, at = 0, 0
    while at < len(units):
        length, times = _run_at(units, at)
        if times:
            end = at + length * times
            end += _begun_again(units, at, length, end)
            kept.append(text[copied : spans[at + length - 1][1]])
            copied = spans[end - 1][1]
            at = end
        else:
            at += 1
    return "".join(kept) + text[copied:] if kept else text


def _run_at(units: list[str], at: int) -> tuple[int, int]:
    """Return the shortest unit that loops from `at` on, as its length and how often it stands there."""
    for length, needed in _TIMES.items():
        if at + length * 2 > len(units):
            break
        unit = units[at : at + length]
        times = 1
        while units[at + length * times : at + length * (times + 1)] == unit:
            times += 1
        if times >= (_DIGITS_IN_A_ROW if set(unit) <= _DIGITS else needed):
            return length, times
    return 0, 0


def _begun_again(units: list[str], at: int, length: int, end: int) -> int:
    """Return how many units at the very end begin the loop once more and were cut off."""
    rest = len(units) - end
    return rest if 0 < rest < length and units[end:] == units[at : at + rest] else 0


def strip_credits(text: str, average_log_probability: float, limits: Limits) -> str:
    """Return `text` without the sign-offs of subtitles, and empty where only a likely invention is left."""
    left = _CREDITS.sub("", text)
    if left != text and not _UNITS.search(left):
        return ""
    bare = "".join(_UNITS.findall(left)).lower()
    if bare in _OFTEN_MADE_UP and average_log_probability < limits.credit_log_probability:
        return ""
    return left.strip(" ，,、")


def find_failures(
    text: str, tokens: int, seconds: float, average_log_probability: float, limits: Limits
) -> tuple[Failure, ...]:
    """Return what speaks against a transcript of `seconds` of speech that took `tokens` tokens."""
    failures = []
    if has_loop(text):
        failures.append(Failure.LOOP)
    if tokens >= limits.new_tokens(seconds):
        failures.append(Failure.TOO_MANY_TOKENS)
    if average_log_probability < limits.retry_log_probability:
        failures.append(Failure.IMPROBABLE)
    return tuple(failures)


def is_speech(text: str, average_log_probability: float, no_speech: float, limits: Limits) -> bool:
    """Tell whether `text`, as whisper wrote it, was heard rather than made up."""
    if not _UNITS.search(text) or average_log_probability < limits.speech_log_probability:
        return False
    if no_speech < limits.doubtful_no_speech:
        return True
    return average_log_probability >= limits.doubtful_log_probability and not has_loop(text)
