"""The kernels, built once for each dtype and instruction set; ``skrnn.kernels.kernels`` chooses.

See `declarations.pxi` for how a batch lies in memory and who does what.
"""

from cpython.exc cimport PyErr_CheckSignals
from cython.parallel cimport parallel, prange, threadid
from libc.math cimport INFINITY, ceil, exp, expm1, fabs, log, log1p, sqrt
from libc.stddef cimport size_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from skrnn._runtime import machine
from skrnn.kernels.cells.description import CellDescription

cdef extern from "Python.h":
    const Py_ssize_t PY_SSIZE_T_MAX

cdef int MAX_THREADS = machine.MAX_THREADS

include "declarations.pxi"
include "cells/affine.pxi"
include "cells/rnn.pxi"
include "cells/gru.pxi"
include "cells/lstm.pxi"
include "cells/skip_lstm.pxi"

CELLS = {"rnn": RNN, "gru": GRU, "lstm": LSTM, "skip_lstm": SKIP_LSTM}


cdef Cell cell_named(str name, int variant) except *:
    if name not in CELLS or not 0 <= variant < len(CELLS[name].forms):
        raise ValueError(f"there is no cell {name!r} with variant={variant}")
    if name == "rnn":
        return rnn_cell(variant)
    if name == "gru":
        return gru_cell(variant)
    if name == "lstm":
        return lstm_cell(variant)
    return skip_lstm_cell(variant)


def n_biases(str name, int variant):
    """The rows of a cell's bias."""
    return cell_named(name, variant).n_biases


include "scan.pxi"
include "losses.pxi"
include "pooling.pxi"
include "tile.pxi"
include "weights.pxi"
include "group.pxi"
include "memory.pxi"
include "batch.pxi"
include "workspace.pxi"
include "training.pxi"
include "updates.pxi"
include "arguments.pxi"
include "engine.pxi"
include "checks.pxi"
