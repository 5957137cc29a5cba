"""Products of Householder reflections, in one fixed order of sums: the same bits on every machine."""

from libc.math cimport copysign, sqrt

import numpy as np


def householder_product(const double[::1] normals, Py_ssize_t n):
    """A random orthogonal matrix, uniform over all of them.

    Stewart, G. W. (1980). The efficient generation of random orthogonal matrices with an application to condition
    estimators. SIAM Journal on Numerical Analysis 17, 403-409.

    Parameters
    ----------
    normals : (n (n + 1) / 2,) array
        Standard normal numbers: a vector of each size from 1 to n.
    n : int
        Rows and columns.
    """
    if n < 1 or normals.shape[0] != n * (n + 1) // 2:
        raise ValueError(f"{normals.shape[0]} normals, expected n (n + 1) / 2 of them for n={n}")
    cdef double[:, ::1] Q_transposed = np.eye(n)
    cdef double[::1] v = np.empty(n), Qv = np.empty(n), signs = np.empty(n)
    cdef Py_ssize_t size, first, i, j, n_read = 1
    cdef double square
    signs[n - 1] = copysign(1.0, normals[0])
    with nogil:
        for size in range(2, n + 1):
            first = n - size
            square = 0
            for j in range(size):
                v[j] = normals[n_read + j]
                square += v[j] * v[j]
            n_read += size
            signs[first] = -copysign(1.0, v[0])
            v[0] += copysign(sqrt(square), v[0])
            square = 0
            for j in range(size):
                square += v[j] * v[j]
            # Q ← Q (I − 2 v vᵀ / vᵀv) in its last columns
            for i in range(n):
                Qv[i] = 0
            for j in range(size):
                for i in range(n):
                    Qv[i] += Q_transposed[first + j, i] * v[j]
            for j in range(size):
                for i in range(n):
                    Q_transposed[first + j, i] -= Qv[i] * (v[j] * (2 / square))
    return np.asarray(signs)[:, np.newaxis] * np.asarray(Q_transposed).T
