# The gated variant with a skip: an LSTM whose fourth gate s lets the last output pass by the cell.
#
# i, f, o, s = σ(·) and the candidate is logistic too, g = σ(·); c = f ⊙ c₋ + i ⊙ g; h = o ⊙ tanh(c) + s ⊙ h₋.
# h is not bounded by 1: where s stays near 1 it adds up, so gradient clipping matters here.

cdef enum:
    SKIP_SAVED = 6              # i f g o s tanh(c)


cdef void skip_lstm_cell(int variant, Cell* cell) noexcept:
    cell.n_saved, cell.n_biases = SKIP_SAVED, 1
    cell.packed_size, cell.pack, cell.terms = affine_packed_size, affine_pack, affine_terms
    cell.project, cell.step, cell.step_gradient = affine_project, skip_lstm_step, skip_lstm_step_gradient


cdef void skip_lstm_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, r, k, v
    cdef real *a
    cdef const real *h_before
    cdef vec i, f, g, o, skip, c, tanh_c
    # i f g o s before their activation: x W + h₋ U + b
    affine(s, 5, packed, s.saved, SKIP_SAVED * K)
    for r in range(s.m):
        a = s.saved + r * SKIP_SAVED * K
        h_before = s.before + r * K
        for v in range(s.begin, s.end):
            k = v * VL
            i = logistic(load(a + k))
            f = logistic(load(a + K + k))
            g = logistic(load(a + 2 * K + k))
            o = logistic(load(a + 3 * K + k))
            skip = logistic(load(a + 4 * K + k))
            c = f * load(h_before + s.plane + k) + i * g
            tanh_c = hyperbolic_tangent(c)
            store(s.after + r * K + k, o * tanh_c + skip * load(h_before + k), K - k)
            store(s.after + s.plane + r * K + k, c, K - k)
            store(a + k, i, K - k)
            store(a + K + k, f, K - k)
            store(a + 2 * K + k, g, K - k)
            store(a + 3 * K + k, o, K - k)
            store(a + 4 * K + k, skip, K - k)
            store(a + 5 * K + k, tanh_c, K - k)


cdef void skip_lstm_step_gradient(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, r, k, v
    cdef real *a
    cdef real *d
    cdef const real *h_before
    cdef vec i, f, g, o, skip, tanh_c, dh, dc
    for r in range(s.m):
        a = s.saved + r * SKIP_SAVED * K
        d = s.dstate + r * K
        h_before = s.before + r * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            i = load(a + k)
            f = load(a + K + k)
            g = load(a + 2 * K + k)
            o = load(a + 3 * K + k)
            skip = load(a + 4 * K + k)
            tanh_c = load(a + 5 * K + k)
            dh = load(d + k)
            # h = o ⊙ tanh(c) + s ⊙ h₋
            dc = load(d + s.dplane + k) + dh * o * (1 - tanh_c * tanh_c)
            store(a + 3 * K + k, dh * tanh_c * o * (1 - o), K - k)
            store(a + 4 * K + k, dh * load(h_before + k) * skip * (1 - skip), K - k)
            store(d + k, dh * skip, K - k)
            # c = f ⊙ c₋ + i ⊙ g
            store(a + k, dc * g * i * (1 - i), K - k)
            store(a + K + k, dc * load(h_before + s.plane + k) * f * (1 - f), K - k)
            store(a + 2 * K + k, dc * i * g * (1 - g), K - k)
            store(d + s.dplane + k, dc * f, K - k)
    # a = x W + h₋ U + b
    affine_gradient(s, 5, packed, s.saved, SKIP_SAVED * K, FROM_C)


register(
    CellDescription(
        name="skip_lstm", summary="an LSTM with a gate that lets its last output skip the cell",
        gates=("i", "f", "g", "o", "s"), states=("h", "c"), bias={"f": 1.0},
    ),
    skip_lstm_cell,
)
