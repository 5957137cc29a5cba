# What the head reads of a whole sequence: of the top layer's outputs the last one, their mean, the maximum of each
# unit, or these side by side, in this order.
#
# The pool of a sequence, sums and then maxima, as far as they are read, is part of its states, so that it continues
# where a segment or a stream was left. So are the static features of a sequence, which come after them: the head reads
# them after all others.


POOLINGS = {"last": LAST, "mean": MEAN, "max": MAXIMUM, "last_mean_max": LAST | MEAN | MAXIMUM}


cdef int pooling_named(str name) except -1:
    if name not in POOLINGS:
        raise ValueError(f"there is no pooling {name!r}")
    return POOLINGS[name]


cdef str pooling_name(int pooling):
    return list(POOLINGS)[list(POOLINGS.values()).index(pooling)]


cdef inline Py_ssize_t n_read(int pooling) noexcept nogil:
    """How many vectors of P numbers the head reads of the outputs."""
    return (pooling & LAST > 0) + (pooling & MEAN > 0) + (pooling & MAXIMUM > 0)


cdef inline bint pools_steps(const Net* net) noexcept nogil:
    """Whether the head reads the outputs of all steps of a sequence, pooled."""
    return net.pooling & (MEAN | MAXIMUM) > 0


cdef inline Py_ssize_t n_pooled(const Net* net) noexcept nogil:
    """Sums, maxima and static features of a sequence."""
    return first_static(net) + net.Z


cdef inline Py_ssize_t first_static(const Net* net) noexcept nogil:
    """Where the static features begin in a pool."""
    return n_read(net.pooling & (MEAN | MAXIMUM)) * net.P


cdef inline Py_ssize_t first_maximum(const Net* net) noexcept nogil:
    """Where the maxima begin in a pool."""
    return net.P if net.pooling & MEAN else 0


cdef void load_pool(const Net* net, const Buffers* buffers, Py_ssize_t r, const real* initial) noexcept nogil:
    """What sequence r has pooled before its first step: `initial` and its number of steps; NULL for nothing."""
    cdef Py_ssize_t j, n = n_pooled(net)
    cdef real* pool = buffers.pool + r * n
    for j in range(n):
        pool[j] = initial[j] if initial != NULL else -INFINITY if first_maximum(net) <= j < first_static(net) else 0
    if buffers.peak != NULL:
        for j in range(net.P):
            buffers.peak[r * net.P + j] = -1
    if net.pooling & MEAN:
        buffers.count[r] = initial[n] if initial != NULL else 0


cdef void save_pool(const Net* net, const Buffers* buffers, Py_ssize_t r, real* final) noexcept nogil:
    """What `load_pool` takes."""
    cdef Py_ssize_t n = n_pooled(net)
    memcpy(final, buffers.pool + r * n, n * sizeof(real))
    if net.pooling & MEAN:
        final[n] = buffers.count[r]


cdef void pool_steps(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Add the outputs of every step, and keep the maximum, the first of equal ones."""
    cdef const Net* net = job.net
    cdef const real* Y = outputs(net, buffers, net.n_layers - 1, g)
    cdef const real* y
    cdef Py_ssize_t t, r, j, P = net.P, mask = look_mask(g.length[first], (last - first) * (P + STEP_WORK))
    cdef real* sums
    cdef real* maxima
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        for r in range(first, min(last, g.active[t])):
            y = Y + (g.offset[t] + r) * P
            sums = buffers.pool + r * n_pooled(net)
            maxima = sums + first_maximum(net)
            if net.pooling & MEAN:
                buffers.count[r] += 1
                for j in range(P):
                    sums[j] = sums[j] + y[j]
            if net.pooling & MAXIMUM:
                for j in range(P):
                    if y[j] > maxima[j]:
                        maxima[j] = y[j]
                        buffers.peak[r * P + j] = t


cdef void read_features(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t r, real* features
) noexcept nogil:
    """The features (H,) of sequence r, at its end."""
    cdef Py_ssize_t j, P = net.P
    cdef const real* sums = buffers.pool + r * n_pooled(net)
    cdef const real* maxima = sums + first_maximum(net)
    if net.pooling & LAST:
        last_outputs(net, buffers, g, r, features)
        features += P
    if net.pooling & MEAN:
        for j in range(P):
            features[j] = sums[j] / buffers.count[r]
        features += P
    if net.pooling & MAXIMUM:
        memcpy(features, maxima, P * sizeof(real))
        features += P
    read_static(net, buffers, r, features)


cdef inline void read_static(const Net* net, const Buffers* buffers, Py_ssize_t r, real* features) noexcept nogil:
    """The static features (Z,) of sequence r."""
    if net.Z > 0:
        memcpy(features, buffers.pool + r * n_pooled(net) + first_static(net), net.Z * sizeof(real))


cdef void features_gradient(
    const Net* net, const Buffers* buffers, Py_ssize_t r, const real* dfeatures
) noexcept nogil:
    """Add what the head sends to the last outputs and the pool of sequence r."""
    cdef Py_ssize_t j, P = net.P
    cdef real* dsums = buffers.dpool + r * n_pooled(net)
    cdef real* dmaxima = dsums + first_maximum(net)
    if net.pooling & LAST:
        last_outputs_gradient(net, buffers, r, dfeatures)
        dfeatures += P
    if net.pooling & MEAN:
        for j in range(P):
            dsums[j] = dsums[j] + dfeatures[j] / buffers.count[r]
        dfeatures += P
    if net.pooling & MAXIMUM:
        for j in range(P):
            dmaxima[j] = dmaxima[j] + dfeatures[j]
        dfeatures += P
    add_to_static(net, buffers, r, dfeatures)


cdef inline void add_to_static(
    const Net* net, const Buffers* buffers, Py_ssize_t r, const real* dfeatures
) noexcept nogil:
    """Add what the head sends to the static features of sequence r."""
    cdef real* dstatic
    cdef Py_ssize_t j
    if net.Z > 0:
        dstatic = buffers.dpool + r * n_pooled(net) + first_static(net)
        for j in range(net.Z):
            dstatic[j] = dstatic[j] + dfeatures[j]


cdef void pool_steps_gradient(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """What the pool sends to the outputs of every step."""
    cdef const Net* net = job.net
    cdef real* dY = buffers.layers[net.n_layers - 1].dY
    cdef real* dy
    cdef real* dsums
    cdef real* dmaxima
    cdef Py_ssize_t t, r, j, P = net.P, mask = look_mask(g.length[first], (last - first) * (P + STEP_WORK))
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        for r in range(first, min(last, g.active[t])):
            dy = dY + (g.offset[t] + r) * P
            dsums = buffers.dpool + r * n_pooled(net)
            dmaxima = dsums + first_maximum(net)
            if net.pooling & MEAN:
                memcpy(dy, dsums, P * sizeof(real))
            else:
                memset(dy, 0, P * sizeof(real))
            if net.pooling & MAXIMUM:
                for j in range(P):
                    if buffers.peak[r * P + j] == t:
                        # the maximum of the steps before got no gradient
                        dy[j], dmaxima[j] = dy[j] + dmaxima[j], 0
