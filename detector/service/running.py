"""The service put together from its settings, and kept running until it is told to stop."""

import asyncio
import contextlib
import logging
import platform
import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from detector.clock import SystemClock
from detector.config.options import list_entries, screener_options, sip_options, store_url
from detector.config.settings import Settings
from detector.console.terminal import TerminalConsole
from detector.screener import ScreenerOptions, ScreenerParts
from detector.service.answering import AnsweringOptions, AnsweringService, utc_now
from detector.service.desk import CallDesk, ForwardOptions
from detector.service.known_audio import KnownAudio
from detector.service.known_numbers import KnownNumbers
from detector.service.spectator import Spectator
from detector.sip.options import SipOptions
from detector.sip.supervisor import SipSupervisor
from detector.speech.pool import RecognitionPool
from detector.speech.transcript import Transcriber
from detector.stores.store import Store
from detector.stores.writer import StoreReport, StoreWriter

__all__ = ["run_service"]

log = logging.getLogger(__name__)

DRAIN_SECONDS = 75.0
"""How long callers are put through, or leave their messages, before the service stops: a transfer that nobody answers
takes 40 s, and the message comes after it. systemd waits for 90 s."""


async def run_service(
    settings: Settings,
    environ: Mapping[str, str],
    parts: ScreenerParts,
    transcriber: Transcriber,
    console: TerminalConsole | None,
) -> None:
    """Answer calls until SIGINT, SIGTERM or SIGHUP. Raises ConfigurationError, StoreError or PortInUse at the start."""
    keep_audio = settings.store.recordings if settings.store.keep_audio else None
    recognition = settings.recognition
    clock = SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        # Two services of one machine may share a store; each is known by where it listens.
        agent = f"{platform.node()} {settings.sip.listen_address}:{settings.sip.port}"
        store = stack.enter_context(Store(store_url(settings, environ), recordings=keep_audio, agent=agent))
        pool = stack.enter_context(
            RecognitionPool(transcriber, recognition.workers, recognition.timeout_seconds)
        )
        loop = asyncio.get_running_loop()
        service: AnsweringService | None = None

        def store_report(report: StoreReport) -> None:
            if service is None:
                return
            tell = service.store_failed if report.error else partial(service.store_works, report.lost_writes)
            with contextlib.suppress(RuntimeError):  # the loop has ended before the last write
                loop.call_soon_threadsafe(tell)

        writer = StoreWriter(store, store_report)
        stack.callback(writer.close)
        workers = sip_options(settings, environ)
        supervisor = SipSupervisor(workers)
        await stack.enter_async_context(supervisor)
        # Only now: a second service, started by mistake, ends at the port in use and leaves the first's calls alone.
        if lost := store.recover(utc_now()):
            log.warning("calls that were lost when the service last stopped: %d", lost)
        known_audio = KnownAudio(store.fingerprints, loop)
        stack.callback(known_audio.close)
        desk = CallDesk(
            send=supervisor.send,
            parts=parts,
            options=_OptionsNow(settings),
            forward=ForwardOptions(settings.forward.mode, settings.forward.target),
            recognition=pool,
            clock=clock,
            scheduler=loop,
            spectator=Spectator(console),
            known_audio=known_audio,
        )
        known = KnownNumbers(store, list_entries(settings), clock, utc_now)
        options = AnsweringOptions(
            keep_audio=settings.store.keep_audio, most_screened=settings.agent.max_screened
        )
        service = AnsweringService(supervisor, desk, writer, known, options)
        await _until_told(service, supervisor, desk.spectator, _places(workers))


def _places(workers: Sequence[SipOptions]) -> str:
    """Where calls are waited for, for the user's eyes."""
    ports = sorted({f"{worker.listen_address}:{worker.port}" for worker in workers if worker.port})
    return f" at {', '.join(ports)}" if ports else ""


async def _until_told(
    service: AnsweringService, supervisor: SipSupervisor, spectator: Spectator, places: str
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` has it
            loop.add_signal_handler(number, stop.set)
    running = loop.create_task(service.run())
    running.add_done_callback(lambda _task: stop.set())
    spectator.note("service", f"ready: waiting for calls{places}")
    log.info("ready: waiting for calls%s", places)
    await stop.wait()
    await _drain(service, stop)
    await supervisor.stop()
    await running
    spectator.note("service", "stopped")


async def _drain(service: AnsweringService, stop: asyncio.Event) -> None:
    """Let calls end well; a second signal ends the wait."""
    stop.clear()
    draining = asyncio.ensure_future(service.drain(DRAIN_SECONDS))
    again = asyncio.ensure_future(stop.wait())
    await asyncio.wait({draining, again}, return_when=asyncio.FIRST_COMPLETED)
    for task in (draining, again):
        task.cancel()
    await asyncio.gather(draining, again, return_exceptions=True)


class _OptionsNow:
    """The options of a call that comes in now: quiet hours come and go."""

    def __init__(self, settings: Settings) -> None:
        self._agent = settings.agent
        self._options = screener_options(settings)
        quiet = replace(self._options.policy, put_through=False)
        self._quiet = replace(self._options, policy=quiet)

    def __call__(self) -> ScreenerOptions:
        is_quiet = self._agent.is_quiet(datetime.now().astimezone())
        return self._quiet if is_quiet else self._options
