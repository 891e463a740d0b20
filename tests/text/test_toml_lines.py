"""Line numbers in TOML that holds what fools a naive search."""

import tomllib

import pytest

from detector.text.toml_lines import TomlLines, syntax_error_line

SOURCE = '''\
format = 1
# zh = ["贷款"]
[groups.loan]  # "贷款"
zh = [
  "贷款", # "放款"
  'it # is "not" a comment',
  { term = "放款", weight = 2.0 },
]
note = """
[groups.fake]
"贷款"
"""
[groups.other]
zh = ["\\u8d37\\u6b3e"]
'''


def test_strings_are_found_in_their_table() -> None:
    tomllib.loads(SOURCE)
    lines = TomlLines(SOURCE)
    assert lines.of_table("groups.loan") == 3
    assert lines.of_string("groups.loan", "贷款") == 5
    assert lines.of_string("groups.loan", 'it # is "not" a comment') == 6
    assert lines.of_string("groups.loan", "放款") == 7
    assert lines.of_key("groups.loan", "weight") == 7
    assert lines.of_key("groups.loan", "note") == 9
    assert lines.of_string("groups.other", "贷款") == 14
    assert lines.of_key("", "format") == 1


def test_what_is_not_there_falls_back_to_the_table() -> None:
    lines = TomlLines(SOURCE)
    assert lines.of_string("groups.other", "none") == 13
    assert lines.of_key("groups.none", "zh") == 1


def test_syntax_errors_have_a_line() -> None:
    for source, line in (("a = 1\nb = = 2\n", 2), ("a = [1,\n2", 2)):
        with pytest.raises(tomllib.TOMLDecodeError) as caught:
            tomllib.loads(source)
        assert syntax_error_line(caught.value, source) == line
