"""China's area codes and the province that each belongs to; and what a landline number looks like.

Codes stand without the trunk prefix 0. Codes of merged areas (0378, 0732, 0910 …) are kept, for they still
appear on old lines and in forged numbers. Source: the national numbering plan (电信网编号计划, 2017 edition).
"""

from typing import NamedTuple

__all__ = ["AREA_CODES", "Province", "landline_province", "split_area"]


class Province(NamedTuple):
    """A province-level division, by its Chinese and its English name."""

    zh: str
    en: str


_CODES_OF_PROVINCE = {
    Province("北京", "Beijing"): "10",
    Province("上海", "Shanghai"): "21",
    Province("天津", "Tianjin"): "22",
    Province("重庆", "Chongqing"): "23",
    Province("河北", "Hebei"): "310-319 335",
    Province("山西", "Shanxi"): "349-359",
    Province("河南", "Henan"): "370-379 391-396 398",
    Province("辽宁", "Liaoning"): "24 410-419 421 427 429",
    Province("吉林", "Jilin"): "431-439",
    Province("黑龙江", "Heilongjiang"): "451-459 464 467-469",
    Province("内蒙古", "Inner Mongolia"): "470-479 482 483",
    Province("江苏", "Jiangsu"): "25 510-519 523 527",
    Province("山东", "Shandong"): "530-539 543 546 631-635",
    Province("安徽", "Anhui"): "550-559 561-566",
    Province("浙江", "Zhejiang"): "570-580",
    Province("福建", "Fujian"): "591-599",
    Province("广东", "Guangdong"): "20 660 662 663 668 750-760 762 763 766 768 769",
    Province("湖北", "Hubei"): "27 710-719 722 724 728",
    Province("湖南", "Hunan"): "730-739 743-746",
    Province("广西", "Guangxi"): "770-779",
    Province("江西", "Jiangxi"): "701 790-799",
    Province("四川", "Sichuan"): "28 812 813 816-818 825-827 830-839",
    Province("贵州", "Guizhou"): "851-859",
    Province("云南", "Yunnan"): "691 692 870-879 883 886-888",
    Province("西藏", "Tibet"): "891-897",
    Province("海南", "Hainan"): "890 898 899",
    Province("陕西", "Shaanxi"): "29 910-917 919",
    Province("甘肃", "Gansu"): "930-939 941 943",
    Province("宁夏", "Ningxia"): "951-955",
    Province("青海", "Qinghai"): "970-977 979",
    Province("新疆", "Xinjiang"): "901-903 906 908 909 990-999",
}


def _spread(codes: str) -> list[str]:
    spread: list[str] = []
    for part in codes.split():
        first, _, last = part.partition("-")
        spread += [str(code) for code in range(int(first), int(last or first) + 1)]
    return spread


AREA_CODES: dict[str, Province] = {
    code: province for province, codes in _CODES_OF_PROVINCE.items() for code in _spread(codes)
}


def split_area(digits: str) -> tuple[str, str] | None:
    """Split `digits`, written without the trunk prefix 0, into a known area code and the rest."""
    for length in (2, 3):
        if digits[:length] in AREA_CODES:
            return digits[:length], digits[length:]
    return None


def landline_province(digits: str) -> Province | None:
    """Return the province of a landline number written without the trunk prefix 0, None where it is none.

    Subscriber numbers have 7 or 8 digits and begin with 2 to 8: what follows an area code and begins with 1
    or 9 is a service number that some network put an area code before.
    """
    split = split_area(digits)
    if split is None:
        return None
    code, subscriber = split
    is_subscriber = len(subscriber) in (7, 8) and subscriber[0] in "2345678"
    return AREA_CODES[code] if is_subscriber else None
