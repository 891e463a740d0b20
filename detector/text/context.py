"""Whether words are offered, or only talked about: a few plain rules on the words around a hit.

"不办贷款", "我不是推销" and "你上次问我那个房贷" name what they do not offer. The rules look at
one clause and damp a hit, they never delete it: a telemarketer who denies that he sells is still one.
"""

import re

from detector.call import Language

__all__ = ["is_offered"]

# Just before the term, in the normalized spelling: the speaker denies it.
_ZH_DENIED = re.compile(
    r"(?:(?<!是)不是(?:来|在|要|做|搞|跟你|给你|什么|那种)?"
    r"|(?<!要)不(?:办|做|卖|搞|推|推荐|需要|要|想|会|再|收|买|管)(?:你的|什么|任何)?"
    r"|(?<!有)没(?:有)?(?:在)?(?:办|做|卖|搞|推|要|叫你|让你)(?:什么|任何|过)?"
    r"|别(?:再)?(?:办|做|碰|信|买|给我|跟我|找)?(?:什么|那种)?"
    r"|险些|差一?点儿?(?:没|就|要)?|拒绝|取消了?|谁(?:要|跟你|给你)|哪(?:是|有)(?:什么)?"
    r"|小心|当心|谨防|不要(?:相信|点|下载|办|做|信)|千万(?:别|不要)(?:信|点|办|做)?)$"
)
# Anywhere before it in the clause: an earlier talk between acquaintances, or something told about others.
# 咨询, 了解 and 申请 are missing on purpose: "您之前咨询过贷款" is an opener of telemarketers.
_ZH_TALKED_ABOUT = re.compile(
    r"你(?:上次|那天|昨天|之前|前天|上回|不是)?(?:问|让|叫|托|拜托|跟|和)(?:过)?(?:我|俺|咱)"
    r"|(?:帮|替|给)你(?:问|打听|查|打探|看)(?:了|过|到|好)"
    r"|(?:上次|那天|昨天|上回)(?:跟你|和你|咱俩|咱们俩)?(?:说|聊|提|讲)(?:的|到|起|过)"
    r"|我(?:自己|家|妈|爸|儿子|老公|老婆|媳妇)?(?:也|刚|在|正|去年|上个?月)(?:办|买|还|背|做)(?:了|着)?"
    r"|(?:骗子|诈骗|推销|骚扰|老有人|总有人|有人)(?:电话)?(?:说|打|让|叫|问|给我|跟我)"
)
_ZH_AFTER_TALKED_ABOUT = re.compile(r"^(?:的?那事|事(?![项业情故]))|^(?:是假的|是骗|都是骗|骗)")
_ZH_QUESTION = re.compile(r"(?:吗|么|吧|呢)")

_EN_DENIED = re.compile(
    r"(?:\b(?:not|never|no|without|don't|isn't|aren't|wasn't|stop|nothing|beware of|hate)\b"
    r"(?:\s+(?:a|an|any|the|about|selling|offering|calling|from|your|to|sell|offer|want|need|with|do|is|this)\b){0,4}\s*)$"
)
_EN_TALKED_ABOUT = re.compile(
    r"\byou (?:asked|wanted|told) (?:me|us)\b|\blast (?:time|week) (?:you|we)\b|\bwe (?:talked|spoke) about\b"
    r"|\bremember (?:when|that)\b|\b(?:scammers?|someone) (?:keeps?|called|calling)\b|\bmy own\b"
)
_EN_CLAUSE = re.compile(r"[.!?;,:]")
_REACH = 24


def is_offered(before: str, after: str, language: Language) -> bool:
    """Tell from the text before and after a hit whether the caller offers what it names.

    Mandarin is in the matcher's spelling (see normalize), English as it stands. Only the clause next to the
    hit is looked at.
    """
    return _mandarin(before, after) if language == "zh" else _english(before)


def _mandarin(before: str, after: str) -> bool:
    clause = before[-_REACH:].rpartition("。")[2]
    rest = after[:_REACH].partition("。")[0]
    # "不需要贷款吗" asks, and so offers.
    if _ZH_DENIED.search(clause) and not _ZH_QUESTION.search(rest[:6]):
        return False
    return not (_ZH_TALKED_ABOUT.search(clause) or _ZH_AFTER_TALKED_ABOUT.search(rest))


def _english(before: str) -> bool:
    sentence = before[-80:].lower().replace("’", "'")
    clause = _EN_CLAUSE.split(sentence)[-1]
    return not (_EN_DENIED.search(clause) or _EN_TALKED_ABOUT.search(re.split(r"[.!?]", sentence)[-1]))
