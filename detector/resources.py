"""Where the files that ship with the detector lie: in a checkout, or inside the installed package."""

from pathlib import Path

__all__ = ["fixtures_dir", "models_dir"]


def _shipped(name: str) -> Path:
    package = Path(__file__).resolve().parent
    installed = package / "_data" / name
    return installed if installed.is_dir() else package.parent / name


def models_dir() -> Path:
    """Return the folder of weights, lexicons and their manifest."""
    return _shipped("models")


def fixtures_dir() -> Path:
    """Return the folder of prompts and clips that our scripts rendered."""
    return _shipped("audio_fixtures")
