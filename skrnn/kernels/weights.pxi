# Gradients of the parameters, from what `backward_tile` left: M += Σ Aᵀ G over all steps of all sequences.
#
# Bits. An element's sum runs over a group's chunks from the last to the first, in a chunk over its rows in packed
# order; a chunk is summed in a register and then added. The groups' sums are then added in their order. Groups and
# chunks depend on the batch and the size of the network alone, so neither the number of threads nor the memory changes
# a bit: whether a thread sums a whole group while its activations are in the cache, or threads divide the elements.


cdef enum:
    MAX_RANGES = CHUNK_ROWS


cdef int ranges_of_chunk(
    const DirectionBuffers* direction, const Group* g, Py_ssize_t first, Py_ssize_t last, bint states, RowRange* ranges
) noexcept nogil:
    """Ranges of packed rows of steps first .. last - 1, with the rows of the states before them, or with the same rows.

    Steps whose rows follow each other in both arrays become one range. Returns the number of ranges.
    """
    cdef Py_ssize_t t, row
    cdef int count = 0
    for t in range(first, last):
        row = state_before(direction, g, t) if states else g.offset[t]
        if count > 0 and ranges[count - 1].a_row + ranges[count - 1].m == row:
            ranges[count - 1].m += g.active[t]
        else:
            ranges[count] = RowRange(a_row=row, g_row=g.offset[t], m=g.active[t])
            count += 1
    return count


cdef inline Py_ssize_t n_chunks(const Group* g) noexcept nogil:
    return ceil_div(g.length[0], g.chunk)


cdef void add_chunk(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t chunk, const Part* part, real* gradient
) noexcept nogil:
    """M[part] += Aᵀ G over the rows of a chunk; M, A and G are those of the part's term, see Term."""
    cdef const Layer* layer = &net.layers[part.depth]
    cdef const DirectionBuffers* direction = &buffers.layers[part.depth].direction[part.d]
    cdef const Term* term = &layer.terms[part.term]
    cdef Py_ssize_t ldg = layer.cell.n_saved * layer.K, ld = layer.cell.n_gates * layer.K, lda = layer.D
    cdef RowRange[MAX_RANGES] ranges
    cdef bint states = term.source == STATE and direction.recurrent == NULL
    cdef int count = ranges_of_chunk(
        direction, g, chunk * g.chunk, min(g.length[0], (chunk + 1) * g.chunk), states, ranges
    )
    cdef const real* A = NULL
    cdef const real* G = direction.saved
    if term.to == TO_DECAY_W or term.to == TO_DECAY_B:
        G, ldg, ld = direction.gamma, layer.K, layer.K
    cdef real* to = gradient + start_of(net, layer, term.to, part.d) + (
        (term.row + part.k) * ld + term.column + part.j
    )
    G += term.gradient + part.j
    if term.source == ONE:
        add_sums(part.width, count, ranges, G, ldg, to)
        return
    if term.source == INPUT:
        A = inputs(net, buffers, part.depth, part.d, g)
    elif term.source == STATE:
        A, lda = direction.before if states else direction.recurrent, layer.K
    elif term.source == SINCE:
        A, lda = direction.since, net.decay.n
    else:
        A, lda = direction.saved + term.block, ldg
    add_outer(part.n, part.width, count, ranges, A + part.k, lda, G, ldg, to, ld)


cdef inline Py_ssize_t start_of(const Net* net, const Layer* layer, int to, int d) noexcept nogil:
    """Index in theta where a parameter of a direction begins."""
    if to == TO_DECAY_W:
        return net.decay.W[d]
    if to == TO_DECAY_B:
        return net.decay.b[d]
    return layer.W[d] if to == TO_W else layer.U[d] if to == TO_U else layer.b[d]


cdef void add_direction(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t chunk, int depth, int d, real* gradient
) noexcept nogil:
    """Add what a chunk contributes to all parameters of one direction of a layer."""
    cdef const Layer* layer = &net.layers[depth]
    cdef Part part = Part(depth=depth, d=d, term=0, k=0, n=0, j=0, width=0)
    for part.term in range(layer.n_terms):
        part.n, part.width = layer.terms[part.term].n, layer.terms[part.term].width
        add_chunk(net, buffers, g, chunk, &part, gradient)


cdef inline double chunk_work(const Group* g, const Part* part) noexcept nogil:
    """Multiply-adds of a chunk of a part, about."""
    return STEP_WORK + <double> g.chunk * g.n * part.n * part.width


