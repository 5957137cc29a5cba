"""The GRU cell: r, z = σ(·), n = tanh(·), h = (1 − z) ⊙ n + z ⊙ h₋.

reset_after=True is the form of cuDNN and PyTorch, in which the reset gate multiplies the product and the recurrent part
has a bias of its own: n = tanh(x W_n + b_n + r ⊙ (h₋ U_n + b_rec,n)). The bias is (2, 3K), row 0 b and row 1 b_rec.
reset_after=False is the form of the paper: n = tanh(x W_n + (r ⊙ h₋) U_n + b_n). The bias is (1, 3K).

Some texts exchange z and 1 − z; here z near 1 keeps the state.

Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine translation.
EMNLP 2014, 1724-1734.
"""

include "_products.pxi"

cdef enum:
    N_GATES = 3             # r z n
    N_STATES = 1            # h
    N_SAVED = 5             # r z n, then q = h₋ U_n + b_rec,n (reset after) or r ⊙ h₋ (before), then scratch
    N_VARIANTS = 2

cdef enum:
    RESET_BEFORE = 0
    RESET_AFTER = 1

GATES = ("r", "z", "n")
STATES = ("h",)
SAVED = N_SAVED
FORMS = ({"reset_after": True}, {"reset_after": False})
BIAS = {}


def variant_of(activation, reset_after):
    """The number by which the kernels know the cell's form."""
    return RESET_AFTER if reset_after else RESET_BEFORE


def starts_as_identity(int variant):
    """Whether U starts as the identity rather than as a random orthogonal matrix."""
    return False


def n_biases(int variant):
    """The rows of the bias."""
    return 2 if variant == RESET_AFTER else 1


cdef inline void step(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* X,              # IN  (m, D)
    const real* before,         # IN  h₋ (m, K)
    const real* W,              # IN  (D, 3K)
    const real* U,              # IN  (K, 3K)
    const real* b,              # IN  b (3K,), then b_rec (3K,) when the reset comes after the product
    real* after,                # OUT h (m, K)
    Py_ssize_t plane,
    real* saved,                # OUT r z n, q or r ⊙ h₋: (m, 5K)
    int variant,
) noexcept nogil:
    cdef Py_ssize_t row, k
    cdef Py_ssize_t width = N_GATES * K, lda = N_SAVED * K
    cdef real z, n
    cdef const real* b_rec = b + width
    cdef const real* h
    cdef real* a
    # r z before their activation: x W + h₋ U + b (+ b_rec);  n so far: x W_n + b_n
    fill_rows(m, width, b, saved, lda)
    add_product(m, D, width, X, D, 1, W, width, saved, lda)
    add_product(m, K, 2 * K, before, K, 1, U, width, saved, lda)
    if variant == RESET_AFTER:
        # q = h₋ U_n + b_rec,n
        fill_rows(m, K, b_rec + 2 * K, saved + 3 * K, lda)
        add_product(m, K, K, before, K, 1, U + 2 * K, width, saved + 3 * K, lda)
    for row in range(m):
        a = saved + row * lda
        h = before + row * K
        for k in range(2 * K):
            if variant == RESET_AFTER:
                a[k] = a[k] + b_rec[k]
            a[k] = logistic(a[k])
        for k in range(K):
            if variant == RESET_AFTER:
                # n = tanh(x W_n + b_n + r ⊙ q)
                a[2 * K + k] = a[2 * K + k] + a[k] * a[3 * K + k]
            else:
                a[3 * K + k] = a[k] * h[k]
    if variant == RESET_BEFORE:
        # n = tanh(x W_n + (r ⊙ h₋) U_n + b_n)
        add_product(m, K, K, <const real*> saved + 3 * K, lda, 1, U + 2 * K, width, saved + 2 * K, lda)
    for row in range(m):
        a = saved + row * lda
        h = before + row * K
        for k in range(K):
            z = a[K + k]
            n = hyperbolic_tangent(a[2 * K + k])
            after[row * K + k] = (1 - z) * n + z * h[k]
            a[2 * K + k] = n


