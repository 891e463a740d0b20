"""Robocall detector: answers unknown callers, judges them, and puts them through or hangs up.

Importing this package costs nothing: every part is imported where it is used.
"""

__version__ = "0.1.0"
