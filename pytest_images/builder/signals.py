"""The signals that STOPSIGNAL may name: Linux's, on whichever machine we build."""

from __future__ import annotations

_PLAIN = """
    ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT
    STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX
"""
_NAMES = frozenset(
    {
        *_PLAIN.split(),
        *(f"RTMIN+{number}" for number in range(1, 16)),
        *(f"RTMAX-{number}" for number in range(1, 15)),
    }
)
_HIGHEST = 64  # SIGRTMAX


def is_signal(text: str) -> bool:
    """Tell whether Docker takes *text*: a number but 0, or a name, with ``SIG`` or without.

    >>> [is_signal(text) for text in ("9", "SIGTERM", "usr1", "SIGRTMIN+3", "0", "NOPE")]
    [True, True, True, True, False, False]
    """
    digits = text.lstrip("+")
    if digits.isascii() and digits.isdigit():
        return len(digits) < 10 and 0 < int(digits) <= _HIGHEST
    return text.upper().removeprefix("SIG") in _NAMES