cdef void add_head(
    const Job* job, const Buffers* buffers, const Group* g, const Part* part, real* gradient
) noexcept nogil:
    """Add what a group contributes to a part of the head: dV = Zᵀ dscores, and dc = Σ dscores with the first rows."""
    cdef const Net* net = job.net
    cdef RowRange range_
    cdef Py_ssize_t chunk, first, last, mask = look_mask(n_chunks(g), chunk_work(g, part))
    cdef const real* Z = head_inputs(net, buffers, g)
    for chunk in range(n_chunks(g) - 1, -1, -1):
        if chunk & mask == mask and interrupted(job.watch):
            return
        rows_of_chunk(net, g, chunk, &first, &last)
        range_ = RowRange(a_row=first, g_row=first, m=last - first)
        if range_.m <= 0:
            continue
        add_outer(
            part.n, part.width, 1, &range_, Z + part.k, net.H, buffers.dscores + part.j, net.Q,
            gradient + net.V + part.k * net.Q + part.j, net.Q,
        )
        if part.k == 0:
            add_sums(part.width, 1, &range_, buffers.dscores + part.j, net.Q, gradient + net.c + part.j)


cdef void rows_of_chunk(
    const Net* net, const Group* g, Py_ssize_t chunk, Py_ssize_t* first, Py_ssize_t* last
) noexcept nogil:
    """Rows of scores that belong to a chunk: its steps, or the sequences that end in it."""
    cdef Py_ssize_t begin = chunk * g.chunk, end = min(g.length[0], (chunk + 1) * g.chunk)
    if net.per_step:
        first[0], last[0] = g.offset[begin], g.offset[end]
    else:
        first[0] = g.active[end] if end < g.length[0] else g.ending
        last[0] = g.active[begin]


cdef double loss_of_group(const Net* net, const Buffers* buffers, const Group* g, double total) noexcept nogil:
    """total + the losses of its rows, in the order of the gradients."""
    cdef Py_ssize_t chunk, first, last, row
    for chunk in range(n_chunks(g) - 1, -1, -1):
        rows_of_chunk(net, g, chunk, &first, &last)
        for row in range(first, last):
            total += buffers.losses[row]
    return total


cdef void add_part(
    const Job* job, const Buffers* buffers, const Group* g, const Part* part, real* gradient
) noexcept nogil:
    """Add what a group contributes to a part."""
    cdef Py_ssize_t chunk, mask = look_mask(n_chunks(g), chunk_work(g, part))
    if part.depth == OF_HEAD:
        add_head(job, buffers, g, part, gradient)
        return
    if part.depth == OF_DECAY:
        add_input_decay(job, buffers, g, part, gradient)
        return
    for chunk in range(n_chunks(g) - 1, -1, -1):
        if chunk & mask == mask and interrupted(job.watch):
            return
        add_chunk(job.net, buffers, g, chunk, part, gradient)


cdef Py_ssize_t partition_parameters(
    Py_ssize_t n, Py_ssize_t width, Py_ssize_t max_elements, Part part, Part* parts
) noexcept nogil:
    """Cut a matrix (n, width) into parts of about `max_elements`; returns how many, fills `parts` unless it is NULL.

    Threads take the parts of all parameters in turn. `add_outer` computes in blocks of a panel of columns, whose sums
    fill the registers, and reads all rows of A and G once for each block. So the matrix is cut into ranges of columns
    first, each a panel or more and of whole vectors, and only then into ranges of rows, each of four rows or more.
    Cuts change no bit, since each element is summed by itself.
    """
    cdef Py_ssize_t panel = MAX_VECTORS * VL
    cdef Py_ssize_t columns = max(1, min(ceil_div(width, panel), ceil_div(n * width, max_elements)))
    cdef Py_ssize_t rows = ceil_div(n * ceil_div(width, columns), max_elements), i, j
    rows = min(rows, ceil_div(n, 4))
    if parts != NULL:
        for j in range(columns):
            part.j = min(width, split_start(j, ceil_div(width, VL), columns) * VL)
            part.width = min(width, split_start(j + 1, ceil_div(width, VL), columns) * VL) - part.j
            for i in range(rows):
                part.k = split_start(i, n, rows)
                part.n = split_start(i + 1, n, rows) - part.k
                parts[j * rows + i] = part
    return rows * columns


cdef Py_ssize_t all_parts(const Net* net, Py_ssize_t max_elements, Part* parts) noexcept nogil:
    """The parts of all parameters; returns how many, fills `parts` unless it is NULL."""
    cdef Part part = Part(depth=OF_HEAD, d=0, term=0, k=0, n=0, j=0, width=0)
    cdef Py_ssize_t count = partition_parameters(net.H, net.Q, max_elements, part, parts)
    if net.decay.n > 0:
        part.depth = OF_DECAY
        count += partition_parameters(
            1, 2 * net.decay.n, max_elements, part, parts + count if parts != NULL else NULL
        )
    for part.depth in range(net.n_layers):
        for part.d in range(net.layers[part.depth].n_directions):
            for part.term in range(net.layers[part.depth].n_terms):
                count += partition_parameters(
                    net.layers[part.depth].terms[part.term].n, net.layers[part.depth].terms[part.term].width,
                    max_elements, part, parts + count if parts != NULL else NULL,
                )
    return count
