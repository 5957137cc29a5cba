# What the head reads of a whole sequence: the mean of the top layer's outputs, or the maximum of each unit.
#
# The pool of a sequence is part of its states, so that it continues where a segment or a stream was left.


# in the order of the enum in declarations.pxi
POOLINGS = ("last", "mean", "max")


cdef int pooling_named(str name) except -1:
    if name not in POOLINGS:
        raise ValueError(f"there is no pooling {name!r}")
    return POOLINGS.index(name)


cdef void load_pool(const Net* net, const Buffers* buffers, Py_ssize_t r, const real* initial) noexcept nogil:
    """What sequence r has pooled before its first step: `initial` (P,) and its number of steps; NULL for nothing."""
    cdef Py_ssize_t j, P = net.P
    for j in range(P):
        buffers.peak[r * P + j] = -1
        buffers.pool[r * P + j] = initial[j] if initial != NULL else 0 if net.pooling == MEAN else -INFINITY
    if net.pooling == MEAN:
        buffers.count[r] = initial[P] if initial != NULL else 0


cdef void pool_steps(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Add the outputs of every step, or keep the maximum, the first of equal ones."""
    cdef const Net* net = job.net
    cdef const real* Y = outputs(net, buffers, net.n_layers - 1, g)
    cdef const real* y
    cdef Py_ssize_t t, r, j, P = net.P, mask = look_mask(g.length[first], (last - first) * (P + STEP_WORK))
    cdef real* pool
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        for r in range(first, min(last, g.active[t])):
            y = Y + (g.offset[t] + r) * P
            pool = buffers.pool + r * P
            if net.pooling == MEAN:
                buffers.count[r] += 1
                for j in range(P):
                    pool[j] = pool[j] + y[j]
            else:
                for j in range(P):
                    if y[j] > pool[j]:
                        pool[j] = y[j]
                        buffers.peak[r * P + j] = t


cdef void pooled(const Net* net, const Buffers* buffers, Py_ssize_t r, real* features) noexcept nogil:
    """The features (P,) of sequence r, at its end."""
    cdef Py_ssize_t j
    for j in range(net.P):
        features[j] = buffers.pool[r * net.P + j]
        if net.pooling == MEAN:
            features[j] = features[j] / buffers.count[r]


cdef void pooled_gradient(const Net* net, const Buffers* buffers, Py_ssize_t r, const real* dfeatures) noexcept nogil:
    """Add what the head sends to the pool of sequence r."""
    cdef Py_ssize_t j
    for j in range(net.P):
        buffers.dpool[r * net.P + j] += dfeatures[j] / buffers.count[r] if net.pooling == MEAN else dfeatures[j]


cdef void pool_steps_gradient(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """What the pool sends to the outputs of every step."""
    cdef const Net* net = job.net
    cdef real* dY = buffers.layers[net.n_layers - 1].dY
    cdef real* dy
    cdef real* dpool
    cdef Py_ssize_t t, r, j, P = net.P, mask = look_mask(g.length[first], (last - first) * (P + STEP_WORK))
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        for r in range(first, min(last, g.active[t])):
            dy = dY + (g.offset[t] + r) * P
            dpool = buffers.dpool + r * P
            if net.pooling == MEAN:
                memcpy(dy, dpool, P * sizeof(real))
                continue
            for j in range(P):
                dy[j] = 0
                if buffers.peak[r * P + j] == t:
                    # the maximum of the steps before got no gradient
                    dy[j], dpool[j] = dpool[j], 0
