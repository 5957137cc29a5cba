"""Which kernels compute the golden bits."""

import platform

from skrnn import kernels


def has_fma(instruction_set):
    """Whether kernels have fused multiply-add: all but the baseline of processors other than 64-bit Arm."""
    return instruction_set != "baseline" or platform.machine().lower() in ("aarch64", "arm64")


def with_fma(wanted):
    """The instruction sets here whose kernels have it, or have not."""
    return [name for name in kernels.available() if has_fma(name) == wanted]
