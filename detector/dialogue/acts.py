"""What the agent can do with words. Wordings are another matter: see prompts."""

from enum import StrEnum

__all__ = ["Act"]


class Act(StrEnum):
    """One thing that the agent says; its value is its name in files and reports."""

    GREETING = "greeting"
    ASK_NAME = "ask_name"
    """Who is calling?"""
    ASK_CALLEE = "ask_callee"
    """Whom do you want to reach?"""
    ASK_PURPOSE = "ask_purpose"
    """What is it about?"""
    ASK_REPEAT = "ask_repeat"
    """I did not hear that."""
    HOLD = "hold"
    """One moment please: a person waits, a recording talks on."""
    INTERRUPT = "interrupt"
    """Said over the caller on purpose: a person stops."""
    CHALLENGE = "challenge"
    """A trivial question that any human answers."""
    PRESS_KEY = "press_key"
    """Please press this key on your telephone: a person with a telephone in hand does."""
    REFUSE = "refuse"
    """There is no interest."""
    GOODBYE = "goodbye"
    """Do not call again, and goodbye: to whom is hung up on."""
    CONNECTING = "connecting"
    TAKE_MESSAGE = "take_message"
    """Please leave a message."""
    MESSAGE_TAKEN = "message_taken"
    """The message is kept and will be passed on; also a goodbye."""
    NO_MESSAGE = "no_message"
    """Nothing was said where a message was asked for; also a goodbye."""

    @property
    def is_question(self) -> bool:
        """Whether it asks the caller to say something particular."""
        return self in _QUESTIONS

    @property
    def examines(self) -> bool:
        """Whether a caller who has not yet been put through is put to the trouble of it, the greeting aside."""
        return self in _EXAMINING

    @property
    def lets_explain(self) -> bool:
        """Whether it gives a caller the chance to say why he is wanted: an interruption does not."""
        return (self.examines and self.is_question) or self is Act.REFUSE

    @property
    def expects_reply(self) -> bool:
        """Whether a person usually says something after it."""
        return self not in _CLOSING


_QUESTIONS = frozenset(
    {Act.GREETING, Act.ASK_NAME, Act.ASK_CALLEE, Act.ASK_PURPOSE, Act.ASK_REPEAT, Act.CHALLENGE}
)
_EXAMINING = (_QUESTIONS - {Act.GREETING}) | {Act.HOLD, Act.INTERRUPT, Act.PRESS_KEY}
_CLOSING = frozenset({Act.GOODBYE, Act.CONNECTING, Act.MESSAGE_TAKEN, Act.NO_MESSAGE})
