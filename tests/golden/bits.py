"""Which kernels compute the golden bits."""

import platform

from skrnn import kernels


def has_fma():
    """Whether the kernels in use have fused multiply-add: all but the baseline of processors other than 64-bit Arm."""
    return kernels.instruction_set != "baseline" or platform.machine() in ("aarch64", "arm64")
