import hashlib
import json
import re
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from detector.call import Language
from detector.dialogue.acts import Act
from detector.dialogue.prompts import MANIFEST, PromptLibrary
from detector.errors import ConfigurationError
from detector.resources import fixtures_dir

LANGUAGES: tuple[Language, ...] = ("zh", "en")
MANY_WORDINGS = (
    Act.ASK_NAME,
    Act.ASK_CALLEE,
    Act.ASK_PURPOSE,
    Act.ASK_REPEAT,
    Act.HOLD,
    Act.INTERRUPT,
    Act.CHALLENGE,
    Act.REFUSE,
)
SHORT_ACTS = (*MANY_WORDINGS[:7], Act.PRESS_KEY, Act.CONNECTING)


@pytest.fixture(scope="module")
def library() -> PromptLibrary:
    return PromptLibrary.load()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("act", list(Act))
def test_every_act_has_wordings(library: PromptLibrary, act: Act, language: Language) -> None:
    least = 3 if act in MANY_WORDINGS else 2
    prompts = library.for_act(act, language)
    assert len(prompts) >= least
    assert len({prompt.text for prompt in prompts}) == len(prompts)
    assert all(prompt.act is act and prompt.language == language for prompt in prompts)


def test_no_wording_says_yes(library: PromptLibrary) -> None:
    mandarin = re.compile("好的|好嘞|好啊|可以|没问题|是的|没错|当然|对|嗯|行")
    english = re.compile(r"\b(yes|yeah|yep|sure|okay|ok|of course|right|certainly|alright)\b", re.IGNORECASE)
    for prompt in library.prompts:
        text = prompt.text.replace("对不起", "")
        assert not mandarin.search(text), prompt.id
        assert not english.search(text), prompt.id


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh", ("(自动|语音)助理", "机主|代接", "通话转文字|通话会转写|通话转成文字", "什么事|来意")),
        (
            "en",
            (
                "(automatic|voice) assistant",
                "owner's|of the person you called",
                "transcribe",
                r"(why|about)\?$",
            ),
        ),
    ],
)
def test_greetings_say_that_an_automatic_assistant_answers_for_whom_and_that_the_call_is_transcribed_and_ask(
    library: PromptLibrary, language: Language, told: tuple[str, ...]
) -> None:
    for prompt in library.for_act(Act.GREETING, language):
        assert [each for each in told if not re.search(each, prompt.text)] == [], prompt.id


def check_words(library: PromptLibrary, wanted: dict[Act, dict[Language, str]]) -> None:
    """Every wording of these acts matches the pattern of its language."""
    for act, patterns in wanted.items():
        for language in LANGUAGES:
            for prompt in library.for_act(act, language):
                assert re.search(patterns[language], prompt.text), prompt.id


def test_a_caller_is_told_whether_there_is_a_message_of_his(library: PromptLibrary) -> None:
    wanted: dict[Act, dict[Language, str]] = {
        Act.MESSAGE_TAKEN: {"zh": "记下.*再见", "en": "(?i:your message) .*Goodbye"},
        Act.NO_MESSAGE: {"zh": "没有.*(留言|口信).*再见", "en": "(?i:no message).*Goodbye"},
    }
    check_words(library, wanted)


def test_no_two_prompts_say_the_same(library: PromptLibrary) -> None:
    assert len({prompt.text for prompt in library.prompts}) == len(library.prompts)


@pytest.mark.parametrize(
    ("language", "numbers"),
    [
        ("zh", "一二三四五六七八九"),
        ("en", ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]),
    ],
)
def test_each_key_from_1_to_9_is_asked_for_in_plain_words(
    library: PromptLibrary, language: Language, numbers: Sequence[str]
) -> None:
    prompts = library.for_act(Act.PRESS_KEY, language)
    assert [prompt.key for prompt in prompts] == list("123456789")
    for prompt, number in zip(prompts, numbers, strict=True):
        words = prompt.text.split() if language == "en" else prompt.text
        assert [word for word in words if word in numbers] == [number]
    assert all(prompt.key is None for prompt in library.prompts if prompt.act is not Act.PRESS_KEY)


def test_refusals_say_that_there_is_no_interest_and_partings_ask_not_to_be_called_again(
    library: PromptLibrary,
) -> None:
    wanted: dict[Act, dict[Language, str]] = {
        Act.REFUSE: {"zh": "没有兴趣|不需要", "en": "not interested|no interest|do not need"},
        Act.GOODBYE: {"zh": "不要再打.*再见", "en": "(not|never) call.*Goodbye"},
    }
    check_words(library, wanted)


def test_greetings_and_questions_are_short(library: PromptLibrary) -> None:
    for prompt in library.prompts:
        if prompt.act is Act.GREETING:
            assert prompt.seconds <= 4.6, prompt.id
        elif prompt.act in SHORT_ACTS:
            assert prompt.seconds <= 3.1, prompt.id
        else:
            assert prompt.seconds <= 5.5, prompt.id


