# A tile, a range of a group's sequences, through the whole network: layers, head, loss, and back.


cdef inline const real* outputs(const Net* net, const Buffers* buffers, int depth, const Group* g) noexcept nogil:
    """The output of a layer for a group, (S, P) packed."""
    cdef const Layer* layer = &net.layers[depth]
    if layer.n_directions == 2:
        return buffers.layers[depth].Y
    return buffers.layers[depth].direction[0].states + g.n * layer.K


cdef void gather(
    const Job* job, const Buffers* buffers, int depth, const Group* g, Py_ssize_t first, Py_ssize_t last, bint backwards
) noexcept nogil:
    """Fill the X of a direction: from the caller's steps or the embedding, or from the layer below."""
    cdef Py_ssize_t D = job.net.layers[depth].D, t, r
    cdef Py_ssize_t mask = look_mask(g.length[first], (last - first) * (D + STEP_WORK))
    cdef real* X = buffers.layers[depth].direction[backwards].X
    cdef real* since = buffers.layers[depth].direction[backwards].since
    cdef const real* Y = outputs(job.net, buffers, depth - 1, g) if depth > 0 else NULL
    cdef Py_ssize_t row, n = job.net.decay.n
    cdef real* x
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        for r in range(first, min(last, g.active[t])):
            x = X + (g.offset[t] + r) * D
            if depth == 0:
                row = source_row(job.net, g, t, r, backwards)
                read_inputs(job, g, r, row, x)
                if since != NULL:
                    memcpy(
                        since + (g.offset[t] + r) * n,
                        job.values + row * job.net.F + job.net.n_numbers + backwards * n, n * sizeof(real),
                    )
            else:
                memcpy(x, Y + (mirrored_row(g, t, r) if backwards else g.offset[t] + r) * D, D * sizeof(real))
                drop_inputs(job, depth, g, t, r, backwards, D, x)


cdef inline Py_ssize_t source_row(
    const Net* net, const Group* g, Py_ssize_t t, Py_ssize_t r, bint backwards
) noexcept nogil:
    """Row in the caller's steps of step t of sequence r, or of the first one of patch t, as a direction reads."""
    return g.source[r] + (g.begin + (g.length[r] - 1 - t if backwards else t)) * net.patch_stride


cdef inline void read_inputs(
    const Job* job, const Group* g, Py_ssize_t r, Py_ssize_t row, real* x
) noexcept nogil:
    """x (D,), what the first layer reads of sequence r from a row of the caller's steps on."""
    cdef const Net* net = job.net
    cdef Py_ssize_t j
    if net.n_embeddings > 0:
        read_embedded(job, row, g.source[r] + g.rows[r] - 1, x)
    elif net.patch_size == 1:
        memcpy(x, job.values + row * net.F, net.D * sizeof(real))
    else:
        read_patch(net, job.values + row * net.F, g.source[r] + g.rows[r] - row, x)
    if net.center != NULL:
        for j in range(net.D):
            x[j] = (x[j] - net.center[j]) * net.inverse[j]
    if net.decay.n > 0:
        decay_inputs(job, job.values + row * net.F + net.n_numbers, x)


cdef inline void read_patch(const Net* net, const real* values, Py_ssize_t n, real* x) noexcept nogil:
    """x (D,) ← a patch that begins n steps before the end of its sequence; the last one stands for those it lacks."""
    cdef Py_ssize_t F = net.F, i
    n = min(n, net.patch_size)
    memcpy(x, values, n * F * sizeof(real))
    for i in range(n, net.patch_size):
        memcpy(x + i * F, values + (n - 1) * F, F * sizeof(real))


cdef inline Py_ssize_t category(const Job* job, Py_ssize_t row, int c) noexcept nogil:
    """The category that the embedding c reads in a row of the caller's steps."""
    if job.net.of_categories:
        return job.categories[row]
    return <Py_ssize_t> job.values[row * job.net.F + job.net.F - job.net.n_embeddings + c]


