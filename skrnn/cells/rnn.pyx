"""The Elman cell: h = φ(x W + h₋ U + b), φ one of tanh, relu, logistic, identity.

Elman, J. L. (1990). Finding structure in time. Cognitive Science 14(2), 179-211.
"""

include "_products.pxi"
include "_affine.pxi"

cdef enum:
    N_GATES = 1
    N_STATES = 1
    N_SAVED = 1             # da, written by the backward pass; the forward pass needs to save nothing
    N_VARIANTS = 4

cdef enum:
    TANH = 0
    RELU = 1
    LOGISTIC = 2
    IDENTITY = 3

GATES = ("h",)
STATES = ("h",)
SAVED = N_SAVED
ACTIVATIONS = ("tanh", "relu", "logistic", "identity")
FORMS = tuple({"activation": activation} for activation in ACTIVATIONS)
BIAS = {}


def variant_of(activation, reset_after):
    """The number by which the kernels know the cell's form."""
    return ACTIVATIONS.index(activation)


def starts_as_identity(int variant):
    """Whether U starts as the identity rather than as a random orthogonal matrix."""
    return variant == RELU


def n_biases(int variant):
    """The rows of the bias."""
    return 1


cdef inline real activate(real a, int variant) noexcept nogil:
    if variant == TANH:
        return hyperbolic_tangent(a)
    if variant == RELU:
        return <real> 0 if a <= 0 else a
    if variant == LOGISTIC:
        return logistic(a)
    return a


cdef inline real derivative(real h, int variant) noexcept nogil:
    """φ'(a) from h = φ(a)."""
    if variant == TANH:
        return 1 - h * h
    if variant == RELU:
        return <real> 0 if h <= 0 else <real> 1
    if variant == LOGISTIC:
        return h * (1 - h)
    return 1


cdef inline void step(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* X,              # IN  (m, D)
    const real* before,         # IN  h₋ (m, K)
    const real* W,              # IN  (D, K)
    const real* U,              # IN  (K, K)
    const real* b,              # IN  (K,)
    real* after,                # OUT h (m, K)
    Py_ssize_t plane,
    real* saved,                # unused
    int variant,
) noexcept nogil:
    cdef Py_ssize_t i
    # h = φ(x W + h₋ U + b)
    affine(m, D, K, K, X, before, W, U, b, after, K)
    for i in range(m * K):
        after[i] = activate(after[i], variant)


cdef inline void step_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* W_T,            # IN  (K, D)
    const real* U_T,            # IN  (K, K)
    const real* before,         # IN  h₋ (m, K)
    const real* after,          # IN  h (m, K)
    Py_ssize_t plane,
    real* saved,                # OUT da (m, K)
    real* dstate,               # IN  dh, OUT dh₋ (m, K)
    Py_ssize_t dplane,
    real* dX,                   # OUT (m, D), or NULL
    int variant,
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(m * K):
        # h = φ(a)
        saved[i] = dstate[i] * derivative(after[i], variant)
        dstate[i] = 0
    # a = x W + h₋ U + b
    affine_gradient(m, D, K, K, <const real*> saved, K, W_T, U_T, dX, dstate)


cdef inline void weight_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* X,              # IN  (m, D)
    const real* before,         # IN  h₋ (m, K)
    const real* saved,          # IN  da (m, K)
    real* dW,                   # IN, OUT (D, K)
    real* dU,                   # IN, OUT (K, K)
    real* db,                   # IN, OUT (K,)
    int variant,
) noexcept nogil:
    affine_weight_gradient(m, D, K, K, X, before, saved, K, dW, dU, db)


include "_scan.pxi"
