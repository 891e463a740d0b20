"""Which host a SIP address names, and from which of our addresses it is reached."""

import socket

import pytest

from detector.errors import ConfigurationError, SipError
from detector.sip.reaching import address_of, host_of, own_address


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("sip:agent@192.0.2.10:5060", "192.0.2.10"),
        ("sip:192.0.2.10", "192.0.2.10"),
        ("sips:agent@pbx.example;transport=tls", "pbx.example"),
        ("<sip:+862160953318@PBX.example:5080;transport=tcp>", "PBX.example"),
        (f"sip:agent@{'a' * 60}.{'b' * 60}.example", f"{'a' * 60}.{'b' * 60}.example"),
    ],
)
def test_the_host_of_an_address(target: str, host: str) -> None:
    assert host_of(target) == host


@pytest.mark.parametrize(
    "target",
    [
        "foo",
        "",
        "agent@192.0.2.10",
        "tel:02160953318",
        "sip:",
        "sip:a b@192.0.2.10",
        "sip:a@192.0.2.10:0",
        "sip:a@192.0.2.10:65536",
        "sip:阿@192.0.2.10",
        "sip:a@[2001:db8::1]",
    ],
)
def test_what_is_no_address_is_refused_with_the_form_of_one(target: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sip:agent@192\.0\.2\.10:5060"):
        host_of(target)


def test_this_machine_is_reached_from_the_loopback() -> None:
    assert own_address(address_of("localhost")) == "127.0.0.1"


def test_another_machine_is_reached_from_the_address_that_the_way_there_begins_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Routed(socket.socket):
        def connect(self, address: tuple[str, int]) -> None:  # type: ignore[override]
            assert address[0] == "192.0.2.10"

        def getsockname(self) -> tuple[str, int]:
            return "192.0.2.2", 40000

    monkeypatch.setattr(socket, "socket", Routed)
    assert own_address("192.0.2.10") == "192.0.2.2"


def test_a_machine_that_no_way_leads_to() -> None:
    with pytest.raises(SipError, match=r"^255\.255\.255\.255 cannot be reached from this machine: .+\.$"):
        own_address("255.255.255.255")


def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(SipError, match=f"^The host {'a' * 64}.example is not found: check the address.$"):
        address_of(f"{'a' * 64}.example")
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(SipError, match=r"^The host pbx.example is not found \(Name or service not known\)"):
        address_of("pbx.example")
