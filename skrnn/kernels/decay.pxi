# Decays with the time δ since each feature was last seen: of what the first layer reads where a value is missing, from
# the last value to the mean, and of its states before every step.
#
# Of the numbers of a step of the caller the first n decay, and their indicators are among the others. After them come
# δ (n,) as the first direction reads, and where there are two δ (n,) as the second one reads, before its categories.
#
# Che, Z., Purushotham, S., Cho, K., Sontag, D. and Liu, Y. (2018). Recurrent neural networks for multivariate time
# series with missing values. Scientific Reports 8, 6085.


cdef inline vec decay_of(vec a) noexcept nogil:
    """γ = exp(−max(0, a))."""
    return exponential(-maximum(a, splat(0)))


cdef inline void decay_inputs(const Job* job, const real* since, real* x) noexcept nogil:
    """x (D,), in units: x ← γ ⊙ x where a value is missing, γ = exp(−max(0, w ⊙ δ + b)); the mean is 0."""
    cdef const Decay* decay = &job.net.decay
    cdef const real* w = job.packed + decay.packed
    cdef const real* b = w + ceil_div(decay.n, VL) * VL
    cdef Py_ssize_t v, k
    cdef vec a, value
    for v in range(ceil_div(decay.n, VL)):
        k = v * VL
        a = load(w + k) * load_lanes(since + k, decay.n - k) + load(b + k)
        value = load(x + k)
        value = where_less(splat(0.5), load(x + decay.indicators + k), value * decay_of(a), value)
        store(x + k, value, decay.n - k)


