# What cells share whose candidate state reads a gated one: n = tanh(x W_n + (r ⊙ h₋) U_n + b_n).
#
# Of their G gates n is the last, and r the first of the others, g = σ(x W_g + h₋ U_g + b_g).
#
# Saved: the G gates, then r ⊙ h₋, then room for its gradient: G + 2 blocks.
# Packed, forward:  [b_g; W_g; U_g] (1 + D + K, (G − 1)·K), then [b_n; W_n; U_n] (1 + D + K, K)
#         backward: [0; U_gᵀ] (1 + (G − 1)·K, K), then [0; U_nᵀ] (1 + K, K), then [0; Wᵀ] (1 + G·K, D)


cdef inline Py_ssize_t candidate_forward_size(Py_ssize_t D, Py_ssize_t K, Py_ssize_t G) noexcept nogil:
    return packed_size(1 + D + K, (G - 1) * K) + packed_size(1 + D + K, K)


cdef Py_ssize_t candidate_packed_size(const Layer* layer) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K, G = layer.cell.n_gates
    return (
        candidate_forward_size(D, K, G) + packed_size(1 + (G - 1) * K, K) + packed_size(1 + K, K)
        + packed_size(1 + G * K, D)
    )


cdef void candidate_pack(
    const Layer* layer,
    const real* W,              # IN  (D, G·K)
    const real* U,              # IN  (K, G·K)
    const real* b,              # IN  (G·K,)
    real* packed,               # OUT
    bint backward,              # whether the gradient will be needed, and so the transposed weights
) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K, width = layer.cell.n_gates * K, n = width - K
    pack_affine(D, K, n, W, U, b, width, packed)
    packed += packed_size(1 + D + K, n)
    pack_affine(D, K, K, W + n, U + n, b + n, width, packed)
    if backward:
        packed += packed_size(1 + D + K, K)
        pack_transposed(K, n, U, width, packed)
        packed += packed_size(1 + n, K)
        pack_transposed(K, K, U + n, width, packed)
        packed += packed_size(1 + K, K)
        pack_transposed(D, width, W, width, packed)


cdef void candidate_project(const Layer* layer, const Step* s, const real* packed, real* projected) noexcept nogil:
    cdef Py_ssize_t n = 1 + s.D + s.K, width = layer.cell.n_gates * s.K, others = width - s.K
    project_gates(s, layer.cell.n_gates - 1, packed, n, projected, width)
    project_gates(s, 1, packed + packed_size(n, others), n, projected + others, width)


cdef inline bint candidate(const Step* s, Py_ssize_t G, const real* packed) noexcept nogil:
    """Fill `saved` but for the tanh: g, then r ⊙ h₋, then x W_n + (r ⊙ h₋) U_n + b_n in the place of n.

    Returns whether it has come to n.
    """
    cdef Py_ssize_t K = s.K, lda = (G + 2) * K, row, v, k
    cdef real* a
    cdef Factor X = inputs_of(s)
    cdef Factor gated = Factor(rows=s.saved + G * K, n=K, stride=lda)
    cdef const real* projected = s.projected + (G - 1) * K if s.projected != NULL else NULL
    if s.part != AFTER_GATED:
        logistic_affine(s, G - 1, packed, s.saved, lda)
        # r ⊙ h₋
        for row in range(s.m):
            a = s.saved + row * lda
            for v in range(s.begin, s.end):
                k = v * VL
                store(a + G * K + k, load(a + k) * load(s.recurrent + row * K + k), K - k)
    if s.part == TO_GATED:
        return False
    # x W_n + (r ⊙ h₋) U_n + b_n
    packed += packed_size(1 + s.D + K, (G - 1) * K)
    product_of_units(
        s, X, gated, packed, 1 + s.D + K, 1 + s.D - X.n, 1, projected, s.saved + (G - 1) * K, lda
    )
    return True


cdef inline void gated_state_gradient(const Step* s, Py_ssize_t G, const real* packed) noexcept nogil:
    """d(r ⊙ h₋) = da_n U_nᵀ, in the last block of `saved`; da_n is in the place of n."""
    cdef Py_ssize_t K = s.K, lda = (G + 2) * K
    cdef Factor da_n = Factor(rows=s.saved + (G - 1) * K, n=K, stride=lda)
    cdef Factor none = Factor(rows=s.saved, n=0, stride=0)
    packed += candidate_forward_size(s.D, K, G) + packed_size(1 + (G - 1) * K, K)
    # a_n = … + (r ⊙ h₋) U_n
    product(s.m, K, da_n, none, packed, s.saved + (G + 1) * K, lda, FROM_BIAS)


cdef inline void candidate_gradient(const Step* s, Py_ssize_t G, const real* packed) noexcept nogil:
    """Add to dh₋ what the gates send, and fill dX; the first G blocks of `saved` are da."""
    cdef Py_ssize_t K = s.K, lda = (G + 2) * K
    cdef Factor da_g = Factor(rows=s.saved, n=(G - 1) * K, stride=lda)
    cdef Factor none = Factor(rows=s.saved, n=0, stride=0)
    packed += candidate_forward_size(s.D, K, G)
    # a_g = … + h₋ U_g
    recurrent_gradient(s, da_g, none, packed, FROM_C)
    # a = x W + …
    packed += packed_size(1 + (G - 1) * K, K) + packed_size(1 + K, K)
    input_gradient(s, G, packed, s.saved, lda)


cdef int candidate_terms(const Layer* layer, Term* terms) noexcept nogil:
    """dW = Xᵀ da, db = Σ da, dU_g = h₋ᵀ da_g, dU_n = (r ⊙ h₋)ᵀ da_n."""
    cdef Py_ssize_t K = layer.K, width = layer.cell.n_gates * K, n = width - K
    terms[0] = Term(source=INPUT, block=0, n=layer.D, to=TO_W, row=0, column=0, width=width, gradient=0)
    terms[1] = Term(source=ONE, block=0, n=1, to=TO_B, row=0, column=0, width=width, gradient=0)
    terms[2] = Term(source=STATE, block=0, n=K, to=TO_U, row=0, column=0, width=n, gradient=0)
    terms[3] = Term(source=SAVED, block=width, n=K, to=TO_U, row=0, column=n, width=K, gradient=n)
    return 4
