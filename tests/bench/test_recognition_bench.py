import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from detector.audio.frames import SAMPLE_RATE, Samples
from detector.bench import report
from detector.bench.clips import SpokenClip, real_speakers, synthetic_voices
from detector.bench.fitting import Timing, fit
from detector.bench.recognition import Windowed, compare, cpu_seconds, describe_machine
from detector.bench.report import BenchReport, run_bench, write_latency
from detector.call import Language
from detector.errors import InputError, ModelError
from detector.resources import models_dir
from detector.speech.latency import LatencyModel
from detector.speech.transcript import Transcript


class Scripted:
    """Says what it was told to, and uses the processor as long as told."""

    second_passes = 0

    def __init__(self, texts: dict[int, str], seconds: float) -> None:
        self.texts = texts
        self.seconds = seconds
        self.asked: list[int] = []

    def recognize(self, samples: Samples, language: Language) -> str:
        until = cpu_seconds() + self.seconds
        while cpu_seconds() < until:
            pass
        self.asked.append(len(samples))
        return self.texts[len(samples)]


class ScriptedWindowed(Scripted, Windowed):
    pass


CLIPS = [SpokenClip(str(n), np.zeros(n, np.int16), "今天天气很好", "zh") for n in (80, 160, 240, 320)]


def test_both_hear_every_clip_in_turns_and_are_scored() -> None:
    ours = ScriptedWindowed({80: "今天天气很好", 160: "今天天汽很好", 240: "", 320: "好好好好好"}, 0.002)
    theirs = Scripted(dict.fromkeys((80, 160, 240, 320), "今天天气很好"), 0.02)
    told: list[tuple[int, int]] = []
    result = compare(CLIPS, ours, theirs, lambda done, total: told.append((done, total)))
    assert ours.asked == theirs.asked == [80, 80, 160, 240, 320]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (result.clips, result.units) == (4, 24)
    assert result.windowed.error_rate == pytest.approx((0 + 1 + 6 + 5) / 24, abs=1e-4)
    assert (result.windowed.loops, result.padded.loops) == (1, 0)
    assert result.difference.low <= result.difference.value <= result.difference.high
    assert result.times_less_cpu > 3
    assert json.loads(json.dumps(result.as_json()))["times_less_cpu"] == round(result.times_less_cpu, 2)


def timing(speech: float, text: str, passes: int, model: LatencyModel) -> Timing:
    transcript = Transcript(text, "zh", -0.3, passes=passes)
    return Timing(speech, transcript, model.seconds(speech, transcript))


def test_a_latency_model_is_found_again() -> None:
    true = LatencyModel(0.08, 0.03, 0.009, 0.4)
    timings = [timing(n / 4, "字" * (n % 7), 1 + (n % 5 == 0), true) for n in range(1, 30)]
    found = fit(timings)
    assert found.model.seconds(3.0, timings[0].transcript) == pytest.approx(
        true.seconds(3.0, timings[0].transcript)
    )
    assert found.second_passes == 5
    assert found.p95 < 1e-9


def test_no_coefficient_is_negative() -> None:
    timings = [Timing(n, Transcript("字" * n, "zh", -0.3), 1.0 - 0.01 * n) for n in range(1, 20)]
    model = fit(timings).model
    assert min(model.base, model.per_second, model.per_character, model.second_pass) >= 0
    assert model.second_pass == 0


def test_the_latency_model_that_ships_is_plausible() -> None:
    model = LatencyModel.load()
    heard = Transcript("您好，请问您是哪位", "zh", -0.3)
    once = model.seconds(3.0, heard)
    assert 0.01 < once < 3.0
    assert model.seconds(6.0, heard) >= once
    assert model.scaled(2.0).seconds(3.0, heard) == pytest.approx(2 * once)


def test_a_wrong_latency_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"latency\.json: missing"):
        LatencyModel.load(tmp_path / "latency.json")
    (tmp_path / "latency.json").write_text('{"coefficients": {"base": 1}}', encoding="utf-8")
    with pytest.raises(ModelError, match="no latency model"):
        LatencyModel.load(tmp_path / "latency.json")


def test_real_speakers_are_read_through_the_line_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "aishell3"
    folder.mkdir()
    time = np.arange(16_000) / 16_000
    for name in ("b.flac", "a.flac"):
        soundfile.write(folder / name, 0.3 * np.sin(2 * np.pi * 440 * time), 16_000)
    (folder / "manifest.tsv").write_text(
        "file\tspeaker\tseconds\ttranscript\nb.flac\tS2\t1\t第二\na.flac\tS1\t1\t第一\n", encoding="utf-8"
    )
    first, second = real_speakers(tmp_path)
    assert (first.speaker, first.text, second.text) == ("S1", "第一", "第二")
    assert len(first.samples) == SAMPLE_RATE
    assert first.samples.dtype == np.int16


def test_missing_speakers_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"aishell3/manifest\.tsv: cannot be read \(No such file"):
        real_speakers(tmp_path)


def test_without_anything_to_measure_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "synthetic_voices", list)
    with pytest.raises(InputError, match="nothing to measure on"):
        run_bench(tmp_path)


def test_the_prompts_that_ship_are_synthetic_voices() -> None:
    clips = synthetic_voices()
    assert {clip.language for clip in clips} == {"zh", "en"}
    assert all(clip.text and clip.seconds > 0.3 for clip in clips)


def test_the_report_names_machine_versions_and_what_was_not_measured(tmp_path: Path) -> None:
    found = fit([timing(n / 2, "字" * n, 1, LatencyModel(0.1, 0.02, 0.01, 0.0)) for n in range(1, 9)])
    written = BenchReport(describe_machine(), 1, None, {}, found)
    text = "\n".join(written.lines())
    assert "ctranslate2" in text
    assert "real speakers: not measured: name a folder with --data" in text
    assert "synthetic voices: not measured" in text
    assert json.loads(json.dumps(written.as_json()))["real"] is None
    write_latency(tmp_path / "latency.json", written, "2026-01-31")
    heard = Transcript("字字", "zh", -0.3)
    assert LatencyModel.load(tmp_path / "latency.json").seconds(1.0, heard) == pytest.approx(0.14, abs=1e-3)
    with pytest.raises(InputError):
        write_latency(
            tmp_path / "none.json", BenchReport(describe_machine(), 1, None, {}, None), "2026-01-31"
        )


def test_the_shipped_latency_file_tells_how_it_was_made() -> None:
    content = json.loads((models_dir() / "latency.json").read_text(encoding="utf-8"))
    assert content["timings"] > 50
    assert {"machine", "day", "residual"} <= set(content)
