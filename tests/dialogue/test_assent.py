import pytest

from detector.call import Language
from detector.dialogue.assent import words_of_assent


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "好的，请讲。"),
        ("zh", "嗯，您说。"),
        ("zh", "对，是我。"),
        ("zh", "对对，您讲。"),
        ("zh", "行，那您说吧。"),
        ("zh", "行吧。"),
        ("zh", "没问题，我转告他。"),
        ("zh", "是的，这里是自动助理。"),
        ("zh", "您可以留言。"),
        ("zh", "好啊。"),
        ("en", "Yes?"),
        ("en", "Sure, who is it?"),
        ("en", "Of course. One moment."),
        ("en", "All right, please hold."),
        ("en", "That's right."),
    ],
)
def test_assent_is_found(language: Language, text: str) -> None:
    assert words_of_assent(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "对不起，没听清。"),
        ("zh", "您好，请问哪位？"),
        ("zh", "不行，我们不需要。"),
        ("zh", "不可以，请不要再打。"),
        ("zh", "您是银行的吗？"),
        ("zh", "您要找的是哪一位？"),
        ("zh", "不好意思，打断一下。"),
        ("zh", "针对这个号码，请不要再打。"),
        ("en", "Nobody is available right now."),
        ("en", "Measure twice, please; we are unsure."),
        ("en", "Thank you, we are not interested."),
    ],
)
def test_other_words_are_not_taken_for_assent(language: Language, text: str) -> None:
    assert words_of_assent(text, language) == ()
