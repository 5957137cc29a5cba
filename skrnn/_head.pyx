"""The output layer: scores = Z V + c with its gradient, and the softmax of a row.

Rows are independent and every sum has one order, so the bits depend neither on the number of threads nor on which rows
are computed together. That is why BLAS has no place here.
"""

include "cells/_products.pxi"

from cython.parallel cimport prange

cdef enum:
    ROWS = 16                   # rows of Z, or rows of dV, that a thread takes at a time


def linear(
    const real[:, ::1] Z,       # IN  (R, P)
    const real[:, ::1] V,       # IN  (P, Q)
    const real[::1] c,          # IN  (Q,)
    real[:, ::1] scores,        # OUT (R, Q)
    Py_ssize_t n_threads,
):
    """scores = Z V + c."""
    cdef Py_ssize_t R = Z.shape[0], P = Z.shape[1], Q = V.shape[1]
    cdef Py_ssize_t i, n_blocks = (R + ROWS - 1) // ROWS
    if R < 1 or P < 1 or Q < 1 or V.shape[0] != P or c.shape[0] != Q or scores.shape[0] != R or scores.shape[1] != Q:
        raise ValueError("linear needs Z (R, P), V (P, Q), c (Q,) and scores (R, Q)")
    cdef int threads = usable_threads(n_threads, n_blocks)
    for i in prange(n_blocks, nogil=True, schedule="static", num_threads=threads):
        linear_rows(min(ROWS, R - i * ROWS), P, Q, &Z[i * ROWS, 0], &V[0, 0], &c[0], &scores[i * ROWS, 0])


cdef void linear_rows(
    Py_ssize_t m, Py_ssize_t P, Py_ssize_t Q, const real* Z, const real* V, const real* c, real* scores
) noexcept nogil:
    fill_rows(m, Q, c, scores, Q)
    add_product(m, P, Q, Z, P, 1, V, Q, scores, Q)


def linear_gradient(
    const real[:, ::1] Z,       # IN  (R, P)
    const real[:, ::1] V_T,     # IN  (Q, P)
    const real[:, ::1] dscores,     # IN  (R, Q)
    real[:, ::1] dZ,            # OUT (R, P), zero on entry
    real[:, ::1] dV,            # OUT (P, Q), zero on entry
    real[::1] dc,               # OUT (Q,), zero on entry
    Py_ssize_t n_threads,
):
    """dZ = dscores Vᵀ, dV = Zᵀ dscores, dc = Σ dscores."""
    cdef Py_ssize_t R = Z.shape[0], P = Z.shape[1], Q = V_T.shape[0]
    cdef Py_ssize_t i
    cdef Py_ssize_t n_row_blocks = (R + ROWS - 1) // ROWS, n_unit_blocks = (P + ROWS - 1) // ROWS
    if R < 1 or P < 1 or Q < 1 or V_T.shape[1] != P or dscores.shape[0] != R or dscores.shape[1] != Q:
        raise ValueError("linear_gradient needs Z (R, P), V_T (Q, P) and dscores (R, Q)")
    if dZ.shape[0] != R or dZ.shape[1] != P or dV.shape[0] != P or dV.shape[1] != Q or dc.shape[0] != Q:
        raise ValueError("linear_gradient needs dZ (R, P), dV (P, Q) and dc (Q,)")
    cdef int row_threads = usable_threads(n_threads, n_row_blocks)
    cdef int unit_threads = usable_threads(n_threads, n_unit_blocks)
    # scores = Z V + c
    for i in prange(n_row_blocks, nogil=True, schedule="static", num_threads=row_threads):
        add_product(
            min(ROWS, R - i * ROWS), Q, P, &dscores[i * ROWS, 0], Q, 1, &V_T[0, 0], P, &dZ[i * ROWS, 0], P
        )
    for i in prange(n_unit_blocks, nogil=True, schedule="static", num_threads=unit_threads):
        add_product(
            min(ROWS, P - i * ROWS), R, Q, &Z[0, i * ROWS], 1, P, &dscores[0, 0], Q, &dV[i * ROWS, 0], Q
        )
    add_rows(R, Q, &dscores[0, 0], Q, &dc[0])


def softmax(real[:, ::1] scores):       # IN, OUT (R, Q)
    """Every row of scores becomes exp(score − max) / Σ exp(score − max)."""
    cdef Py_ssize_t r, q
    cdef real highest, total
    if scores.shape[1] < 1:
        raise ValueError("softmax needs at least one column")
    with nogil:
        for r in range(scores.shape[0]):
            highest = scores[r, 0]
            for q in range(1, scores.shape[1]):
                highest = max(highest, scores[r, q])
            total = 0
            for q in range(scores.shape[1]):
                scores[r, q] = exponential(scores[r, q] - highest)
                total = total + scores[r, q]
            for q in range(scores.shape[1]):
                scores[r, q] = scores[r, q] / total
