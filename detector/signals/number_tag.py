"""What the tag of a number says: "loan", "快递", "骚扰电话".

Applications that identify callers share such tags, users set their own. They are weak evidence: they age while numbers
change hands, a campaign's next number has none, and a courier's is tagged as a seller's by whoever was disturbed by
him. What they weigh is a judgement and was measured on nothing: no call that we have carries one.
"""

import re
from typing import Final

from detector.call import NumberTag
from detector.text.categories import UNWANTED, WANTED

__all__ = ["tag_llr"]

_OWN_LLR = 0.8
_OTHERS_LLR = 0.4
"""Half as much: nobody here has looked at it."""

_UNWANTED_WORDS: Final = """
    unwanted spam scam fraud robocall telemarketing telemarketer sales
    骚扰 诈骗 欺诈 疑似诈骗 疑似骚扰 恶意 响一声 高频 高频呼叫 推销 业务推销 广告 广告推销 营销 电信推销
    中介 房产 房产中介 房产推销 贷款 贷款理财 理财 股票 保险 保险理财 保险推销 教育 教育培训 培训
    催收 违规催收 装修 招聘 猎头
"""
_WANTED_WORDS: Final = """
    wanted courier taxi doctor hospital colleague landlord
    快递 快递送餐 快递外卖 外卖 送餐 打车 出租车 网约车 司机 医院 医生 学校 老师
    家人 亲戚 朋友 同学 同事 客户 物业 房东 邻居 政府 政务 社区 银行 维修 公共服务
"""
_UNWANTED: Final = frozenset((*UNWANTED, *_UNWANTED_WORDS.split()))
_WANTED: Final = frozenset((*WANTED, *_WANTED_WORDS.split()))


def tag_llr(tag: NumberTag) -> float:
    """Return the log-likelihood ratio of a tag (natural log, unwanted against wanted), 0.0 where it tells nothing."""
    word = re.sub(r"(?:电话|号码|来电)$", "", tag.text.strip().casefold())
    weight = _OWN_LLR if tag.is_own else _OTHERS_LLR
    if word in _UNWANTED:
        return weight
    return -weight if word in _WANTED else 0.0
