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

cdef enum:
    # the forms, in their order
    RESET_BEFORE
    RESET_AFTER

cdef enum:
    GRU_AFTER_SAVED = 4         # r z n q
    GRU_BEFORE_SAVED = 5        # r z n, r ⊙ h₋, and room for its gradient: as candidate.pxi has it


cdef void gru_cell(int variant, Cell* cell) noexcept:
    if variant == RESET_AFTER:
        cell.n_saved, cell.n_biases = GRU_AFTER_SAVED, 2
        cell.packed_size, cell.pack, cell.terms = gru_after_packed_size, gru_after_pack, gru_after_terms
        cell.project, cell.step, cell.step_gradient = gru_after_project, gru_after_step, gru_after_step_gradient
    else:
        cell.n_saved, cell.n_biases = GRU_BEFORE_SAVED, 1
        cell.packed_size, cell.pack, cell.terms = candidate_packed_size, candidate_pack, candidate_terms
        cell.project, cell.step, cell.step_gradient = candidate_project, gru_before_step, gru_before_step_gradient
        cell.gated = 3


# reset_after=True
#
# Packed, forward:  [b_rz; W_rz; U_rz] (1 + D + K, 2K), then [b_n; W_n] (1 + D, K), then [b_rec,n; U_n] (1 + K, K)
#         backward: [0; Uᵀ] (1 + 3K, K), then [0; Wᵀ] (1 + 3K, D)


cdef inline Py_ssize_t gru_after_forward_size(Py_ssize_t D, Py_ssize_t K) noexcept nogil:
    return packed_size(1 + D + K, 2 * K) + packed_size(1 + D, K) + packed_size(1 + K, K)


cdef Py_ssize_t gru_after_packed_size(const Layer* layer) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K
    return gru_after_forward_size(D, K) + packed_size(1 + 3 * K, K) + packed_size(1 + 3 * K, D)


cdef void gru_after_pack(
    const Layer* layer,
    const real* W,              # IN  (D, 3K)
    const real* U,              # IN  (K, 3K)
    const real* b,              # IN  (2, 3K): b, then b_rec
    real* packed,               # OUT
    bint backward,              # whether the gradient will be needed, and so the transposed weights
) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K, width = 3 * K
    pack_affine(D, K, 2 * K, W, U, b, width, packed)
    add_to_bias(2 * K, b + width, packed, 1 + D + K)
    packed += packed_size(1 + D + K, 2 * K)
    pack_rows(packed, 1 + D, K, 0, 1, b + 2 * K, width, 1)
    pack_rows(packed, 1 + D, K, 1, D, W + 2 * K, width, 1)
    packed += packed_size(1 + D, K)
    pack_rows(packed, 1 + K, K, 0, 1, b + width + 2 * K, width, 1)
    pack_rows(packed, 1 + K, K, 1, K, U + 2 * K, width, 1)
    if backward:
        packed += packed_size(1 + K, K)
        pack_transposed(K, width, U, width, packed)
        pack_transposed(D, width, W, width, packed + packed_size(1 + width, K))


cdef void add_to_bias(Py_ssize_t p, const real* b, real* packed, Py_ssize_t n) noexcept nogil:
    """Adds b (p,) to the first row of the packed (n, p) matrix."""
    cdef Py_ssize_t vectors = ceil_div(p, VL), panels = ceil_div(vectors, MAX_VECTORS), q, j, begin
    for q in range(panels):
        begin = split_start(q, vectors, panels) * VL
        for j in range(begin, min(p, split_start(q + 1, vectors, panels) * VL)):
            packed[n * begin + j - begin] = packed[n * begin + j - begin] + b[j]


cdef void gru_after_project(const Layer* layer, const Step* s, const real* packed, real* projected) noexcept nogil:
    cdef Py_ssize_t D = s.D, K = s.K
    project_gates(s, 2, packed, 1 + D + K, projected, 3 * K)
    project_gates(s, 1, packed + packed_size(1 + D + K, 2 * K), 1 + D, projected + 2 * K, 3 * K)


