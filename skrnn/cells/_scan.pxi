# The recurrence through time of one tile: rows first .. last - 1 of a group, in one direction of one layer.


cdef struct Group:
    # Sequences that are packed together, see _declarations.pxi (b)
    Py_ssize_t n                # sequences
    Py_ssize_t row              # the first one's place in the arrays with a row a sequence
    Py_ssize_t begin            # the step of its sequences at which it begins; the other fields count from there
    Py_ssize_t ending           # sequences ending .. n - 1 end in it
    Py_ssize_t chunk            # steps whose weight gradients are summed together
    const Py_ssize_t* active    # (T,) sequences that take step t
    const Py_ssize_t* offset    # (T + 1,) packed row at which step t begins
    const Py_ssize_t* length    # (n,) steps of each sequence
    const Py_ssize_t* source    # (n,) row in `values` of its first step
    const Py_ssize_t* sample    # (n,) its number among all sequences
    const Py_ssize_t* place     # (n,) its place among the batch's sequences, as the caller gave them
    const Py_ssize_t* out       # (n,) row of its first step in arrays with a row a step, in the caller's order


cdef struct Track:
    # What one direction of one layer needs for a batch
    real* X                     # (S, D) inputs in the order of its steps; NULL where the layer below has them so
    real* states                # (n_states, N + S, K); (n_states, 2 N, K) without history
    real* saved                 # (S, n_saved·K); (N, n_saved·K) without history
    real* dstate                # (n_states, N, K)
    Py_ssize_t plane            # from one state to the next
    Py_ssize_t dplane
    bint history                # whether all steps are kept
    bint keep                   # and what the gradient needs of them


cdef inline Py_ssize_t state_before(const Track* track, const Group* g, Py_ssize_t t) noexcept nogil:
    """Row in `states` of the group's first sequence before step t."""
    if not track.history:
        return (t % 2) * g.n
    return g.row + g.n + g.offset[t - 1] if t > 0 else g.row + g.offset[0]


cdef inline Py_ssize_t state_after(const Track* track, const Group* g, Py_ssize_t t) noexcept nogil:
    """Row in `states` of the group's first sequence after step t."""
    return g.row + g.n + g.offset[t] if track.history else ((t + 1) % 2) * g.n


cdef inline Py_ssize_t mirrored(const Group* g, Py_ssize_t t, Py_ssize_t r) noexcept nogil:
    """Packed row of step t of sequence r, counted from the sequence's end."""
    return g.offset[g.length[r] - 1 - t] + r


cdef void scan(
    const Layer* layer,
    const Track* track,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    const real* X,              # IN  (S, D)
    const real* packed,
    real* Y,                    # OUT (S, P), this direction's columns, or NULL
    bint backwards,
) noexcept nogil:
    cdef Py_ssize_t t, r, row, K = layer.K
    cdef Step s
    s.variant, s.D, s.K = layer.variant, layer.D, K
    s.plane = track.plane
    s.dstate = s.dX = NULL
    s.dplane = 0
    for t in range(g.length[first]):
        s.m = min(last, g.active[t]) - first
        s.X = X + (g.offset[t] + first) * layer.D
        s.before = track.states + (state_before(track, g, t) + first) * K
        s.after = track.states + (state_after(track, g, t) + first) * K
        s.saved = track.saved + ((g.offset[t] if track.keep else 0) + first) * layer.cell.n_saved * K
        layer.cell.step(&s, packed)
        if Y != NULL:
            for r in range(first, first + s.m):
                row = mirrored(g, t, r) if backwards else g.offset[t] + r
                memcpy(Y + row * layer.P, s.after + (r - first) * K, K * sizeof(real))


cdef void scan_gradient(
    const Layer* layer,
    const Track* track,
    const Group* g,
    Py_ssize_t first,
    Py_ssize_t last,
    const real* X,              # IN  (S, D)
    const real* packed,
    const real* dY,             # IN  (S, P) what the layer above sends to each step, this direction's columns, or NULL
    real* dX,                   # OUT (S, D) forwards, IN, OUT backwards; or NULL
    real* scratch,              # (last - first, D)
    bint backwards,
) noexcept nogil:
    cdef Py_ssize_t t, r, j, row, K = layer.K, D = layer.D
    cdef real* dh
    cdef Step s
    s.variant, s.D, s.K = layer.variant, D, K
    s.plane, s.dplane = track.plane, track.dplane
    s.dstate = track.dstate + (g.row + first) * K
    s.dX = NULL
    for t in range(g.length[first] - 1, -1, -1):
        s.m = min(last, g.active[t]) - first
        s.X = X + (g.offset[t] + first) * D
        s.before = track.states + (state_before(track, g, t) + first) * K
        s.after = track.states + (state_after(track, g, t) + first) * K
        s.saved = track.saved + (g.offset[t] + first) * layer.cell.n_saved * K
        if dX != NULL:
            s.dX = scratch if backwards else dX + (g.offset[t] + first) * D
        # dh_t = what step t + 1 sent back + what the layer above sends at step t
        if dY != NULL:
            for r in range(first, first + s.m):
                row = mirrored(g, t, r) if backwards else g.offset[t] + r
                dh = s.dstate + (r - first) * K
                for j in range(K):
                    dh[j] = dh[j] + dY[row * layer.P + j]
        layer.cell.step_gradient(&s, packed)
        if dX != NULL and backwards:
            for r in range(first, first + s.m):
                row = mirrored(g, t, r)
                for j in range(D):
                    dX[row * D + j] = dX[row * D + j] + scratch[(r - first) * D + j]
