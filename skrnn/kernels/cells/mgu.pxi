# The minimal gated unit: f = σ(x W_f + h₋ U_f + b_f), n = tanh(x W_n + (f ⊙ h₋) U_n + b_n), h = (1 − f) ⊙ h₋ + f ⊙ n.
#
# One gate both resets and updates, as r and 1 − z of a GRU in one. f near 1 takes the candidate, f near 0 keeps the
# state, so the bias that keeps an LSTM's memory at the start would do the opposite here: it begins at 0.
#
# Zhou, G.-B., Wu, J., Zhang, C.-L. and Zhou, Z.-H. (2016). Minimal gated unit for recurrent neural networks.
# International Journal of Automation and Computing 13(3), 226-234. arXiv:1603.09420

cdef enum:
    MGU_SAVED = 4               # f n, f ⊙ h₋, and room for its gradient: as candidate.pxi has it


cdef void mgu_cell(int variant, Cell* cell) noexcept:
    cell.n_saved, cell.n_biases = MGU_SAVED, 1
    cell.packed_size, cell.pack, cell.terms = candidate_packed_size, candidate_pack, candidate_terms
    cell.project, cell.step, cell.step_gradient = candidate_project, mgu_step, mgu_step_gradient
    cell.gated = 2


cdef void mgu_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t K = s.K, row, v, k
    cdef vec f, n
    cdef real* a
    # f, and a_n = x W_n + (f ⊙ h₋) U_n + b_n
    if not candidate(s, 2, packed):
        return
    for row in range(s.m):
        a = s.saved + row * MGU_SAVED * K
        for v in range(s.begin, s.end):
            k = v * VL
            f = load(a + k)
            n = hyperbolic_tangent(load(a + K + k))
            store(s.after + row * K + k, (1 - f) * load(s.before + row * K + k) + f * n, K - k)
            store(a + K + k, n, K - k)


cdef void mgu_step_gradient(const Step* s, const real* packed) noexcept nogil:
    # saved becomes da_f da_n, f ⊙ h₋, d(f ⊙ h₋)
    cdef Py_ssize_t K = s.K, row, v, k
    cdef vec f, n, dh, df, d_gated, mask
    cdef real* a
    cdef real* d
    for row in range(s.m):
        a = s.saved + row * MGU_SAVED * K
        d = s.dstate + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            f = load(a + k)
            n = load(a + K + k)
            dh = load(d + k)
            # h = (1 − f) ⊙ h₋ + f ⊙ n
            store(s.scratch + row * K + k, dh * (n - load(s.before + row * K + k)), K - k)
            store(a + K + k, dh * f * (1 - n * n), K - k)
            store(d + k, dh * (1 - f), K - k)
    # a_n = … + (f ⊙ h₋) U_n
    gated_state_gradient(s, 2, packed)
    for row in range(s.m):
        a = s.saved + row * MGU_SAVED * K
        d = s.dstate + row * K
        for v in range(ceil_div(K, VL)):
            k = v * VL
            f = load(a + k)
            d_gated = load(a + 3 * K + k)
            mask = load(s.mask + row * K + k) if s.mask != NULL else splat(1)
            # f ⊙ h₋
            store(d + k, load(d + k) + d_gated * f * mask, K - k)
            df = load(s.scratch + row * K + k) + d_gated * load(s.recurrent + row * K + k)
            store(a + k, df * f * (1 - f), K - k)
    # a_f = … + h₋ U_f    a = x W + b + …
    candidate_gradient(s, 2, packed)


register(
    CellDescription(
        name="mgu", summary="the minimal gated unit", source="Zhou et al. 2016", gates=("f", "n"), states=("h",)
    ),
    mgu_cell,
)
