# States and rows between the caller's arrays and the buffers of a group.


cdef Py_ssize_t state_width(const Net* net) noexcept nogil:
    """Numbers in the states of one sequence, see (d) in declarations.pxi."""
    return n_layer_states(net) + pool_width(net)


cdef Py_ssize_t n_layer_states(const Net* net) noexcept nogil:
    """Numbers in the states of all layers of one sequence."""
    return first_state(net, net.n_layers, 0)


cdef Py_ssize_t first_state(const Net* net, int depth, int d) noexcept nogil:
    """Where those of a direction of a layer begin."""
    cdef Py_ssize_t start = 0
    cdef int i
    for i in range(depth):
        start += net.layers[i].n_directions * net.layers[i].cell.n_states * net.layers[i].K
    return start + d * net.layers[depth].cell.n_states * net.layers[depth].K if d > 0 else start


cdef Py_ssize_t pool_width(const Net* net) noexcept nogil:
    """Numbers in the pool of one sequence, with its static features and its number of steps."""
    return n_pooled(net) + (net.pooling & MEAN > 0)


cdef void load_states(
    const Net* net,
    const Buffers* buffers,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    const Py_ssize_t* position,  # IN the row in `initial` of each sequence; NULL where it is that in the group
    const real* initial,        # IN  (…, width), or NULL for zeros
) noexcept nogil:
    """Set the states before the first step."""
    cdef const Layer* layer
    cdef const DirectionBuffers* direction
    cdef const real* row
    cdef real* to
    cdef Py_ssize_t r, p, K, width = state_width(net)
    cdef int depth, d
    for r in range(first, last):
        row = initial + (position[r] if position != NULL else r) * width if initial != NULL else NULL
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            K = layer.K
            for d in range(layer.n_directions):
                direction = &buffers.layers[depth].direction[d]
                for p in range(layer.cell.n_states):
                    to = direction.states + p * direction.plane + (state_before(direction, g, 0) + r) * K
                    if row == NULL:
                        memset(to, 0, K * sizeof(real))
                    else:
                        memcpy(to, row, K * sizeof(real))
                        row += K
        if buffers.pool != NULL:
            load_pool(net, buffers, r, row)


cdef void save_states(
    const Net* net,
    const Buffers* buffers,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    const Py_ssize_t* position,  # IN as in `load_states`
    real* final,                # OUT (…, width)
) noexcept nogil:
    """The states after the last step of each sequence."""
    cdef const Layer* layer
    cdef const DirectionBuffers* direction
    cdef real* row
    cdef Py_ssize_t r, p, K, after, width = state_width(net)
    cdef int depth, d
    for r in range(first, last):
        row = final + (position[r] if position != NULL else r) * width
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            K = layer.K
            for d in range(layer.n_directions):
                direction = &buffers.layers[depth].direction[d]
                after = state_after(direction, g, g.length[r] - 1) + r
                for p in range(layer.cell.n_states):
                    memcpy(row, direction.states + p * direction.plane + after * K, K * sizeof(real))
                    row += K
        if buffers.pool != NULL:
            save_pool(net, buffers, r, row)


cdef void save_trace(const Job* job, const Buffers* buffers, const Group* g) noexcept nogil:
    """The states after every step, in the caller's order."""
    cdef const Net* net = job.net
    cdef const DirectionBuffers* direction
    cdef real* row
    cdef Py_ssize_t r, t, p, K, after, width = n_layer_states(net), mask = look_mask(g.length[0], width + STEP_WORK)
    cdef int depth, d
    for r in range(g.n):
        for t in range(g.length[r]):
            if t & mask == mask and interrupted(job.watch):
                return
            row = job.trace + (g.out[r] + t) * width
            for depth in range(net.n_layers):
                K = net.layers[depth].K
                for d in range(net.layers[depth].n_directions):
                    direction = &buffers.layers[depth].direction[d]
                    after = state_after(direction, g, g.length[r] - 1 - t if d == 1 else t) + r
                    for p in range(net.layers[depth].cell.n_states):
                        memcpy(row, direction.states + p * direction.plane + after * K, K * sizeof(real))
                        row += K


