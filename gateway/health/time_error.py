"""How far the clock may be off, as the kernel has it from chrony, ntpd or systemd-timesyncd."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from gateway.health.itself import Source

_TIME_ERROR = 5
_STA_NANO = 0x2000


class Timex(ctypes.Structure):
    """The head of `struct timex` of adjtimex(2); the rest is room for the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 460),
    )


def offset_s(state: int, found: Timex) -> float | None:
    """Seconds the clock is off: the offset that is still to be slewed, or the estimated error where that is larger
    (chrony slews by itself and tells the kernel only the latter). None while nobody disciplines the clock."""
    if not 0 <= state < _TIME_ERROR:
        return None
    offset: float = found.offset / (1e9 if found.status & _STA_NANO else 1e6)
    error: float = found.esterror / 1e6
    return round(offset if abs(offset) >= error else error, 6)


def time_error(adjtimex: Callable[[Timex], int] | None = None) -> Source:
    """`clock_offset`, in seconds."""
    libc = ctypes.CDLL(None, use_errno=True)
    ask_kernel = adjtimex or (lambda found: int(libc.adjtimex(ctypes.byref(found))))

    def ask() -> dict[str, float | None]:
        found = Timex()
        return {"clock_offset": offset_s(ask_kernel(found), found)}

    return ask
