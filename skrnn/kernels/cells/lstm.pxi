# The LSTM cell: i, f, o = σ(·), g = tanh(·), c = f ⊙ c₋ + i ⊙ g, h = o ⊙ tanh(c), each · = x W + h₋ U + b.
#
# Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8), 1735-1780; the forget gate
# is from Gers, F. A., Schmidhuber, J. and Cummins, F. (2000). Learning to forget. Neural Computation 12(10), 2451-2471.

cdef enum:
    LSTM_SAVED = 5              # i f g o tanh(c)


cdef void lstm_cell(int variant, Cell* cell) noexcept:
    cell.n_saved, cell.n_biases = LSTM_SAVED, 1
    cell.packed_size, cell.pack, cell.terms = affine_packed_size, affine_pack, affine_terms
    cell.project, cell.step, cell.step_gradient = affine_project, lstm_step, lstm_step_gradient


cdef void lstm_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, r, k, v
    cdef real *a
    cdef const real *c_before
    cdef vec i, f, g, o, c, tanh_c
    # i f g o before their activation: x W + h₋ U + b
    affine(s, 4, packed, s.saved, LSTM_SAVED * K)
    for r in range(s.m):
        a = s.saved + r * LSTM_SAVED * K
        c_before = s.before + s.plane + r * K
        for v in range(s.begin, s.end):
            k = v * VL
            i = logistic(load(a + k))
            f = logistic(load(a + K + k))
            g = hyperbolic_tangent(load(a + 2 * K + k))
            o = logistic(load(a + 3 * K + k))
            c = f * load(c_before + k) + i * g
            tanh_c = hyperbolic_tangent(c)
            store(s.after + r * K + k, o * tanh_c, K - k)
            store(s.after + s.plane + r * K + k, c, K - k)
            store(a + k, i, K - k)
            store(a + K + k, f, K - k)
            store(a + 2 * K + k, g, K - k)
            store(a + 3 * K + k, o, K - k)
            store(a + 4 * K + k, tanh_c, K - k)


cdef void lstm_step_gradient(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, r, k, v
    cdef real *a
    cdef const real *c_before
    cdef vec i, f, g, o, tanh_c, dh, dc
    for r in range(s.m):
        a = s.saved + r * LSTM_SAVED * K
        c_before = s.before + s.plane + r * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            i = load(a + k)
            f = load(a + K + k)
            g = load(a + 2 * K + k)
            o = load(a + 3 * K + k)
            tanh_c = load(a + 4 * K + k)
            dh = load(s.dstate + r * K + k)
            # h = o ⊙ tanh(c)
            dc = load(s.dstate + s.dplane + r * K + k) + dh * o * (1 - tanh_c * tanh_c)
            store(a + 3 * K + k, dh * tanh_c * o * (1 - o), K - k)
            # c = f ⊙ c₋ + i ⊙ g
            store(a + k, dc * g * i * (1 - i), K - k)
            store(a + K + k, dc * load(c_before + k) * f * (1 - f), K - k)
            store(a + 2 * K + k, dc * i * (1 - g * g), K - k)
            store(s.dstate + s.dplane + r * K + k, dc * f, K - k)
    # a = x W + h₋ U + b
    affine_gradient(s, 4, packed, s.saved, LSTM_SAVED * K, FROM_BIAS)


register(
    CellDescription(
        name="lstm", summary="the long short-term memory",
        source="Hochreiter & Schmidhuber 1997, Gers et al. 2000", gates=("i", "f", "g", "o"), states=("h", "c"),
        bias={"f": 1.0},
    ),
    lstm_cell,
)
