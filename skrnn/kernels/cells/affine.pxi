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


cdef inline bint all_units(const Step* s) noexcept nogil:
    return s.begin == 0 and s.end == ceil_div(s.K, VL)


cdef inline void product_of_units(
    const Step* s,
    Factor A1,                  # IN  (m, n1)
    Factor A2,                  # IN  (m, n2)
    const real* packed,         # IN  (n, G·K): B1 from row `first` on, then B2
    Py_ssize_t n,
    Py_ssize_t first,
    Py_ssize_t G,
    const real* start,          # IN  (1, G·K) of a single row, or NULL for the bias
    real* C,                    # OUT (m, G·K), row stride ldc
    Py_ssize_t ldc,
) noexcept nogil:
    """C = start + A1 B1 + A2 B2, of G gates the units of the step."""
    cdef Weights weights
    cdef Py_ssize_t i, gate, K = s.K
    weights.packed, weights.n, weights.p, weights.first, weights.descending = packed, n, G * K, first, s.descending
    weights.begin, weights.end = 0, G * K
    if all_units(s):
        product_columns(s.m, A1, A2, &weights, start, 0, C, ldc)
        return
    for i in range(G):
        gate = G - 1 - i if s.descending else i
        weights.begin, weights.end = gate * K + s.begin * VL, gate * K + min(K, s.end * VL)
        product_columns(s.m, A1, A2, &weights, start, 0, C, ldc)


cdef inline Factor inputs_of(const Step* s) noexcept nogil:
    """X, or where X W + b is known no columns of it."""
    return Factor(rows=s.X, n=s.D if s.projected == NULL else 0, stride=s.D)


cdef inline void affine(
    const Step* s,
    Py_ssize_t G,
    const real* packed,
    real* A,                    # OUT (m, G·K), row stride lda
    Py_ssize_t lda,
) noexcept nogil:
    """A = X W + h₋ U + b, of the first G gates that are packed."""
    cdef Factor X = inputs_of(s)
    cdef Factor H = Factor(rows=s.recurrent, n=s.K, stride=s.K)
    product_of_units(s, X, H, packed, 1 + s.D + s.K, 1 + s.D - X.n, G, s.projected, A, lda)


cdef inline void project_gates(
    const Step* s,
    Py_ssize_t G,
    const real* packed,         # IN  [b; W; …] (n, G·K)
    Py_ssize_t n,
    real* A,                    # OUT (m, G·K), row stride lda
    Py_ssize_t lda,
) noexcept nogil:
    """A = X W + b."""
    cdef Factor X = Factor(rows=s.X, n=s.D, stride=s.D)
    cdef Factor none = Factor(rows=s.X, n=0, stride=0)
    product_of_units(s, X, none, packed, n, 1, G, NULL, A, lda)


cdef void affine_project(const Layer* layer, const Step* s, const real* packed, real* projected) noexcept nogil:
    cdef Py_ssize_t G = layer.cell.n_gates
    project_gates(s, G, packed, 1 + s.D + s.K, projected, G * s.K)


cdef inline void logistic_affine(
    const Step* s,
    Py_ssize_t G,
    const real* packed,
    real* A,                    # OUT (m, G·K), row stride lda
    Py_ssize_t lda,
) noexcept nogil:
    """A = σ(X W + h₋ U + b), of the first G gates that are packed."""
    cdef Py_ssize_t row, gate, v, k, n_gates = G, width = s.K, begin = s.begin, end = s.end
    cdef real* a
    affine(s, G, packed, A, lda)
    if all_units(s):
        # as if they were one: fewer vectors where K does not fill whole ones
        n_gates, width, end = 1, G * s.K, ceil_div(G * s.K, VL)
    for row in range(s.m):
        for gate in range(n_gates):
            a = A + row * lda + gate * width
            for v in range(begin, end):
                k = v * VL
                store(a + k, logistic(load(a + k)), width - k)


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
