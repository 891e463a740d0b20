"""Speak every text of prompts.toml and write audio_fixtures/prompts with its manifest.

    python scripts/render_prompts.py [--out DIR] [--force]

Prompts whose text, voice and speed are those of the manifest are kept as they are.
"""

import argparse
import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from detector.audio.frames import SAMPLE_RATE
from detector.dialogue.acts import Act
from voices import Kokoro, prepare_cache

HERE = Path(__file__).resolve().parent
MADE_BY = "scripts/render_prompts.py: Kokoro-82M (Apache-2.0), active speech at -20 dBFS, 8 kHz 16-bit"


def wanted_rows(texts: Path) -> Iterator[dict[str, Any]]:
    """Yield one manifest row for each wording, without what only the audio tells."""
    content = tomllib.loads(texts.read_text("utf-8"))
    for language in ("zh", "en"):
        section = content[language]
        blend = "+".join(f"{name}:{weight:g}" for name, weight in section["voice"].items())
        for act in Act:
            speed = section["speeds"].get(act, section["speed"])
            for number, text in enumerate(section["texts"][act], 1):
                row_id = f"{language}-{act.replace('_', '-')}-{number}"
                key = {"key": str(number)} if act is Act.PRESS_KEY else {}
                yield {
                    "id": row_id,
                    "act": str(act),
                    "language": language,
                    "text": text,
                    "file": f"{row_id}.wav",
                    "voice": f"{blend}@{speed:g}",
                    **key,
                }


def blend_of(voice: str) -> tuple[dict[str, float], float]:
    """Read "name:weight+name:weight@speed" back."""
    names, speed = voice.split("@")
    return {name: float(weight) for name, weight in (part.split(":") for part in names.split("+"))}, float(
        speed
    )


def known_rows(out: Path) -> dict[str, dict[str, Any]]:
    manifest = out / "manifest.json"
    if not manifest.exists():
        return {}
    rows = json.loads(manifest.read_text("utf-8"))["prompts"]
    return {row["id"]: row for row in rows if (out / row["file"]).exists()}


def render(rows: list[dict[str, Any]], out: Path, *, force: bool) -> int:
    """Speak what changed; return how many were spoken."""
    import soundfile  # noqa: PLC0415 - heavy

    known = {} if force else known_rows(out)
    engine: Kokoro | None = None
    spoken = 0
    for row in rows:
        before = known.get(row["id"], {})
        if all(before.get(key) == value for key, value in row.items()):
            row.update(before)
            continue
        engine = engine or Kokoro(prepare_cache())
        blend, speed = blend_of(row["voice"])
        samples = engine.speak(row["text"], row["language"], blend, speed)
        path = out / row["file"]
        soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16")
        row["seconds"] = round(len(samples) / SAMPLE_RATE, 3)
        row["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        spoken += 1
        print(f"{row['seconds']:6.2f} s  {row['id']}", flush=True)
    return spoken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=HERE.parent / "audio_fixtures" / "prompts")
    parser.add_argument("--force", action="store_true", help="speak everything again")
    arguments = parser.parse_args()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    rows = list(wanted_rows(HERE / "prompts.toml"))
    spoken = render(rows, out, force=arguments.force)
    for stray in sorted({path.name for path in out.glob("*.wav")} - {row["file"] for row in rows}):
        (out / stray).unlink()
    content = {"made_by": MADE_BY, "licence": "Apache-2.0", "prompts": rows}
    (out / "manifest.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{len(rows)} prompts, {spoken} spoken, {sum(row['seconds'] for row in rows):.0f} s")


if __name__ == "__main__":
    main()
