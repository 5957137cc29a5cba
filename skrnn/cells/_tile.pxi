# A tile's way through the whole network: layers, head, loss, and back.


cdef struct Net:
    Layer* layers
    int n_layers
    Py_ssize_t D                # inputs
    Py_ssize_t P                # columns of the top layer's output
    Py_ssize_t Q                # outputs
    bint per_step               # the head reads every step, or else the last state of every sequence
    Py_ssize_t V                # where the head's parameters begin in theta
    Py_ssize_t c
    Py_ssize_t packed           # and where their packed form begins: [c; V] (1 + P, Q), then [0; Vᵀ] (1 + Q, P)
    Py_ssize_t size             # parameters
    Py_ssize_t packed_size      # of everything packed


cdef struct LayerBuffers:
    Track[2] track
    real* Y                     # (S, P) outputs of a bidirectional layer
    real* dY                    # (S, P), or NULL where nothing is sent to every step


cdef struct Buffers:
    # All arrays of a batch; R = S steps, or N sequences
    LayerBuffers* layers
    real* features              # (N, P) what the head reads unless it reads every step
    real* dfeatures             # (N, P)
    real* scores                # (R, Q)
    real* dscores               # (R, Q)
    double* losses              # (R,)
    real* dX                    # (S, D), or NULL


cdef struct Run:
    # What is to be done
    const Net* net
    const real* packed
    const real* values          # (total, D) all steps of all sequences
    Loss loss                   # NULL where dscores are given
    const char* targets         # target_size bytes for each sequence, or for each of `values`
    Py_ssize_t target_size
    const double* weights       # one for each target, or NULL for 1
    double total_weight


cdef inline const real* outputs(const Net* net, const Buffers* buffers, int depth, const Group* g) noexcept nogil:
    """The output of a layer for a group: packed row s begins at s · P."""
    cdef const Layer* layer = &net.layers[depth]
    if layer.n_directions == 2:
        return buffers.layers[depth].Y
    return buffers.layers[depth].track[0].states + (g.row + g.n) * layer.K


cdef void gather(
    const Run* run, const Buffers* buffers, int depth, const Group* g, Py_ssize_t first, Py_ssize_t last, bint backwards
) noexcept nogil:
    """Fill the X of a track: from `values`, or from the layer below in reverse."""
    cdef Py_ssize_t D = run.net.layers[depth].D, t, r, step
    cdef real* X = buffers.layers[depth].track[backwards].X
    cdef const real* Y = outputs(run.net, buffers, depth - 1, g) if depth > 0 else NULL
    for t in range(g.length[first]):
        for r in range(first, min(last, g.active[t])):
            if depth == 0:
                step = g.length[r] - 1 - t if backwards else t
                memcpy(X + (g.offset[t] + r) * D, run.values + (g.source[r] + step) * D, D * sizeof(real))
            else:
                memcpy(X + (g.offset[t] + r) * D, Y + mirrored(g, t, r) * D, D * sizeof(real))


cdef inline const real* inputs(const Net* net, const Buffers* buffers, int depth, int d, const Group* g) noexcept nogil:
    """The input of a track for a group: packed row s begins at s · D."""
    cdef const real* X = buffers.layers[depth].track[d].X
    return X if X != NULL else outputs(net, buffers, depth - 1, g)


