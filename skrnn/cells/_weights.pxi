# Gradients of the parameters, from what backward_tile left: M += Σ Aᵀ G over all steps of all sequences.
#
# Bits. An element's sum runs over the groups in order, in a group over its chunks from the last to the first, in a chunk
# over its rows in packed order; a chunk is summed in a register and then added. Groups and chunks depend on the batch
# alone, so neither the threads that share out the elements nor the memory that limits how many groups are there at
# a time change a bit.


cdef struct Part:
    # Rows k .. k + n - 1 and columns j .. j + width - 1 of a term: what a thread takes at a time
    int depth                   # the layer, or -1 for the head
    int d
    int term
    Py_ssize_t k
    Py_ssize_t n
    Py_ssize_t j
    Py_ssize_t width


cdef enum:
    MOST_SEGMENTS = CHUNK_ROWS


cdef int segments_of_chunk(
    const Track* track, const Group* g, Py_ssize_t first, Py_ssize_t last, bint states, Segment* segments
) noexcept nogil:
    """Packed rows of steps first .. last - 1 with the rows that go with them: of the states before, or the same."""
    cdef Py_ssize_t t, row
    cdef int count = 0
    for t in range(first, last):
        row = state_before(track, g, t) if states else g.offset[t]
        if count > 0 and segments[count - 1].a_row + segments[count - 1].m == row:
            segments[count - 1].m += g.active[t]
        else:
            segments[count] = Segment(a_row=row, g_row=g.offset[t], m=g.active[t])
            count += 1
    return count


cdef void add_part(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t T, const Part* part, real* gradient
) noexcept nogil:
    """Add what a group contributes to a part."""
    cdef const Layer* layer = &net.layers[part.depth]
    cdef const Track* track = &buffers.layers[part.depth].track[part.d]
    cdef const Term* term = &layer.terms[part.term]
    cdef Py_ssize_t ldg = layer.cell.n_saved * layer.K, ld = layer.cell.n_gates * layer.K
    cdef Py_ssize_t lda = layer.D, chunk
    cdef Segment[MOST_SEGMENTS] segments
    cdef int count
    cdef const real* A = NULL
    cdef const real* G = track.saved + term.gradient + part.j
    cdef real* to = gradient + (
        layer.W[part.d] if term.to == TO_W else layer.U[part.d] if term.to == TO_U else layer.b[part.d]
    ) + (term.row + part.k) * ld + term.column + part.j
    if term.source == INPUT:
        A = inputs(net, buffers, part.depth, part.d, g) + part.k
    elif term.source == STATE:
        A, lda = track.states + part.k, layer.K
    elif term.source == SAVED:
        A, lda = track.saved + term.block + part.k, ldg
    for chunk in range((T - 1) // g.chunk, -1, -1):
        count = segments_of_chunk(
            track, g, chunk * g.chunk, min(T, (chunk + 1) * g.chunk), term.source == STATE, segments
        )
        if term.source == ONE:
            add_sums(part.width, count, segments, G, ldg, to)
        else:
            add_outer(part.n, part.width, count, segments, A, lda, G, ldg, to, ld)


cdef void add_head(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t T, const Part* part, real* gradient
) noexcept nogil:
    """Add what a group contributes to a part of the head: dV = Zᵀ dscores, and dc = Σ dscores to the first rows."""
    cdef Segment segment
    cdef Py_ssize_t chunk, first, last
    cdef const real* Z = outputs(net, buffers, net.n_layers - 1, g) if net.per_step else buffers.features
    for chunk in range((T - 1) // g.chunk, -1, -1):
        rows_of_chunk(net, g, T, chunk, &first, &last)
        segment = Segment(a_row=first, g_row=first, m=last - first)
        if segment.m <= 0:
            continue
        add_outer(
            part.n, part.width, 1, &segment, Z + part.k, net.P, buffers.dscores + part.j, net.Q,
            gradient + net.V + part.k * net.Q + part.j, net.Q,
        )
        if part.k == 0:
            add_sums(part.width, 1, &segment, buffers.dscores + part.j, net.Q, gradient + net.c + part.j)


cdef void rows_of_chunk(
    const Net* net, const Group* g, Py_ssize_t T, Py_ssize_t chunk, Py_ssize_t* first, Py_ssize_t* last
) noexcept nogil:
    """Rows of scores that belong to a chunk: its steps, or the sequences that end in it."""
    cdef Py_ssize_t begin = chunk * g.chunk, end = min(T, (chunk + 1) * g.chunk)
    if net.per_step:
        first[0], last[0] = g.offset[begin], g.offset[end]
    else:
        first[0] = g.row + (g.active[end] if end < T else g.ending)
        last[0] = g.row + g.active[begin]


cdef double loss_of_group(const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t T, double total) noexcept nogil:
    """total + the losses of its rows, in the order of the gradients."""
    cdef Py_ssize_t chunk, first, last, row
    for chunk in range((T - 1) // g.chunk, -1, -1):
        rows_of_chunk(net, g, T, chunk, &first, &last)
        for row in range(first, last):
            total += buffers.losses[row]
    return total


cdef void run_part(
    const Net* net, const Buffers* buffers, const Group* groups, Py_ssize_t n_groups, const Part* part, real* gradient
) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n_groups):
        if part.depth < 0:
            add_head(net, buffers, &groups[i], groups[i].length[0], part, gradient)
        else:
            add_part(net, buffers, &groups[i], groups[i].length[0], part, gradient)


cdef Py_ssize_t share_out(Py_ssize_t n, Py_ssize_t width, Py_ssize_t most_elements, Part part, Part* parts) noexcept nogil:
    """Cut a matrix (n, width) into parts; returns how many, and fills them in unless `parts` is NULL."""
    cdef Py_ssize_t panel = MOST_VECTORS * VL
    cdef Py_ssize_t columns = max(1, min(pieces(width, panel), pieces(n * width, most_elements)))
    cdef Py_ssize_t rows = pieces(n * pieces(width, columns), most_elements), i, j
    # Whole vectors, and blocks of rows that still fill the registers
    rows = min(rows, pieces(n, 4))
    if parts != NULL:
        for j in range(columns):
            part.j = min(width, piece(j, pieces(width, VL), columns) * VL)
            part.width = min(width, piece(j + 1, pieces(width, VL), columns) * VL) - part.j
            for i in range(rows):
                part.k = piece(i, n, rows)
                part.n = piece(i + 1, n, rows) - part.k
                parts[j * rows + i] = part
    return rows * columns


cdef Py_ssize_t all_parts(const Net* net, Py_ssize_t most_elements, Part* parts) noexcept nogil:
    """The parts of all parameters; returns how many, and fills them in unless `parts` is NULL."""
    cdef Part part = Part(depth=-1, d=0, term=0, k=0, n=0, j=0, width=0)
    cdef Py_ssize_t count = share_out(net.P, net.Q, most_elements, part, parts)
    for part.depth in range(net.n_layers):
        for part.d in range(net.layers[part.depth].n_directions):
            for part.term in range(net.layers[part.depth].n_terms):
                count += share_out(
                    net.layers[part.depth].terms[part.term].n, net.layers[part.depth].terms[part.term].width,
                    most_elements, part, parts + count if parts != NULL else NULL,
                )
    return count
