"""The lexicon that ships, and the refusal of everything wrong in a user's own."""

from pathlib import Path

import pytest

from detector.errors import LexiconError
from detector.text.categories import UNWANTED
from detector.text.lexicon import Lexicon, Role
from detector.text.lexicon_file import MAX_WEIGHT


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return Lexicon.load()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


def write(path: Path, body: str, *, head: str = "format = 1") -> Path:
    path.write_text(f"{head}\n{body}\n", encoding="utf-8")
    return path


def test_every_category_has_terms_in_both_languages(shipped: Lexicon) -> None:
    groups = {group.name: group for group in shipped.with_role(Role.CATEGORY)}
    assert groups.keys() == frozenset(UNWANTED)
    for group in groups.values():
        languages = [term.language for term in group.terms]
        assert languages.count("zh") >= 20, group.name
        assert languages.count("en") >= 5, group.name


def test_there_are_enough_distinct_terms(shipped: Lexicon) -> None:
    spellings = {
        language: {
            t.spelling for g in shipped.with_role(Role.CATEGORY) for t in g.terms if t.language == language
        }
        for language in ("zh", "en")
    }
    assert len(spellings["zh"]) >= 600
    assert len(spellings["en"]) >= 200


def test_every_role_is_filled(shipped: Lexicon) -> None:
    assert {group.role for group in shipped.groups.values()} == set(Role)


def test_seven_stages_stand_in_the_order_of_the_script(shipped: Lexicon) -> None:
    names = [group.name.removeprefix("stage_") for group in shipped.with_role(Role.STAGE)]
    assert names == ["opening", "probing", "fear", "planning", "product", "objection", "closing"]


def test_terms_that_sound_like_common_words_need_more_than_their_sound(shipped: Lexicon) -> None:
    exact = {term.text for term in shipped.terms if term.exact}
    assert {"提现", "逾期", "客服", "分期", "置业", "首付", "补课"} <= exact


def test_own_terms_are_added_and_win_and_are_removed(own: Path, shipped: Lexicon) -> None:
    write(
        own,
        """
        [groups.loan]
        zh = ["随借随用", { term = "放款", weight = 5.0 }]
        remove = ["利息"]
        [groups.pets]
        role = "category"
        title = "pets"
        zh = ["纯种布偶"]
        """,
    )
    extended = Lexicon.load(own)
    loan = {term.text: term for term in extended.groups["loan"].terms}
    assert loan["随借随用"].weight == shipped.groups["loan"].weight
    assert loan["放款"].weight == 5.0
    assert "利息" not in loan
    assert len(loan) == len(shipped.groups["loan"].terms)
    assert [term.text for term in extended.groups["pets"].terms] == ["纯种布偶"]
    assert extended.groups["prize"] == shipped.groups["prize"]


def test_an_own_title_keeps_the_terms(own: Path, shipped: Lexicon) -> None:
    write(own, '[groups.loan]\ntitle = "Kredite"')
    group = Lexicon.load(own).groups["loan"]
    assert group.title == "Kredite"
    assert group.terms == shipped.groups["loan"].terms


