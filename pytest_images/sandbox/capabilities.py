"""The capabilities of a RUN step: those that Docker gives a container by default."""

from __future__ import annotations

# Name and number (linux/capability.h), as of "Runtime privilege and Linux capabilities" in
# Docker's documentation.
DEFAULT = {
    "CAP_CHOWN": 0,
    "CAP_DAC_OVERRIDE": 1,
    "CAP_FOWNER": 3,
    "CAP_FSETID": 4,
    "CAP_KILL": 5,
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_SETPCAP": 8,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_RAW": 13,
    "CAP_SYS_CHROOT": 18,
    "CAP_MKNOD": 27,
    "CAP_AUDIT_WRITE": 29,
    "CAP_SETFCAP": 31,
}
MASK = sum(1 << number for number in DEFAULT.values())
