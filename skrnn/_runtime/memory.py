"""How much memory a batch may take."""

import os
import sys
from functools import cache
from pathlib import Path

try:
    import resource
except ImportError:     # Windows
    resource = None

# Of the memory that the process may use. A batch that needs more is computed in parts, with the same bits.
MEMORY_FRACTION = 0.25
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def usable_memory():
    """Bytes of memory that the process may use: the machine's, or the limit of its container or of its addresses."""
    limits = [sys.maxsize]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names and os.sysconf("SC_PHYS_PAGES") > 0:
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in map(Path, CGROUP_LIMITS):
        if os.access(path, os.R_OK) and (limit := path.read_text().strip()).isdigit():
            limits.append(int(limit))
    if resource is not None and (limit := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY:
        limits.append(limit)
    return min(limits)


def max_bytes():
    """Bytes that the arrays of a batch may take."""
    return int(MEMORY_FRACTION * usable_memory())
