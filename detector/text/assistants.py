"""Whether words of an answering assistant are its own, or a caller's who talks about one.

"我是机主的语音助理，请留言" and "the person you are calling is not available" are an assistant's. "你是语音助理吗",
"is this a voicemail?" and "麻烦转告机主" are what people say to one, and "打你手机老说您拨打的用户已关机"
tells of another. A few plain rules on the words around a hit in its clause, as in `context`.
"""

import re

from detector.call import Language

__all__ = ["speaks_as_assistant"]

# Just before the term, in the normalized spelling: said of the other side, asked of it, told, wondered at, refused.
_ZH_NOT_HIS = re.compile(
    r"(?:(?:如果|要是)(?:你|他|机主|本人)?(?:现在|实在)?|(?<![为帮替])你|(?:你|这|那)(?:边|里|个|们)?(?:难道|到底|不会|莫非)?(?:又|还|就|就只)?(?:不?是|是不是|叫|算)(?:一?个|那种|什么)?"
    r"|是不是(?:你的?|一?个)?|怎么(?:还|又|老|都|总)?(?:是|有|用)(?:个|了)?|还(?:有|是|用|装|整)(?:个|上|了)?|又是(?:个|你?这个)?"
    r"|你(?:们)?(?:的|这|那|这个|那个|家)|(?:什么|啥子?|个|破|臭|这种|这个|那个)"
    r"|(?:说|提示|显示|播|讲|告诉我|以为|原来|碰到|遇到|知道|听起来像|像)(?:了|的|是|个|你?是|这是)*"
    r"|(?:跟|和|同|对着?|不(?:要|想|用|找|是)|要|让|叫|用)(?:你这个|一?个|什么|他|着)?"
    r"|(?:请|麻烦|帮我|帮忙|替我|给我|拜托|劳烦)(?:你|再|把话|一下)*)$"
)
# Anywhere before it in the clause: what was heard at an earlier try is told.
_ZH_TELLS = re.compile(r"打(?:了|过|给)?(?:你|他|去|过去|过来|电话).{0,8}(?:说|提示|显示|听到)")
# Anywhere in the turn: somebody who missed a call, or was sent to call, speaks for himself.
_ZH_CALLS_BACK = re.compile(
    r"刚才|刚刚|方才|现在(?:就)?(?:给你)?回|给你回(?:过来|过去|个)|我收到了|打你(?:的)?(?:电话|手机)"
)
_EN_CALLS_BACK = re.compile(
    r"\b(?:earlier|just now|calling you back|calling back|returning your call|asked me to|told me to|got me to)\b"
)
# Right after it: a question, or wonder.
_ZH_WONDERS = re.compile(
    r"^(?:的|那头|在接|接的|代接的?)?(?:的话|的时候|是吗|对吗|吗|么|吧|啊|呀|嘛|呢|哦|噢|哈|哇|是吧|对吧|是不是|对不对|还(?!是|没)|算什么|真|够|挺)"
)

_EN_CLAUSE = re.compile(r"[.!?;,:]")
_EN_OPENING = r"^\W*(?:(?:hello|hi|hey|oh|ah|so|wait|sorry|well|and|um|uh|huh|hmm|excuse me)\b\W*)*"
# From the start of the clause: a question to the other side.
_EN_ASKS = re.compile(
    rf"{_EN_OPENING}(?:is|are|am|was|were|isn't|aren't|do|does|did|can|could|may|should|shall|would|will"
    r"|why|how|what|who)\b"
)
# Just before the term: said of the other side, told, or of what the speaker himself does.
_EN_NOT_HIS = re.compile(
    r"(?:\b(?:you're|you are|must be|sounds like|talking to|thought (?:it|this|that) was|another|stupid"
    r"|said|says|saying|your|his|her|their|got|getting|hate|hear|heard|not|went to|goes to|straight to"
    r"|if|if (?:he|she|you|they|nobody)|i left|i'll|i will|i would|i can|i'm going to|(?:like|want|need|going) to"
    r"|let me|just|could you|can you)\b"
    r"(?:\s+(?:a|an|the|your|his|her|some|this|that|it|is|just|only|him|them))*\s*)$"
)
_EN_ASKED = re.compile(r"^[^.,;:!]{0,24}\?")
_REACH = 80


def speaks_as_assistant(before: str, after: str, language: Language) -> bool:
    """Tell from the text before and after a term of an assistant whether the speaker says it of himself.

    Mandarin is in the matcher's spelling (see normalize), English as it stands.
    """
    return _mandarin(before, after) if language == "zh" else _english(before, after)


def _mandarin(before: str, after: str) -> bool:
    if _ZH_CALLS_BACK.search(before[-_REACH:]) or _ZH_CALLS_BACK.search(after[:_REACH]):
        return False
    clause = before[-_REACH:].rpartition("。")[2]
    rest = after[:_REACH].partition("。")[0]
    return not (_ZH_NOT_HIS.search(clause) or _ZH_TELLS.search(clause) or _ZH_WONDERS.search(rest))


def _english(before: str, after: str) -> bool:
    said = before[-_REACH:].lower().replace("’", "'")
    if _EN_CALLS_BACK.search(said) or _EN_CALLS_BACK.search(after[:_REACH].lower()):
        return False
    clause = _EN_CLAUSE.split(said)[-1]
    if _EN_ASKS.search(clause) or _EN_ASKED.search(after):
        return False
    return _EN_NOT_HIS.search(clause) is None
