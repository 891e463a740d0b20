"""Another assistant is known by its own words; people who talk about one are people."""

import pytest

from detector.call import Language
from detector.dialogue.acts import Act
from detector.dialogue.prompts import PromptLibrary
from detector.signals.patter import PatterExtractor
from detector.text.lexicon import Lexicon
from detector.text.matcher import Matcher

MATCHER = Matcher(Lexicon.load())

ASSISTANTS = [
    "您好，我是机主的语音助理，请问您有什么事？",
    "您好，机主现在不方便接听电话，请您留言，我会转告。",
    "您好，我是张先生的智能助理，他现在不方便接电话，您有什么事我帮您转达。",
    "我是机主的电话助理，请讲，我会转告机主。",
    "您好，这里是王女士的电话秘书，请问您哪位？我会转达。",
    "您拨打的用户暂时无法接听，请稍后再拨。",
    "您好，您拨打的电话正在通话中，请稍后再拨。",
    "您所拨打的用户已启用语音信箱，请在提示音后留言。",
    "对不起，您呼叫的用户已关机。",
    "已为您转接到语音信箱，听到滴声后请留言。",
    "您好，语音助理代接，通话会转写，请问您是谁？",
    "你好我是李先生的语音助手他在开会不方便接听请留言",
    "您好，我是機主的語音助理，請留言。",
    "机主正忙，我是他的来电助理，您请说，通话转成文字给他看。",
    "The person you are calling is not available, please leave a message after the tone.",
    "Hi, the person you're calling is using a screening service and will get a copy of this conversation.",
    "Hello, this is an automatic assistant. This call is transcribed.",
    "You have reached the voicemail of John Miller. Please leave your name and number after the beep.",
    "Sorry, nobody can come to the phone right now. Please leave a message.",
    "Your call has been forwarded to an automated voice messaging system.",
    "We are unable to take your call right now. Record after the tone.",
    "The party you are trying to reach is not available. At the tone, please record your message.",
    "hello i am the automated assistant of mr smith he is not available leave a message and i will tell him",
    "Hi, I can't take your call. Leave your name and I'll get back to you.",
    "I am Anna's virtual assistant, I'm screening this call. Who is speaking?",
    "The number you have dialed is not in service.",
    "To leave a message after the tone, stay on the line; he cannot take your call.",
]

PEOPLE = [
    "Sorry I was unable to take your call earlier, I'm calling you back.",
    "Grandma can't come to the phone, so she asked me to call you.",
    "刚才在开会，无法接听您的电话，现在给您回过来。",
    "我刚才暂时无法接听，现在回你电话",
    "您拨打的电话我收到了，我是张医生",
    "我打你电话三次了，暂时无法接听，你没事吧",
    "你是语音助理吗",
    "您这是语音助手在接吧？请转本人，十万火急。",
    "机器人啊",
    "啥？语音助理？我骑手。",
    "哦，语音助理。那麻烦转告一下。",
    "今天是周一，您这是电话助理对吧？",
    "好的，我知道是语音助手，麻烦转给季先生。",
    "打你手机老说您拨打的用户暂时无法接听，怎么回事啊",
    "他现在不方便接听是吗？那我晚点再打。",
    "您现在不方便接听的话我晚点再打给您。",
    "麻烦转告机主，他的快递放门口了。",
    "请帮我转告机主，下午两点我在楼下等他。",
    "怎么又是机主的语音助理啊，让他本人接。",
    "我不跟语音助理说话，你叫他接电话。",
    "这是语音信箱吗？",
    "我给他留言吧，就说老王找他。",
    "刚才里面说请留言，我没来得及。",
    "你是不是机主的助理呀？",
    "二加三等于五。您这个语音助理还挺严格的。",
    "你龟儿的给老子装啥子语音助理。",
    "这通话转文字吗？那我慢点说。",
    "Is this a voice assistant?",
    "Am I talking to an automatic assistant?",
    "Hello? Is this his new voicemail?",
    "Can I leave a message for John?",
    "I'd like to leave a message for Mr. Miller, please.",
    "Oh, an automatic assistant. It's the plumber, I'm at the door.",
    "I got your voicemail and I am calling back.",
    "Is he not available right now?",
    "So he can't come to the phone?",
    "It said the person you are calling is not available, so I tried again.",
    "If he can't come to the phone, tell him that I called.",
    "I keep getting your voicemail, what is going on?",
    "You're a virtual assistant, right? Just put me through.",
    "Wait, is this call being recorded or what? This call is transcribed?",
    "I left a message after the tone yesterday.",
]

DIALERS = [
    "您好，我是贷款服务的智能助理，无抵押贷款当天放款，请留言。",
    "我是城市生活调研的语音助手，请在提示音后回答。",
    "想要的朋友，听到提示音后留下您的地址。",
    "请在提示音后输入卡号与查询密码，以井号键结束。",
    "您好，我是海底捞的语音助手，跟您确认一下人数。",
    "Say yes after the tone, and an agent will pull up your savings.",
    "Press one to speak to an underwriter, or leave your name and the best number after the beep.",
    "Great question! I'm a virtual assistant working with licensed agents.",
]


def is_assistant(*texts: str) -> bool:
    heard = PatterExtractor(MATCHER)
    for at, text in enumerate(texts):
        language: Language = "en" if text.isascii() else "zh"
        heard.observe(text, language, float(at), float(at))
    return heard.is_assistant


@pytest.mark.parametrize("text", ASSISTANTS)
def test_an_assistant_is_known_by_its_words(text: str) -> None:
    assert is_assistant(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_who_talks_about_an_assistant_is_none(text: str) -> None:
    assert not is_assistant(text)
    assert not is_assistant(text, text), "nor where he says it again"


def test_all_that_people_say_to_assistants_does_not_add_up_to_one() -> None:
    assert not is_assistant(
        "喂，你是语音助理吗？", "哦，语音助手啊", "那麻烦你转告机主一声", "是语音信箱吗？"
    )
    assert not is_assistant("Is this a voicemail?", "Oh, an assistant.", "Can I leave a message?")


@pytest.mark.parametrize("text", DIALERS)
def test_a_dialer_that_calls_itself_an_assistant_is_none(text: str) -> None:
    assert not is_assistant(text)


@pytest.mark.parametrize("act", [Act.GREETING, Act.TAKE_MESSAGE])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_our_own_assistant_is_known_by_each_of_its_wordings(act: Act, language: Language) -> None:
    for prompt in PromptLibrary.load().for_act(act, language):
        assert is_assistant(prompt.text), prompt.text
