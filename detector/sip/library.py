"""What the library can do and its binding leaves out: its limit of calls, a setting, an answer to a request.

All of it is the library's public interface, reached by name. Where a build hides a name, or lays its settings out
otherwise, the worker does without.
"""

import ctypes
import logging
import sys
from functools import cache
from typing import Any, Final

__all__ = ["answer_request", "can_answer", "keep_calls_after_silence", "limit_of_calls"]

_log = logging.getLogger(__name__)

SMALLEST_LIMIT: Final = 4
"""Calls that the most narrowly built library can hold."""
_SETTINGS: Final = (0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1023, 500, 4000, 5000, 32000)
"""`pjsip_cfg_t` of pjproject 2.15 as built by default: its switches, then the most transactions, T1, T2, T4 and TD."""
_KEEP_AFTER_SILENCE: Final = 12
"""Where `endpt.keep_inv_after_tsx_timeout` stands among them."""


def limit_of_calls() -> int:
    """Ask the library how many calls it was built for."""
    ask = _function("pjsua_call_get_max_count")
    if ask is None:
        _log.warning("The SIP library hides its limit of calls: %d are assumed.", SMALLEST_LIMIT)
        return SMALLEST_LIMIT
    ask.restype = ctypes.c_uint
    return int(ask())


def keep_calls_after_silence() -> bool:
    """Keep a call up when a request within it, such as REFER, gets no answer or 408; return whether that is so.

    Otherwise the library hangs up on a caller whose exchange knows no REFER. Once, before the first call.
    """
    try:
        settings = (ctypes.c_int * len(_SETTINGS)).in_dll(_library(), "pjsip_sip_cfg_var")
    except (AttributeError, TypeError, ValueError):
        settings = None
    # A place in memory is written to: only where everything there is what it should be.
    if settings is None or tuple(settings) != _SETTINGS:
        _log.warning("The SIP library is of another build: who ignores a REFER is hung up on.")
        return False
    settings[_KEEP_AFTER_SILENCE] = 1
    return True


def can_answer() -> bool:
    """Whether requests within a call can be answered here."""
    return all(_function(name) is not None for name in ("pjsip_rdata_get_dlg", "pjsip_dlg_respond"))


def answer_request(request: Any, code: int) -> None:
    """Answer a request within a call, while the library still asks what becomes of it.

    `request` is `SipRxData.pjRxData`; on the library's own thread.
    """
    dialog_of, respond = _function("pjsip_rdata_get_dlg"), _function("pjsip_dlg_respond")
    if dialog_of is None or respond is None:
        return
    dialog_of.restype, dialog_of.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    respond.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, *[ctypes.c_void_p] * 3]
    dialog = dialog_of(int(request))
    if dialog:
        respond(dialog, int(request), code, None, None, None)


@cache
def _library() -> Any:
    binding = sys.modules.get("pjsua2._pjsua2") or sys.modules.get("_pjsua2")
    try:
        return ctypes.CDLL(getattr(binding, "__file__", None)) if binding is not None else None
    except OSError:
        return None


def _function(name: str) -> Any | None:
    return getattr(_library(), name, None)