def test_a_file_may_stand_alone(own: Path) -> None:
    write(
        own, '[groups.a]\nrole = "opener"\ntitle = "a"\nzh = ["打扰一下"]', head="format = 1\nextends = false"
    )
    assert set(Lexicon.load(own).groups) == {"a"}


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ('[groups.loan]\nzh = [\n  "无抵押",\n  "放款",\n  "无抵押",\n]', 6, "stands twice"),
        ('[groups.loan]\nzh = [\n  "按1",\n  "按一",\n]', 5, "stands twice"),
        ('[groups.loan]\nen = ["car loan", "car loans"]', 3, "stands twice"),
        ('[groups.loan]\nzh = ["贷款",\n  ""]', 4, "empty term"),
        ("[groups.loan]\nzh = [{ weight = 1.0 }]", 2, "empty term"),
        ('[groups.loan]\nzh = ["贷款",\n"嗯，呃"]', 4, "match nothing"),
        ('[groups.loan]\nzh = ["贷款。"]', 3, "match nothing"),
        ('[groups.loan]\nzh = ["ひらがな"]', 3, "match nothing"),
        ('[groups.loan]\nen = ["贷款"]', 3, "match nothing"),
        ('[groups.loan]\nzh = ["贷"]', 3, "exact = true"),
        ('[groups.loan]\nen = ["irs"]', 3, "exact = true"),
        ('[groups.loan]\nzh = [\n{ term = "秒批", wieght = 2.0 }]', 4, "did you mean 'weight'"),
        ('[groups.loan]\nzh = [\n{ term = "秒批", weight = -1 }]', 4, "above 0"),
        ('[groups.loan]\nzh = [\n{ term = "秒批", weight = true }]', 4, "above 0"),
        ('[groups.loan]\nzh = [\n{ term = "秒批", weight = 7.0 }]', 4, f"at most {MAX_WEIGHT:g}"),
        ('[groups.loan]\nzh = [\n{ term = "秒批", weight = nan }]', 4, "above 0"),
        ('[groups.loan]\nzh = [\n{ term = "秒批", exact = "yes" }]', 4, "true or false"),
        ("[groups.loan]\nzh = [7]", 3, "not a term"),
        ('[groups.loan]\nzh = "贷款"', 3, "list of terms"),
        ("[groups.loan]\n\nwieght = 2.0", 4, "did you mean 'weight'"),
        ("[groups.loan]\nweight = 0", 3, "above 0"),
        ('[groups.loan]\ntitle = ""', 3, "needs a title"),
        ('[groups.loans]\nzh = ["秒批"]', 2, "did you mean 'loan'"),
        ('[groups.pets]\nrole = "categorie"\ntitle = "pets"', 3, "did you mean 'category'"),
        ('[groups.pets]\nrole = "category"', 2, "needs a title"),
        ('[groups.loan]\nremove = ["房贷款"]', 3, "no term"),
        ("[groups]\nloan = 3", 3, "not a table"),
        ('[group.loan]\nzh = ["秒批"]', 2, "did you mean 'groups'"),
        ('[groups.loan]\nzh = ["贷款"\n"放款"]', 4, "not valid TOML"),
    ],
)
def test_mistakes_are_named_with_file_and_line(own: Path, body: str, line: int, message: str) -> None:
    write(own, body)
    with pytest.raises(LexiconError) as caught:
        Lexicon.load(own)
    assert f"own.toml:{line}: " in str(caught.value)
    assert message in str(caught.value)


def test_a_term_belongs_to_one_group_of_a_role(own: Path) -> None:
    write(own, '[groups.loan]\nzh = ["秒批额度"]\n[groups.insurance]\nzh = [\n"秒批额度"]')
    with pytest.raises(LexiconError, match=r"own\.toml:6: .* stands in group 'loan' already"):
        Lexicon.load(own)


def test_format_must_be_known(own: Path) -> None:
    write(own, "", head="format = 2")
    with pytest.raises(LexiconError, match=r"own\.toml:1: .*format = 1"):
        Lexicon.load(own)


@pytest.mark.parametrize("head", ["format = 1\nextends = false", "format = 1\nextends = 1"])
def test_an_empty_or_undecided_file_is_refused(own: Path, head: str) -> None:
    write(own, "", head=head)
    with pytest.raises(LexiconError, match=r"no term in the file|true or false"):
        Lexicon.load(own)


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(LexiconError, match=r"none\.toml: cannot be read"):
        Lexicon.load(tmp_path / "none.toml")
    (tmp_path / "gbk.toml").write_bytes("format = 1 # 贷款".encode("gbk"))
    with pytest.raises(LexiconError, match=r"gbk\.toml: is not UTF-8"):
        Lexicon.load(tmp_path / "gbk.toml")
