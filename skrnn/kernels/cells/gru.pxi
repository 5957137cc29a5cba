# The GRU cell: r, z = σ(·), n = tanh(·), h = (1 − z) ⊙ n + z ⊙ h₋.
#
# reset_after=True is the form of cuDNN and PyTorch, in which the reset gate multiplies the product and the recurrent
# part has a bias of its own: n = tanh(x W_n + b_n + r ⊙ q), q = h₋ U_n + b_rec,n. The bias is (2, 3K), row 0 b and
# row 1 b_rec. reset_after=False is the form of the paper: n = tanh(x W_n + (r ⊙ h₋) U_n + b_n). The bias is (1, 3K).
#
# Some texts exchange z and 1 − z; here z near 1 keeps the state.
#
# Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine translation.
# EMNLP 2014, 1724-1734.

GRU = CellDescription(
    gates=("r", "z", "n"), states=("h",), forms=({"reset_after": False}, {"reset_after": True}),
)

cdef enum:
    # the forms, in their order
    RESET_BEFORE
    RESET_AFTER

cdef enum:
    # what is saved: r z n, then
    GRU_AFTER_SAVED = 4         # q
    GRU_BEFORE_SAVED = 5        # r ⊙ h₋, and room for its gradient


cdef Cell gru_cell(int variant) noexcept:
    if variant == RESET_AFTER:
        return Cell(
            n_gates=3, n_states=1, n_saved=GRU_AFTER_SAVED, n_biases=2, packed_size=gru_packed_size, pack=gru_pack,
            step=gru_after_step, step_gradient=gru_after_step_gradient, terms=gru_terms,
        )
    return Cell(
        n_gates=3, n_states=1, n_saved=GRU_BEFORE_SAVED, n_biases=1, packed_size=gru_packed_size, pack=gru_pack,
        step=gru_before_step, step_gradient=gru_before_step_gradient, terms=gru_terms,
    )


# Packed, forward:  [b_rz; W_rz; U_rz], then  after: [b_n; W_n], [b_rec,n; U_n]  before: [b_n; W_n; U_n]
#         backward: after: [0; U_rzᵀ; U_nᵀ]  before: [0; U_rzᵀ], [0; U_nᵀ];  then [0; Wᵀ]


cdef inline Py_ssize_t gru_forward_size(Py_ssize_t D, Py_ssize_t K, int variant) noexcept nogil:
    cdef Py_ssize_t rz = packed_size(1 + D + K, 2 * K)
    if variant == RESET_AFTER:
        return rz + packed_size(1 + D, K) + packed_size(1 + K, K)
    return rz + packed_size(1 + D + K, K)


cdef inline Py_ssize_t gru_transposed_size(Py_ssize_t K, int variant) noexcept nogil:
    if variant == RESET_AFTER:
        return packed_size(1 + 3 * K, K)
    return packed_size(1 + 2 * K, K) + packed_size(1 + K, K)


cdef Py_ssize_t gru_packed_size(const Layer* layer) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K
    return (
        gru_forward_size(D, K, layer.variant) + gru_transposed_size(K, layer.variant) + packed_size(1 + 3 * K, D)
    )


cdef void gru_pack(
    const Layer* layer,
    const real* W,              # IN  (D, 3K)
    const real* U,              # IN  (K, 3K)
    const real* b,              # IN  b (3K,), then b_rec (3K,) when the reset comes after the product
    real* packed,               # OUT
    bint backward,              # whether the gradient will be needed, and so the transposed weights
) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K, width = 3 * K
    cdef real* rz = packed
    cdef real* n = rz + packed_size(1 + D + K, 2 * K)
    cdef real* q = n + packed_size(1 + D, K)
    cdef real* transposed = packed + gru_forward_size(D, K, layer.variant)
    pack_rows(rz, 1 + D + K, 2 * K, 0, 1, b, width, 1)
    pack_rows(rz, 1 + D + K, 2 * K, 1, D, W, width, 1)
    pack_rows(rz, 1 + D + K, 2 * K, 1 + D, K, U, width, 1)
    if layer.variant == RESET_AFTER:
        add_to_bias(2 * K, b + width, rz, 1 + D + K)
        pack_rows(n, 1 + D, K, 0, 1, b + 2 * K, width, 1)
        pack_rows(n, 1 + D, K, 1, D, W + 2 * K, width, 1)
        pack_rows(q, 1 + K, K, 0, 1, b + width + 2 * K, width, 1)
        pack_rows(q, 1 + K, K, 1, K, U + 2 * K, width, 1)
    else:
        pack_rows(n, 1 + D + K, K, 0, 1, b + 2 * K, width, 1)
        pack_rows(n, 1 + D + K, K, 1, D, W + 2 * K, width, 1)
        pack_rows(n, 1 + D + K, K, 1 + D, K, U + 2 * K, width, 1)
    if not backward:
        return
    if layer.variant == RESET_AFTER:
        pack_transposed(K, width, U, width, transposed)
    else:
        pack_transposed(K, 2 * K, U, width, transposed)
        pack_transposed(K, K, U + 2 * K, width, transposed + packed_size(1 + 2 * K, K))
    pack_transposed(D, width, W, width, transposed + gru_transposed_size(K, layer.variant))


