# A = X W + H₋ U + b and its gradient: the pre-activations of every cell in which all gates see the same sums.


cdef inline void affine(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    Py_ssize_t width,           # G·K
    const real* X,              # IN  (m, D)
    const real* H,              # IN  (m, K)
    const real* W,              # IN  (D, G·K)
    const real* U,              # IN  (K, G·K)
    const real* b,              # IN  (G·K,)
    real* A,                    # OUT (m, G·K), row stride lda
    Py_ssize_t lda,
) noexcept nogil:
    fill_rows(m, width, b, A, lda)
    add_product(m, D, width, X, D, 1, W, width, A, lda)
    add_product(m, K, width, H, K, 1, U, width, A, lda)


cdef inline void affine_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    Py_ssize_t width,           # G·K
    const real* dA,             # IN  (m, G·K), row stride lda
    Py_ssize_t lda,
    const real* W_T,            # IN  (G·K, D)
    const real* U_T,            # IN  (G·K, K)
    real* dX,                   # OUT (m, D), or NULL
    real* dH,                   # IN, OUT (m, K)
) noexcept nogil:
    cdef Py_ssize_t i
    # A = … + H₋ U
    add_product(m, width, K, dA, lda, 1, U_T, K, dH, K)
    # A = … + X W
    if dX != NULL:
        for i in range(m * D):
            dX[i] = 0
        add_product(m, width, D, dA, lda, 1, W_T, D, dX, D)


cdef inline void affine_weight_gradient(
    Py_ssize_t m,
    Py_ssize_t D,
    Py_ssize_t K,
    Py_ssize_t width,           # G·K
    const real* X,              # IN  (m, D)
    const real* H,              # IN  (m, K)
    const real* dA,             # IN  (m, G·K), row stride lda
    Py_ssize_t lda,
    real* dW,                   # IN, OUT (D, G·K)
    real* dU,                   # IN, OUT (K, G·K)
    real* db,                   # IN, OUT (G·K,)
) noexcept nogil:
    # dW = Xᵀ dA    dU = H₋ᵀ dA    db = Σ dA
    add_product(D, m, width, X, 1, D, dA, lda, dW, width)
    add_product(K, m, width, H, 1, K, dA, lda, dU, width)
    add_rows(m, width, dA, lda, db)
