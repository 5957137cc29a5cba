"""The kernels, built once for each dtype and instruction set; ``skrnn.kernels`` chooses one.

See `declarations.pxi` for how a batch lies in memory and who does what.
"""

from cpython.exc cimport PyErr_CheckSignals
from cpython.ref cimport Py_DECREF, Py_INCREF, PyObject
from cython.parallel cimport parallel, prange, threadid
from libc.limits cimport LONG_MAX
from libc.math cimport INFINITY, ceil, exp, expm1, fabs, floor, log, log1p, sqrt
from libc.stddef cimport size_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from dataclasses import replace
from threading import get_ident, main_thread

from skrnn._runtime import machine
from skrnn.kernels.cells.description import CellDescription

cdef extern from "Python.h":
    const Py_ssize_t PY_SSIZE_T_MAX

cdef int MAX_THREADS = machine.MAX_THREADS

include "declarations.pxi"

# One line for each cell, below what they share
include "cells/registry.pxi"
include "cells/affine.pxi"
include "cells/candidate.pxi"
include "cells/rnn.pxi"
include "cells/gru.pxi"
include "cells/mgu.pxi"
include "cells/lstm.pxi"
include "cells/skip_lstm.pxi"

include "interrupts.pxi"
include "decay.pxi"
include "scan.pxi"
include "sharing.pxi"
include "losses.pxi"
include "likelihoods.pxi"
include "pooling.pxi"
include "tile.pxi"
include "weights.pxi"
include "states.pxi"
include "group.pxi"
include "memory.pxi"
include "batch.pxi"
include "workspace.pxi"
include "training.pxi"
include "updates.pxi"
include "arguments.pxi"
include "engine.pxi"
include "parts.pxi"
