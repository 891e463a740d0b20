"""The SIP library, set up from SipOptions: endpoint, transports, codecs, account, registration."""

from collections.abc import Callable
from typing import Any, Final

import pjsua2 as pj

from detector.errors import ConfigurationError, PortInUse, SipError
from detector.sip.addresses import presentable
from detector.sip.legs import IncomingHandler, Leg, Post, SipAccount
from detector.sip.library import keep_calls_after_silence, limit_of_calls
from detector.sip.options import SipOptions

__all__ = ["SipStack", "call_parameters"]

CLOCK_RATE: Final = 8000
"""Of the bridge; 16 kHz doubles the cost and telephones bring nothing above 4 kHz."""
ADDRESS_IN_USE: Final = 120098
"""The library's number for the system's error 98."""
FIRST_PRIORITY: Final = 255
_TRANSPORTS: Final = {
    "udp": pj.PJSIP_TRANSPORT_UDP,
    "tcp": pj.PJSIP_TRANSPORT_TCP,
    "tls": pj.PJSIP_TRANSPORT_TLS,
}
_SRTP: Final = {
    "off": pj.PJMEDIA_SRTP_DISABLED,
    "optional": pj.PJMEDIA_SRTP_OPTIONAL,
    "required": pj.PJMEDIA_SRTP_MANDATORY,
}


class _Endpoint(pj.Endpoint):  # type: ignore[misc]  # the library has no types
    """Hears of connections that break: the registrar cannot reach us over one any more."""

    def __init__(self) -> None:
        super().__init__()
        self.connection_lost: Callable[[], None] | None = None

    def onTransportState(self, event: Any) -> None:  # noqa: N802 - the library's name
        if event.state == pj.PJSIP_TP_STATE_DISCONNECTED and self.connection_lost is not None:
            self.connection_lost()