cdef void add_to_bias(Py_ssize_t p, const real* b, real* packed, Py_ssize_t n) noexcept nogil:
    """Adds b (p,) to the first row of the packed (n, p) matrix."""
    cdef Py_ssize_t vectors = ceil_div(p, VL), panels = ceil_div(vectors, MAX_VECTORS), q, j, begin
    for q in range(panels):
        begin = split_start(q, vectors, panels) * VL
        for j in range(begin, min(p, split_start(q + 1, vectors, panels) * VL)):
            packed[n * begin + j - begin] = packed[n * begin + j - begin] + b[j]


cdef inline void gru_gates(const Step* s, Py_ssize_t lda, const real* packed) noexcept nogil:
    """r, z = σ(x W_rz + h₋ U_rz + b_rz) in the first two blocks of `saved`."""
    cdef Py_ssize_t K = s.K, r, v, k
    cdef real* a
    affine(s, 2, packed, s.saved, lda)
    for r in range(s.m):
        a = s.saved + r * lda
        for v in range(ceil_div(2 * K, VL)):
            k = v * VL
            store(a + k, logistic(load(a + k)), 2 * K - k)


cdef void gru_after_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, lda = GRU_AFTER_SAVED * s.K, row, v, k
    cdef vec z, n
    cdef real* a
    cdef const real* h
    cdef Factor X = Factor(rows=s.X, n=s.D, stride=s.D)
    cdef Factor H = Factor(rows=s.recurrent, n=K, stride=K)
    cdef Factor none = Factor(rows=s.before, n=0, stride=0)
    gru_gates(s, lda, packed)
    # x W_n + b_n
    packed += packed_size(1 + s.D + K, 2 * K)
    product(s.m, K, X, none, packed, s.saved + 2 * K, lda, FROM_BIAS)
    # q = h₋ U_n + b_rec,n
    packed += packed_size(1 + s.D, K)
    product(s.m, K, H, none, packed, s.saved + 3 * K, lda, FROM_BIAS)
    for row in range(s.m):
        a = s.saved + row * lda
        h = s.before + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            z = load(a + K + k)
            n = hyperbolic_tangent(load(a + 2 * K + k) + load(a + k) * load(a + 3 * K + k))
            store(s.after + row * K + k, (1 - z) * n + z * load(h + k), K - k)
            store(a + 2 * K + k, n, K - k)


cdef void gru_after_step_gradient(const Step* s, const real* packed) noexcept nogil:
    # saved becomes da_r da_z da_n dq
    cdef Py_ssize_t K = s.K, lda = GRU_AFTER_SAVED * s.K, row, v, k
    cdef vec r, z, n, dh, da_n, before
    cdef real* a
    cdef real* d
    cdef Factor rz = Factor(rows=s.saved, n=2 * K, stride=lda)
    cdef Factor q = Factor(rows=s.saved + 3 * K, n=K, stride=lda)
    for row in range(s.m):
        a = s.saved + row * lda
        d = s.dstate + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            r = load(a + k)
            z = load(a + K + k)
            n = load(a + 2 * K + k)
            dh = load(d + k)
            before = load(s.before + row * K + k)
            # h = (1 − z) ⊙ n + z ⊙ h₋
            da_n = dh * (1 - z) * (1 - n * n)
            store(a + K + k, dh * (before - n) * z * (1 - z), K - k)
            store(a + 2 * K + k, da_n, K - k)
            store(d + k, dh * z, K - k)
            # a_n = … + r ⊙ q
            store(a + k, da_n * load(a + 3 * K + k) * r * (1 - r), K - k)
            store(a + 3 * K + k, da_n * r, K - k)
    # a_r, a_z = … + h₋ U_rz    q = h₋ U_n + b_rec,n
    packed += gru_forward_size(s.D, K, RESET_AFTER)
    recurrent_gradient(s, rz, q, packed, FROM_C)
    gru_input_gradient(s, lda, packed + gru_transposed_size(K, RESET_AFTER))


