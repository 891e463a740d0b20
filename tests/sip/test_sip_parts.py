"""The parts of a worker that need no library: settings, limits, registration, the way out."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from detector.errors import ConfigurationError
from detector.sip.options import SipOptions, spread
from detector.sip.outbox import MAX_WAITING, Outbox
from detector.sip.protocol import Audio, Dtmf, Registered, RegistrationFailed, StreamDecoder
from detector.sip.registration import LONGEST_RETRY, Registration
from detector.sip.transfers import Transfer
from detector.sip.watch import CallWatch

RAMP = bytes(range(160)) * 2


def test_settings_travel_as_json() -> None:
    options = SipOptions(transports=("udp", "tcp"), codecs=("PCMU",), password="x", rtp_ports=(2000, 3000))  # noqa: S106 - no secret
    assert SipOptions.from_json(options.to_json()) == options


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(SipOptions(username="a", password="secret"))  # noqa: S106 - no secret


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"listen_address": "localhost"}, "listen_address"),
        ({"public_address": "::1"}, "public_address"),
        ({"port": 65536}, "port"),
        ({"tls_port": -1}, "tls_port"),
        ({"transports": ()}, "transports"),
        ({"transports": ("sctp",)}, "transports"),
        ({"transports": ("tls",)}, "tls_certificate"),
        ({"rtp_ports": (20000, 10000)}, "rtp_ports"),
        ({"rtp_ports": (80, 10000)}, "rtp_ports"),
        ({"codecs": ()}, "codecs"),
        ({"codecs": ("opus",)}, "codecs"),
        ({"srtp": "maybe"}, "srtp"),
        ({"registrar": "sip:provider.example"}, "username"),
        ({"registrar": "provider.example", "username": "a"}, "registrar"),
        ({"outbound_proxy": "sip:a b"}, "outbound_proxy"),
        ({"username": "a>b"}, "username"),
        ({"identity": ""}, "identity"),
        ({"user_agent": "a\r\nb"}, "user_agent"),
        ({"max_calls": 0}, "max_calls"),
        ({"register_seconds": 1}, "register_seconds"),
        ({"rtp_timeout": 0.0}, "rtp_timeout"),
        ({"role": "spy"}, "role"),
        ({"log_level": 7}, "log_level"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], setting: str) -> None:
    with pytest.raises(ConfigurationError, match=f"sip.{setting}"):
        SipOptions(**changes)


@pytest.mark.parametrize(
    "text", ["", "[", "[1]", "1", '{"colour": 1}', '{"port": "x"}', '{"rtp_ports": [1]}', '{"codecs": [[]]}']
)
def test_unreadable_settings_are_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        SipOptions.from_json(text)


def test_workers_share_ports_without_overlap() -> None:
    account = SipOptions(port=5060, rtp_ports=(10000, 10999), registrar="sip:p.example", username="u")
    workers = spread(account, 3)
    assert [each.port for each in workers] == [5060, 5062, 5064]
    assert [each.effective_tls_port for each in workers] == [5061, 5063, 5065]
    assert [each.registrar for each in workers] == ["sip:p.example", None, None]
    spans = [set(range(first, last + 1)) for first, last in (each.rtp_ports for each in workers)]
    assert not spans[0] & spans[1]
    assert not spans[1] & spans[2]
    assert all(first % 2 == 0 for first, _ in (each.rtp_ports for each in workers))
    with pytest.raises(ConfigurationError, match="rtp_ports"):
        spread(account, 200)
    assert json.loads(workers[1].to_json())["registrar"] is None


def watch(**changes: Any) -> CallWatch:
    return CallWatch(SipOptions(ring_seconds=60, max_call_seconds=100, rtp_timeout=20, **changes), 0.0)


def test_ringing_is_limited() -> None:
    call = watch()
    assert call.verdict(60.0, bridged=False) is None
    assert call.verdict(60.1, bridged=False) == "ring_limit"


def test_talking_is_limited_and_longer_when_put_through() -> None:
    call = watch(max_bridged_seconds=1000)
    call.begin(10.0)
    call.received(1, 105.0)
    assert call.verdict(110.0, bridged=False) is None
    assert call.verdict(110.1, bridged=False) == "time_limit"
    assert call.verdict(110.1, bridged=True) is None


def test_media_that_stops_is_noticed_and_hold_is_no_stop() -> None:
    call = watch()
    call.begin(0.0)
    for second in range(1, 6):
        call.received(50 * second, float(second))
    call.received(250, 24.9)
    assert call.verdict(24.9, bridged=False) is None
    call.received(250, 25.1)
    assert call.verdict(25.1, bridged=False) == "rtp_dead"
    call.on_hold(30.0)
    assert call.verdict(40.0, bridged=False) is None


def test_who_is_being_put_through_may_wait_for_it_in_silence() -> None:
    call = watch()
    call.begin(0.0)
    assert call.verdict(25.0, bridged=False, is_transferring=True) is None
    assert call.verdict(100.1, bridged=False, is_transferring=True) == "time_limit"


def test_who_is_put_through_may_be_silent_until_the_time_limit() -> None:
    call = watch(max_bridged_seconds=1000)
    call.begin(0.0)
    assert call.verdict(999.0, bridged=True) is None
    assert call.verdict(1000.1, bridged=True) == "time_limit"


def test_a_call_that_never_gets_media_ends_too() -> None:
    call = watch()
    call.begin(0.0)
    assert call.verdict(20.1, bridged=False) == "rtp_dead"


def test_a_refused_registration_is_tried_ever_more_slowly() -> None:
    events: list[Any] = []
    tries: list[float] = []
    now = 0.0
    registration = Registration(1, events.append, lambda: tries.append(now), first_retry=5.0)
    for _ in range(9):
        registration.answered(403, "Forbidden", 0, now)
        before = len(tries)
        now += events[-1].retry_in - 0.01
        registration.tick(now)
        assert len(tries) == before
        now += 0.02
        registration.tick(now)
        registration.tick(now)
        assert len(tries) == before + 1
    waits = [each.retry_in for each in events]
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, LONGEST_RETRY, LONGEST_RETRY, LONGEST_RETRY]
    registration.answered(200, "OK", 300, now)
    registration.answered(503, "Unavailable", 0, now)
    assert events[-2:] == [Registered(1, 300), RegistrationFailed(1, 503, "Unavailable", 5.0)]


def test_a_lost_connection_is_registered_again_once() -> None:
    tries: list[float] = []
    registration = Registration(1, lambda _: None, lambda: tries.append(0.0), first_retry=5.0)
    registration.connection_lost(10.0)
    registration.connection_lost(14.0)
    registration.tick(14.9)
    assert tries == []
    registration.tick(15.0)
    registration.tick(30.0)
    assert tries == [0.0]


def test_unregistering_is_no_event() -> None:
    events: list[Any] = []
    Registration(1, events.append, lambda: None, first_retry=5.0).answered(200, "OK", 0, 0.0)
    assert events == []


def test_a_transfer_has_one_final_code() -> None:
    events: list[Any] = []
    transfer = Transfer(1, events.append, deadline=40.0)
    transfer.progress(100, "Trying", final=False)
    assert not transfer.expired(39.9)
    assert transfer.expired(40.0)
    transfer.progress(486, "Busy Here", final=True)
    transfer.progress(200, "OK", final=True)
    assert [(each.code, each.final) for each in events] == [(100, False), (486, True)]
    assert not transfer.expired(100.0)


def test_a_service_that_does_not_read_loses_audio_only() -> None:
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    outbox = Outbox(ours, lambda: None)
    outbox.start()
    total = MAX_WAITING + 500
    for frame in range(total):
        outbox.put_audio(1, 160 * frame, 0.02 * frame, bytes(320))
        if frame % 100 == 0:
            outbox.put(Dtmf(1, str(frame // 100 % 10), "info", 0))
    assert outbox.dropped > 0
    received: list[Any] = []
    decoder = StreamDecoder()

    def read() -> None:
        while data := theirs.recv(65536):
            received.extend(decoder.feed(data))

    reader = threading.Thread(target=read)
    reader.start()
    outbox.close(10.0)
    ours.close()
    reader.join(10.0)
    theirs.close()
    audio = [each for each in received if isinstance(each, Audio)]
    assert len(audio) == total - outbox.dropped
    assert [each.position for each in audio] == sorted(each.position for each in audio)
    assert sum(isinstance(each, Dtmf) for each in received) == total // 100


@pytest.fixture
def outbox_and_reader() -> Iterator[tuple[Outbox, Callable[[], list[Any]]]]:
    """Make an outbox and what reads every event that has come out of it within a moment."""
    ours, theirs = socket.socketpair()
    outbox = Outbox(ours, lambda: None)
    outbox.start()
    decoder = StreamDecoder()

    def read() -> list[Any]:
        theirs.settimeout(0.2)
        events: list[Any] = []
        with suppress(TimeoutError):
            while data := theirs.recv(65536):
                events.extend(decoder.feed(data))
        return events

    yield outbox, read
    outbox.close(5.0)
    ours.close()
    theirs.close()


def test_frames_leave_when_all_calls_have_given_one(
    outbox_and_reader: tuple[Outbox, Callable[[], list[Any]]],
) -> None:
    outbox, read = outbox_and_reader
    for _ in range(3):
        outbox.audio_began()
    for call in (1, 2):
        outbox.put_audio(call, 0, 5.0 + call / 1000, RAMP)
    assert read() == []
    outbox.put_audio(3, 0, 5.003, RAMP)
    assert read() == [Audio(call, 0, 5.0 + call / 1000, RAMP) for call in (1, 2, 3)]


def test_a_call_that_gives_no_frame_delays_the_others_by_one(
    outbox_and_reader: tuple[Outbox, Callable[[], list[Any]]],
) -> None:
    outbox, read = outbox_and_reader
    for _ in range(3):
        outbox.audio_began()
    outbox.put_audio(1, 0, 5.000, RAMP)
    outbox.put_audio(2, 0, 5.001, RAMP)
    assert read() == []
    outbox.put_audio(1, 160, 5.020, RAMP)
    first = read()
    assert [(each.call, each.position) for each in first] == [(1, 0), (2, 0), (1, 160)]
    # The third is back: the round that began with 1 is whole again.
    outbox.put_audio(2, 160, 5.021, RAMP)
    assert read() == []
    outbox.put_audio(3, 0, 5.022, RAMP)
    assert [(each.call, each.position) for each in read()] == [(2, 160), (3, 0)]


def test_other_events_take_the_frames_before_them_along(
    outbox_and_reader: tuple[Outbox, Callable[[], list[Any]]],
) -> None:
    outbox, read = outbox_and_reader
    outbox.audio_began()
    outbox.audio_began()
    outbox.put_audio(1, 0, 5.0, RAMP)
    outbox.put(Dtmf(1, "1", "info", 160))
    assert read() == [Audio(1, 0, 5.0, RAMP), Dtmf(1, "1", "info", 160)]
    outbox.audio_ended()
    outbox.put_audio(1, 160, 5.02, RAMP)
    assert [each.position for each in read()] == [160]


def test_the_end_of_the_service_is_noticed_once() -> None:
    ours, theirs = socket.socketpair()
    gone = threading.Event()
    outbox = Outbox(ours, gone.set)
    theirs.close()
    outbox.start()
    outbox.put(Dtmf(1, "1", "info", 0))
    assert gone.wait(5.0)
    ours.close()