cdef inline void read_embedded(const Job* job, Py_ssize_t row, Py_ssize_t last, real* x) noexcept nogil:
    """x (D,) ← numbers, then embeddings of a step, or of each of a patch; row `last` stands for those after it."""
    cdef const Net* net = job.net
    cdef const Embedding* embedding
    cdef Py_ssize_t i, j, step
    cdef int c
    for i in range(net.patch_size):
        step = min(row + i, last)
        for j in range(net.n_numbers):
            x[j] = job.values[step * net.F + j]
        x += net.n_numbers
        for c in range(net.n_embeddings):
            embedding = &net.embeddings[c]
            memcpy(
                x, job.theta + embedding.start + category(job, step, c) * embedding.dim, embedding.dim * sizeof(real)
            )
            x += embedding.dim


cdef inline void drop_inputs(
    const Job* job, int depth, const Group* g, Py_ssize_t t, Py_ssize_t r, bint backwards, Py_ssize_t n, real* x
) noexcept nogil:
    """x (n,), what a layer or the head reads of the layer below at a step, or its gradient: x ← x ⊙ mask."""
    cdef Py_ssize_t row
    if job.dropout > 0:
        row = source_row(job.net, g, t, r, backwards) + (job.mask_offset[g.sample[r]] if job.mask_offset != NULL else 0)
        drop(job.seed, depth, row, job.dropout, n, x, x)


