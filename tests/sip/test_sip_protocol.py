"""Messages between service and worker survive the wire, however it is cut, and garbage is refused."""

import dataclasses
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.errors import ProtocolError
from detector.sip.fields import Blob, Boolean, Choice, Double, Field, Number, Pairs, Text
from detector.sip.protocol import (
    COMMANDS,
    EVENTS,
    Answer,
    Audio,
    Configure,
    Dtmf,
    HangUp,
    PlaceCall,
    Play,
    Reject,
    SendAudio,
    SendDtmf,
    Shutdown,
    StreamDecoder,
    decode,
    encode,
    encode_audio,
)
from detector.sip.wire import MAX_MESSAGE_BYTES, fields_of, kind_of, message

MESSAGES: tuple[type[Any], ...] = (*COMMANDS, *EVENTS)


def texts(longest: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(codec="utf-8"), max_size=min(longest, 200)).filter(
        lambda text: len(text.encode()) <= longest
    )


def values(codec: Field) -> st.SearchStrategy[Any]:
    match codec:
        case Choice(choices=choices):
            return st.sampled_from(choices)
        case Text(longest=longest):
            return texts(longest)
        case Number(low=low, high=high):
            return st.integers(low, high)
        case Boolean():
            return st.booleans()
        case Double():
            return st.floats(allow_nan=False, allow_infinity=False)
        case Blob(longest=longest, unit=unit):
            return st.binary(max_size=longest // unit).map(lambda data: data * unit)
        case Pairs(most=most):
            return st.lists(st.tuples(texts(40), texts(400)), max_size=most).map(tuple)
        case _:
            raise AssertionError(codec)


def messages(cls: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(cls, **{name: values(codec) for name, codec in fields_of(cls)})


any_message = st.sampled_from(MESSAGES).flatmap(messages)


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=25)
def test_every_message_returns_as_it_went(cls: type[Any], data: st.DataObject) -> None:
    sent = data.draw(messages(cls))
    (received,) = StreamDecoder().feed(encode(sent))
    assert received == sent
    assert type(received) is cls


@given(audio=messages(Audio))
def test_the_short_way_of_audio_gives_the_same_bytes(audio: Audio) -> None:
    assert encode_audio(audio.call, audio.position, audio.captured, audio.samples) == encode(audio)


@given(st.lists(any_message, max_size=6), st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_the_stream_may_be_cut_anywhere(sent: list[Any], sizes: list[int]) -> None:
    stream = b"".join(map(encode, sent))
    decoder = StreamDecoder()
    received: list[Any] = []
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        received += decoder.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    decoder.close()
    assert received == sent


def test_the_stream_may_come_byte_by_byte() -> None:
    sent = [Answer(7, 183), Shutdown(), Audio(2**40, 160, 1.5, b"\x01\x02" * 160)]
    decoder = StreamDecoder()
    received = [each for byte in b"".join(map(encode, sent)) for each in decoder.feed(bytes([byte]))]
    assert received == sent


@given(st.binary(max_size=3000))
def test_garbage_gives_messages_or_a_protocol_error(data: bytes) -> None:
    decoder = StreamDecoder()
    try:
        for received in decoder.feed(data):
            assert type(received) in MESSAGES
    except ProtocolError:
        with pytest.raises(ProtocolError):
            list(decoder.feed(encode(Shutdown())))


@given(any_message, st.integers(0, 10**6), st.integers(0, 255))
def test_a_changed_byte_gives_a_bounded_message_or_a_protocol_error(sent: Any, place: int, byte: int) -> None:
    body = bytearray(encode(sent)[4:])
    body[place % len(body)] = byte
    try:
        received = decode(bytes(body))
    except ProtocolError:
        return
    assert decode(encode(received)[4:]) == received


@pytest.mark.parametrize("length", [0, MAX_MESSAGE_BYTES + 1, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_at_once(length: int) -> None:
    with pytest.raises(ProtocolError, match="empty or longer"):
        list(StreamDecoder().feed(struct.pack("!I", length)))


def test_messages_before_a_broken_one_are_delivered() -> None:
    stream = StreamDecoder().feed(encode(Answer(1)) + b"\0\0\0\1\xff")
    assert next(stream) == Answer(1)
    with pytest.raises(ProtocolError, match="no known kind"):
        next(stream)


def test_an_end_within_a_message_is_noticed() -> None:
    decoder = StreamDecoder()
    assert list(decoder.feed(encode(Answer(1))[:-1])) == []
    with pytest.raises(ProtocolError, match="closed within"):
        decoder.close()


@pytest.mark.parametrize(
    "bad",
    [
        Answer(1, 199 + 2),
        Answer(-1),
        Answer(2**64),
        Reject(1, 200),
        HangUp(1, 700),
        Play(1, 2**32, "/x.wav"),
        Play(1, 1, "x" * 4097),
        Play(1, 1, "\ud800"),
        SendAudio(1, b"\0"),
        SendAudio(1, b"\0" * 16002),
        SendDtmf(1, "1", "inband"),
        Dtmf(1, "12", "info", 0),
        Audio(1, 0, float("nan"), b""),
        PlaceCall(1, "sip:a@b", headers=(("X", "y"),) * 33),
        PlaceCall(1, "sip:a@b", headers=(("X", "y" * 4000),) * 20),
        Answer(True),
        object(),
    ],
    ids=repr,
)
def test_what_breaks_a_bound_is_not_sent(bad: Any) -> None:
    with pytest.raises(ProtocolError):
        encode(bad)


def test_a_message_longer_than_its_fields_is_refused() -> None:
    with pytest.raises(ProtocolError, match="longer than its fields"):
        decode(encode(Answer(1))[4:] + b"\0")


def test_kinds_are_unique() -> None:
    with pytest.raises(ValueError, match="taken"):
        message(2)(dataclasses.make_dataclass("Twice", []))


def test_the_settings_with_their_password_are_not_shown() -> None:
    assert "secret" not in repr(Configure(1, 1, '{"password": "secret"}'))


DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "sip-protocol.md"


@pytest.mark.parametrize("cls", MESSAGES, ids=lambda cls: cls.__name__)
def test_every_message_is_documented(cls: type[Any]) -> None:
    names = " ".join(f"`{name}`" for name, _ in fields_of(cls)) or "none"
    rows = DOCUMENT.read_text("utf-8").splitlines()
    assert any(row.startswith(f"| {kind_of(cls)} | `{cls.__name__}` | {names} |") for row in rows)
