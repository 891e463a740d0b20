"""Configuration: one TOML file, read into typed settings; every key is described in docs/agent.example.toml."""

from detector.config.load import load_settings, placed
from detector.config.settings import Settings

__all__ = ["Settings", "load_settings", "placed"]
