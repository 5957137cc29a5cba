"""The LSTM cell: i, f, o = σ(·), g = tanh(·), c = f ⊙ c₋ + i ⊙ g, h = o ⊙ tanh(c), each · = x W + h₋ U + b.

Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8), 1735-1780; the forget gate
is from Gers, F. A., Schmidhuber, J. and Cummins, F. (2000). Learning to forget. Neural Computation 12(10), 2451-2471.
"""

include "_products.pxi"
include "_affine.pxi"

cdef enum:
    N_GATES = 4             # i f g o
    N_STATES = 2            # h c
    N_SAVED = 5             # i f g o tanh(c)
    N_VARIANTS = 1

GATES = ("i", "f", "g", "o")
STATES = ("h", "c")
SAVED = N_SAVED
FORMS = ({},)
BIAS = {"f": 1.0}


def variant_of(activation, reset_after):
    """The number by which the kernels know the cell's form."""
    return 0


def starts_as_identity(int variant):
    """Whether U starts as the identity rather than as a random orthogonal matrix."""
    return False


def n_biases(int variant):
    """The rows of the bias."""
    return 1


cdef inline void step(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* X,              # IN  (m, D)
    const real* before,         # IN  h₋ (m, K), and c₋ one plane further
    const real* W,              # IN  (D, 4K)
    const real* U,              # IN  (K, 4K)
    const real* b,              # IN  (4K,)
    real* after,                # OUT h (m, K), and c one plane further
    Py_ssize_t plane,
    real* saved,                # OUT i f g o tanh(c): (m, 5K)
    int variant,
) noexcept nogil:
    cdef Py_ssize_t r, k
    cdef real i, f, g, o, c, tanh_c
    cdef real* a
    # i f g o before their activation: x W + h₋ U + b
    affine(m, D, K, N_GATES * K, X, before, W, U, b, saved, N_SAVED * K)
    for r in range(m):
        a = saved + r * N_SAVED * K
        for k in range(K):
            i = logistic(a[k])
            f = logistic(a[K + k])
            g = hyperbolic_tangent(a[2 * K + k])
            o = logistic(a[3 * K + k])
            c = f * before[plane + r * K + k] + i * g
            tanh_c = hyperbolic_tangent(c)
            after[plane + r * K + k] = c
            after[r * K + k] = o * tanh_c
            a[k] = i
            a[K + k] = f
            a[2 * K + k] = g
            a[3 * K + k] = o
            a[4 * K + k] = tanh_c


cdef inline void step_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* W_T,            # IN  (4K, D)
    const real* U_T,            # IN  (4K, K)
    const real* before,         # IN  h₋ (m, K), and c₋ one plane further
    const real* after,          # IN  h (m, K), and c one plane further
    Py_ssize_t plane,
    real* saved,                # IN  i f g o tanh(c), OUT da_i da_f da_g da_o: (m, 5K)
    real* dstate,               # IN  dh, OUT dh₋ (m, K); dc and dc₋ one dplane further
    Py_ssize_t dplane,
    real* dX,                   # OUT (m, D), or NULL
    int variant,
) noexcept nogil:
    cdef Py_ssize_t r, k
    cdef real i, f, g, o, tanh_c, dh, dc
    cdef real* a
    for r in range(m):
        a = saved + r * N_SAVED * K
        for k in range(K):
            i = a[k]
            f = a[K + k]
            g = a[2 * K + k]
            o = a[3 * K + k]
            tanh_c = a[4 * K + k]
            dh = dstate[r * K + k]
            # h = o ⊙ tanh(c)
            dc = dstate[dplane + r * K + k] + dh * o * (1 - tanh_c * tanh_c)
            a[3 * K + k] = dh * tanh_c * o * (1 - o)
            # c = f ⊙ c₋ + i ⊙ g
            a[k] = dc * g * i * (1 - i)
            a[K + k] = dc * before[plane + r * K + k] * f * (1 - f)
            a[2 * K + k] = dc * i * (1 - g * g)
            dstate[dplane + r * K + k] = dc * f
            dstate[r * K + k] = 0
    # a = x W + h₋ U + b
    affine_gradient(m, D, K, N_GATES * K, <const real*> saved, N_SAVED * K, W_T, U_T, dX, dstate)


cdef inline void weight_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* X,              # IN  (m, D)
    const real* before,         # IN  h₋ (m, K)
    const real* saved,          # IN  da (m, 4K), row stride 5K
    real* dW,                   # IN, OUT (D, 4K)
    real* dU,                   # IN, OUT (K, 4K)
    real* db,                   # IN, OUT (4K,)
    int variant,
) noexcept nogil:
    affine_weight_gradient(m, D, K, N_GATES * K, X, before, saved, N_SAVED * K, dW, dU, db)


include "_scan.pxi"
