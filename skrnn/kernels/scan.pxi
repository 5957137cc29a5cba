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


cdef inline void set_step(
    const Layer* layer,
    const DirectionBuffers* direction,
    const Group* g,
    Py_ssize_t t,
    Py_ssize_t first,
    Py_ssize_t last,
    const real* X,
    Step* s,
) noexcept nogil:
    """Let s be step t."""
    cdef Py_ssize_t kept = (g.offset[t] if direction.keep else 0) + first
    s.m = min(last, g.active[t]) - first
    s.X = X + (g.offset[t] + first) * layer.D
    s.before = direction.before + (state_before(direction, g, t) + first) * layer.K
    s.after = direction.states + (state_after(direction, g, t) + first) * layer.K
    s.saved = direction.saved + kept * layer.cell.n_saved * layer.K
    set_recurrent(direction, g, t, first, s)


cdef inline void project_steps(
    const Layer* layer, const DirectionBuffers* direction, const Group* g, Py_ssize_t t, const real* packed, Step* s
) noexcept nogil:
    """Let step t of a single sequence know its x W + b, which are computed for some steps at once.

    One row reads all of the weights for a multiply-add each, so it takes as long as these take to arrive. Several steps
    read W once.
    """
    cdef Py_ssize_t i = t % PROJECTED_STEPS
    if i == 0:
        s.m, s.projected = min(<Py_ssize_t> PROJECTED_STEPS, g.length[0] - t), NULL
        if s.begin < s.end:
            layer.cell.project(layer, s, packed, direction.projected)
        s.m = 1
    s.projected = direction.projected + i * layer.cell.n_gates * layer.K
    # what is left in the cache of the weights that the step before read is read first
    s.descending = t % 2


cdef inline Step step_of(const Layer* layer, const DirectionBuffers* direction) noexcept nogil:
    """A forward step of all units, not yet of any time."""
    cdef Step s
    memset(&s, 0, sizeof(Step))
    s.variant, s.D, s.K, s.plane = layer.variant, layer.D, layer.K, direction.plane
    s.end, s.part = ceil_div(layer.K, VL), WHOLE
    return s


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
    cdef Py_ssize_t t, r, K = layer.K, mask = look_mask(g.length[first], step_work(layer, last - first))
    cdef bint shared = begin_shared_scan(job, layer, direction, g, X, packed)
    cdef Step s = step_of(layer, direction)
    if shared:
        take_units(job.team, 0, &s)
    for t in range(g.length[first]):
        if t & mask == mask and interrupted(job.watch):
            return
        set_step(layer, direction, g, t, first, last, X, &s)
        if direction.gamma != NULL:
            decay_states(
                job, layer, direction, backwards, s.m, direction.since + (g.offset[t] + first) * job.net.decay.n,
                direction.gamma + ((g.offset[t] if direction.keep else 0) + first) * K,
                state_before(direction, g, t) + first,
            )
        if s.mask != NULL:
            for r in range(s.m * K):
                (<real*> s.recurrent)[r] = s.before[r] * s.mask[r]
        if direction.projected != NULL:
            project_steps(layer, direction, g, t, packed, &s)
        if shared:
            shared = shared_step(job, 0, t, &s)
            if not shared:
                take_all_units(layer, direction, g, t, X, packed, &s)
        if not shared:
            layer.cell.step(&s, packed)
        if Y != NULL:
            write_outputs(layer, g, t, first, &s, Y, backwards)


cdef inline void write_outputs(
    const Layer* layer, const Group* g, Py_ssize_t t, Py_ssize_t first, const Step* s, real* Y, bint backwards
) noexcept nogil:
    """Put h of step t into Y, in the order of time."""
    cdef Py_ssize_t r, row
    for r in range(first, first + s.m):
        row = mirrored_row(g, t, r) if backwards else g.offset[t] + r
        memcpy(Y + row * layer.P, s.after + (r - first) * layer.K, layer.K * sizeof(real))