cdef void gru_after_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, lda = GRU_AFTER_SAVED * s.K, row, v, k
    cdef vec z, n
    cdef real* a
    cdef const real* h
    cdef Factor X = inputs_of(s)
    cdef Factor H = Factor(rows=s.recurrent, n=K, stride=K)
    cdef Factor none = Factor(rows=s.before, n=0, stride=0)
    cdef const real* projected = s.projected + 2 * K if s.projected != NULL else NULL
    # r, z = σ(x W_rz + h₋ U_rz + b_rz)
    logistic_affine(s, 2, packed, s.saved, lda)
    # x W_n + b_n
    packed += packed_size(1 + s.D + K, 2 * K)
    product_of_units(s, X, none, packed, 1 + s.D, 1, 1, projected, s.saved + 2 * K, lda)
    # q = h₋ U_n + b_rec,n
    packed += packed_size(1 + s.D, K)
    product_of_units(s, H, none, packed, 1 + K, 1, 1, NULL, s.saved + 3 * K, lda)
    for row in range(s.m):
        a = s.saved + row * lda
        h = s.before + row * K
        for v in range(s.begin, s.end):
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
    packed += gru_after_forward_size(s.D, K)
    recurrent_gradient(s, rz, q, packed, FROM_C)
    # a = x W + b + …
    input_gradient(s, 3, packed + packed_size(1 + 3 * K, K), s.saved, lda)


cdef int gru_after_terms(const Layer* layer, Term* terms) noexcept nogil:
    cdef Py_ssize_t D = layer.D, K = layer.K
    # a = x W + b + …    a_r, a_z = … + h₋ U_rz
    terms[0] = Term(source=INPUT, block=0, n=D, to=TO_W, row=0, column=0, width=3 * K, gradient=0)
    terms[1] = Term(source=ONE, block=0, n=1, to=TO_B, row=0, column=0, width=3 * K, gradient=0)
    terms[2] = Term(source=STATE, block=0, n=K, to=TO_U, row=0, column=0, width=2 * K, gradient=0)
    # q = h₋ U_n + b_rec,n, and b_rec in a_r, a_z
    terms[3] = Term(source=STATE, block=0, n=K, to=TO_U, row=0, column=2 * K, width=K, gradient=3 * K)
    terms[4] = Term(source=ONE, block=0, n=1, to=TO_B, row=1, column=0, width=2 * K, gradient=0)
    terms[5] = Term(source=ONE, block=0, n=1, to=TO_B, row=1, column=2 * K, width=K, gradient=3 * K)
    return 6


# reset_after=False: r gates the state that the candidate reads, see candidate.pxi


cdef void gru_before_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, lda = GRU_BEFORE_SAVED * s.K, row, v, k
    cdef vec z, n
    cdef real* a
    # r, z, and a_n = x W_n + (r ⊙ h₋) U_n + b_n
    if not candidate(s, 3, packed):
        return
    for row in range(s.m):
        a = s.saved + row * lda
        for v in range(s.begin, s.end):
            k = v * VL
            z = load(a + K + k)
            n = hyperbolic_tangent(load(a + 2 * K + k))
            store(s.after + row * K + k, (1 - z) * n + z * load(s.before + row * K + k), K - k)
            store(a + 2 * K + k, n, K - k)


cdef void gru_before_step_gradient(const Step* s, const real* packed) noexcept nogil:
    # saved becomes da_r da_z da_n, r ⊙ h₋, d(r ⊙ h₋)
    cdef Py_ssize_t K = s.K, lda = GRU_BEFORE_SAVED * s.K, row, v, k
    cdef vec r, z, n, dh, d_reset, before, mask
    cdef real* a
    cdef real* d
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
    gated_state_gradient(s, 3, packed)
    for row in range(s.m):
        a = s.saved + row * lda
        d = s.dstate + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            r = load(a + k)
            d_reset = load(a + 4 * K + k)
            mask = load(s.mask + row * K + k) if s.mask != NULL else splat(1)
            # r ⊙ h₋
            store(d + k, load(d + k) + d_reset * r * mask, K - k)
            store(a + k, d_reset * load(s.recurrent + row * K + k) * r * (1 - r), K - k)
    # a_r, a_z = … + h₋ U_rz    a = x W + b + …
    candidate_gradient(s, 3, packed)


register(
    CellDescription(
        name="gru", summary="the gated recurrent unit", source="Cho et al. 2014", gates=("r", "z", "n"), states=("h",),
        forms=({"reset_after": False}, {"reset_after": True}),
    ),
    gru_cell,
)
