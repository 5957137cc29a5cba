# A = X W + h₋ U + b and its gradient: the pre-activations of every cell in which all gates see the same sums.
#
# Packed: [b; W; U] (1 + D + K, G·K), then [0; Uᵀ] (1 + G·K, K), then [0; Wᵀ] (1 + G·K, D).


cdef Py_ssize_t affine_packed_size(const Layer* layer) noexcept nogil:
    cdef Py_ssize_t width = layer.cell.n_gates * layer.K
    return (
        packed_size(1 + layer.D + layer.K, width) + packed_size(1 + width, layer.K) + packed_size(1 + width, layer.D)
    )


cdef void affine_pack(
    const Layer* layer,
    const real* W,              # IN  (D, G·K)
    const real* U,              # IN  (K, G·K)
    const real* b,              # IN  (G·K,)
    real* packed,               # OUT
    bint backward,              # whether the gradient will be needed, and so the transposed weights
) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K, width = layer.cell.n_gates * layer.K
    pack_affine(D, K, width, W, U, b, width, packed)
    if backward:
        packed += packed_size(1 + D + K, width)
        pack_transposed(K, width, U, width, packed)
        packed += packed_size(1 + width, K)
        pack_transposed(D, width, W, width, packed)


cdef void pack_affine(
    Py_ssize_t D,
    Py_ssize_t K,
    Py_ssize_t p,
    const real* W,              # IN  (D, p), row stride ld
    const real* U,              # IN  (K, p), row stride ld
    const real* b,              # IN  (p,)
    Py_ssize_t ld,
    real* packed,               # OUT [b; W; U] (1 + D + K, p)
) noexcept nogil:
    pack_rows(packed, 1 + D + K, p, 0, 1, b, ld, 1)
    pack_rows(packed, 1 + D + K, p, 1, D, W, ld, 1)
    pack_rows(packed, 1 + D + K, p, 1 + D, K, U, ld, 1)


cdef void pack_transposed(
    Py_ssize_t n,
    Py_ssize_t p,
    const real* M,              # IN  (n, p), row stride ld
    Py_ssize_t ld,
    real* packed,               # OUT [0; Mᵀ] (1 + p, n)
) noexcept nogil:
    cdef real zero = 0
    pack_rows(packed, 1 + p, n, 0, 1, &zero, 0, 0)
    pack_rows(packed, 1 + p, n, 1, p, M, 1, ld)


cdef inline void affine(
    const Step* s,
    Py_ssize_t G,
    const real* packed,
    real* A,                    # OUT (m, G·K), row stride lda
    Py_ssize_t lda,
) noexcept nogil:
    """A = X W + h₋ U + b, of the first G gates that are packed."""
    cdef Factor X = Factor(rows=s.X, n=s.D, stride=s.D)
    cdef Factor H = Factor(rows=s.recurrent, n=s.K, stride=s.K)
    product(s.m, G * s.K, X, H, packed, A, lda, FROM_BIAS)


cdef inline void logistic_affine(
    const Step* s,
    Py_ssize_t G,
    const real* packed,
    real* A,                    # OUT (m, G·K), row stride lda
    Py_ssize_t lda,
) noexcept nogil:
    """A = σ(X W + h₋ U + b), of the first G gates that are packed."""
    cdef Py_ssize_t row, v, k
    cdef real* a
    affine(s, G, packed, A, lda)
    for row in range(s.m):
        a = A + row * lda
        for v in range(ceil_div(G * s.K, VL)):
            k = v * VL
            store(a + k, logistic(load(a + k)), G * s.K - k)


cdef inline void recurrent_gradient(
    const Step* s,
    Factor dA1,                 # IN  (m, n1)
    Factor dA2,                 # IN  (m, n2)
    const real* packed,         # IN  [0; U1ᵀ; U2ᵀ] (1 + n1 + n2, K)
    int start,                  # FROM_BIAS: dh₋ = ([dA1 dA2] [U1 U2]ᵀ) ⊙ mask; FROM_C: dh₋ += that
) noexcept nogil:
    cdef Py_ssize_t j
    cdef real before
    if s.mask == NULL:
        product(s.m, s.K, dA1, dA2, packed, s.dstate, s.K, start)
        return
    product(s.m, s.K, dA1, dA2, packed, s.scratch, s.K, FROM_BIAS)
    for j in range(s.m * s.K):
        before = s.dstate[j] if start == FROM_C else 0
        s.dstate[j] = before + s.scratch[j] * s.mask[j]


cdef inline void affine_gradient(
    const Step* s,
    Py_ssize_t G,
    const real* packed,
    const real* dA,             # IN  (m, G·K), row stride lda
    Py_ssize_t lda,
    int start,                  # FROM_BIAS: dh₋ = dA Uᵀ; FROM_C: dh₋ += dA Uᵀ
) noexcept nogil:
    cdef Py_ssize_t K = s.K, width = G * s.K
    cdef Factor dA_rows = Factor(rows=dA, n=width, stride=lda)
    cdef Factor none = Factor(rows=dA, n=0, stride=0)
    packed += packed_size(1 + s.D + K, width)
    # A = … + h₋ U
    recurrent_gradient(s, dA_rows, none, packed, start)
    # A = X W + …
    input_gradient(s, G, packed + packed_size(1 + width, K), dA, lda)


cdef inline void input_gradient(
    const Step* s,
    Py_ssize_t G,
    const real* packed,         # IN  [0; Wᵀ] (1 + G·K, D)
    const real* dA,             # IN  (m, G·K), row stride lda
    Py_ssize_t lda,
) noexcept nogil:
    """dX = dA Wᵀ, where it is needed."""
    cdef Factor dA_rows = Factor(rows=dA, n=G * s.K, stride=lda)
    cdef Factor none = Factor(rows=dA, n=0, stride=0)
    if s.dX != NULL:
        product(s.m, s.D, dA_rows, none, packed, s.dX, s.D, FROM_BIAS)


cdef int affine_terms(const Layer* layer, Term* terms) noexcept nogil:
    """dW = Xᵀ dA, dU = h₋ᵀ dA, db = Σ dA."""
    cdef Py_ssize_t width = layer.cell.n_gates * layer.K
    terms[0] = Term(source=INPUT, block=0, n=layer.D, to=TO_W, row=0, column=0, width=width, gradient=0)
    terms[1] = Term(source=STATE, block=0, n=layer.K, to=TO_U, row=0, column=0, width=width, gradient=0)
    terms[2] = Term(source=ONE, block=0, n=1, to=TO_B, row=0, column=0, width=width, gradient=0)
    return 3
