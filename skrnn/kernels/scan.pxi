# The recurrence through time in one direction of one layer, of a tile: sequences first .. last - 1 of a group.


cdef inline Py_ssize_t state_before(const DirectionBuffers* direction, const Group* g, Py_ssize_t t) noexcept nogil:
    """Row in `states` of the group's first sequence before step t."""
    if not direction.history:
        return (t % 2) * g.n
    return g.n + g.offset[t - 1] if t > 0 else 0


cdef inline Py_ssize_t state_after(const DirectionBuffers* direction, const Group* g, Py_ssize_t t) noexcept nogil:
    """Row in `states` of the group's first sequence after step t."""
    return g.n + g.offset[t] if direction.history else ((t + 1) % 2) * g.n


cdef inline Py_ssize_t mirrored_row(const Group* g, Py_ssize_t t, Py_ssize_t r) noexcept nogil:
    """Packed row of the step of sequence r that is the t-th from its end."""
    return g.offset[g.length[r] - 1 - t] + r


cdef inline void set_recurrent(
    const DirectionBuffers* direction, const Group* g, Py_ssize_t t, Py_ssize_t first, Step* s
) noexcept nogil:
    """Let step t multiply by U h₋, or under recurrent dropout the rows of h₋ ⊙ mask."""
    if direction.mask == NULL:
        s.recurrent, s.mask = s.before, NULL
    else:
        s.recurrent = direction.recurrent + (g.offset[t] + first) * s.K
        s.mask = direction.mask + first * s.K


cdef inline double step_work(const Layer* layer, Py_ssize_t m) noexcept nogil:
    """Multiply-adds of a step of m rows, about."""
    return STEP_WORK + <double> m * (layer.D + layer.K) * layer.cell.n_gates * layer.K


cdef void scan(
    const Job* job,
    const Layer* layer,
    const DirectionBuffers* direction,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    const real* X,              # IN  (S, D)
    const real* packed,
    real* Y,                    # OUT (S, P), this direction's columns, or NULL
    bint backwards,             # whether the inputs are in reverse, and the outputs are put back in order
) noexcept nogil:
    """All steps: fills the states and what is saved, and Y."""
    cdef Py_ssize_t t, r, row, K = layer.K, mask = look_mask(g.length[first], step_work(layer, last - first))
    cdef Py_ssize_t before, kept
    cdef Step s
    s.variant, s.D, s.K = layer.variant, layer.D, K
    s.plane = direction.plane
    s.dstate = s.dX = s.scratch = NULL
    s.dplane = 0
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        s.m = min(last, g.active[t]) - first
        s.X = X + (g.offset[t] + first) * layer.D
        before, kept = state_before(direction, g, t) + first, (g.offset[t] if direction.keep else 0) + first
        s.before = direction.before + before * K
        s.after = direction.states + (state_after(direction, g, t) + first) * K
        s.saved = direction.saved + kept * layer.cell.n_saved * K
        if direction.gamma != NULL:
            decay_states(
                job, layer, direction, backwards, s.m, direction.since + (g.offset[t] + first) * job.net.decay.n,
                direction.gamma + kept * K, before,
            )
        set_recurrent(direction, g, t, first, &s)
        if s.mask != NULL:
            for r in range(s.m * K):
                (<real*> s.recurrent)[r] = s.before[r] * s.mask[r]
        layer.cell.step(&s, packed)
        if Y != NULL:
            for r in range(first, first + s.m):
                row = mirrored_row(g, t, r) if backwards else g.offset[t] + r
                memcpy(Y + row * layer.P, s.after + (r - first) * K, K * sizeof(real))
