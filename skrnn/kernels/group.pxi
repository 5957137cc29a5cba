# The passes of a group through the network: forward alone, forward and back by one thread, and in tiles by several.


cdef void forward_groups(
    const Job* job, const Buffers* buffers, const Group* groups, Tasks* tasks, real* scores
) noexcept nogil:
    """`forward_group` of the groups that a thread takes."""
    cdef Py_ssize_t i = next_task(job.watch, tasks, -1)
    while i >= 0:
        forward_group(job, buffers, &groups[i], scores)
        i = next_task(job.watch, tasks, i)


cdef void forward_group(const Job* job, const Buffers* buffers, const Group* g, real* scores) noexcept nogil:
    """The scores and final states of a group, in the caller's order."""
    cdef unsigned long long mode = flush_denormals()
    load_states(job.net, buffers, g, 0, g.n, g.position, job.initial)
    forward_tile(job, buffers, g, 0, g.n)
    copy_rows(job, g, 0, g.n, job.net.Q, job.net.per_step, buffers.scores, scores, True)
    if job.final != NULL:
        save_states(job.net, buffers, g, 0, g.n, g.position, job.final)
    if job.trace != NULL:
        save_trace(job, buffers, g)
    restore_mode(mode)


cdef void score_gradient(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Fill dscores: from the loss, or from the caller where there is none."""
    if job.loss.of_row != NULL:
        loss_of_tile(job, buffers, g, first, last)
    else:
        copy_rows(job, g, first, last, job.net.Q, job.net.per_step, buffers.dscores, <real*> job.dscores, False)


cdef void train_tile(
    const Job* job, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last
) noexcept nogil:
    """Sequences first .. last - 1 forward and back, without the gradient of theta."""
    cdef unsigned long long mode = flush_denormals()
    load_states(job.net, buffers, g, first, last, g.position, job.initial)
    forward_tile(job, buffers, g, first, last)
    if job.final != NULL:
        save_states(job.net, buffers, g, first, last, g.position, job.final)
    score_gradient(job, buffers, g, first, last)
    copy_dstates(job.net, buffers, g, first, last, job.dstate, False)
    backward_tile(job, buffers, g, first, last, NULL)
    if job.dstate != NULL:
        copy_dstates(job.net, buffers, g, first, last, job.dstate, True)
    if job.dX != NULL:
        return_dX(job, buffers, g, first, last)
    restore_mode(mode)


cdef void train_part(
    const Job* job, const Buffers* buffers, const Group* g, const Part* part, real* gradient
) noexcept nogil:
    """The gradient of a part of theta, after all tiles have gone forward and back."""
    cdef unsigned long long mode = flush_denormals()
    add_part(job, buffers, g, part, gradient)
    restore_mode(mode)


cdef double train_group(
    const Job* job,
    const Buffers* buffers,
    const Group* g,
    Py_ssize_t segment_steps,   # steps of a segment, which are rounded up to whole chunks
    const SegmentTables* segments,
    real* gradient,             # OUT (net.size,)
    real* dX,                   # OUT (S, D) packed, where some inputs are embedded, or NULL
) noexcept nogil:
    """A group forward and back, with its gradient of theta; returns its loss.

    More steps than `segment_steps` are taken in segments: forward through all of them, keeping only the states between
    them, then from the last to the first forward again and back (Chen et al., 2016, Training deep nets with
    sublinear memory cost). With segments of √T steps that takes memory for 2 √T steps in place of T, and one forward
    pass more. The sums are the same in the same order, and so are the bits.
    """
    cdef const Net* net = job.net
    cdef unsigned long long mode = flush_denormals()
    cdef Py_ssize_t steps = round_up_to_chunks(g, segment_steps)
    cdef Py_ssize_t i, count = ceil_div(g.length[0], steps), size = state_width(net) * g.n
    cdef double value = 0
    cdef Group s
    cdef Buffers own = buffers[0]
    memset(gradient, 0, net.size * sizeof(real))
    copy_dstates(net, buffers, g, 0, g.n, job.dstate, False)
    for i in range(count - 1):
        if interrupted(job.watch):
            break
        cut_segment(g, i * steps, steps, segments, &s)
        start_segment(job, buffers, &s, i, segments.states + i * size)
        forward_tile(job, buffers, &s, 0, s.n)
        save_states(net, buffers, &s, 0, s.ending, NULL, segments.states + (i + 1) * size)
    for i in range(count - 1, -1, -1):
        if interrupted(job.watch):
            break
        cut_segment(g, i * steps, steps, segments, &s)
        start_segment(job, buffers, &s, i, segments.states + i * size)
        if dX != NULL:
            own.dX = dX + g.offset[i * steps] * net.D
        forward_tile(job, buffers, &s, 0, s.n)
        if job.final != NULL:
            save_states(net, buffers, &s, s.ending, s.n, s.position, job.final)
        score_gradient(job, buffers, &s, 0, s.n)
        backward_tile(job, &own, &s, 0, s.n, gradient)
        if job.loss.of_row != NULL:
            value = loss_of_group(net, buffers, &s, value)
        if job.dX != NULL:
            return_dX(job, &own, &s, 0, s.n)
    if job.dstate != NULL:
        copy_dstates(net, buffers, g, 0, g.n, job.dstate, True)
    restore_mode(mode)
    return value


cdef void start_segment(
    const Job* job, const Buffers* buffers, const Group* s, Py_ssize_t number, const real* states
) noexcept nogil:
    """Set the states before a segment: the initial ones, or those that the segment before left."""
    if number == 0:
        load_states(job.net, buffers, s, 0, s.n, s.position, job.initial)
    else:
        load_states(job.net, buffers, s, 0, s.n, NULL, states)


cdef void cut_segment(
    const Group* g,
    Py_ssize_t begin,
    Py_ssize_t steps,
    const SegmentTables* segments,
    Group* s,                   # OUT
) noexcept nogil:
    """Steps begin .. begin + steps - 1 of a group, as a group of the sequences that have any of these steps.

    Sequences are sorted by decreasing length, so these are the first active[begin] ones, and those that continue after
    the segment are the first active[begin + steps] ones; `ending` says where the others begin. `active` is a view of
    the group's. Offsets count from the segment's first packed row, since its buffers hold nothing before it; lengths
    count from its first step. What a sequence is, and where it begins in the caller's arrays, stays. A segment that is
    the whole group shares all of the group's tables.
    """
    cdef Py_ssize_t r, t, T = g.length[0], last = min(T, begin + steps)
    s[0] = g[0]
    if begin == 0 and last == T:
        return
    s.n, s.begin = g.active[begin], begin
    s.ending = g.active[last] if last < T else 0
    s.active = g.active + begin
    s.offset, s.length = segments.offset, segments.length
    for t in range(last - begin + 1):
        segments.offset[t] = g.offset[begin + t] - g.offset[begin]
    for r in range(s.n):
        segments.length[r] = min(last, g.length[r]) - begin


cdef Py_ssize_t max_tiles(const Group* g) noexcept nogil:
    """How many tiles a group may be cut into: fewer than four rows do not fill the registers."""
    return ceil_div(g.n, 4)


cdef void cut_tiles(const Group* g, Py_ssize_t n_tiles, Py_ssize_t* tiles) noexcept nogil:
    """Bounds (n_tiles + 1,) of tiles with about equally many steps; a tile may be empty."""
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
    """Whether every layer reads forwards only."""
    cdef int depth
    for depth in range(net.n_layers):
        if net.layers[depth].n_directions > 1:
            return False
    return True
