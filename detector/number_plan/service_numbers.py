"""China's service numbers: who may be called under them, and who therefore is claimed by showing them."""

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Claim", "ServiceNumber", "find_service", "is_leased", "is_toll_free"]

Claim = Literal[
    "airline",
    "anti_fraud",
    "authority",
    "bank",
    "courier",
    "emergency",
    "insurer",
    "operator",
    "payment",
    "police",
    "railway",
    "shop",
    "utility",
]
"""Whom a number claims to be."""


@dataclass(frozen=True, slots=True)
class ServiceNumber:
    """A number known by heart; `claim` None where the range says no more than that a company holds it."""

    claim: Claim | None
    en: str
    zh: str
    sells: bool = False
    """Used for nothing but selling by telephone."""


_KNOWN = {
    "110": ServiceNumber("police", "police emergency line", "报警电话"),
    "12110": ServiceNumber("police", "police text-message line", "短信报警"),
    "114": ServiceNumber("operator", "directory enquiries", "查号台"),
    "119": ServiceNumber("emergency", "fire brigade", "火警"),
    "120": ServiceNumber("emergency", "ambulance", "急救中心"),
    "122": ServiceNumber("police", "traffic police", "交通事故报警"),
    "999": ServiceNumber("emergency", "Red Cross ambulance", "红十字急救"),
    "96110": ServiceNumber("anti_fraud", "anti-fraud centre", "反诈中心"),
    "10000": ServiceNumber("operator", "China Telecom", "中国电信"),
    "10001": ServiceNumber("operator", "China Telecom sales", "中国电信营销", sells=True),
    "10010": ServiceNumber("operator", "China Unicom", "中国联通"),
    "10016": ServiceNumber("operator", "China Unicom sales", "中国联通营销", sells=True),
    "10018": ServiceNumber("operator", "China Unicom VIP line", "中国联通贵宾"),
    "10085": ServiceNumber("operator", "China Mobile sales", "中国移动营销", sells=True),
    "10086": ServiceNumber("operator", "China Mobile", "中国移动"),
    "10099": ServiceNumber("operator", "China Broadnet", "中国广电"),
    "11183": ServiceNumber("courier", "EMS", "邮政速递"),
    "11185": ServiceNumber("courier", "China Post", "中国邮政"),
    "12123": ServiceNumber("authority", "traffic administration", "交管"),
    "12306": ServiceNumber("railway", "China Railway", "中国铁路"),
    "12345": ServiceNumber("authority", "city government hotline", "政务服务热线"),
    "12368": ServiceNumber("authority", "courts", "法院"),
    "95017": ServiceNumber("payment", "Tencent", "腾讯"),
    "95118": ServiceNumber("shop", "JD.com", "京东"),
    "95188": ServiceNumber("payment", "Alipay", "支付宝"),
    "95311": ServiceNumber("courier", "ZTO Express", "中通快递"),
    "95338": ServiceNumber("courier", "SF Express", "顺丰"),
    "95353": ServiceNumber("courier", "Deppon", "德邦"),
    "95500": ServiceNumber("insurer", "China Pacific Insurance", "太平洋保险"),
    "95508": ServiceNumber("bank", "China Guangfa Bank", "广发银行"),
    "95511": ServiceNumber("insurer", "Ping An", "平安"),
    "95516": ServiceNumber("payment", "UnionPay", "银联"),
    "95518": ServiceNumber("insurer", "PICC", "人保"),
    "95519": ServiceNumber("insurer", "China Life", "中国人寿"),
    "95522": ServiceNumber("insurer", "Taikang", "泰康"),
    "95528": ServiceNumber("bank", "SPD Bank", "浦发银行"),
    "95530": ServiceNumber("airline", "China Eastern", "东方航空"),
    "95533": ServiceNumber("bank", "China Construction Bank", "建设银行"),
    "95539": ServiceNumber("airline", "China Southern", "南方航空"),
    "95543": ServiceNumber("courier", "STO Express", "申通快递"),
    "95546": ServiceNumber("courier", "Yunda", "韵达快递"),
    "95554": ServiceNumber("courier", "YTO Express", "圆通速递"),
    "95555": ServiceNumber("bank", "China Merchants Bank", "招商银行"),
    "95558": ServiceNumber("bank", "CITIC Bank", "中信银行"),
    "95559": ServiceNumber("bank", "Bank of Communications", "交通银行"),
    "95561": ServiceNumber("bank", "Industrial Bank", "兴业银行"),
    "95566": ServiceNumber("bank", "Bank of China", "中国银行"),
    "95567": ServiceNumber("insurer", "New China Life", "新华保险"),
    "95568": ServiceNumber("bank", "Minsheng Bank", "民生银行"),
    "95577": ServiceNumber("bank", "Hua Xia Bank", "华夏银行"),
    "95580": ServiceNumber("bank", "Postal Savings Bank", "邮储银行"),
    "95583": ServiceNumber("airline", "Air China", "国航"),
    "95588": ServiceNumber("bank", "ICBC", "工商银行"),
    "95595": ServiceNumber("bank", "China Everbright Bank", "光大银行"),
    "95598": ServiceNumber("utility", "State Grid", "国家电网"),
    "95599": ServiceNumber("bank", "Agricultural Bank of China", "农业银行"),
}

_RANGES = (
    # 953 to 955 have 5 digits and 956 has 6; any other length of them is no number at all.
    (
        re.compile(r"95[345]\d\d|956\d{3}"),
        ServiceNumber("bank", "bank, insurer or airline line", "金融或航空客服"),
    ),
    (re.compile(r"100[0-9]{2}"), ServiceNumber("operator", "operator line", "运营商")),
    # The operators put digits after their number when they call out to sell.
    (
        re.compile(r"(10086|10010|10000)\d{1,6}"),
        ServiceNumber("operator", "operator's outbound line", "运营商外呼", sells=True),
    ),
    (re.compile(r"123\d\d|121\d\d"), ServiceNumber("authority", "public service line", "公共服务热线")),
    (re.compile(r"111\d\d|11[2-9]\d\d"), ServiceNumber("utility", "public service line", "公共服务热线")),
    (re.compile(r"1010\d{4}"), ServiceNumber(None, "nationwide company line", "全国统一客服")),
    (re.compile(r"96\d{3,4}"), ServiceNumber(None, "local service line", "本地服务热线")),
)

_LEASED = re.compile(r"95[0127]\d{2,15}")
"""950, 951 and 957 have 5 digits, 952 has 6, and the holder may add digits; 5 digits of 952 are tolerated."""
_TOLL_FREE = re.compile(r"[48]00\d{7}")


def find_service(digits: str) -> ServiceNumber | None:
    """Return what is known of a service number written in full, None where `digits` is none."""
    if digits in _KNOWN:
        return _KNOWN[digits]
    return next((service for pattern, service in _RANGES if pattern.fullmatch(digits)), None)


def is_leased(digits: str) -> bool:
    """Whether `digits` is an access number leased to whoever pays: 950, 951, 952 and 957."""
    return _LEASED.fullmatch(digits) is not None


def is_toll_free(digits: str) -> bool:
    """Whether `digits` is a 400 or 800 number: these receive calls and cannot make any."""
    return _TOLL_FREE.fullmatch(digits) is not None
