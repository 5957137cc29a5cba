# The memory that an engine computes in: buffers for each thread, and what the threads share.


cdef enum:
    NEVER_REFUSED = 16777216    # bytes that are not worth a MemoryError


cdef class Workspace:
    """Blocks of memory that grow with the batches, and are kept from one batch to the next."""
    cdef Buffers* buffers           # (workers,) of each thread
    cdef SegmentTables* segments    # (workers,) likewise
    cdef Memory arrays              # what the buffers point to
    cdef Memory records             # the buffers
    cdef Memory tables              # the segments, and what they point to
    cdef Memory sums                # gradients of groups, to be added up
    cdef Memory input_gradients     # (S, D) packed of some groups, where some inputs are embedded

    def __cinit__(self):
        self.arrays, self.records, self.tables = Memory(), Memory(), Memory()
        self.sums, self.input_gradients = Memory(), Memory()

    cdef Py_ssize_t size(self) noexcept:
        """Bytes of the arrays of groups."""
        return self.arrays.size + self.input_gradients.size

    cdef Py_ssize_t size_of(self, const Net* net, Batch batch, Py_ssize_t rows, BufferNeeds needs) except? -1:
        """Bytes of the arrays of a group of `rows` packed rows; -1 when they are too many to count."""
        cdef Buffers buffers
        buffers.layers = <LayerBuffers*> self.records.reserve(net.n_layers * sizeof(LayerBuffers))
        return lay_out_buffers(net, batch.max_sequences(), rows, needs, &buffers, NULL)

    cdef int allocate_workers(
        self, const Net* net, Batch batch, Py_ssize_t rows, BufferNeeds needs, Py_ssize_t max_bytes, int n_threads,
        Py_ssize_t beside=0,        # bytes that a group takes elsewhere
    ) except -1:
        """Make room for groups of `rows` packed rows; returns for how many threads, each with buffers of its own."""
        cdef int workers = <int> min(<Py_ssize_t> n_threads, batch.n_groups), i
        cdef Py_ssize_t size = self.size_of(net, batch, rows, needs)
        cdef LayerBuffers* layers
        cdef char* arrays
        if size < 0 or size + <double> beside > max(<double> NEVER_REFUSED, 4 * <double> max_bytes):
            raise MemoryError(
                f"{batch.max_sequences()} sequences of up to {batch.length[0]} steps take more than the memory; try "
                "shorter ones, a smaller batch_size or hidden_size"
            )
        workers = <int> max(1, min(<Py_ssize_t> workers, max_bytes // (size + beside)))
        self.buffers = <Buffers*> self.records.reserve(
            workers * (sizeof(Buffers) + net.n_layers * sizeof(LayerBuffers))
        )
        layers = <LayerBuffers*> (self.buffers + workers)
        arrays = self.arrays.reserve(workers * size)
        for i in range(workers):
            self.buffers[i].layers = layers + i * net.n_layers
            lay_out_buffers(net, batch.max_sequences(), rows, needs, &self.buffers[i], arrays + i * size)
        return workers

    cdef int reserve_segments(self, const Net* net, Batch batch, Py_ssize_t segment_steps, int workers) except -1:
        """Make room for each thread's tables of a segment, and for the states between segments."""
        cdef Py_ssize_t n_states = 0, steps = 0, i
        cdef Arena arena
        if segment_steps < batch.length[0]:
            # rounded up to whole chunks, and one offset more
            n_states, steps = ceil_div(batch.length[0], segment_steps), segment_steps + CHUNK_ROWS + 1
        # once to count bytes, and once to lay out
        arena.base = NULL
        while True:
            arena.used = 0
            self.segments = <SegmentTables*> arena_alloc(&arena, workers, 1, sizeof(SegmentTables))
            for i in range(workers):
                lay_out_segment(&arena, net, steps, batch.max_sequences(), n_states, self.segments + i)
            if arena.used < 0:
                raise MemoryError(f"sequences of {batch.length[0]} steps do not fit into memory; try shorter ones")
            if arena.base != NULL:
                return 0
            arena.base = self.tables.reserve(arena.used)


cdef void lay_out_segment(
    Arena* arena, const Net* net, Py_ssize_t steps, Py_ssize_t N, Py_ssize_t n_states, SegmentTables* segment
) noexcept nogil:
    """The tables of a thread's segment, and the states before each of `n_states` segments (n_states, N, width)."""
    cdef SegmentTables tables
    tables.offset = <Py_ssize_t*> arena_alloc(arena, steps, 1, sizeof(Py_ssize_t))
    tables.length = <Py_ssize_t*> arena_alloc(arena, N, 1, sizeof(Py_ssize_t))
    tables.states = <real*> arena_alloc(arena, n_states * N, state_width(net), sizeof(real))
    if arena.base != NULL:
        segment[0] = tables
