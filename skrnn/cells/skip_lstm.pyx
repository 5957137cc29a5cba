"""The gated variant with a skip: an LSTM whose fourth gate s lets the last output pass by the cell.

i, f, o, s = σ(·) and the candidate is logistic too, g = σ(·); c = f ⊙ c₋ + i ⊙ g; h = o ⊙ tanh(c) + s ⊙ h₋.
h is not bounded by 1: where s stays near 1 it adds up, so gradient clipping matters here.
"""

include "_products.pxi"
include "_affine.pxi"

cdef enum:
    N_GATES = 5             # i f g o s
    N_STATES = 2            # h c
    N_SAVED = 6             # i f g o s tanh(c)
    N_VARIANTS = 1

GATES = ("i", "f", "g", "o", "s")
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
    const real* W,              # IN  (D, 5K)
    const real* U,              # IN  (K, 5K)
    const real* b,              # IN  (5K,)
    real* after,                # OUT h (m, K), and c one plane further
    Py_ssize_t plane,
    real* saved,                # OUT i f g o s tanh(c): (m, 6K)
    int variant,
) noexcept nogil:
    cdef Py_ssize_t r, k
    cdef real i, f, g, o, s, c, tanh_c
    cdef real* a
    # i f g o s before their activation: x W + h₋ U + b
    affine(m, D, K, N_GATES * K, X, before, W, U, b, saved, N_SAVED * K)
    for r in range(m):
        a = saved + r * N_SAVED * K
        for k in range(K):
            i = logistic(a[k])
            f = logistic(a[K + k])
            g = logistic(a[2 * K + k])
            o = logistic(a[3 * K + k])
            s = logistic(a[4 * K + k])
            c = f * before[plane + r * K + k] + i * g
            tanh_c = hyperbolic_tangent(c)
            after[plane + r * K + k] = c
            after[r * K + k] = o * tanh_c + s * before[r * K + k]
            a[k] = i
            a[K + k] = f
            a[2 * K + k] = g
            a[3 * K + k] = o
            a[4 * K + k] = s
            a[5 * K + k] = tanh_c


cdef inline void step_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* W_T,            # IN  (5K, D)
    const real* U_T,            # IN  (5K, K)
    const real* before,         # IN  h₋ (m, K), and c₋ one plane further
    const real* after,          # IN  h (m, K), and c one plane further
    Py_ssize_t plane,
    real* saved,                # IN  i f g o s tanh(c), OUT da_i da_f da_g da_o da_s: (m, 6K)
    real* dstate,               # IN  dh, OUT dh₋ (m, K); dc and dc₋ one dplane further
    Py_ssize_t dplane,
    real* dX,                   # OUT (m, D), or NULL
    int variant,
) noexcept nogil:
    cdef Py_ssize_t r, k
    cdef real i, f, g, o, s, tanh_c, dh, dc
    cdef real* a
    for r in range(m):
        a = saved + r * N_SAVED * K
        for k in range(K):
            i = a[k]
            f = a[K + k]
            g = a[2 * K + k]
            o = a[3 * K + k]
            s = a[4 * K + k]
            tanh_c = a[5 * K + k]
            dh = dstate[r * K + k]
            # h = o ⊙ tanh(c) + s ⊙ h₋
            dc = dstate[dplane + r * K + k] + dh * o * (1 - tanh_c * tanh_c)
            a[3 * K + k] = dh * tanh_c * o * (1 - o)
            a[4 * K + k] = dh * before[r * K + k] * s * (1 - s)
            dstate[r * K + k] = dh * s
            # c = f ⊙ c₋ + i ⊙ g
            a[k] = dc * g * i * (1 - i)
            a[K + k] = dc * before[plane + r * K + k] * f * (1 - f)
            a[2 * K + k] = dc * i * g * (1 - g)
            dstate[dplane + r * K + k] = dc * f
    # a = x W + h₋ U + b
    affine_gradient(m, D, K, N_GATES * K, <const real*> saved, N_SAVED * K, W_T, U_T, dX, dstate)


cdef inline void weight_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* X,              # IN  (m, D)
    const real* before,         # IN  h₋ (m, K)
    const real* saved,          # IN  da (m, 5K), row stride 6K
    real* dW,                   # IN, OUT (D, 5K)
    real* dU,                   # IN, OUT (K, 5K)
    real* db,                   # IN, OUT (5K,)
    int variant,
) noexcept nogil:
    affine_weight_gradient(m, D, K, N_GATES * K, X, before, saved, N_SAVED * K, dW, dU, db)


include "_scan.pxi"
