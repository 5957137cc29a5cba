# A batch: its sequences sorted and cut into groups, and the memory that its arrays need.


cdef class Memory:
    """One aligned block, which grows when more is asked for and is given back at the end."""
    cdef void* block
    cdef Py_ssize_t size

    def __cinit__(self):
        self.block = NULL
        self.size = 0

    def __dealloc__(self):
        free(self.block)

    cdef char* reserve(self, Py_ssize_t size) except NULL:
        """At least `size` bytes that begin at a multiple of ALIGNMENT; their content is lost when it grows."""
        if self.block == NULL or size > self.size:
            free(self.block)
            self.size = 0
            self.block = malloc(size + ALIGNMENT)
            if self.block == NULL:
                raise MemoryError(f"there is no room for {size / 1e9:.1f} GB; try a smaller batch_size or hidden_size")
            self.size = size
        return <char*> self.block + (ALIGNMENT - <size_t> self.block % ALIGNMENT) % ALIGNMENT


cdef enum:
    ALIGNMENT = 64              # of every array; the room after each takes what `load` reads past its end


cdef struct Arena:
    # Takes arrays one after the other out of a block, or only counts when there is none yet
    char* base
    Py_ssize_t used             # -1 when it is more than an index can tell


cdef void* arena_alloc(Arena* arena, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t itemsize) noexcept nogil:
    """An array (rows, columns)."""
    cdef Py_ssize_t limit = PY_SSIZE_T_MAX // 4, size
    cdef void* array = NULL
    if arena.used < 0 or (columns > 0 and rows > limit // itemsize // columns):
        arena.used = -1
        return NULL
    size = (rows * columns * itemsize + 2 * ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
    if arena.base != NULL:
        array = arena.base + arena.used
    arena.used = arena.used + size if arena.used < limit else -1
    return array


cdef Py_ssize_t lay_out_buffers(
    const Net* net, Py_ssize_t N, Py_ssize_t S, BufferNeeds needs, Buffers* buffers, char* base
) noexcept nogil:
    """Lay out all arrays of a group from `base` on, or only count bytes when that is NULL; -1 when they are too many.

    Without the gradient there is only what a forward pass needs.
    """
    cdef Arena arena = Arena(base=base, used=0)
    cdef const Layer* layer
    cdef DirectionBuffers* direction
    cdef LayerBuffers* b
    cdef Py_ssize_t R = S if net.per_step else N, rows, widest = 0
    cdef int depth, d
    cdef bint every_step, keep = needs.gradient, pooling = pool_width(net) > 0
    for depth in range(net.n_layers):
        layer, b = &net.layers[depth], &buffers.layers[depth]
        # whether each of its outputs is read, or only the last
        every_step = depth < net.n_layers - 1 or net.per_step or pooling
        widest = max(widest, max(layer.D, layer.K))
        for d in range(layer.n_directions):
            direction = &b.direction[d]
            direction.keep = keep
            direction.history = keep or (layer.n_directions == 1 and every_step)
            rows = N + S if direction.history else 2 * N
            direction.plane, direction.dplane = rows * layer.K, N * layer.K
            direction.X = NULL
            if depth == 0 or d == 1 or needs.dropout:
                direction.X = <real*> arena_alloc(&arena, S, layer.D, sizeof(real))
            direction.states = <real*> arena_alloc(&arena, layer.cell.n_states * rows, layer.K, sizeof(real))
            direction.saved = <real*> arena_alloc(&arena, S if keep else N, layer.cell.n_saved * layer.K, sizeof(real))
            direction.dstate = <real*> arena_alloc(&arena, layer.cell.n_states * N, layer.K, sizeof(real)) if keep else NULL
            direction.mask = direction.recurrent = NULL
            if needs.recurrent_dropout:
                direction.mask = <real*> arena_alloc(&arena, N, layer.K, sizeof(real))
                direction.recurrent = <real*> arena_alloc(&arena, S, layer.K, sizeof(real))
        b.Y = <real*> arena_alloc(&arena, S, layer.P, sizeof(real)) if layer.n_directions == 2 else NULL
        b.dY = <real*> arena_alloc(&arena, S, layer.P, sizeof(real)) if keep and every_step else NULL
    buffers.features = NULL if net.per_step else <real*> arena_alloc(&arena, N, net.P, sizeof(real))
    buffers.dfeatures = <real*> arena_alloc(&arena, N, net.P, sizeof(real)) if keep and not net.per_step else NULL
    buffers.dropped = <real*> arena_alloc(&arena, S, net.P, sizeof(real)) if net.per_step and needs.dropout else NULL
    buffers.pool = <real*> arena_alloc(&arena, N, net.P, sizeof(real)) if pooling else NULL
    buffers.count = <real*> arena_alloc(&arena, N, 1, sizeof(real)) if pooling else NULL
    buffers.peak = <Py_ssize_t*> arena_alloc(&arena, N, net.P, sizeof(Py_ssize_t)) if pooling else NULL
    buffers.dpool = <real*> arena_alloc(&arena, N, net.P, sizeof(real)) if keep and pooling else NULL
    buffers.scores = <real*> arena_alloc(&arena, R, net.Q, sizeof(real))
    buffers.dscores = <real*> arena_alloc(&arena, R, net.Q, sizeof(real)) if keep else NULL
    buffers.losses = <double*> arena_alloc(&arena, R, 1, sizeof(double)) if keep else NULL
    buffers.dX = <real*> arena_alloc(&arena, S, net.D, sizeof(real)) if needs.dX else NULL
    buffers.scratch_width = widest
    buffers.scratch = <real*> arena_alloc(&arena, N, widest, sizeof(real)) if keep else NULL
    return arena.used


cdef class Batch:
    """Sequences by decreasing length, in groups. `batch_of` makes one."""
    cdef Memory rows            # what is known of each sequence
    cdef Memory tables          # the groups, and what is known of their steps
    cdef Group* groups
    cdef Py_ssize_t n_groups
    cdef Py_ssize_t N
    cdef Py_ssize_t S
    cdef Py_ssize_t* length     # of the sorted sequences
    cdef Py_ssize_t* source
    cdef Py_ssize_t* sample
    cdef Py_ssize_t* place
    cdef Py_ssize_t* out

    cdef int fill(
        self, const Py_ssize_t[::1] starts, const Py_ssize_t[::1] lengths, const Py_ssize_t[::1] index,
        Py_ssize_t total, Py_ssize_t max_rows, Py_ssize_t size,
    ) except -1:
        cdef Py_ssize_t N = index.shape[0], i, sample, steps, longest = 0, shortest = PY_SSIZE_T_MAX
        if starts.shape[0] != lengths.shape[0]:
            raise ValueError(f"there are {starts.shape[0]} starts and {lengths.shape[0]} lengths")
        if N < 1:
            raise ValueError("a batch needs at least one sequence")
        self.N, self.S = N, 0
        for i in range(N):
            sample = index[i]
            if not 0 <= sample < starts.shape[0]:
                raise ValueError(f"index[{i}]={sample} must be one of the {starts.shape[0]} sequences")
            steps = lengths[sample]
            if steps < 1 or starts[sample] < 0 or starts[sample] > total - steps:
                raise ValueError(
                    f"sequence {sample} has {steps} steps from row {starts[sample]} on, of {total} rows in all"
                )
            longest, shortest = max(longest, steps), min(shortest, steps)
            self.S += steps
        if max_rows == 0:
            max_rows = LARGE_GROUP_ROWS if size > LARGE else GROUP_ROWS
            max_rows = max(max_rows, min(<Py_ssize_t> MAX_GROUP_ROWS, ceil_div(GROUP_STEPS, ceil_div(self.S, N))))
        self.n_groups = ceil_div(N, max_rows)
        self.sort(starts, lengths, index, longest, longest == shortest)
        self.cut()
        return 0

    cdef int sort(
        self, const Py_ssize_t[::1] starts, const Py_ssize_t[::1] lengths, const Py_ssize_t[::1] index,
        Py_ssize_t longest, bint equal,
    ) except -1:
        """Place the sequences by decreasing length; those of equal length keep their order (a counting sort)."""
        cdef Py_ssize_t i, row, steps, done = 0, N = self.N
        cdef Memory counts = Memory.__new__(Memory)
        cdef Py_ssize_t* following          # for each length where its next sequence goes
        self.rows = Memory.__new__(Memory)
        self.length = <Py_ssize_t*> self.rows.reserve(5 * N * sizeof(Py_ssize_t))
        self.source, self.sample = self.length + N, self.length + 2 * N
        self.place, self.out = self.length + 3 * N, self.length + 4 * N
        if not equal:
            following = <Py_ssize_t*> counts.reserve((longest + 1) * sizeof(Py_ssize_t))
            memset(following, 0, (longest + 1) * sizeof(Py_ssize_t))
            for i in range(N):
                following[lengths[index[i]]] += 1
            row = 0
            for steps in range(longest, -1, -1):
                i = following[steps]
                following[steps] = row
                row += i
        for i in range(N):
            steps = lengths[index[i]]
            row = i
            if not equal:
                row = following[steps]
                following[steps] += 1
            self.length[row] = steps
            self.source[row] = starts[index[i]]
            self.sample[row] = index[i]
            self.place[row] = i
            self.out[row] = done
            done += steps
        return 0

    cdef int cut(self) except -1:
        """Make the groups."""
        cdef Py_ssize_t i, t, r, row, used = 0
        cdef Py_ssize_t* active
        cdef Py_ssize_t* offset
        cdef Group* g
        for i in range(self.n_groups):
            used += 2 * self.length[split_start(i, self.N, self.n_groups)] + 1
        self.tables = Memory.__new__(Memory)
        self.groups = <Group*> self.tables.reserve(self.n_groups * sizeof(Group) + used * sizeof(Py_ssize_t))
        active = <Py_ssize_t*> (self.groups + self.n_groups)
        for i in range(self.n_groups):
            g = &self.groups[i]
            row = split_start(i, self.N, self.n_groups)
            g.n = split_start(i + 1, self.N, self.n_groups) - row
            g.ending = 0
            g.chunk = max(1, CHUNK_ROWS // g.n)
            g.length, g.source, g.sample = self.length + row, self.source + row, self.sample + row
            g.place, g.out = self.place + row, self.out + row
            offset = active + g.length[0]
            g.active, g.offset = active, offset
            offset[0] = 0
            r = g.n
            for t in range(g.length[0]):
                while g.length[r - 1] <= t:
                    r -= 1
                active[t] = r
                offset[t + 1] = offset[t] + r
            active = offset + g.length[0] + 1
        return 0

    cdef Py_ssize_t max_steps(self) noexcept:
        """Packed rows of the largest group."""
        cdef Py_ssize_t i, most = 0
        for i in range(self.n_groups):
            most = max(most, self.groups[i].offset[self.groups[i].length[0]])
        return most

    cdef Py_ssize_t max_sequences(self) noexcept:
        return ceil_div(self.N, self.n_groups)

    cdef Py_ssize_t segment(self) noexcept:
        """Steps between which the states are kept when there is no room for all: √T, for whole chunks."""
        return <Py_ssize_t> ceil(sqrt(<double> self.length[0]))

    cdef Py_ssize_t steps_of_segments(self) noexcept:
        """Packed rows of the largest segment, whose steps are rounded up to whole chunks."""
        cdef Py_ssize_t i, most = 0, steps
        for i in range(self.n_groups):
            steps = min(self.groups[i].length[0], round_up_to_chunks(&self.groups[i], self.segment()))
            most = max(most, steps * self.groups[i].n)
        return most


cdef Batch batch_of(
    const Py_ssize_t[::1] starts,       # (n,) of all sequences: the row of the first step in `values`,
    const Py_ssize_t[::1] lengths,      # (n,) and the number of steps
    const Py_ssize_t[::1] index,        # (N,) the sequences of the batch
    Py_ssize_t total,                   # rows of `values`
    Py_ssize_t max_rows,               # sequences in a group; 0 for what suits a network with weights of so many
    Py_ssize_t size,                    # bytes
):
    """A batch. Made here, not by a call of its class: that would wrap each array in an object of Python's."""
    cdef Batch batch = Batch.__new__(Batch)
    batch.fill(starts, lengths, index, total, max_rows, size)
    return batch


cdef Py_ssize_t round_up_to_chunks(const Group* g, Py_ssize_t steps) noexcept nogil:
    return ceil_div(steps, g.chunk) * g.chunk