cdef void fill_recurrent_masks(
    const Job* job, const Buffers* buffers, int depth, int d, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Fill the masks of the recurrence, one for all steps of a sequence.

    Gal, Y. and Ghahramani, Z. (2016). A theoretically grounded application of dropout in recurrent neural networks.
    NeurIPS.
    """
    cdef Py_ssize_t r, j, number, K = job.net.layers[depth].K, site = job.net.n_layers + 1 + 2 * depth + d
    cdef real* mask
    for r in range(first, last):
        mask = buffers.layers[depth].direction[d].mask + r * K
        for j in range(K):
            mask[j] = 1
        number = job.mask_number[g.sample[r]] if job.mask_number != NULL else g.sample[r]
        drop(job.seed, site, number, job.recurrent_dropout, K, mask, mask)


cdef inline const real* inputs(const Net* net, const Buffers* buffers, int depth, int d, const Group* g) noexcept nogil:
    """The input of a direction for a group, (S, D) packed."""
    cdef const real* X = buffers.layers[depth].direction[d].X
    return X if X != NULL else outputs(net, buffers, depth - 1, g)


cdef void forward_tile(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Sequences first .. last - 1 through all layers and the head: fills their scores."""
    cdef const Net* net = job.net
    cdef const Layer* layer
    cdef const DirectionBuffers* direction
    cdef int depth, d
    for depth in range(net.n_layers):
        layer = &net.layers[depth]
        for d in range(layer.n_directions):
            direction = &buffers.layers[depth].direction[d]
            if direction.X != NULL:
                gather(job, buffers, depth, g, first, last, d)
            if direction.mask != NULL:
                fill_recurrent_masks(job, buffers, depth, d, g, first, last)
            scan(
                job, layer, direction, g, first, last, inputs(net, buffers, depth, d, g), job.packed + layer.packed[d],
                buffers.layers[depth].Y + d * layer.K if layer.n_directions == 2 else NULL, d,
            )
            if read_shared(&job.watch.stopped):
                return
    if net.per_step:
        step_scores(job, buffers, g, first, last)
    else:
        if pools_steps(net):
            pool_steps(job, buffers, g, first, last)
        sequence_scores(job, buffers, g, max(first, g.ending), last)


cdef void linear(const Job* job, Py_ssize_t m, const real* Z, real* scores) noexcept nogil:
    """scores (m, Q) = Z V + c for Z (m, H)."""
    cdef const Net* net = job.net
    cdef Factor Z_rows = Factor(rows=Z, n=net.H, stride=net.H)
    cdef Factor none = Factor(rows=Z, n=0, stride=0)
    product(m, net.Q, Z_rows, none, job.packed + net.packed, scores, net.Q, FROM_BIAS)


cdef void linear_gradient(const Job* job, Py_ssize_t m, const real* dscores, real* dZ) noexcept nogil:
    """dZ (m, H) = dscores Vᵀ for dscores (m, Q)."""
    cdef const Net* net = job.net
    cdef Factor rows = Factor(rows=dscores, n=net.Q, stride=net.Q)
    cdef Factor none = Factor(rows=dscores, n=0, stride=0)
    product(m, net.H, rows, none, job.packed + net.packed + packed_size(1 + net.H, net.Q), dZ, net.H, FROM_BIAS)


cdef inline const real* head_inputs(const Net* net, const Buffers* buffers, const Group* g) noexcept nogil:
    """What the head reads: (S, H) of every step, or (N, H) of every sequence."""
    if buffers.features != NULL:
        return buffers.features
    return outputs(net, buffers, net.n_layers - 1, g)


cdef inline double head_work(const Net* net, Py_ssize_t m) noexcept nogil:
    """Multiply-adds of m rows of scores, about."""
    return STEP_WORK + <double> m * (net.H + STEP_WORK) * net.Q


cdef void step_scores(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Scores of every step."""
    cdef const Net* net = job.net
    cdef const real* Y = outputs(net, buffers, net.n_layers - 1, g)
    cdef Py_ssize_t t, r, row, P = net.P, mask = look_mask(g.length[first], head_work(net, last - first))
    cdef real* features
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        if buffers.features != NULL:
            for r in range(first, min(last, g.active[t])):
                row = g.offset[t] + r
                features = buffers.features + row * net.H
                memcpy(features, Y + row * P, P * sizeof(real))
                drop_inputs(job, net.n_layers, g, t, r, False, P, features)
                read_static(net, buffers, r, features + P)
        row = g.offset[t] + first
        linear(
            job, min(last, g.active[t]) - first, head_inputs(net, buffers, g) + row * net.H,
            buffers.scores + row * net.Q,
        )


cdef void sequence_scores(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Scores of sequences that end in the group or segment."""
    cdef const Net* net = job.net
    cdef Py_ssize_t r, dropped = net.H - net.Z
    if first >= last:
        return
    for r in range(first, last):
        read_features(net, buffers, g, r, buffers.features + r * net.H)
        drop_inputs(job, net.n_layers, g, g.length[r] - 1, r, False, dropped, buffers.features + r * net.H)
    linear(job, last - first, buffers.features + first * net.H, buffers.scores + first * net.Q)


cdef void last_outputs(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t r, real* features
) noexcept nogil:
    """The last h of each direction of the top layer, side by side."""
    cdef const Layer* top = &net.layers[net.n_layers - 1]
    cdef const DirectionBuffers* direction
    cdef Py_ssize_t row
    cdef int d
    for d in range(top.n_directions):
        direction = &buffers.layers[net.n_layers - 1].direction[d]
        row = state_after(direction, g, g.length[r] - 1) + r
        memcpy(features + d * top.K, direction.states + row * top.K, top.K * sizeof(real))


cdef void loss_of_row(const Job* job, const Buffers* buffers, Py_ssize_t row, Py_ssize_t target) noexcept nogil:
    """The loss of a row of scores, with its weight, and its gradient."""
    cdef Py_ssize_t Q = job.net.Q
    cdef double weight = (job.weights[target] if job.weights != NULL else 1) / job.total_weight
    buffers.losses[row] = loss_of_scores(
        &job.loss, Q, buffers.scores + row * Q, job.targets + target * job.target_size, weight,
        job.known == NULL or job.known[target] == 1, buffers.dscores + row * Q,
    )


cdef void loss_of_tile(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """The losses of all rows that have targets, and their gradients."""
    cdef Py_ssize_t t, r, mask = look_mask(g.length[first], head_work(job.net, last - first))
    if not job.net.per_step:
        for r in range(max(first, g.ending), last):
            loss_of_row(job, buffers, r, g.sample[r])
        return
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        for r in range(first, min(last, g.active[t])):
            loss_of_row(job, buffers, g.offset[t] + r, source_row(job.net, g, t, r, False))


cdef void head_gradient(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """What the head sends to the top layer: to every step, or to the last states or the pool."""
    cdef const Net* net = job.net
    cdef Py_ssize_t r, ending = max(first, g.ending)
    cdef real* dfeatures
    if net.per_step:
        steps_gradient(job, buffers, g, first, last)
        return
    if ending < last:
        linear_gradient(job, last - ending, buffers.dscores + ending * net.Q, buffers.dfeatures + ending * net.H)
    for r in range(ending, last):
        dfeatures = buffers.dfeatures + r * net.H
        drop_inputs(job, net.n_layers, g, g.length[r] - 1, r, False, net.H - net.Z, dfeatures)
        features_gradient(net, buffers, r, dfeatures)
    if pools_steps(net):
        pool_steps_gradient(job, buffers, g, first, last)


cdef void steps_gradient(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """What the head sends to the outputs of every step, and to the static features, from the last step to the first."""
    cdef const Net* net = job.net
    cdef Py_ssize_t t, r, row, m, P = net.P, mask = look_mask(g.length[first], head_work(net, last - first))
    cdef real* dY = buffers.layers[net.n_layers - 1].dY
    cdef real* dfeatures        # (m, H) of a step
    for t in range(g.length[first] - 1, -1, -1):
        if t & mask == mask and interrupted(job.watch):
            return
        row, m = g.offset[t] + first, min(last, g.active[t]) - first
        dfeatures = dY + row * P if net.Z == 0 else buffers.dfeatures + first * net.H
        linear_gradient(job, m, buffers.dscores + row * net.Q, dfeatures)
        if net.Z > 0:
            for r in range(m):
                memcpy(dY + (row + r) * P, dfeatures + r * net.H, P * sizeof(real))
                add_to_static(net, buffers, first + r, dfeatures + r * net.H + P)
        for r in range(first, first + m):
            drop_inputs(job, net.n_layers, g, t, r, False, P, dY + (g.offset[t] + r) * P)


cdef void last_outputs_gradient(
    const Net* net, const Buffers* buffers, Py_ssize_t r, const real* dfeatures
) noexcept nogil:
    """Add what the head sends to the last h of each direction of the top layer."""
    cdef const Layer* top = &net.layers[net.n_layers - 1]
    cdef Py_ssize_t j
    cdef int d
    cdef real* dh
    for d in range(top.n_directions):
        dh = buffers.layers[net.n_layers - 1].direction[d].dstate + r * top.K
        for j in range(top.K):
            dh[j] = dh[j] + dfeatures[d * top.K + j]


cdef void scan_gradient(
    const Job* job,
    const Buffers* buffers,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    int depth,
    bint backwards,
    real* dX,                   # OUT (S, D) of the first direction, IN, OUT of the second; or NULL
    real* gradient,             # IN, OUT (net.size,), or NULL; only for a tile that is the whole group
) noexcept nogil:
    """One direction of a layer back through time: the mirror of `scan`, from dY and dstate after the last steps.

    Leaves da in `saved`, fills or adds to dX, and adds to the gradient of its parameters, chunk by chunk while the
    chunk is in the cache.
    """
    cdef const Net* net = job.net
    cdef const Layer* layer = &net.layers[depth]
    cdef const DirectionBuffers* direction = &buffers.layers[depth].direction[backwards]
    cdef const real* packed = job.packed + layer.packed[backwards]
    cdef const real* X = inputs(net, buffers, depth, backwards, g)
    # what the layer above sends to each step: (S, P), of which this direction's columns
    cdef const real* dY = buffers.layers[depth].dY
    cdef Py_ssize_t t, r, j, row, before, K = layer.K, D = layer.D
    cdef Py_ssize_t mask = look_mask(g.length[first], 3 * step_work(layer, last - first))
    cdef real* dh
    cdef real* scratch = buffers.scratch + first * buffers.scratch_width    # (m, D), and (m, K) for a mask
    cdef Step s
    s.scratch = scratch
    s.variant, s.D, s.K = layer.variant, D, K
    s.plane, s.dplane = direction.plane, direction.dplane
    s.dstate = direction.dstate + first * K
    s.dX = NULL
    for t in range(g.length[first] - 1, -1, -1):
        if t & mask == mask and interrupted(job.watch):
            return
        s.m = min(last, g.active[t]) - first
        s.X = X + (g.offset[t] + first) * D
        before = state_before(direction, g, t) + first
        s.before = direction.before + before * K
        s.after = direction.states + (state_after(direction, g, t) + first) * K
        s.saved = direction.saved + (g.offset[t] + first) * layer.cell.n_saved * K
        set_recurrent(direction, g, t, first, &s)
        if dX != NULL:
            s.dX = scratch if backwards else dX + (g.offset[t] + first) * D
        # dh_t = what step t + 1 sent back + what the layer above sends at step t
        if dY != NULL:
            for r in range(first, first + s.m):
                row = mirrored_row(g, t, r) if backwards else g.offset[t] + r
                dh = s.dstate + (r - first) * K
                for j in range(K):
                    dh[j] = dh[j] + dY[row * layer.P + backwards * K + j]
        if job.dstates != NULL:
            return_dstates(job, direction, g, t, first, s.m, depth, backwards)
        layer.cell.step_gradient(&s, packed)
        if direction.gamma != NULL:
            decay_states_gradient(
                layer, direction, s.m, direction.gamma + (g.offset[t] + first) * K, before, s.dstate
            )
        if dX != NULL and depth > 0:
            for r in range(first, first + s.m):
                drop_inputs(job, depth, g, t, r, backwards, D, s.dX + (r - first) * D)
        if dX != NULL and backwards:
            for r in range(first, first + s.m):
                row = mirrored_row(g, t, r)
                for j in range(D):
                    dX[row * D + j] = dX[row * D + j] + scratch[(r - first) * D + j]
        if gradient != NULL and t % g.chunk == 0:
            add_direction(net, buffers, g, t // g.chunk, depth, backwards, gradient)


cdef void backward_tile(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last, real* gradient
) noexcept nogil:
    """The mirror of `forward_tile`, from dscores; adds to the gradient of theta unless that is NULL."""
    cdef const Net* net = job.net
    cdef Part head = Part(depth=OF_HEAD, d=0, term=0, k=0, n=net.H, j=0, width=net.Q)
    cdef Part decay = Part(depth=OF_DECAY, d=0, term=0, k=0, n=1, j=0, width=2 * net.decay.n)
    cdef real* dX
    cdef int depth, d
    head_gradient(job, buffers, g, first, last)
    if gradient != NULL:
        add_head(job, buffers, g, &head, gradient)
    for depth in range(net.n_layers - 1, -1, -1):
        dX = buffers.layers[depth - 1].dY if depth > 0 else buffers.dX
        for d in range(net.layers[depth].n_directions):
            if read_shared(&job.watch.stopped):
                return
            scan_gradient(job, buffers, g, first, last, depth, d, dX, gradient)
    if net.decay.n > 0:
        decay_inputs_gradient(job, buffers, g, first, last)
        if gradient != NULL:
            add_input_decay(job, buffers, g, &decay, gradient)
