# Memory: aligned blocks that grow, and the arrays of a group laid out in one of them.


cdef class Memory:
    """One aligned block, which grows when more is asked for, and is freed with the object."""
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
    # Takes arrays one after the other out of a block, or only counts their bytes
    char* base                  # the block, or NULL
    Py_ssize_t used             # bytes; -1 when they are more than an index can hold


cdef void* arena_alloc(Arena* arena, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t itemsize) noexcept nogil:
    """The next array, (rows, columns), aligned; NULL where bytes are only counted."""
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
    """Point `buffers` to the arrays of a group of N sequences and S packed steps, from `base` on; returns their bytes.

    With a base of NULL bytes are only counted; -1 when they are too many. So one list of arrays says both how large a
    block has to be and where they lie in it, whatever the network: this is the only place that knows which arrays there
    are. What a step leaves is kept of every step where a gradient is needed. Without it the states of two steps, before
    and after, suffice, unless a layer above, the head or the pool reads every output: then a layer that reads forwards
    keeps its states, which are its output, and a bidirectional layer copies them to Y.
    """
    cdef Arena arena = Arena(base=base, used=0)
    cdef const Layer* layer
    cdef DirectionBuffers* direction
    cdef LayerBuffers* b
    cdef Py_ssize_t R = S if net.per_step else N, rows, max_width = 0
    cdef int depth, d
    cdef bint every_step, keep = needs.gradient, pooling = pools_steps(net), pooled = pool_width(net) > 0
    # whether the head reads the outputs of every step as they are
    cdef bint plain = net.per_step and not needs.dropout and net.Z == 0
    for depth in range(net.n_layers):
        layer, b = &net.layers[depth], &buffers.layers[depth]
        # whether all of its outputs are read, or only the last ones
        every_step = depth < net.n_layers - 1 or net.per_step or pooling
        max_width = max(max_width, max(layer.D, layer.K))
        for d in range(layer.n_directions):
            direction = &b.direction[d]
            direction.keep = keep
            direction.history = keep or needs.trace or (layer.n_directions == 1 and every_step)
            rows = N + S if direction.history else 2 * N
            direction.plane, direction.dplane = rows * layer.K, N * layer.K
            direction.X = NULL
            if depth == 0 or d == 1 or needs.dropout:
                direction.X = <real*> arena_alloc(&arena, S, layer.D, sizeof(real))
            direction.states = <real*> arena_alloc(&arena, layer.cell.n_states * rows, layer.K, sizeof(real))
            direction.before, direction.since, direction.gamma = direction.states, NULL, NULL
            if depth == 0 and net.decay.n > 0:
                direction.before = <real*> arena_alloc(&arena, layer.cell.n_states * rows, layer.K, sizeof(real))
                direction.since = <real*> arena_alloc(&arena, S, net.decay.n, sizeof(real))
                direction.gamma = <real*> arena_alloc(&arena, S if keep else N, layer.K, sizeof(real))
            direction.saved = <real*> arena_alloc(&arena, S if keep else N, layer.cell.n_saved * layer.K, sizeof(real))
            direction.dstate = NULL
            if keep:
                direction.dstate = <real*> arena_alloc(&arena, layer.cell.n_states * N, layer.K, sizeof(real))
            direction.projected = NULL
            if N == 1 and S > 1:
                direction.projected = <real*> arena_alloc(
                    &arena, PROJECTED_STEPS, layer.cell.n_gates * layer.K, sizeof(real)
                )
            direction.mask = direction.recurrent = NULL
            if needs.recurrent_dropout:
                direction.mask = <real*> arena_alloc(&arena, N, layer.K, sizeof(real))
                direction.recurrent = <real*> arena_alloc(&arena, S, layer.K, sizeof(real))
        b.Y = <real*> arena_alloc(&arena, S, layer.P, sizeof(real)) if layer.n_directions == 2 else NULL
        b.dY = <real*> arena_alloc(&arena, S, layer.P, sizeof(real)) if keep and every_step else NULL
    buffers.features = NULL if plain else <real*> arena_alloc(&arena, R, net.H, sizeof(real))
    buffers.dfeatures = NULL
    if keep and (net.Z > 0 or not net.per_step):
        buffers.dfeatures = <real*> arena_alloc(&arena, N, net.H, sizeof(real))
    buffers.pool = <real*> arena_alloc(&arena, N, n_pooled(net), sizeof(real)) if pooled else NULL
    buffers.count = <real*> arena_alloc(&arena, N, 1, sizeof(real)) if pooling else NULL
    buffers.peak = <Py_ssize_t*> arena_alloc(&arena, N, net.P, sizeof(Py_ssize_t)) if pooling else NULL
    buffers.dpool = <real*> arena_alloc(&arena, N, n_pooled(net), sizeof(real)) if keep and pooled else NULL
    buffers.scores = <real*> arena_alloc(&arena, R, net.Q, sizeof(real))
    buffers.dscores = <real*> arena_alloc(&arena, R, net.Q, sizeof(real)) if keep else NULL
    buffers.losses = <double*> arena_alloc(&arena, R, 1, sizeof(double)) if keep else NULL
    buffers.dX = <real*> arena_alloc(&arena, S, net.D, sizeof(real)) if needs.dX else NULL
    buffers.d_decay = NULL
    if keep and net.decay.n > 0:
        buffers.d_decay = <real*> arena_alloc(&arena, S, 2 * net.decay.n, sizeof(real))
    buffers.scratch_width = max_width
    buffers.scratch = <real*> arena_alloc(&arena, N, max_width, sizeof(real)) if keep else NULL
    return arena.used