cdef void return_dstates(
    const Job* job,
    const DirectionBuffers* direction,
    const Group* g,
    Py_ssize_t t,
    Py_ssize_t first,
    Py_ssize_t m,
    int depth,
    bint backwards,
) noexcept nogil:
    """The gradient in the states of m sequences after step t of a direction, to the caller's steps."""
    cdef const Layer* layer = &job.net.layers[depth]
    cdef Py_ssize_t r, p, step, K = layer.K, width = n_layer_states(job.net)
    cdef real* row
    for r in range(first, first + m):
        step = g.length[r] - 1 - t if backwards else g.begin + t
        row = job.dstates + (g.out[r] + step) * width + first_state(job.net, depth, backwards)
        for p in range(layer.cell.n_states):
            memcpy(row + p * K, direction.dstate + p * direction.dplane + r * K, K * sizeof(real))


cdef void copy_dstates(
    const Net* net,
    const Buffers* buffers,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    real* dstate,               # IN or OUT (N, width); NULL for zeros
    bint out,
) noexcept nogil:
    """The gradients of states, from `dstate` to the buffers of the group, or with `out` from there to `dstate`.

    A number of steps has no gradient: 0.
    """
    cdef const Layer* layer
    cdef const DirectionBuffers* direction
    cdef real* row
    cdef Py_ssize_t r, p, K, width = state_width(net)
    cdef int depth, d
    for r in range(first, last):
        row = dstate + g.position[r] * width if dstate != NULL else NULL
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            K = layer.K
            for d in range(layer.n_directions):
                direction = &buffers.layers[depth].direction[d]
                for p in range(layer.cell.n_states):
                    copy_or_zero(K, direction.dstate + p * direction.dplane + r * K, row, out)
                    row = row + K if row != NULL else NULL
        if buffers.pool != NULL:
            copy_or_zero(n_pooled(net), buffers.dpool + r * n_pooled(net), row, out)
            if row != NULL and net.pooling & MEAN and out:
                row[n_pooled(net)] = 0


cdef inline void copy_or_zero(Py_ssize_t n, real* inner, real* outer, bint out) noexcept nogil:
    """inner ← outer, or with `out` outer ← inner; inner ← 0 where there is no outer."""
    if outer == NULL:
        memset(inner, 0, n * sizeof(real))
    elif out:
        memcpy(outer, inner, n * sizeof(real))
    else:
        memcpy(inner, outer, n * sizeof(real))


cdef void copy_rows(
    const Job* job,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    Py_ssize_t width,
    bint per_step,              # one row per step, or one per sequence
    real* inner,                # IN or OUT (S or n, width) packed
    real* outer,                # IN or OUT (S or N, width) in the caller's order
    bint out,
) noexcept nogil:
    """inner ← outer, or with `out` outer ← inner."""
    cdef Py_ssize_t t, r, row, other, mask = look_mask(g.length[first], width + STEP_WORK)
    for r in range(first, last):
        for t in range(g.length[r] if per_step else 1):
            if t & mask == mask and interrupted(job.watch):
                return
            row = (g.offset[t] + r if per_step else r) * width
            other = (g.out[r] + g.begin + t if per_step else g.position[r]) * width
            if out:
                memcpy(outer + other, inner + row, width * sizeof(real))
            else:
                memcpy(inner + row, outer + other, width * sizeof(real))


cdef void return_dX(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """The gradient of the inputs that are numbers, to the caller's steps and in their units: `read_inputs` backwards.

    Steps that several patches hold get the sum, from the last patch to the first, as segments go.
    """
    cdef const Net* net = job.net
    cdef Py_ssize_t t, r, i, j, step, mask = look_mask(g.length[first], net.D + STEP_WORK)
    cdef const real* dx
    cdef real* to
    if net.patch_size == 1 and net.inverse == NULL and net.F == net.D and net.n_embeddings == 0:
        copy_rows(job, g, first, last, net.D, True, buffers.dX, job.dX, True)
        return
    for r in range(first, last):
        for t in range(g.length[r] - 1, -1, -1):
            if t & mask == mask and interrupted(job.watch):
                return
            step = (g.begin + t) * net.patch_stride
            dx = buffers.dX + (g.offset[t] + r) * net.D
            for i in range(net.patch_size):
                to = job.dX + (g.out[r] + min(step + i, g.rows[r] - 1)) * net.F
                for j in range(net.n_numbers):
                    to[j] += dx[j] * net.inverse[i * net.width + j] if net.inverse != NULL else dx[j]
                dx += net.width
    if net.decay.n > 0:
        return_dtimes(job, buffers, g, first, last)