cdef void forward_tile(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """All layers, and the head."""
    cdef const Net* net = run.net
    cdef const Layer* layer
    cdef const Track* track
    cdef int depth, d
    for depth in range(net.n_layers):
        layer = &net.layers[depth]
        for d in range(layer.n_directions):
            track = &buffers.layers[depth].track[d]
            if track.X != NULL:
                gather(run, buffers, depth, g, first, last, d)
            scan(
                layer, track, g, first, last, inputs(net, buffers, depth, d, g), run.packed + layer.packed[d],
                buffers.layers[depth].Y + d * layer.K if layer.n_directions == 2 else NULL, d,
            )
    if net.per_step:
        step_scores(run, buffers, g, first, last)
    else:
        sequence_scores(run, buffers, g, max(first, g.ending), last)


cdef void linear(const Run* run, Py_ssize_t m, const real* Z, real* scores) noexcept nogil:
    """scores (m, Q) = Z V + c for Z (m, P)."""
    cdef const Net* net = run.net
    cdef Factor Z_rows = Factor(rows=Z, n=net.P, stride=net.P)
    cdef Factor none = Factor(rows=Z, n=0, stride=0)
    product(m, net.Q, Z_rows, none, run.packed + net.packed, scores, net.Q, FROM_BIAS)


cdef void linear_gradient(const Run* run, Py_ssize_t m, const real* dscores, real* dZ) noexcept nogil:
    """dZ (m, P) = dscores Vᵀ for dscores (m, Q)."""
    cdef const Net* net = run.net
    cdef Factor rows = Factor(rows=dscores, n=net.Q, stride=net.Q)
    cdef Factor none = Factor(rows=dscores, n=0, stride=0)
    product(m, net.P, rows, none, run.packed + net.packed + packed_size(1 + net.P, net.Q), dZ, net.P, FROM_BIAS)


cdef void step_scores(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    cdef const Net* net = run.net
    cdef const real* Y = outputs(net, buffers, net.n_layers - 1, g)
    cdef Py_ssize_t t, row
    for t in range(g.length[first]):
        row = g.offset[t] + first
        linear(run, min(last, g.active[t]) - first, Y + row * net.P, buffers.scores + row * net.Q)


cdef void sequence_scores(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    cdef const Net* net = run.net
    cdef const Layer* top = &net.layers[net.n_layers - 1]
    cdef const Track* track
    cdef Py_ssize_t r, row
    cdef int d
    if first >= last:
        return
    for d in range(top.n_directions):
        track = &buffers.layers[net.n_layers - 1].track[d]
        for r in range(first, last):
            row = state_after(track, g, g.length[r] - 1) + r
            memcpy(buffers.features + (g.row + r) * net.P + d * top.K, track.states + row * top.K, top.K * sizeof(real))
    linear(
        run, last - first, buffers.features + (g.row + first) * net.P, buffers.scores + (g.row + first) * net.Q
    )


cdef void loss_of_row(const Run* run, const Buffers* buffers, Py_ssize_t row, Py_ssize_t target) noexcept nogil:
    """Loss of a row of scores, and its gradient."""
    cdef Py_ssize_t Q = run.net.Q
    cdef double weight = (run.weights[target] if run.weights != NULL else 1) / run.total_weight
    buffers.losses[row] = run.loss(
        Q, buffers.scores + row * Q, run.targets + target * run.target_size, weight, buffers.dscores + row * Q
    )


cdef void loss_of_tile(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    cdef Py_ssize_t t, r
    if not run.net.per_step:
        for r in range(max(first, g.ending), last):
            loss_of_row(run, buffers, g.row + r, g.sample[r])
        return
    for t in range(g.length[first]):
        for r in range(first, min(last, g.active[t])):
            loss_of_row(run, buffers, g.offset[t] + r, g.source[r] + t)


cdef void head_gradient(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """What the head sends to the top layer: to every step, or to the last states."""
    cdef const Net* net = run.net
    cdef const Layer* top = &net.layers[net.n_layers - 1]
    cdef Py_ssize_t t, r, j, row
    cdef real* dh
    cdef int d
    if net.per_step:
        for t in range(g.length[first]):
            row = g.offset[t] + first
            linear_gradient(
                run, min(last, g.active[t]) - first, buffers.dscores + row * net.Q,
                buffers.layers[net.n_layers - 1].dY + row * net.P,
            )
        return
    first = max(first, g.ending)
    if first >= last:
        return
    row = g.row + first
    linear_gradient(run, last - first, buffers.dscores + row * net.Q, buffers.dfeatures + row * net.P)
    for d in range(top.n_directions):
        for r in range(g.row + first, g.row + last):
            dh = buffers.layers[net.n_layers - 1].track[d].dstate + r * top.K
            for j in range(top.K):
                dh[j] = dh[j] + buffers.dfeatures[r * net.P + d * top.K + j]


cdef void backward_tile(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last, real* scratch
) noexcept nogil:
    """The mirror of `forward_tile`; needs dscores."""
    cdef const Net* net = run.net
    cdef const Layer* layer
    cdef const LayerBuffers* b
    cdef const real* dY
    cdef real* dX
    cdef int depth, d
    head_gradient(run, buffers, g, first, last)
    for depth in range(net.n_layers - 1, -1, -1):
        layer, b = &net.layers[depth], &buffers.layers[depth]
        dX = buffers.layers[depth - 1].dY if depth > 0 else buffers.dX
        for d in range(layer.n_directions):
            dY = b.dY + d * layer.K if b.dY != NULL else NULL
            scan_gradient(
                layer, &b.track[d], g, first, last, inputs(net, buffers, depth, d, g), run.packed + layer.packed[d],
                dY, dX, scratch, d,
            )
