"""The recurrent cells and their kernels.

A cell is one file, ``cells/*.pxi``: its step and its gradient, side by side. The kernels are built for every
instruction set and both dtypes; the widest that the processor has is chosen at import, or the one that ``SKRNN_SIMD``
names.
"""

import os
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from skrnn._runtime.machine import instruction_sets

KNOWN = ("baseline", "avx2", "avx512")


def available():
    """The instruction sets that this processor has and that were built, the widest last."""
    return [name for name in instruction_sets() if find_spec(f"skrnn.kernels._{name}_float32")]


def choose(wanted):
    """The instruction set to use: the one wanted, or else the widest."""
    if not wanted:
        return available()[-1]
    if wanted not in KNOWN:
        raise ImportError(f"SKRNN_SIMD={wanted}: expected one of {', '.join(KNOWN)}, or nothing for the widest")
    if wanted not in available():
        raise ImportError(
            f"SKRNN_SIMD={wanted}: this processor or this build of skrnn does not have it, but {', '.join(available())}"
        )
    return wanted


def load(name):
    """The kernels for an instruction set, by dtype."""
    return {
        np.dtype(dtype): import_module(f"skrnn.kernels._{name}_{dtype}") for dtype in ("float32", "float64")
    }


instruction_set = choose(os.environ.get("SKRNN_SIMD"))
_kernels = load(instruction_set)


def kernels_for(dtype):
    """The kernels that compute in a dtype."""
    return _kernels[np.dtype(dtype)]


CELLS = kernels_for(np.float64).CELLS
POOLINGS = tuple(kernels_for(np.float64).POOLINGS)
ACTIVATIONS = tuple(form["activation"] for form in CELLS["rnn"].forms)
