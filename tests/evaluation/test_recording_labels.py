"""A table of one's own recordings: what it may say, and one line for each that is wrong."""

from pathlib import Path

import pytest

from detector.errors import InputError
from detector.evaluation.labels import read_labels


def table(folder: Path, text: str) -> Path:
    for name in ("a.wav", "b.wav"):
        (folder / name).touch()
    path = folder / "labels.tsv"
    path.write_text(text, "utf-8")
    return path


def test_every_column_and_only_the_needed_ones(tmp_path: Path) -> None:
    header = "file\twanted\tcaller\tcategory\tcaller_channel\tlanguage\n"
    full = read_labels(
        table(tmp_path, f"{header}a.wav\tyes\tperson\tdelivery\tright\ten\nb.wav\t0\t\t\t\t\n")
    )
    assert full.errors == ()
    one, two = full.recordings
    assert one.path == tmp_path / "a.wav"
    assert (one.wanted, one.caller, one.category) == (True, "person", "delivery")
    assert (one.caller_channel, one.language) == ("right", "en")
    assert (two.wanted, two.caller, two.category) == (False, "unknown", "unknown")
    assert (two.caller_channel, two.language) == (None, None)
    (only,) = read_labels(table(tmp_path, "wanted\tfile\nNo\tb.wav\n")).recordings
    assert (only.name, only.wanted) == ("b.wav", False)


def test_every_bad_line_is_named_and_the_good_ones_stay(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "file\twanted\tcaller\tcaller_channel\n"
        "a.wav\tmaybe\tperson\tleft\n"
        "a.wav\tyes\tpersn\tleft\n"
        "a.wav\tyes\tperson\tboth\n"
        "gone.wav\tyes\tperson\tleft\n"
        "\tyes\tperson\tleft\n"
        "a.wav\tyes\n"
        "b.wav\tyes\tperson\tleft\n"
        "b.wav\tno\tperson\tleft\n",
    )
    found = read_labels(path)
    assert [one.name for one in found.recordings] == ["b.wav"]
    expected = {
        2: "column 'wanted': 'maybe' is neither 'yes' nor 'no'",
        3: "column 'caller': 'persn' is unknown; did you mean 'person'?",
        4: "column 'caller_channel': 'both' is unknown; known are left, right",
        5: f"{tmp_path / 'gone.wav'} is not there",
        6: "column 'file' is empty",
        7: "has 2 fields, the header 4; tabs separate them",
        9: "b.wav stands in an earlier line too",
    }
    assert [str(error) for error in found.errors] == [
        f"{path}:{line}: {message}" for line, message in expected.items()
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "file\twanted\tcategry\na.wav\tyes\tx\n",
            r"labels\.tsv:1: column 'categry' is unknown; known: category",
        ),
        ("file,wanted\na.wav,yes\n", r"labels\.tsv:1: the header lacks the column 'file'"),
        ("file\twanted\n", r"labels\.tsv: names no recording"),
    ],
)
def test_a_table_that_cannot_be_used_at_all(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_labels(table(tmp_path, text))