def test_shipped_files_are_those_of_the_manifest(library: PromptLibrary) -> None:
    folder = fixtures_dir() / "prompts"
    rows = json.loads((folder / MANIFEST).read_text("utf-8"))["prompts"]
    assert {row["file"] for row in rows} == {path.name for path in folder.glob("*.wav")}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 6_000_000
    for row, prompt in zip(rows, library.prompts, strict=True):
        assert hashlib.sha256(prompt.path.read_bytes()).hexdigest() == row["sha256"]
        assert row["seconds"] == pytest.approx(prompt.seconds, abs=0.001)
        assert row["voice"]


def test_an_act_counts_as_a_question_only_where_it_asks_something() -> None:
    assert {act for act in Act if act.is_question} == {
        Act.GREETING,
        Act.ASK_NAME,
        Act.ASK_CALLEE,
        Act.ASK_PURPOSE,
        Act.ASK_REPEAT,
        Act.CHALLENGE,
    }
    assert {act for act in Act if not act.expects_reply} == {
        Act.GOODBYE,
        Act.CONNECTING,
        Act.MESSAGE_TAKEN,
        Act.NO_MESSAGE,
    }
    assert [str(act) for act in Act] == [act.name.lower() for act in Act]


def write_wav(path: Path, seconds: float = 1.0, rate: int = 8000, width: int = 2, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(int(seconds * rate) * width * channels))


def own_row(**changes: Any) -> dict[str, Any]:
    row = {"id": "own-1", "act": "greeting", "language": "zh", "text": "喂，您找谁？", "file": "own.wav"}
    return {**row, **changes}


def write_manifest(folder: Path, *rows: Any) -> Path:
    (folder / MANIFEST).write_text(json.dumps({"prompts": list(rows)}), "utf-8")
    return folder


def test_own_wordings_replace_those_of_the_same_act_and_language(
    tmp_path: Path, library: PromptLibrary
) -> None:
    write_wav(tmp_path / "own.wav", seconds=1.5)
    own = PromptLibrary.load(write_manifest(tmp_path, own_row()))
    (greeting,) = own.for_act(Act.GREETING, "zh")
    assert (greeting.id, greeting.seconds, greeting.path) == ("own-1", 1.5, tmp_path / "own.wav")
    assert own.get("own-1") == greeting
    assert own.for_act(Act.GREETING, "en") == library.for_act(Act.GREETING, "en")
    assert own.for_act(Act.REFUSE, "zh") == library.for_act(Act.REFUSE, "zh")
    assert own.get("zh-greeting-1") is None


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        (own_row(file="gone.wav"), "not found"),
        (own_row(file="text.wav"), "no readable PCM WAV"),
        (own_row(file="."), "no readable PCM WAV"),
        (own_row(file="wide.wav"), "2 channels, 16 bits, 44100 Hz"),
        (own_row(file="long.wav"), "lasts 16.0 s"),
        (own_row(file="empty.wav"), "lasts 0.0 s"),
        (own_row(sha256="0" * 64), "differs from its SHA-256"),
        (own_row(act="hello"), "unknown act 'hello'"),
        (own_row(language="fr"), "unknown language 'fr'"),
        (own_row(text=" "), "'text' must be a text that is not empty"),
        (own_row(txt="x"), "unknown key 'txt'"),
        (own_row(text="好的，请讲。"), "never says yes"),
        (own_row(text="Yes, who is it?", language="en"), "never says yes"),
        (own_row(act="press_key", text="请按四。"), "key 'key' must be the digit"),
        (own_row(act="press_key", text="请按四。", key=4), "key 'key' must be the digit"),
        (own_row(act="press_key", text="请按四十四。", key="44"), "key 'key' must be the digit"),
        (own_row(key="4"), "only press_key asks for one"),
        (own_row(id="zh-refuse-1"), "belongs to a shipped prompt"),
        ("greeting", "is no object"),
        ({"id": "own-1"}, "'act' must be a text"),
    ],
)
def test_a_wrong_row_is_one_clear_line(tmp_path: Path, row: Any, complaint: str) -> None:
    write_wav(tmp_path / "own.wav")
    write_wav(tmp_path / "wide.wav", rate=44100, channels=2)
    write_wav(tmp_path / "long.wav", seconds=16)
    write_wav(tmp_path / "empty.wav", seconds=0)
    (tmp_path / "text.wav").write_text("not audio", "utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(complaint)) as raised:
        PromptLibrary.load(write_manifest(tmp_path, row))
    assert "\n" not in str(raised.value)
    assert MANIFEST in str(raised.value)


def test_an_id_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    write_wav(tmp_path / "own.wav")
    with pytest.raises(ConfigurationError, match="stands there twice"):
        PromptLibrary.load(write_manifest(tmp_path, own_row(), own_row(act="goodbye", text="再见。")))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "not found"),
        (b"{", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"[]", 'no list "prompts"'),
    ],
)
def test_a_manifest_that_is_missing_or_broken_is_one_clear_line(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(ConfigurationError, match=complaint):
        PromptLibrary.load(tmp_path)
