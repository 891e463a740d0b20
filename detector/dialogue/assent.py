"""Finding words of assent in what the agent would say.

Dialers mark a callee who says yes as a lead, so the agent never does. 对不起 is no assent, nor is 不行; a single
syllable counts where it stands alone in its clause (对。嗯，) or carries a particle (对啊, 行吧, 好嘞).
"""

import re

from detector.call import Language

__all__ = ["words_of_assent"]

_MANDARIN = re.compile(
    r"""
    好的 | 好嘞 | 没问题 | 没错 | 当然 | 同意
    | (?<![不就但可只总要])是的(?!话|时候|人)
    | (?<!不)可以(?!吗|么|不)
    | (?<![不反针面相应])对(?:对|啊|呀|呢|的|哦|噢)
    | (?<![不银进执])行(?:行|啊|吧|呀|的)
    | (?:^|[\s，。！？；：、,.!?;:…—])(?:对|行|嗯+|好|成|是|中|哎|唉|诶)(?=$|[\s，。！？；：、,.!?;:…—])
    | 嗯
    | (?:^|[\s，。！？；：、,.!?;:…—])好(?:啊|呀|吧|好)
    """,
    re.VERBOSE,
)
_ENGLISH = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|okay|ok|alright|all\ right|of\ course|certainly|absolutely|definitely|"
    r"agreed|correct|no\ problem|uh-huh|right(?!\ now|\ away|\ back))\b",
    re.IGNORECASE,
)


def words_of_assent(text: str, language: Language) -> tuple[str, ...]:
    """Return the words in `text` that say yes, in order; empty where none does."""
    pattern = _MANDARIN if language == "zh" else _ENGLISH
    return tuple(match[0].strip(" \t\n，。！？；：、,.!?;:…—") for match in pattern.finditer(text))
