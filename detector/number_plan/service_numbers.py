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
    name: str
    sells: bool = False
    """Used for nothing but selling by telephone."""


_KNOWN = {
    "110": ServiceNumber("police", "police emergency line"),
    "12110": ServiceNumber("police", "police text-message line"),
    "114": ServiceNumber("operator", "directory enquiries"),
    "119": ServiceNumber("emergency", "fire brigade"),
    "120": ServiceNumber("emergency", "ambulance"),
    "122": ServiceNumber("police", "traffic police"),
    "999": ServiceNumber("emergency", "Red Cross ambulance"),
    "96110": ServiceNumber("anti_fraud", "anti-fraud centre"),
    "10000": ServiceNumber("operator", "China Telecom"),
    "10001": ServiceNumber("operator", "China Telecom sales", sells=True),
    "10010": ServiceNumber("operator", "China Unicom"),
    "10016": ServiceNumber("operator", "China Unicom sales", sells=True),
    "10018": ServiceNumber("operator", "China Unicom VIP line"),
    "10085": ServiceNumber("operator", "China Mobile sales", sells=True),
    "10086": ServiceNumber("operator", "China Mobile"),
    "10099": ServiceNumber("operator", "China Broadnet"),
    "11183": ServiceNumber("courier", "EMS"),
    "11185": ServiceNumber("courier", "China Post"),
    "12123": ServiceNumber("authority", "traffic administration"),
    "12306": ServiceNumber("railway", "China Railway"),
    "12345": ServiceNumber("authority", "city government hotline"),
    "12368": ServiceNumber("authority", "courts"),
    "95017": ServiceNumber("payment", "Tencent"),
    "95118": ServiceNumber("shop", "JD.com"),
    "95188": ServiceNumber("payment", "Alipay"),
    "95311": ServiceNumber("courier", "ZTO Express"),
    "95338": ServiceNumber("courier", "SF Express"),
    "95353": ServiceNumber("courier", "Deppon"),
    "95500": ServiceNumber("insurer", "China Pacific Insurance"),
    "95508": ServiceNumber("bank", "China Guangfa Bank"),
    "95511": ServiceNumber("insurer", "Ping An"),
    "95516": ServiceNumber("payment", "UnionPay"),
    "95518": ServiceNumber("insurer", "PICC"),
    "95519": ServiceNumber("insurer", "China Life"),
    "95522": ServiceNumber("insurer", "Taikang"),
    "95528": ServiceNumber("bank", "SPD Bank"),
    "95530": ServiceNumber("airline", "China Eastern"),
    "95533": ServiceNumber("bank", "China Construction Bank"),
    "95539": ServiceNumber("airline", "China Southern"),
    "95543": ServiceNumber("courier", "STO Express"),
    "95546": ServiceNumber("courier", "Yunda"),
    "95554": ServiceNumber("courier", "YTO Express"),
    "95555": ServiceNumber("bank", "China Merchants Bank"),
    "95558": ServiceNumber("bank", "CITIC Bank"),
    "95559": ServiceNumber("bank", "Bank of Communications"),
    "95561": ServiceNumber("bank", "Industrial Bank"),
    "95566": ServiceNumber("bank", "Bank of China"),
    "95567": ServiceNumber("insurer", "New China Life"),
    "95568": ServiceNumber("bank", "Minsheng Bank"),
    "95577": ServiceNumber("bank", "Hua Xia Bank"),
    "95580": ServiceNumber("bank", "Postal Savings Bank"),
    "95583": ServiceNumber("airline", "Air China"),
    "95588": ServiceNumber("bank", "ICBC"),
    "95595": ServiceNumber("bank", "China Everbright Bank"),
    "95598": ServiceNumber("utility", "State Grid"),
    "95599": ServiceNumber("bank", "Agricultural Bank of China"),
}

_RANGES = (
    # 953 to 955 have 5 digits and 956 has 6; any other length of them is no number at all.
    (
        re.compile(r"95[345]\d\d|956\d{3}"),
        ServiceNumber("bank", "bank, insurer or airline line"),
    ),
    (re.compile(r"100[0-9]{2}"), ServiceNumber("operator", "operator line")),
    # The operators put digits after their number when they call out to sell.
    (
        re.compile(r"(10086|10010|10000)\d{1,6}"),
        ServiceNumber("operator", "operator's outbound line", sells=True),
    ),
    (re.compile(r"123\d\d|121\d\d"), ServiceNumber("authority", "public service line")),
    (re.compile(r"111\d\d|11[2-9]\d\d"), ServiceNumber("utility", "public service line")),
    (re.compile(r"1010\d{4}"), ServiceNumber(None, "nationwide company line")),
    (re.compile(r"96\d{3,4}"), ServiceNumber(None, "local service line")),
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
