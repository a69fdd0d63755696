"""How much memory the machine, or the container that this process lives in, has."""

from __future__ import annotations

import os
from pathlib import Path

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says what a container may use."""

UNKNOWN = 4 * 2**30
"""Bytes assumed where the system does not say."""


def machine_memory() -> int:
    """Return the bytes of memory there are: those of the machine, or fewer where a container is limited."""
    try:
        found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (ValueError, OSError, AttributeError):  # not a POSIX system
        found = [UNKNOWN]
    for path in LIMITS:
        try:
            found.append(int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or the word "max"
            continue
    return min(found)
