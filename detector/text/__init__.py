"""Text: normalizing, pinyin, the lexicon and matching."""