cdef inline void step_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* W_T,            # IN  (3K, D)
    const real* U_T,            # IN  (3K, K)
    const real* before,         # IN  h₋ (m, K)
    const real* after,          # IN  h (m, K)
    Py_ssize_t plane,
    real* saved,                # IN  what step saved, OUT da_r da_z da_n, then dq (after) or r ⊙ h₋ (before): (m, 5K)
    real* dstate,               # IN  dh, OUT dh₋ (m, K)
    Py_ssize_t dplane,
    real* dX,                   # OUT (m, D), or NULL
    int variant,
) noexcept nogil:
    cdef Py_ssize_t row, k
    cdef Py_ssize_t lda = N_SAVED * K
    cdef real r, z, n, q, dh, da_n, d_reset
    cdef const real* h
    cdef real* a
    cdef real* d
    for row in range(m):
        a = saved + row * lda
        h = before + row * K
        d = dstate + row * K
        for k in range(K):
            z = a[K + k]
            n = a[2 * K + k]
            dh = d[k]
            # h = (1 − z) ⊙ n + z ⊙ h₋
            da_n = dh * (1 - z) * (1 - n * n)
            a[K + k] = dh * (h[k] - n) * z * (1 - z)
            a[2 * K + k] = da_n
            d[k] = dh * z
            a[4 * K + k] = 0
    if variant == RESET_BEFORE:
        # a_n = … + (r ⊙ h₋) U_n: d(r ⊙ h₋) = da_n U_nᵀ, in the last block
        add_product(m, K, K, <const real*> saved + 2 * K, lda, 1, U_T + 2 * K * K, K, saved + 4 * K, lda)
    for row in range(m):
        a = saved + row * lda
        h = before + row * K
        d = dstate + row * K
        for k in range(K):
            r = a[k]
            if variant == RESET_AFTER:
                # a_n = … + r ⊙ q
                q = a[3 * K + k]
                a[3 * K + k] = a[2 * K + k] * r
                a[k] = a[2 * K + k] * q * r * (1 - r)
            else:
                # r ⊙ h₋
                d_reset = a[4 * K + k]
                d[k] = d[k] + d_reset * r
                a[k] = d_reset * h[k] * r * (1 - r)
    # a_r, a_z = … + h₋ U_r, h₋ U_z
    add_product(m, 2 * K, K, <const real*> saved, lda, 1, U_T, K, dstate, K)
    if variant == RESET_AFTER:
        # q = h₋ U_n + b_rec,n
        add_product(m, K, K, <const real*> saved + 3 * K, lda, 1, U_T + 2 * K * K, K, dstate, K)
    # a = x W + …
    if dX != NULL:
        for k in range(m * D):
            dX[k] = 0
        add_product(m, N_GATES * K, D, <const real*> saved, lda, 1, W_T, D, dX, D)


cdef inline void weight_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    const real* X,              # IN  (m, D)
    const real* before,         # IN  h₋ (m, K)
    const real* saved,          # IN  da_r da_z da_n, then dq or r ⊙ h₋: (m, 5K)
    real* dW,                   # IN, OUT (D, 3K)
    real* dU,                   # IN, OUT (K, 3K)
    real* db,                   # IN, OUT db (3K,), then db_rec (3K,) when the reset comes after the product
    int variant,
) noexcept nogil:
    cdef Py_ssize_t width = N_GATES * K, lda = N_SAVED * K
    # a = x W + b + …
    add_product(D, m, width, X, 1, D, saved, lda, dW, width)
    add_rows(m, width, saved, lda, db)
    # a_r, a_z = … + h₋ U_r, h₋ U_z
    add_product(K, m, 2 * K, before, 1, K, saved, lda, dU, width)
    if variant == RESET_AFTER:
        # q = h₋ U_n + b_rec,n
        add_product(K, m, K, before, 1, K, saved + 3 * K, lda, dU + 2 * K, width)
        add_rows(m, 2 * K, saved, lda, db + width)
        add_rows(m, K, saved + 3 * K, lda, db + width + 2 * K)
    else:
        # a_n = … + (r ⊙ h₋) U_n
        add_product(K, m, K, saved + 3 * K, 1, lda, saved + 2 * K, lda, dU + 2 * K, width)


include "_scan.pxi"
