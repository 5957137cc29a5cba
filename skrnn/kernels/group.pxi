# A group's way from the caller's arrays through the network and back: states in and out, segments, tiles.


cdef Py_ssize_t state_width(const Net* net) noexcept nogil:
    """Numbers in the states of one sequence, see (d) in declarations.pxi."""
    cdef Py_ssize_t width = 0
    cdef int depth
    for depth in range(net.n_layers):
        width += net.layers[depth].n_directions * net.layers[depth].cell.n_states * net.layers[depth].K
    return width + pool_width(net)


cdef Py_ssize_t pool_width(const Net* net) noexcept nogil:
    if net.per_step or net.pooling == LAST:
        return 0
    return net.P + 1 if net.pooling == MEAN else net.P


cdef void load_states(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last,
    const Py_ssize_t* place, const real* initial,
) noexcept nogil:
    """Set the states before the first step, from rows (…, width) or to those of a beginning.

    Sequence r is in row place[r] of these, or in row r if that is NULL.
    """
    cdef const Layer* layer
    cdef const DirectionBuffers* direction
    cdef const real* own
    cdef real* to
    cdef Py_ssize_t r, p, K, width = state_width(net)
    cdef int depth, d
    for r in range(first, last):
        own = initial + (place[r] if place != NULL else r) * width if initial != NULL else NULL
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            K = layer.K
            for d in range(layer.n_directions):
                direction = &buffers.layers[depth].direction[d]
                for p in range(layer.cell.n_states):
                    to = direction.states + p * direction.plane + (state_before(direction, g, 0) + r) * K
                    if own == NULL:
                        memset(to, 0, K * sizeof(real))
                    else:
                        memcpy(to, own, K * sizeof(real))
                        own += K
        if buffers.pool != NULL:
            load_pool(net, buffers, r, own)


cdef void save_states(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last,
    const Py_ssize_t* place, real* final,
) noexcept nogil:
    """The states after each sequence's last step, as `load_states` takes them."""
    cdef const Layer* layer
    cdef const DirectionBuffers* direction
    cdef real* own
    cdef Py_ssize_t r, p, K, width = state_width(net)
    cdef int depth, d
    for r in range(first, last):
        own = final + (place[r] if place != NULL else r) * width
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            K = layer.K
            for d in range(layer.n_directions):
                direction = &buffers.layers[depth].direction[d]
                for p in range(layer.cell.n_states):
                    memcpy(
                        own, direction.states + p * direction.plane + (state_after(direction, g, g.length[r] - 1) + r) * K,
                        K * sizeof(real),
                    )
                    own += K
        if buffers.pool != NULL:
            memcpy(own, buffers.pool + r * net.P, net.P * sizeof(real))
            if net.pooling == MEAN:
                own[net.P] = buffers.count[r]


cdef void copy_dstates(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last, real* dstate, bint out,
) noexcept nogil:
    """Between rows (N, width) of dstate and the group's own gradients of states; with NULL these become zero.

    A number of steps has no gradient: 0.
    """
    cdef const Layer* layer
    cdef const DirectionBuffers* direction
    cdef real* own
    cdef Py_ssize_t r, p, K, width = state_width(net)
    cdef int depth, d
    for r in range(first, last):
        own = dstate + g.place[r] * width if dstate != NULL else NULL
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            K = layer.K
            for d in range(layer.n_directions):
                direction = &buffers.layers[depth].direction[d]
                for p in range(layer.cell.n_states):
                    copy_or_zero(K, direction.dstate + p * direction.dplane + r * K, own, out)
                    own = own + K if own != NULL else NULL
        if buffers.pool != NULL:
            copy_or_zero(net.P, buffers.dpool + r * net.P, own, out)
            if own != NULL and net.pooling == MEAN and out:
                own[net.P] = 0


cdef inline void copy_or_zero(Py_ssize_t n, real* own, real* outer, bint out) noexcept nogil:
    """outer ← own, or own ← outer, or own ← 0 where there is no outer."""
    if outer == NULL:
        memset(own, 0, n * sizeof(real))
    elif out:
        memcpy(outer, own, n * sizeof(real))
    else:
        memcpy(own, outer, n * sizeof(real))


cdef void copy_rows(
    const Group* g, Py_ssize_t first, Py_ssize_t last, Py_ssize_t width, bint per_step, real* own, real* outer, bint out
) noexcept nogil:
    """Between a group's rows, packed, and the caller's: (…, width) with a row a step, or a row a sequence."""
    cdef Py_ssize_t t, r, row, other
    for r in range(first, last):
        for t in range(g.length[r] if per_step else 1):
            row = (g.offset[t] + r if per_step else r) * width
            other = (g.out[r] + t if per_step else g.place[r]) * width
            if out:
                memcpy(outer + other, own + row, width * sizeof(real))
            else:
                memcpy(own + row, outer + other, width * sizeof(real))


cdef void forward_group(const Job* job, const Buffers* buffers, const Group* g, real* scores) noexcept nogil:
    """A group's scores and final states, in the caller's order."""
    cdef unsigned long long mode = flush_denormals()
    load_states(job.net, buffers, g, 0, g.n, g.place, job.initial)
    forward_tile(job, buffers, g, 0, g.n)
    copy_rows(g, 0, g.n, job.net.Q, job.net.per_step, buffers.scores, scores, True)
    if job.final != NULL:
        save_states(job.net, buffers, g, 0, g.n, g.place, job.final)
    restore_mode(mode)


