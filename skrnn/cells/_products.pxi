# The arithmetic that every kernel is made of: matrix products on rows, and the scalar nonlinearities.
#
# Bits. Every sum runs over its inner index in increasing order, one product added at a time, and a row's result never
# depends on the other rows. The extension modules are compiled without contraction and without any relaxed
# floating-point option, so the compiler must keep that order whatever the number of rows, tiles or threads.

from libc.math cimport exp, expf, tanh as tanh_double, tanhf

ctypedef fused real:
    float
    double


cdef enum:
    MOST_THREADS = 1024


cdef int usable_threads(Py_ssize_t n_threads, Py_ssize_t n_pieces) except -1:
    """No more threads than pieces of work; the runtime may end the process when it is asked for too many."""
    if n_threads < 1:
        raise ValueError(f"n_threads={n_threads} must be at least 1")
    return <int> min(n_threads, n_pieces, MOST_THREADS)


cdef inline real exponential(real x) noexcept nogil:
    if real is float:
        return expf(x)
    else:
        return exp(x)


cdef inline real logistic(real x) noexcept nogil:
    """σ(x) = 1 / (1 + exp(−x)); exp overflows to inf for very negative x, which gives the right 0."""
    return 1 / (1 + exponential(-x))


cdef inline real hyperbolic_tangent(real x) noexcept nogil:
    if real is float:
        return tanhf(x)
    else:
        return tanh_double(x)


cdef inline void fill_rows(
    Py_ssize_t m,
    Py_ssize_t p,
    const real* b,              # IN  (p,)
    real* C,                    # OUT (m, p), row stride ldc
    Py_ssize_t ldc,
) noexcept nogil:
    """C = b in every row."""
    cdef Py_ssize_t r, j
    for r in range(m):
        for j in range(p):
            C[r * ldc + j] = b[j]


cdef inline void add_product(
    Py_ssize_t m,
    Py_ssize_t n,
    Py_ssize_t p,
    const real* A,              # IN  (m, n), element (r, k) at r · a_row + k · a_column
    Py_ssize_t a_row,
    Py_ssize_t a_column,
    const real* B,              # IN  (n, p), row stride ldb
    Py_ssize_t ldb,
    real* C,                    # IN, OUT (m, p), row stride ldc; does not overlap A or B
    Py_ssize_t ldc,
) noexcept nogil:
    """C += A B. With a_row = 1 the first factor is read transposed: dW += Xᵀ dA is the same function."""
    cdef Py_ssize_t r, k, j
    cdef real a0, a1, a2, a3
    cdef const real* B0
    cdef const real* B1
    cdef const real* B2
    cdef const real* B3
    cdef real* c
    for r in range(m):
        c = C + r * ldc
        # Four inner indices at once, still added one after the other: C is read and written a quarter as often.
        for k in range(0, n - 3, 4):
            a0 = A[r * a_row + k * a_column]
            a1 = A[r * a_row + (k + 1) * a_column]
            a2 = A[r * a_row + (k + 2) * a_column]
            a3 = A[r * a_row + (k + 3) * a_column]
            B0 = B + k * ldb
            B1 = B0 + ldb
            B2 = B1 + ldb
            B3 = B2 + ldb
            for j in range(p):
                c[j] = (((c[j] + a0 * B0[j]) + a1 * B1[j]) + a2 * B2[j]) + a3 * B3[j]
        for k in range(n - n % 4, n):
            a0 = A[r * a_row + k * a_column]
            B0 = B + k * ldb
            for j in range(p):
                c[j] = c[j] + a0 * B0[j]


cdef inline void add_rows(
    Py_ssize_t m,
    Py_ssize_t p,
    const real* A,              # IN  (m, p), row stride lda
    Py_ssize_t lda,
    real* c,                    # IN, OUT (p,)
) noexcept nogil:
    """c += the sum of the rows of A."""
    cdef Py_ssize_t r, j
    for r in range(m):
        for j in range(p):
            c[j] += A[r * lda + j]


cdef inline void add(Py_ssize_t n, const real* a, real* c) noexcept nogil:
    """c += a, both (n,)."""
    cdef Py_ssize_t j
    for j in range(n):
        c[j] += a[j]
