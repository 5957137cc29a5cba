# The Elman cell: h = φ(x W + h₋ U + b), φ one of tanh, relu, logistic, identity.
#
# Elman, J. L. (1990). Finding structure in time. Cognitive Science 14(2), 179-211.

cdef enum:
    # the forms, in their order
    TANH
    RELU
    LOGISTIC
    IDENTITY


cdef void rnn_cell(int variant, Cell* cell) noexcept:
    # What is saved is da, by the backward pass: the forward pass has nothing to save.
    cell.n_saved, cell.n_biases = 1, 1
    cell.packed_size, cell.pack, cell.terms = affine_packed_size, affine_pack, affine_terms
    cell.project, cell.step, cell.step_gradient = affine_project, rnn_step, rnn_step_gradient


cdef inline vec activate(vec a, int variant) noexcept nogil:
    if variant == TANH:
        return hyperbolic_tangent(a)
    if variant == RELU:
        return maximum(splat(0), a)
    if variant == LOGISTIC:
        return logistic(a)
    return a


cdef inline vec derivative(vec h, int variant) noexcept nogil:
    """φ'(a) from h = φ(a)."""
    if variant == TANH:
        return 1 - h * h
    if variant == RELU:
        return where_less(splat(0), h, splat(1), splat(0))
    if variant == LOGISTIC:
        return h * (1 - h)
    return splat(1)


cdef void rnn_step(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t v, j, n = s.m * s.K, end = ceil_div(n, VL) if all_units(s) else s.end
    # h = φ(x W + h₋ U + b)
    affine(s, 1, packed, s.after, s.K)
    for v in range(s.begin, end):
        j = v * VL
        store(s.after + j, activate(load(s.after + j), s.variant), n - j)


cdef void rnn_step_gradient(const Step* s, const real* packed) noexcept nogil:
    cdef Py_ssize_t v, j, n = s.m * s.K
    for v in range(ceil_div(n, VL)):
        j = v * VL
        # h = φ(a)
        store(s.saved + j, load(s.dstate + j) * derivative(load(s.after + j), s.variant), n - j)
    # a = x W + h₋ U + b
    affine_gradient(s, 1, packed, s.saved, s.K, FROM_BIAS)


register(
    CellDescription(
        name="rnn", summary="Elman's network", source="Elman 1990", gates=("h",), states=("h",), identity="relu",
        forms=({"activation": "tanh"}, {"activation": "relu"}, {"activation": "logistic"}, {"activation": "identity"}),
    ),
    rnn_cell,
)
