"""Signals: extractors of evidence. They only observe; they never act."""
