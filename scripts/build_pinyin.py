"""Make models/pinyin.tsv: the toneless reading of every common character, and of words that read differently.

Source: the dictionaries inside pypinyin (MIT). Importing pypinyin takes longer than starting the whole
detector and its segmentation half a millisecond a sentence; a flat table needs neither. Usage:
scripts/build_pinyin.py [--out FILE]
"""

import argparse
from pathlib import Path

from pypinyin import Style, lazy_pinyin, pinyin_dict
from pypinyin.contrib.tone_convert import to_normal
from pypinyin.phrases_dict import phrases_dict

LONGEST_WORD = 4
FIRST, LAST = 0x4E00, 0x9FA5
"""The CJK block of Unicode 1.1: what recognition and typists write."""
HEADER = """\
# Toneless pinyin. Made by scripts/build_pinyin.py from the dictionaries of pypinyin (MIT); not edited by
# hand. First part: syllable, characters. Second part, after the line "words": word, its syllables, where it
# reads differently from its characters one by one.
"""
# Readings that the source lacks or ranks below a rarer one, and that matter on the telephone.
CHARACTERS = {
    "行": "xing",
    "还": "hai",
    "率": "lv",
    "的": "de",
    "了": "le",
    "地": "di",
    "得": "de",
    "着": "zhe",
}
WORDS = {
    "还款": "huan kuan",
    "还钱": "huan qian",
    "还贷": "huan dai",
    "还清": "huan qing",
    "还上": "huan shang",
    "归还": "gui huan",
    "偿还": "chang huan",
    "月还": "yue huan",
    "应还": "ying huan",
    "代还": "dai huan",
    "还信用": "huan xin yong",
    "还花呗": "huan hua bei",
    "银行": "yin hang",
    "行长": "hang zhang",
    "我行": "wo hang",
    "本行": "ben hang",
    "行业": "hang ye",
    "工行": "gong hang",
    "建行": "jian hang",
    "农行": "nong hang",
    "招行": "zhao hang",
    "中行": "zhong hang",
    "交行": "jiao hang",
    "重复": "chong fu",
    "重装": "chong zhuang",
    "家长": "jia zhang",
    "会计": "kuai ji",
    "首都": "shou du",
    "调查": "diao cha",
    "调取": "diao qu",
    "参差": "cen ci",
    "重拨": "chong bo",
    "睡着": "shui zhao",
    "着火": "zhao huo",
    "着急": "zhao ji",
}


def toneless(reading: str) -> str:
    return to_normal(reading, v_to_u=False).replace("ü", "v")


def character_readings() -> dict[str, str]:
    readings: dict[str, str] = {}
    for code in range(FIRST, LAST + 1):
        if code in pinyin_dict.pinyin_dict:
            syllable = lazy_pinyin(chr(code), style=Style.NORMAL)[0]
            if syllable.isascii() and syllable.isalpha():
                readings[chr(code)] = syllable
    return readings | CHARACTERS


def read_by_parts(word: str, readings: dict[str, str], words: dict[str, str]) -> str:
    """Read `word` as detector.text.pinyin will: longest known word first, else the character."""
    syllables: list[str] = []
    at = 0
    while at < len(word):
        for length in range(min(LONGEST_WORD, len(word) - at), 1, -1):
            if (known := words.get(word[at : at + length])) is not None:
                syllables += known.split()
                at += length
                break
        else:
            syllables.append(readings[word[at]])
            at += 1
    return " ".join(syllables)


def word_readings(readings: dict[str, str]) -> dict[str, str]:
    """Shortest words first: a longer one is kept only where its parts do not give its reading."""
    words: dict[str, str] = {}
    candidates = {
        word: " ".join(toneless(syllable[0]) for syllable in syllables)
        for word, syllables in phrases_dict.items()
        if 2 <= len(word) <= LONGEST_WORD and len(word) == len(syllables) and all(c in readings for c in word)
    } | WORDS
    for word, reading in sorted(candidates.items(), key=lambda item: (len(item[0]), item[0])):
        if read_by_parts(word, readings, words) != reading:
            words[word] = reading
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parent.parent / "models" / "pinyin.tsv"
    parser.add_argument("--out", type=Path, default=default)
    out: Path = parser.parse_args().out
    readings = character_readings()
    by_syllable: dict[str, list[str]] = {}
    for character, syllable in readings.items():
        by_syllable.setdefault(syllable, []).append(character)
    words = word_readings(readings)
    lines = [f"{syllable}\t{''.join(by_syllable[syllable])}" for syllable in sorted(by_syllable)]
    lines += ["words", *(f"{word}\t{words[word]}" for word in sorted(words))]
    out.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(readings)} characters, {len(by_syllable)} syllables, {len(words)} words: {out.name}")


if __name__ == "__main__":
    main()
