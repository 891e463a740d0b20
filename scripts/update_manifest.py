#!/usr/bin/env python3
"""Bring models/manifest.json up to date after a shipped file has changed.

Sizes and hashes are computed again. A file under models/ that the manifest does not name gets an entry whose
source, licence and making a person must fill in: until then the script ends with 1. A file that is gone loses
its entry.
"""

import json
import sys
from typing import Any

from detector.errors import ModelError
from detector.resources import fixtures_dir, models_dir
from detector.speech.model_manifest import sha256_of, shipped_path

TO_FILL_IN = ("source", "licence", "made")
ALSO = ("prompts/manifest.json", "demo/manifest.json")
"""Manifests of audio: each names the hashes of its own files."""


def shipped_files() -> list[str]:
    models = [
        f"models/{path.relative_to(models_dir()).as_posix()}"
        for path in models_dir().rglob("*")
        if path.is_file() and path.name != "manifest.json"
    ]
    audio = [f"audio_fixtures/{name}" for name in ALSO if (fixtures_dir() / name).is_file()]
    return sorted(models + audio)


def entry_of(file: str, known: dict[str, Any]) -> dict[str, Any]:
    path = shipped_path(file)
    told = known.get(file, {})
    entry = {
        "name": told.get("name") or file.partition("/")[2].rpartition(".")[0].replace("/", "-"),
        "file": file,
        "size": path.stat().st_size,
        "sha256": sha256_of(path),
    }
    return entry | {key: told.get(key, "") for key in TO_FILL_IN}


def main() -> int:
    path = models_dir() / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    known = {entry["file"]: entry for entry in manifest["shipped"]}
    entries = [entry_of(file, known) for file in shipped_files()]
    for entry in entries:
        if entry != known.get(entry["file"]):
            print(f"updated: {entry['file']}")
    for file in sorted(set(known) - {entry["file"] for entry in entries}):
        print(f"gone: {file}")
    manifest["shipped"] = entries
    path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    empty = [f"{entry['file']} ({key})" for entry in entries for key in TO_FILL_IN if not entry[key]]
    for one in empty:
        print(f"{path.name}: fill in by hand: {one}", file=sys.stderr)
    return 1 if empty else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ModelError as error:
        sys.exit(f"update_manifest: {error}")
