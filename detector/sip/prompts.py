"""What the agent says on a call: one WAV file after the other, played by the library's own code."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pjsua2 as pj

from detector.sip.fields import clean
from detector.sip.legs import Post
from detector.sip.protocol import PromptEnded, PromptFailed, PromptStarted

__all__ = ["PromptPlayer"]

MIXED_OPTIONS: Final = pj.PJMEDIA_FILE_NO_LOOP


class _FilePlayer(pj.AudioMediaPlayer):  # type: ignore[misc]  # the library has no types
    """Says when its file is at an end, on one of the library's threads.

    It holds a number and no owner: were it part of a cycle, the collector would destroy it later and on any thread,
    the one that moves the audio among them, which then waits for itself.
    """

    def __init__(self, number: int, at_end: Callable[[int], None]) -> None:
        super().__init__()
        self.number = number
        self._at_end = at_end

    def onEof2(self) -> None:  # noqa: N802 - the library's name
        self._at_end(self.number)


class PromptPlayer:
    """Plays at most one prompt; a new one cuts the old."""

    def __init__(
        self,
        call: int,
        post: Post,
        emit: Callable[[PromptStarted | PromptEnded | PromptFailed], None],
        position: Callable[[], int],
    ) -> None:
        self._call = call
        self._post = post
        self._emit = emit
        self._position = position
        self._prompt = 0
        self._player: _FilePlayer | None = None
        self._sink: Any = None
        self._count = 0

    def play(self, prompt: int, path: str, sink: Any) -> None:
        """Play a file into `sink`, an audio medium of the library."""
        self.stop()
        self._count += 1
        player = _FilePlayer(self._count, self._at_end)
        try:
            player.createPlayer(path, MIXED_OPTIONS)
            player.startTransmit(sink)
        except pj.Error as error:
            self._emit(PromptFailed(self._call, prompt, clean(error.reason)))
            return
        self._prompt, self._player, self._sink = prompt, player, sink
        self._emit(PromptStarted(self._call, prompt, self._position()))

    def move(self, sink: Any) -> None:
        """Play on into another medium, after the media of a call were negotiated anew."""
        if self._player is not None:
            self._sink = sink
            self._player.startTransmit(sink)

    def stop(self) -> None:
        """Cut the prompt that plays, if any."""
        self._finish(cut=True)

    def call_ended(self) -> None:
        """Note that the medium is gone; a prompt that played was cut."""
        self._sink = None
        self._finish(cut=True)

    def _at_end(self, number: int) -> None:
        # On a thread of the library.
        self._post(partial(self._ended, number))

    def _ended(self, number: int) -> None:
        if self._player is not None and self._player.number == number:
            self._finish(cut=False)

    def _finish(self, *, cut: bool) -> None:
        player, sink, self._player, self._sink = self._player, self._sink, None, None
        if player is None:
            return
        if sink is not None:
            player.stopTransmit(sink)
        self._emit(PromptEnded(self._call, self._prompt, cut, self._position()))