cdef void score_gradient(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Fill dscores: from the loss, or from the caller where there is none."""
    if job.loss.of_row != NULL:
        loss_of_tile(job, buffers, g, first, last)
    else:
        copy_rows(g, first, last, job.net.Q, job.net.per_step, buffers.dscores, <real*> job.dscores, False)


cdef void train_tile(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Forward and back, but for the gradient of theta."""
    cdef unsigned long long mode = flush_denormals()
    load_states(job.net, buffers, g, first, last, g.place, job.initial)
    forward_tile(job, buffers, g, first, last)
    if job.final != NULL:
        save_states(job.net, buffers, g, first, last, g.place, job.final)
    score_gradient(job, buffers, g, first, last)
    copy_dstates(job.net, buffers, g, first, last, job.dstate, False)
    backward_tile(job, buffers, g, first, last, NULL)
    if job.dstate != NULL:
        copy_dstates(job.net, buffers, g, first, last, job.dstate, True)
    if job.dX != NULL:
        copy_rows(g, first, last, job.net.D, True, buffers.dX, job.dX, True)
    restore_mode(mode)


cdef void train_part(
    const Net* net, const Buffers* buffers, const Group* g, const Part* part, real* gradient
) noexcept nogil:
    cdef unsigned long long mode = flush_denormals()
    add_part(net, buffers, g, part, gradient)
    restore_mode(mode)


cdef double train_group(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t segment, const SegmentTables* segments,
    real* gradient,
) noexcept nogil:
    """Forward and back, with the gradient of theta; returns the loss.

    More steps than `segment` are taken in segments: forward through all of them, keeping the states between them, then
    through each again, from the last to the first, and back (Chen et al., 2016, Training deep nets with sublinear
    memory cost). The same sums in the same order: the same bits.
    """
    cdef const Net* net = job.net
    cdef unsigned long long mode = flush_denormals()
    cdef Py_ssize_t steps = round_up_to_chunks(g, segment)
    cdef Py_ssize_t i, count = ceil_div(g.length[0], steps), size = state_width(net) * g.n
    cdef double value = 0
    cdef Group s
    memset(gradient, 0, net.size * sizeof(real))
    copy_dstates(net, buffers, g, 0, g.n, job.dstate, False)
    for i in range(count - 1):
        cut_segment(g, i * steps, steps, segments, &s)
        start_segment(job, buffers, &s, i, segments.states + i * size)
        forward_tile(job, buffers, &s, 0, s.n)
        save_states(net, buffers, &s, 0, s.ending, NULL, segments.states + (i + 1) * size)
    for i in range(count - 1, -1, -1):
        cut_segment(g, i * steps, steps, segments, &s)
        start_segment(job, buffers, &s, i, segments.states + i * size)
        forward_tile(job, buffers, &s, 0, s.n)
        if job.final != NULL:
            save_states(net, buffers, &s, s.ending, s.n, s.place, job.final)
        score_gradient(job, buffers, &s, 0, s.n)
        backward_tile(job, buffers, &s, 0, s.n, gradient)
        if job.loss.of_row != NULL:
            value = loss_of_group(net, buffers, &s, value)
        if job.dX != NULL:
            copy_rows(&s, 0, s.n, net.D, True, buffers.dX, job.dX, True)
    if job.dstate != NULL:
        copy_dstates(net, buffers, g, 0, g.n, job.dstate, True)
    restore_mode(mode)
    return value


cdef void start_segment(
    const Job* job, const Buffers* buffers, const Group* s, Py_ssize_t number, const real* states
) noexcept nogil:
    """Set the states before a segment: the initial ones, or those that the segment before left."""
    if number == 0:
        load_states(job.net, buffers, s, 0, s.n, s.place, job.initial)
    else:
        load_states(job.net, buffers, s, 0, s.n, NULL, states)


cdef void cut_segment(
    const Group* g, Py_ssize_t begin, Py_ssize_t steps, const SegmentTables* segments, Group* s
) noexcept nogil:
    """Steps begin .. begin + steps - 1 of a group, as a group."""
    cdef Py_ssize_t r, t, T = g.length[0], last = min(T, begin + steps)
    s[0] = g[0]
    if begin == 0 and last == T:
        return
    s.n = g.active[begin]
    s.ending = g.active[last] if last < T else 0
    s.active = g.active + begin
    s.offset, s.length, s.source, s.out = segments.offset, segments.length, segments.source, segments.out
    for t in range(last - begin + 1):
        segments.offset[t] = g.offset[begin + t] - g.offset[begin]
    for r in range(s.n):
        segments.length[r] = min(last, g.length[r]) - begin
        segments.source[r] = g.source[r] + begin
        segments.out[r] = g.out[r] + begin


cdef Py_ssize_t max_tiles(const Group* g) noexcept nogil:
    """Of a group: fewer than four rows do not fill the registers."""
    return ceil_div(g.n, 4)


cdef void cut_tiles(const Group* g, Py_ssize_t n_tiles, Py_ssize_t* tiles) noexcept nogil:
    """Bounds of tiles of about equally many steps, (n_tiles + 1,); a tile may be empty."""
    cdef Py_ssize_t r, i, done = 0
    tiles[0] = 0
    for i in range(1, n_tiles + 1):
        r = tiles[i - 1]
        while r < g.n and (i == n_tiles or (2 * done + g.length[r]) * n_tiles <= 2 * i * g.offset[g.length[0]]):
            done += g.length[r]
            r += 1
        tiles[i] = r


cdef void add_up(Py_ssize_t n, Py_ssize_t size, const real* gradients, Py_ssize_t stride, real* total) noexcept nogil:
    """total (size,) += each of n vectors that begin `stride` numbers apart, in their order."""
    cdef Py_ssize_t i, j
    for i in range(n):
        for j in range(size):
            total[j] = total[j] + gradients[i * stride + j]


cdef bint one_direction(const Net* net) noexcept nogil:
    cdef int depth
    for depth in range(net.n_layers):
        if net.layers[depth].n_directions > 1:
            return False
    return True