cdef void gru_before_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, lda = GRU_BEFORE_SAVED * s.K, row, v, k
    cdef vec z, n
    cdef real* a
    cdef const real* h
    cdef Factor X = Factor(rows=s.X, n=s.D, stride=s.D)
    cdef Factor reset = Factor(rows=s.saved + 3 * K, n=K, stride=lda)
    gru_gates(s, lda, packed)
    for row in range(s.m):
        a = s.saved + row * lda
        for v in range(ceil_div(K, VL)):
            k = v * VL
            store(a + 3 * K + k, load(a + k) * load(s.recurrent + row * K + k), K - k)
    # x W_n + (r ⊙ h₋) U_n + b_n
    packed += packed_size(1 + s.D + K, 2 * K)
    product(s.m, K, X, reset, packed, s.saved + 2 * K, lda, FROM_BIAS)
    for row in range(s.m):
        a = s.saved + row * lda
        h = s.before + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            z = load(a + K + k)
            n = hyperbolic_tangent(load(a + 2 * K + k))
            store(s.after + row * K + k, (1 - z) * n + z * load(h + k), K - k)
            store(a + 2 * K + k, n, K - k)


cdef void gru_before_step_gradient(const Step* s, const real* packed) noexcept nogil:
    # saved becomes da_r da_z da_n, r ⊙ h₋
    cdef Py_ssize_t K = s.K, lda = GRU_BEFORE_SAVED * s.K, row, v, k
    cdef vec r, z, n, dh, d_reset, before, mask
    cdef real* a
    cdef real* d
    cdef Factor rz = Factor(rows=s.saved, n=2 * K, stride=lda)
    cdef Factor da_n = Factor(rows=s.saved + 2 * K, n=K, stride=lda)
    cdef Factor none = Factor(rows=s.saved, n=0, stride=0)
    for row in range(s.m):
        a = s.saved + row * lda
        d = s.dstate + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            z = load(a + K + k)
            n = load(a + 2 * K + k)
            dh = load(d + k)
            before = load(s.before + row * K + k)
            # h = (1 − z) ⊙ n + z ⊙ h₋
            store(a + K + k, dh * (before - n) * z * (1 - z), K - k)
            store(a + 2 * K + k, dh * (1 - z) * (1 - n * n), K - k)
            store(d + k, dh * z, K - k)
    # a_n = … + (r ⊙ h₋) U_n
    packed += gru_forward_size(s.D, K, RESET_BEFORE)
    product(s.m, K, da_n, none, packed + packed_size(1 + 2 * K, K), s.saved + 4 * K, lda, FROM_BIAS)
    for row in range(s.m):
        a = s.saved + row * lda
        d = s.dstate + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            r = load(a + k)
            d_reset = load(a + 4 * K + k)
            mask = load(s.mask + row * K + k) if s.mask != NULL else splat(1)
            store(d + k, load(d + k) + d_reset * r * mask, K - k)
            store(a + k, d_reset * load(s.recurrent + row * K + k) * r * (1 - r), K - k)
    # a_r, a_z = … + h₋ U_rz
    recurrent_gradient(s, rz, none, packed, FROM_C)
    gru_input_gradient(s, lda, packed + gru_transposed_size(K, RESET_BEFORE))


cdef inline void gru_input_gradient(const Step* s, Py_ssize_t lda, const real* packed) noexcept nogil:
    # a = x W + …
    cdef Factor da = Factor(rows=s.saved, n=3 * s.K, stride=lda)
    cdef Factor none = Factor(rows=s.saved, n=0, stride=0)
    if s.dX != NULL:
        product(s.m, s.D, da, none, packed, s.dX, s.D, FROM_BIAS)


cdef int gru_terms(const Layer* layer, Term* terms) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K
    # a = x W + b + …    a_r, a_z = … + h₋ U_rz
    terms[0] = Term(source=INPUT, block=0, n=D, to=TO_W, row=0, column=0, width=3 * K, gradient=0)
    terms[1] = Term(source=ONE, block=0, n=1, to=TO_B, row=0, column=0, width=3 * K, gradient=0)
    terms[2] = Term(source=STATE, block=0, n=K, to=TO_U, row=0, column=0, width=2 * K, gradient=0)
    if layer.variant == RESET_AFTER:
        # q = h₋ U_n + b_rec,n, and b_rec in a_r, a_z
        terms[3] = Term(source=STATE, block=0, n=K, to=TO_U, row=0, column=2 * K, width=K, gradient=3 * K)
        terms[4] = Term(source=ONE, block=0, n=1, to=TO_B, row=1, column=0, width=2 * K, gradient=0)
        terms[5] = Term(source=ONE, block=0, n=1, to=TO_B, row=1, column=2 * K, width=K, gradient=3 * K)
        return 6
    # a_n = … + (r ⊙ h₋) U_n
    terms[3] = Term(source=SAVED, block=3 * K, n=K, to=TO_U, row=0, column=2 * K, width=K, gradient=2 * K)
    return 4