class SipStack:
    """One endpoint with one account; a process can have one."""

    def __init__(self, options: SipOptions) -> None:
        self.options = options
        self._endpoint = _Endpoint()
        self._host = ""
        self.port = 0
        """Of the first transport."""
        self.max_calls = 0
        """What the library really holds, at most what the options allow."""
        self.account: SipAccount

    @property
    def version(self) -> str:
        return f"pjproject {self._endpoint.libVersion().full}"

    def start(
        self,
        post: Post,
        incoming: IncomingHandler,
        registration: Callable[[int, str, int], None],
        connection_lost: Callable[[], None],
    ) -> None:
        """Open the transports and listen; raises PortInUse, ConfigurationError or SipError.

        The callbacks are run through `post`: an INVITE, an answer of the registrar, a connection that broke.
        """
        if self.options.registrar is not None:
            self._endpoint.connection_lost = lambda: post(connection_lost)
        try:
            self._endpoint.libCreate()
            self._endpoint.libInit(self._endpoint_config())
            keep_calls_after_silence()
            self.max_calls = min(limit_of_calls(), self.options.max_calls)
            for name in self.options.transports:
                self._listen(name)
            self._endpoint.libStart()
            self._endpoint.audDevManager().setNullDev()
            self._choose_codecs()
            follows = self.options.role == "caller"
            self.account = SipAccount(post, incoming, registration, follows_refer=follows)
            self.account.create(self._account_config())
        except pj.Error as error:
            raise SipError(f"The SIP library did not start: {error.reason} ({error.title}).") from error

    def silence(self) -> Any:
        """A source of silence: a call that gets none sends no packets, and the peer takes it for dead."""
        return self._endpoint.audDevManager().getCaptureDevMedia()

    def is_uri(self, target: str) -> bool:
        return bool(self._endpoint.utilVerifySipUri(target) == pj.PJ_SUCCESS)

    def local_uri(self, number: str, display_name: str) -> str:
        """Return our address under another number; what cannot stand in one is left out."""
        user = presentable(number)
        name = "".join(each for each in display_name if each.isprintable() and each not in '"\\')
        host = (
            f"{self._host}:{self.port}"
            if self.options.registrar is None
            else _host_of(self.options.registrar)
        )
        return f'"{name}" <sip:{user}@{host}>' if name else f"<sip:{user}@{host}>"

    def place(self, leg: Leg, target: str, parameters: Any) -> None:
        leg.makeCall(target, parameters)

    def hang_up_all(self) -> None:
        self._endpoint.hangupAllCalls()

    def unregister(self) -> bool:
        """Unregister where there is a registrar; return whether an answer is to be awaited."""
        if self.options.registrar is None:
            return False
        self.account.setRegistration(False)
        return True

    def _endpoint_config(self) -> Any:
        config = pj.EpConfig()
        config.logConfig.level = config.logConfig.consoleLevel = self.options.log_level
        agent = config.uaConfig
        agent.maxCalls, agent.threadCnt, agent.userAgent = self.options.max_calls, 1, self.options.user_agent
        media = config.medConfig
        media.clockRate = media.sndClockRate = CLOCK_RATE
        media.noVad, media.ecTailLen, media.audioFramePtime = True, 0, 20
        return config

    def _listen(self, name: str) -> None:
        config = pj.TransportConfig()
        config.port = self.options.effective_tls_port if name == "tls" else self.options.port or self.port
        config.boundAddress = self.options.listen_address
        config.publicAddress = self.options.public_address or ""
        if name == "tls":
            self._secure(config.tlsConfig)
        try:
            transport = self._endpoint.transportCreate(_TRANSPORTS[name], config)
        except pj.Error as error:
            where = f"{self.options.listen_address}:{config.port} ({name})"
            if error.status == ADDRESS_IN_USE:
                raise PortInUse(
                    f"{where} is in use: stop what listens there or set another sip.port."
                ) from error
            raise ConfigurationError(f"Cannot listen on {where}: {error.reason}.") from error
        host, _, port = self._endpoint.transportGetInfo(transport).localName.rpartition(":")
        if not self.port:
            self._host, self.port = host, int(port)

    def _secure(self, config: Any) -> None:
        config.certFile = self.options.tls_certificate or ""
        config.privKeyFile = self.options.tls_private_key or ""
        config.CaListFile = self.options.tls_authorities or ""
        config.verifyServer = self.options.tls_authorities is not None
        config.proto = pj.PJ_SSL_SOCK_PROTO_TLS1_2

    def _choose_codecs(self) -> None:
        wanted = {name: FIRST_PRIORITY - place for place, name in enumerate(self.options.codecs)}
        found = set()
        for codec in self._endpoint.codecEnum2():
            name = codec.codecId.partition("/")[0]
            self._endpoint.codecSetPriority(codec.codecId, wanted.get(name, 0))
            found.add(name)
        if missing := [name for name in wanted if name not in found]:
            raise ConfigurationError(f"sip.codecs: the SIP library has no {missing[0]}; leave it out.")

    def _account_config(self) -> Any:
        options = self.options
        config = pj.AccountConfig()
        host = f"{self._host}:{self.port}" if options.registrar is None else _host_of(options.registrar)
        config.idUri = f"sip:{options.username or options.identity}@{host}"
        if options.username and options.password is not None:
            credentials = pj.AuthCredInfo("digest", options.realm, options.username, 0, options.password)
            config.sipConfig.authCreds.append(credentials)
        if options.outbound_proxy:
            config.sipConfig.proxies.append(options.outbound_proxy)
        config.regConfig.registrarUri = options.registrar or ""
        config.regConfig.timeoutSec = options.register_seconds
        # Trying again is ours: the library would leave out the refusals.
        config.regConfig.retryIntervalSec = config.regConfig.firstRetryIntervalSec = 0
        config.regConfig.registerOnAdd = bool(options.registrar)
        config.natConfig.sdpNatRewriteUse = int(
            options.registrar is not None and options.public_address is None
        )
        media = config.mediaConfig
        media.srtpUse, media.srtpSecureSignaling = _SRTP[options.srtp], 0
        first, last = options.rtp_ports
        media.transportConfig.port, media.transportConfig.portRange = first, last - first
        media.transportConfig.boundAddress = options.listen_address
        media.transportConfig.publicAddress = options.public_address or ""
        return config


def call_parameters(code: int = 0, headers: tuple[tuple[str, str], ...] = (), local_uri: str = "") -> Any:
    """Return the library's parameters for an operation on a call."""
    parameters = pj.CallOpParam(not code)
    parameters.statusCode = code
    parameters.txOption.localUri = local_uri
    for name, value in headers:
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        parameters.txOption.headers.append(header)
    return parameters


def _host_of(uri: str) -> str:
    """Return the host, and port if any, of `sip:host` without parameters."""
    return uri.partition(":")[2].rpartition("@")[2].partition(";")[0]