cdef void decay_inputs_gradient(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Fill d_decay, the gradients of w and b at each step, from dX; where dX is asked for, dX ← γ ⊙ dX."""
    cdef const Net* net = job.net
    cdef const Decay* decay = &net.decay
    cdef const DirectionBuffers* direction = &buffers.layers[0].direction[0]
    cdef const real* w = job.packed + decay.packed
    cdef const real* b = w + ceil_div(decay.n, VL) * VL
    cdef const real* x
    cdef const real* since
    cdef real* dx
    cdef real* to
    cdef Py_ssize_t t, r, v, k, row, mask = look_mask(g.length[first], (last - first) * (decay.n + STEP_WORK))
    cdef vec a, da, delta, d
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        for r in range(first, min(last, g.active[t])):
            row = g.offset[t] + r
            x, dx, since = direction.X + row * net.D, buffers.dX + row * net.D, direction.since + row * decay.n
            to = buffers.d_decay + row * 2 * decay.n
            for v in range(ceil_div(decay.n, VL)):
                k = v * VL
                delta = load(since + k)
                # γ x = exp(−a) x where a value is missing and a > 0, which is what x holds
                a = load(w + k) * delta + load(b + k)
                da = where_less(splat(0), a, -load(dx + k) * load(x + k), splat(0))
                da = where_less(splat(0.5), load(x + decay.indicators + k), da, splat(0))
                # a = w ⊙ δ + b
                store(to + k, da * delta, decay.n - k)
                store(to + decay.n + k, da, decay.n - k)
                if job.dX != NULL:
                    # γ ⊙ x where a value is missing
                    d = load(dx + k)
                    d = where_less(splat(0.5), load(x + decay.indicators + k), d * decay_of(a), d)
                    store(dx + k, d, decay.n - k)


cdef void return_dtimes(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """The gradient in δ to the caller's steps: dδ = w ⊙ da of the inputs, and da Wᵀ of each direction's states."""
    cdef const Net* net = job.net
    cdef const Layer* layer = &net.layers[0]
    cdef const real* w = job.packed + net.decay.packed
    cdef Py_ssize_t t, r, j, k, n = net.decay.n, K = layer.K
    cdef Py_ssize_t mask = look_mask(g.length[first], n * layer.P + STEP_WORK)
    cdef const real* da         # (n,) of the inputs, (K,) of states
    cdef const real* W          # (n, K)
    cdef real* to
    cdef int d
    for r in range(first, last):
        for t in range(g.length[r]):
            if t & mask == mask and interrupted(job.watch):
                return
            to = job.dX + (g.out[r] + g.begin + t) * net.F + net.n_numbers
            da = buffers.d_decay + (g.offset[t] + r) * 2 * n + n
            for j in range(n):
                to[j] = w[j] * da[j]
            for d in range(layer.n_directions):
                da = buffers.layers[0].direction[d].gamma + (mirrored_row(g, t, r) if d == 1 else g.offset[t] + r) * K
                W = job.theta + net.decay.W[d]
                for j in range(n):
                    for k in range(K):
                        to[d * n + j] += da[k] * W[j * K + k]


cdef inline void decay_states(
    const Job* job,
    const Layer* layer,
    const DirectionBuffers* direction,
    int d,
    Py_ssize_t m,
    const real* since,          # IN  (m, n)
    real* gamma,                # OUT (m, K)
    Py_ssize_t before,          # row of the first state before the step
) noexcept nogil:
    """before ← γ ⊙ states, γ = exp(−max(0, δ W + b)), of h and the other states alike."""
    cdef Py_ssize_t r, v, k, p, K = layer.K
    cdef Factor rows = Factor(rows=since, n=job.net.decay.n, stride=job.net.decay.n)
    cdef Factor none = Factor(rows=since, n=0, stride=0)
    cdef vec y
    cdef Py_ssize_t at
    product(m, K, rows, none, job.packed + job.net.decay.packed_states[d], gamma, K, FROM_BIAS)
    for r in range(m):
        for v in range(ceil_div(K, VL)):
            k = v * VL
            y = decay_of(load(gamma + r * K + k))
            store(gamma + r * K + k, y, K - k)
            for p in range(layer.cell.n_states):
                at = p * direction.plane + (before + r) * K + k
                store(direction.before + at, y * load(direction.states + at), K - k)


cdef inline void decay_states_gradient(
    const Layer* layer,
    const DirectionBuffers* direction,
    Py_ssize_t m,
    real* gamma,                # IN  γ (m, K); OUT d(δ W + b)
    Py_ssize_t before,          # row of the first state before the step
    real* dstate,               # IN, OUT (m, K) of the first state, the others one dplane further each
) noexcept nogil:
    """dstates ← γ ⊙ dbefore."""
    cdef Py_ssize_t r, v, k, p, K = layer.K
    cdef vec y, d, dy
    cdef real* to
    for r in range(m):
        for v in range(ceil_div(K, VL)):
            k = v * VL
            y, dy = load(gamma + r * K + k), splat(0)
            for p in range(layer.cell.n_states):
                # before = γ ⊙ states
                to = dstate + p * direction.dplane + r * K + k
                d = load(to)
                dy = dy + d * load(direction.states + p * direction.plane + (before + r) * K + k)
                store(to, y * d, K - k)
            # γ = exp(−a), or 1
            store(gamma + r * K + k, where_less(y, splat(1), -dy * y, splat(0)), K - k)


cdef void add_input_decay(
    const Job* job, const Buffers* buffers, const Group* g, const Part* part, real* gradient
) noexcept nogil:
    """Add what a group contributes to a part of w and b, which follow each other."""
    cdef const Decay* decay = &job.net.decay
    cdef RowRange range_
    cdef Py_ssize_t chunk, first, last
    for chunk in range(n_chunks(g) - 1, -1, -1):
        first, last = g.offset[chunk * g.chunk], g.offset[min(g.length[0], (chunk + 1) * g.chunk)]
        range_ = RowRange(a_row=first, g_row=first, m=last - first)
        add_sums(part.width, 1, &range_, buffers.d_decay + part.j, 2 * decay.n, gradient + decay.w + part.j)


cdef void add_decay_terms(const Net* net, Layer* layer) noexcept:
    """Add the terms of the decay of states to those of the first layer: dW = δᵀ da, db = Σ da."""
    layer.terms[layer.n_terms] = Term(
        source=SINCE, block=0, n=net.decay.n, to=TO_DECAY_W, row=0, column=0, width=layer.K, gradient=0
    )
    layer.terms[layer.n_terms + 1] = Term(
        source=ONE, block=0, n=1, to=TO_DECAY_B, row=0, column=0, width=layer.K, gradient=0
    )
    layer.n_terms += DECAY_TERMS


cdef void pack_decay(const Net* net, const real* theta, real* packed) noexcept nogil:
    """w and b of the inputs, each with room for whole vectors, then [b; W] (1 + n, K) of each direction's states."""
    cdef const Decay* decay = &net.decay
    cdef Py_ssize_t K = net.layers[0].K
    cdef int d
    memcpy(packed + decay.packed, theta + decay.w, decay.n * sizeof(real))
    memcpy(packed + decay.packed + ceil_div(decay.n, VL) * VL, theta + decay.w + decay.n, decay.n * sizeof(real))
    for d in range(net.layers[0].n_directions):
        pack_rows(packed + decay.packed_states[d], 1 + decay.n, K, 0, 1, theta + decay.b[d], K, 1)
        pack_rows(packed + decay.packed_states[d], 1 + decay.n, K, 1, decay.n, theta + decay.W[d], K, 1)
