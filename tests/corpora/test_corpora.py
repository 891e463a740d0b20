"""Readers of what others published: typed rows, line by line, and errors that name file and line."""

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from detector.corpora.speech import SpeechSpan, aishell3, read_spans, ten_vad
from detector.corpora.tables import read_table
from detector.corpora.texts import crosswoz, ftc_robocalls, lccc, teleantifraud
from detector.errors import InputError

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


def test_a_table_is_read_by_its_header_packed_or_not(write: Write) -> None:
    for name in ("plain.tsv", "packed.tsv.gz"):
        path = write(name, '\ufeffturn\ttext\textra\r\n0\t"您好\t1\r\n\r\n1\t再见\t\r\n')
        rows = list(read_table(path, ("text", "turn")))
        assert [(row["text"], row.number("turn"), row.get("extra")) for row in rows] == [
            ('"您好', 0, "1"),
            ("再见", 1, ""),
        ]
        assert rows[1].where == f"{path}:4"
        assert rows[1].get("no such column") == ""


def test_a_table_is_read_as_it_is_asked_for(write: Write) -> None:
    path = write("long.tsv", "text\n" + "a\n" * 10 + "a\tb\n")
    assert len(list(itertools.islice(read_table(path, ("text",)), 10))) == 10, "the bad line was not reached"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"table\.tsv: is empty; it needs a header with the columns text, turn"),
        ("text\tside\nx\ty\n", r"table\.tsv:1: the header lacks the column 'turn'; it has text, side"),
        ("text\ttext\tturn\n", r"table\.tsv:1: the header names 'text' twice"),
        ("text\tturn\nx\t0\nx\n", r"table\.tsv:3: has 1 fields, the header 2"),
        ("text\tturn\nx\tone\n", r"table\.tsv:2: column 'turn': 'one' is no whole number"),
        ("text\tturn\n" + "x" * 1_000_001 + "\t0\n", r"table\.tsv:2: is longer than"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        [row.number("turn") for row in read_table(write("table.tsv", text), ("text", "turn"))]


def test_bytes_that_are_no_text_and_files_that_are_not_packed(tmp_path: Path) -> None:
    (tmp_path / "latin.tsv").write_bytes(b"text\nok\ncaf\xe9\n")
    with pytest.raises(InputError, match=r"latin\.tsv:3: is not UTF-8 \(byte 4 of the line\)"):
        list(read_table(tmp_path / "latin.tsv", ("text",)))
    (tmp_path / "false.tsv.gz").write_text("text\n")
    with pytest.raises(InputError, match=r"false\.tsv\.gz: cannot be read"):
        list(read_table(tmp_path / "false.tsv.gz", ("text",)))
    whole = gzip.compress(b"text\n" + b"a\n" * 1000)
    (tmp_path / "cut.tsv.gz").write_bytes(whole[:-9])
    with pytest.raises(InputError, match=r"cut\.tsv\.gz: cannot be read"):
        list(read_table(tmp_path / "cut.tsv.gz", ("text",)))
    with pytest.raises(InputError, match=r"gone\.tsv: cannot be read \(No such file or directory\)"):
        list(read_table(tmp_path / "gone.tsv", ("text",)))


def test_bad_lines_can_be_noted_while_the_others_go_on(write: Write) -> None:
    path = write(
        "fraud.tsv.gz",
        "label\tdialogue\tturn\trole\ttext\n"
        "fraud\td1\t0\tleft\t您中奖了\nmaybe\td1\t1\tleft\t啊\nfraud\td1\n"
        "fraud\td1\tx\tleft\t嗯\nnormal\td2\t0\tleft\t您好\n",
    )
    errors: list[InputError] = []
    found = [(one.group, one.text, one.unwanted) for one in teleantifraud(path, errors.append)]
    assert found == [("d1", "您中奖了", True), ("d2", "您好", False)]
    assert [str(error).split(": ")[0].rsplit(":", 1)[1] for error in errors] == ["3", "4", "5"]
    assert "'maybe' is neither 'fraud' nor 'normal'" in str(errors[0])


def test_ordinary_talk_is_wanted_and_robocalls_are_not(write: Write) -> None:
    travel = write("crosswoz.tsv.gz", "dialogue\tturn\trole\ttext\nv1\t0\tusr\t找家餐馆\n")
    chat = write("lccc.tsv.gz", "dialogue\tturn\ttext\nv1\t3\t哈哈\n")
    calls = write("ftc.tsv", "id\tcampaign\ttranscript\n7\t\tpress one\n8\tc1\tfinal notice\n")
    (one,) = crosswoz(travel)
    (two,) = lccc(chat)
    assert (one.role, one.turn, one.unwanted, one.language) == ("usr", 0, False, "zh")
    assert (two.role, two.turn, two.unwanted) == ("", 3, False)
    robocalls = list(ftc_robocalls(calls))
    assert [(call.group, call.unwanted, call.language) for call in robocalls] == [
        ("7", True, "en"),
        ("c1", True, "en"),
    ]


def test_clips_that_were_read_aloud(tmp_path: Path, write: Write) -> None:
    write("a.flac", "sound")
    write(
        "manifest.tsv", "file\tspeaker\tseconds\ttranscript\na.flac\tS1\t1.0\t你好\nb.flac\tS2\t1.0\t再见\n"
    )
    errors: list[InputError] = []
    (clip,) = aishell3(tmp_path, errors.append)
    assert (clip.path.name, clip.speaker, clip.text) == ("a.flac", "S1", "你好")
    (error,) = errors
    assert "manifest.tsv:3: " in str(error)
    assert "b.flac is not there" in str(error)


def test_hand_made_labels_of_speech(tmp_path: Path, write: Write) -> None:
    write("one.wav", "sound")
    labels = write("one.scv", "one,0.000,0.403,0,0.403,1.204,1\n")
    (clip,) = ten_vad(tmp_path)
    assert clip.path.name == "one.wav"
    assert clip.spans == read_spans(labels) == (SpeechSpan(0.0, 0.403, False), SpeechSpan(0.403, 1.204, True))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("one,0.0,0.4\n", r"one\.scv:1: has 2 fields after the name"),
        ("one\n", "has 0 fields"),
        ("one,0.0,0.4,0,0.4,zero,1\n", "field 5: '0.4' and 'zero' must be seconds"),
        ("one,0.4,0.0,0\n", "field 2: a span from 0.4 to 0.0 s cannot be"),
        ("one,0.0,nan,0\n", "cannot be"),
        ("one,0.0,0.4,2\n", "the flag is '2'"),
        ("one,0.0,0.4,0,0.3,0.8,1\n", "field 5: begins before the last span ended"),
    ],
)
def test_labels_that_cannot_be(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_spans(write("one.scv", text))


def test_labels_without_their_clip_and_no_labels_at_all(tmp_path: Path, write: Write) -> None:
    with pytest.raises(InputError, match=r"holds no labels \(\.scv\)"):
        list(ten_vad(tmp_path))
    write("one.scv", "one,0.0,0.4,0\n")
    with pytest.raises(InputError, match=r"one\.scv: has no one\.wav beside it"):
        list(ten_vad(tmp_path))
