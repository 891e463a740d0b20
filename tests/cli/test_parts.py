"""What the commands load: without the text model the calls are still judged, and the log says so."""

import logging
from pathlib import Path

import pytest

from detector.cli.parts import load_parts
from detector.text import intent


def test_the_text_model_is_part_of_the_engine() -> None:
    assert load_parts().intent is not None


def test_a_broken_text_model_is_warned_of_by_name_and_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "intent.json").write_text("{", encoding="utf-8")
    monkeypatch.setattr(intent, "models_dir", lambda: tmp_path)
    with caplog.at_level(logging.WARNING):
        parts = load_parts()
    assert parts.intent is None
    assert "going on without the text model" in caplog.text
    assert "intent.json" in caplog.text
