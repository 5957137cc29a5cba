# The gradient of a batch: its groups by whole threads, or shared by all threads.


cdef enum:
    ROUND_BYTES = 67108864      # gradients of groups that wait to be added up
    BLOCK = 4096                # numbers that a thread adds up at a time


cdef double train(
    Workspace space, Job* job, Batch batch, real* gradient, Py_ssize_t max_bytes, int n_threads
) except? -1:
    """Add the gradient of the batch to `gradient` (P,), whose weights are packed in the job; returns the batch's loss.

    The batch has been cut into groups that depend neither on threads nor on memory. Here it is decided who computes
    them, of which no bit of the result depends:

    1. Whole groups, one to a thread, each forward and back without a barrier (`train_groups`): the usual case. As many
       groups as ROUND_BYTES hold gradients of are computed in one parallel region, and then added up in their order.
    2. Groups that are shared by all threads, one after the other (`train_shared`): the last groups where whole ones
       would leave threads idle, and all groups where there is no room for one per thread.
    3. Groups in segments of √T steps (`train_group`), where not even one group fits into `max_bytes`. Only if every
       layer reads forwards, since a layer that reads backwards begins at the last step.
    """
    cdef const Net* net = job.net
    cdef Py_ssize_t i, last, n_whole = batch.n_groups, rows = batch.max_rows(), segment_steps = batch.length[0]
    cdef Py_ssize_t left = batch.n_groups % n_threads
    cdef BufferNeeds needs = BufferNeeds(
        gradient=True, trace=False, dX=(job.dX != NULL or net.decay.n > 0) and net.n_embeddings == 0,
        dropout=job.dropout > 0, recurrent_dropout=job.recurrent_dropout > 0,
    )
    cdef Py_ssize_t size = space.size_of(net, batch, rows, needs)
    # of the gradients of a group's inputs where some are embedded, which are summed in the order of its sequences
    cdef Py_ssize_t embedded = 0 if net.n_embeddings == 0 else rows * net.D * <Py_ssize_t> sizeof(real)
    cdef Py_ssize_t per_round
    cdef int workers
    cdef double value = 0
    if (size < 0 or size + embedded > max_bytes) and one_direction(net) and batch.max_segment_rows() < rows:
        segment_steps = batch.segment_steps()
        rows = batch.max_segment_rows()
    elif size + embedded > max_bytes // n_threads:
        n_whole = 0
    elif left < min(<Py_ssize_t> n_threads, max_tiles(&batch.groups[0])):
        n_whole -= left
    size = space.size_of(net, batch, rows, needs)
    workers = space.allocate_workers(net, batch, rows, needs, max_bytes, n_threads if n_whole > 0 else 1, embedded)
    per_round = groups_per_round(net, embedded, max_bytes - workers * size)
    space.reserve_segments(net, batch, segment_steps, workers)
    i = 0
    while i < n_whole:
        last = min(n_whole, i + workers * max(1, per_round // workers))
        value = train_groups(space, job, batch, i, last, segment_steps, gradient, value, workers)
        leave_if_interrupted(job.watch)
        i = last
    for i in range(n_whole, batch.n_groups):
        value = train_shared(space, job, &batch.groups[i], gradient, value, n_threads)
        leave_if_interrupted(job.watch)
    return value


cdef Py_ssize_t groups_per_round(const Net* net, Py_ssize_t embedded, Py_ssize_t max_bytes) noexcept:
    """How many groups to compute before their gradients are added up, `embedded` bytes of which need room."""
    cdef double groups = ROUND_BYTES / (net.size * <double> sizeof(real) + embedded)
    return <Py_ssize_t> (groups if embedded == 0 else min(groups, max(0, max_bytes) / <double> embedded))


cdef double train_groups(
    Workspace space, const Job* job, Batch batch, Py_ssize_t first, Py_ssize_t last, Py_ssize_t segment_steps,
    real* gradient, double value, int workers,
) except? -1:
    """Groups first .. last - 1, each by one thread: add their gradients; returns value + their losses."""
    cdef const Net* net = job.net
    cdef Py_ssize_t i, n = last - first, stride = ceil_div(net.size, VL) * VL
    cdef Py_ssize_t n_blocks = ceil_div(net.size, BLOCK)
    cdef char* memory = space.sums.reserve(n * (stride * sizeof(real) + sizeof(double)))
    cdef real* gradients = <real*> memory                       # (n, stride)
    cdef double* values = <double*> (gradients + n * stride)    # (n,)
    cdef const Group* groups = batch.groups + first
    cdef SegmentTables* segments = space.segments
    cdef Buffers* buffers = space.buffers
    cdef Tasks tasks = tasks_of(n, workers)
    cdef real* dX = embedded_inputs(space, job, groups, n)
    with nogil, parallel(num_threads=workers):
        for i in prange(workers, schedule="static", chunksize=1):
            whole_groups(
                job, &buffers[threadid()], groups, &tasks, segment_steps, &segments[threadid()], gradients, stride,
                values, dX,
            )
        for i in prange(n_blocks - 1, schedule="static"):
            add_up(n, BLOCK, gradients + i * BLOCK, stride, gradient + i * BLOCK)
    i = (n_blocks - 1) * BLOCK
    add_up(n, net.size - i, gradients + i, stride, gradient + i)
    add_to_embeddings(job, groups, n, dX, gradient)
    for i in range(n):
        value += values[i]
    return value


cdef real* embedded_inputs(Workspace space, const Job* job, const Group* groups, Py_ssize_t n) except? NULL:
    """Room for the gradients (S, D) of the inputs of n groups; NULL where none is embedded."""
    if job.net.n_embeddings == 0:
        return NULL
    return <real*> space.input_gradients.reserve(rows_before(groups, n) * job.net.D * sizeof(real))


cdef Py_ssize_t rows_before(const Group* groups, Py_ssize_t n) noexcept nogil:
    """Packed rows of the first n groups."""
    cdef Py_ssize_t i, rows = 0
    for i in range(n):
        rows += groups[i].offset[groups[i].length[0]]
    return rows


cdef void whole_groups(
    const Job* job, const Buffers* buffers, const Group* groups, Tasks* tasks, Py_ssize_t segment_steps,
    const SegmentTables* segments, real* gradients, Py_ssize_t stride, double* values, real* dX,
) noexcept nogil:
    """`train_group` of the groups that a thread takes: their gradients, `stride` numbers apart, and losses."""
    cdef Py_ssize_t i = next_task(job.watch, tasks, -1)
    while i >= 0:
        values[i] = train_group(
            job, buffers, &groups[i], segment_steps, segments, gradients + i * stride,
            dX + rows_before(groups, i) * job.net.D if dX != NULL else NULL,
        )
        i = next_task(job.watch, tasks, i)


cdef double train_shared(
    Workspace space, const Job* job, const Group* g, real* gradient, double value, int n_threads
) except? -1:
    """One group by all threads: adds its gradient, returns value + its loss.

    First each thread takes tiles, ranges of the group's sequences, forward and back. After a barrier each takes parts
    of the parameters, ranges of their elements, and sums the gradient of these over the whole group.
    """
    cdef const Net* net = job.net
    cdef Buffers* buffers = space.buffers
    cdef real* dX = embedded_inputs(space, job, g, 1)
    cdef Py_ssize_t i, n_tiles = min(<Py_ssize_t> n_threads, max_tiles(g))
    cdef Py_ssize_t max_elements = ceil_div(net.size, 4 * n_threads), n_parts = all_parts(net, max_elements, NULL)
    cdef char* memory = space.sums.reserve(
        net.size * sizeof(real) + n_parts * sizeof(Part) + (n_tiles + 1) * sizeof(Py_ssize_t) + 2 * ALIGNMENT
    )
    cdef Part* parts = <Part*> memory                           # (n_parts,)
    cdef Py_ssize_t* tiles = <Py_ssize_t*> (parts + n_parts)    # (n_tiles + 1,)
    cdef real* total = <real*> (tiles + n_tiles + 1)            # (net.size,)
    cdef Tasks of_tiles, of_parts
    all_parts(net, max_elements, parts)
    cut_tiles(g, n_tiles, tiles)
    memset(total, 0, net.size * sizeof(real))
    if dX != NULL:
        buffers.dX = dX
    of_tiles, of_parts = tasks_of(n_tiles, n_threads), tasks_of(n_parts, n_threads)
    with nogil, parallel(num_threads=n_threads):
        for i in prange(n_threads, schedule="static", chunksize=1):
            shared_tiles(job, buffers, g, &of_tiles, tiles)
        for i in prange(n_threads, schedule="static", chunksize=1):
            shared_parts(job, buffers, g, &of_parts, parts, total)
    add_up(1, net.size, total, 0, gradient)
    add_to_embeddings(job, g, 1, dX, gradient)
    return value + loss_of_group(net, buffers, g, 0) if job.loss.of_row != NULL else value


cdef void shared_tiles(
    const Job* job, const Buffers* buffers, const Group* g, Tasks* tasks, const Py_ssize_t* tiles
) noexcept nogil:
    """`train_tile` of the tiles that a thread takes."""
    cdef Py_ssize_t i = next_task(job.watch, tasks, -1)
    while i >= 0:
        if tiles[i] < tiles[i + 1]:
            train_tile(job, buffers, g, tiles[i], tiles[i + 1])
        i = next_task(job.watch, tasks, i)


cdef void shared_parts(
    const Job* job, const Buffers* buffers, const Group* g, Tasks* tasks, const Part* parts, real* total
) noexcept nogil:
    """`train_part` of the parts that a thread takes."""
    cdef Py_ssize_t i = next_task(job.watch, tasks, -1)
    while i >= 0:
        train_part(job, buffers, g, &parts[i], total)
        i = next_task(job.watch, tasks, i)


cdef void add_to_embeddings(
    const Job* job, const Group* groups, Py_ssize_t n, const real* dX, real* gradient
) noexcept nogil:
    """dE[category] += dx of every step of n groups, in the order of the batch: `read_embedded` backwards; dX packed."""
    cdef const Net* net = job.net
    cdef Py_ssize_t i, r, t, k, last, D = net.D, mask = look_mask(groups.length[0], D + STEP_WORK)
    cdef const Group* g
    if dX == NULL:
        return
    for i in range(n):
        g = &groups[i]
        for r in range(g.n):
            last = g.source[r] + g.rows[r] - 1
            for t in range(g.length[r]):
                if t & mask == mask and interrupted(job.watch):
                    return
                for k in range(net.patch_size):
                    add_step_to_embeddings(
                        job, min(source_row(net, g, t, r, False) + k, last),
                        dX + (g.offset[t] + r) * D + k * net.width + net.n_numbers, gradient,
                    )
        dX += g.offset[g.length[0]] * D


cdef inline void add_step_to_embeddings(
    const Job* job, Py_ssize_t row, const real* dx, real* gradient
) noexcept nogil:
    """dE[category] += dx for the categories in a row of the caller's steps, dx those of their vectors, side by side."""
    cdef const Embedding* embedding
    cdef Py_ssize_t j
    cdef real* to
    cdef int c
    for c in range(job.net.n_embeddings):
        embedding = &job.net.embeddings[c]
        to = gradient + embedding.start + category(job, row, c) * embedding.dim
        for j in range(embedding.dim):
            to[j] = to[j] + dx[j]
        dx += embedding.dim
