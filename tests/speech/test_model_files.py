import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from detector.errors import ModelError
from detector.resources import models_dir
from detector.speech import model_files
from detector.speech.model_files import FileCheck, fetch, list_models, recognition_model, verify
from detector.speech.model_manifest import (
    Manifest,
    ModelFile,
    Part,
    RecognitionModel,
    ShippedFile,
    load_manifest,
    sha256_of,
    shipped_path,
)

pytestmark = pytest.mark.usefixtures("packages")
FIRST, SECOND, SETTINGS = b"first part " * 5000, b"second part " * 3000, b'{"n_mels": 80}'


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def small_model(**changed: str) -> RecognitionModel:
    whole = FIRST + SECOND
    one, two = Part("weights-1", "weights_1", "data/one"), Part("weights-2", "weights_2", "data/two")
    settings = Part("weights-2", "weights_2", "data/config.json")
    return RecognitionModel(
        "whisper-base",
        "a model",
        "a source",
        "MIT",
        "joined",
        (
            ModelFile("model.bin", len(whole), changed.get("model", digest(whole)), (one, two)),
            ModelFile("config.json", len(SETTINGS), digest(SETTINGS), (settings,)),
        ),
    )


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two installed packages that hold the parts, an empty cache, and the manifest that names them."""
    site = tmp_path / "site"
    for name, files in {
        "weights_1": {"one": FIRST},
        "weights_2": {"two": SECOND, "config.json": SETTINGS},
    }.items():
        (site / name / "data").mkdir(parents=True)
        (site / name / "__init__.py").touch()
        for file, content in files.items():
            (site / name / "data" / file).write_bytes(content)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("DETECTOR_CACHE", str(tmp_path / "cache"))
    use(monkeypatch, small_model())
    return site


def use(monkeypatch: pytest.MonkeyPatch, model: RecognitionModel, *shipped: ShippedFile) -> None:
    monkeypatch.setattr(model_files, "load_manifest", lambda: Manifest((model,), shipped))


def test_the_parts_are_joined_once(tmp_path: Path) -> None:
    folder = recognition_model()
    assert folder == tmp_path / "cache" / "models" / "whisper-base"
    assert (folder / "model.bin").read_bytes() == FIRST + SECOND
    assert (folder / "config.json").read_bytes() == SETTINGS
    made = (folder / "model.bin").stat().st_mtime_ns
    assert recognition_model("whisper-base") == folder
    assert (folder / "model.bin").stat().st_mtime_ns == made
    assert {entry.name for entry in folder.parent.iterdir()} == {"whisper-base", ".whisper-base.lock"}


def test_a_later_start_hashes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    recognition_model()
    monkeypatch.setattr(model_files, "sha256_of", lambda *_: pytest.fail("hashed"))
    recognition_model()


def test_a_copied_cache_is_hashed_instead_of_refused() -> None:
    weights = recognition_model() / "model.bin"
    os.utime(weights, (1, 1))
    assert recognition_model() == weights.parent


def test_a_missing_package_is_named(packages: Path, tmp_path: Path) -> None:
    (packages / "weights_1" / "data" / "one").unlink()
    with pytest.raises(
        ModelError, match=r"^whisper-base: model\.bin needs the package weights-1, which is not"
    ):
        recognition_model()
    assert not (tmp_path / "cache" / "models" / "whisper-base").exists()


def test_a_wrong_package_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, small_model(model="0" * 64))
    found = digest(FIRST + SECOND)[:12]
    with pytest.raises(ModelError, match=rf"model\.bin .* SHA-256 {found}… where 000000000000… is expected"):
        recognition_model()
    assert [entry.name for entry in (tmp_path / "cache" / "models").iterdir()] == [".whisper-base.lock"]


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("model.bin", None, "model.bin: missing; run `detector models fetch`"),
        ("model.bin", FIRST, f"{len(FIRST)} bytes where {len(FIRST + SECOND)} are expected; run"),
        ("config.json", b'{"n_mels": 81}', "config.json: SHA-256 is "),
        (".stamp.json", None, "not complete; run `detector models fetch`"),
        (".stamp.json", b"{", "not complete; run `detector models fetch`"),
    ],
)
def test_damage_is_one_line_and_fetch_mends_it(file: str, content: bytes | None, complaint: str) -> None:
    folder = recognition_model()
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(ModelError) as raised:
        recognition_model()
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)
    assert list_models()[0].state == "damaged"
    assert fetch() == folder
    assert recognition_model() == folder
    assert list_models()[0].state == "ready"


def test_verify_finds_what_size_and_time_hide() -> None:
    weights = recognition_model() / "model.bin"
    status = weights.stat()
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    recognition_model()
    broken = [check for check in verify() if not check.is_whole]
    assert [check.path for check in broken] == [weights]
    assert "SHA-256" in str(broken[0].problem)
    fetch()
    assert all(check.is_whole for check in verify())


def test_verify_of_shipped_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "shipped_path", lambda file: tmp_path / file)
    for file in ("good", "bad"):
        (tmp_path / file).write_bytes(b"words")
    entries = [
        ShippedFile(file, file, 5, digest(b"words" if file != "bad" else b"other"), "own", "GPL", "by hand")
        for file in ("good", "bad", "gone")
    ]
    use(monkeypatch, small_model(), *entries)
    assert [(check.name, check.is_whole) for check in verify()] == [
        ("good", True),
        ("bad", False),
        ("gone", False),
    ]
    assert [(listing.name, listing.state) for listing in list_models()] == [
        ("whisper-base", "not fetched"),
        ("good", "ready"),
        ("bad", "ready"),
        ("gone", "missing"),
    ]


def test_fetch_tells_its_progress() -> None:
    told: list[tuple[int, int]] = []
    fetch(None, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1] == 2 * small_model().size


def test_an_unwritable_cache_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, not a folder", encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot be written .*DETECTOR_CACHE"):
        recognition_model()


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("config.json", "model.bin", "tokenizer.json"):
        (folder / name).touch()
    with pytest.raises(ModelError, match=r"lacks vocabulary\.json or vocabulary\.txt"):
        recognition_model(str(folder))
    (folder / "vocabulary.txt").touch()
    assert recognition_model(str(folder)) == folder


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "~/nowhere", "a/b/c", ""])
def test_what_is_neither_folder_nor_name_is_refused(name: str) -> None:
    if name:
        with pytest.raises(ModelError, match="no such folder"):
            recognition_model(name)
    else:
        assert recognition_model(name).name == "whisper-base"


def test_a_hub_name_without_a_network_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError("no\nroute")

    monkeypatch.setattr("faster_whisper.download_model", unreachable)
    with pytest.raises(ModelError, match=r"^small: not in the cache and cannot be downloaded \(no route\)"):
        recognition_model("small")


ASSEMBLE = """
import sys, json
from detector.speech import model_files
from detector.speech.model_manifest import load_manifest
from pathlib import Path
manifest = load_manifest(Path(sys.argv[1]))
model_files.load_manifest = lambda: manifest
print(model_files.recognition_model())
"""


@pytest.mark.end_to_end
def test_several_processes_at_once_make_one_model(packages: Path, tmp_path: Path) -> None:
    model = small_model()
    entry = {
        "name": model.name,
        "title": "",
        "source": "",
        "licence": "",
        "made": "",
        "files": [
            {
                "file": file.file,
                "size": file.size,
                "sha256": file.sha256,
                "parts": [
                    {"distribution": part.distribution, "package": part.package, "path": part.path}
                    for part in file.parts
                ],
            }
            for file in model.files
        ],
    }
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"recognition": [entry], "shipped": []}), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(packages), *sys.path])}
    running = [
        subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-c", ASSEMBLE, str(manifest)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    answers = [process.communicate(timeout=60) for process in running]
    assert {answer for answer, _ in answers} == {f"{tmp_path / 'cache' / 'models' / 'whisper-base'}\n"}
    assert all(check == FileCheck(check.name, check.path, None) for check in verify())


def test_a_manifest_that_lacks_a_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"recognition": [{"name": "x"}], "shipped": []}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"manifest\.json: an entry lacks the key 'files'"):
        load_manifest(path)
    with pytest.raises(ModelError, match=r"none\.json: missing"):
        load_manifest(tmp_path / "none.json")
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        load_manifest(path)


def test_the_manifest_names_every_model_that_ships_as_it_is() -> None:
    manifest = load_manifest()
    listed = {entry.file: entry for entry in manifest.shipped}
    there = {
        f"models/{path.relative_to(models_dir()).as_posix()}"
        for path in models_dir().rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert there <= set(listed), "run scripts/update_manifest.py"
    for entry in manifest.shipped:
        path = shipped_path(entry.file)
        assert (path.stat().st_size, sha256_of(path)) == (entry.size, entry.sha256), (
            f"{entry.file}: run scripts/update_manifest.py"
        )
        assert entry.source, entry.file
        assert entry.licence, entry.file
        assert entry.made, entry.file


def test_shipped_files_lie_only_where_they_should() -> None:
    with pytest.raises(ModelError):
        shipped_path("elsewhere/file")
