# The door: a network's kernels as Python sees them. Here arguments are checked, memory is taken, and threads begin.


cdef class Engine:
    """The kernels of a network of one dtype, with the memory they work in.

    Parameters
    ----------
    layers : list of dict
        From the input upwards: ``cell``, ``variant``, ``D``, ``K``, and ``W``, ``U``, ``b``: for each direction where
        the parameter begins in theta.
    n_outputs : int
        Q.
    per_step : bool
        The head reads every step of the top layer, or else one vector of every sequence.
    pooling : str
        Which vector: "last", "mean" or "max" of the top layer's outputs.
    V, c, size : int
        Where the head's parameters begin in theta, and how many all these parameters are.
    n_ids : int
        Rows of the embedding of category numbers, (n_ids, D) behind them; 0 for numbers as inputs.
    """
    cdef Net net
    cdef Job settings           # what all batches have in common
    cdef double alpha
    cdef const Py_ssize_t[:, ::1] decayed
    cdef Buffers* buffers       # one for each thread
    cdef SegmentTables* segments     # likewise
    cdef Memory packed          # the weights
    cdef Memory arrays          # what the buffers point to
    cdef Memory records         # the buffers
    cdef Memory tables          # the segments, and what they point to
    cdef Memory sums            # gradients of groups, to be added up
    cdef Memory of_inputs       # gradients of embedded inputs

    def __cinit__(
        self, layers, Py_ssize_t n_outputs, bint per_step, str pooling, Py_ssize_t V, Py_ssize_t c, Py_ssize_t size,
        Py_ssize_t n_categories,
    ):
        cdef Layer* layer
        cdef int depth, d
        check_layout(layers, n_outputs, V, c, size)
        if not 0 <= n_categories <= PY_SSIZE_T_MAX // 16 // layers[0]["D"]:
            raise ValueError(f"there cannot be {n_categories} embedded categories")
        self.packed, self.arrays, self.records = Memory(), Memory(), Memory()
        self.tables, self.sums, self.of_inputs = Memory(), Memory(), Memory()
        self.net.layers = <Layer*> calloc(len(layers), sizeof(Layer))
        if self.net.layers == NULL:
            raise MemoryError()
        self.net.n_layers = len(layers)
        self.net.Q, self.net.per_step, self.net.pooling = n_outputs, per_step, pooling_named(pooling)
        self.net.V, self.net.c, self.net.size, self.net.n_categories = V, c, size, n_categories
        self.net.packed_size = 0
        for depth, description in enumerate(layers):
            layer = &self.net.layers[depth]
            layer.cell = cell_named(description["cell"], description["variant"])
            layer.variant, layer.D, layer.K = description["variant"], description["D"], description["K"]
            layer.n_directions = len(description["W"])
            layer.P = layer.n_directions * layer.K
            layer.n_terms = layer.cell.terms(layer, layer.terms)
            for d in range(layer.n_directions):
                layer.W[d], layer.U[d], layer.b[d] = description["W"][d], description["U"][d], description["b"][d]
                layer.packed[d] = self.net.packed_size
                self.net.packed_size += layer.cell.packed_size(layer)
            self.net.P = layer.P
        self.net.D = self.net.layers[0].D
        self.net.packed = self.net.packed_size
        self.net.packed_size += packed_size(1 + self.net.P, n_outputs) + packed_size(1 + n_outputs, self.net.P)
        memset(&self.settings, 0, sizeof(Job))
        self.settings.net = &self.net

    def __dealloc__(self):
        free(self.net.layers)

    def set_objective(
        self,
        str loss,
        double parameter,
        bint of_logistic,
        double alpha,
        const Py_ssize_t[:, ::1] decayed,       # (…, 2) ranges of theta that the penalty is on
        double dropout,
        double recurrent_dropout,
    ):
        """Set what `gradient` is the gradient of: a loss of the scores or of σ(scores), ½ alpha ‖θ‖², and dropout."""
        cdef Py_ssize_t i
        self.settings.loss = loss_named(loss, parameter, of_logistic, self.net.Q)
        for i in range(decayed.shape[0]):
            if not 0 <= decayed[i, 0] <= decayed[i, 1] <= self.n_parameters():
                raise ValueError(f"decayed[{i}] must be a range of the {self.n_parameters()} parameters")
        for rate in (dropout, recurrent_dropout):
            if not 0 <= rate < 1:
                raise ValueError(f"the rate of a dropout must be at least 0 and less than 1, not {rate}")
        self.alpha, self.decayed = alpha, decayed
        self.settings.dropout, self.settings.recurrent_dropout = dropout, recurrent_dropout

    def forward(
        self,
        const real[::1] theta,
        steps,                                  # IN  (total, D) real, or (total,) intp category numbers
        const Py_ssize_t[::1] starts,           # IN  (n,)
        const Py_ssize_t[::1] lengths,          # IN  (n,)
        const Py_ssize_t[::1] index,            # IN  (N,)
        const real[:, ::1] initial,             # IN  (N, width), or None for a beginning
        real[:, ::1] scores,                    # OUT (N, Q), or (steps of the batch, Q), in the order of index
        real[:, ::1] final,                     # OUT like initial, or None
        bint training,                          # with the dropout that `minimise` has set
        unsigned long long seed,                # of its masks
        Py_ssize_t max_bytes,                  # memory to work in, if one sequence a thread fits
        int n_threads,
        const Py_ssize_t[:, ::1] mask_offsets=None,    # IN  (2, n): see `Sequences.masks`
    ):
        """Scores and final states of the sequences `index`."""
        cdef Py_ssize_t i, rows, total
        cdef int workers
        cdef Batch batch
        cdef Job job
        cdef BufferNeeds needs = BufferNeeds(gradient=False, dX=False, dropout=False, recurrent_dropout=False)
        cdef real* out
        memset(&job, 0, sizeof(Job))
        job.net = &self.net
        if training:
            job.dropout, job.recurrent_dropout = self.settings.dropout, self.settings.recurrent_dropout
            job.seed = seed
            self.set_mask_offsets(&job, mask_offsets, starts.shape[0])
            needs.dropout, needs.recurrent_dropout = job.dropout > 0, job.recurrent_dropout > 0
        total = self.set_inputs(&job, theta, steps, n_threads)
        self.set_states(&job, index.shape[0], initial, final)
        rows = min(<Py_ssize_t> MAX_GROUP_ROWS, ceil_div(index.shape[0], n_threads))
        batch = batch_of(starts, lengths, index, total, rows, 0)
        while rows > 1 and self.size_of(batch, batch.max_steps(), needs) > max_bytes // n_threads:
            rows //= 2
            batch = batch_of(starts, lengths, index, total, rows, 0)
        self.check_categories(&job, batch)
        self.check_rows("scores", scores.shape[0], scores.shape[1], batch)
        out = &scores[0, 0]
        workers = self.allocate_workers(batch, batch.max_steps(), needs, max_bytes, n_threads)
        self.pack(&theta[0], False)
        job.packed = <real*> self.packed.reserve(0)
        for i in prange(batch.n_groups, nogil=True, schedule="dynamic", chunksize=1, num_threads=workers):
            forward_group(&job, &self.buffers[threadid()], &batch.groups[i], out)

    def gradient(
        self,
        const real[::1] theta,
        steps,                                  # IN  (total, D) real, or (total,) intp category numbers
        const Py_ssize_t[::1] starts,           # IN  (n,)
        const Py_ssize_t[::1] lengths,          # IN  (n,)
        const Py_ssize_t[::1] index,            # IN  (N,)
        const real[:, ::1] initial,             # IN  (N, width), or None for a beginning
        targets,                                # IN  (total or n, ...): real, or intp classes
        const double[::1] weights,              # IN  one a target, or None
        unsigned long long seed,                # of the dropout's masks
        real[:, ::1] final,                     # OUT like initial, or None
        real[::1] gradient,                     # OUT like theta; of an embedding IN zeros, and only rows in use change
        Py_ssize_t max_bytes,
        int n_threads,
        const Py_ssize_t[:, ::1] mask_offsets=None,    # IN  (2, n): see `Sequences.masks`
    ):
        """The loss of a batch with its penalty, and the weight of the batch; fills its gradient in theta."""
        cdef Batch batch
        cdef Job job = self.settings
        cdef const real[:, ::1] numbers
        cdef const Py_ssize_t[::1] classes
        cdef double value
        cdef Py_ssize_t total, n_targets
        if job.loss.of_row == NULL:
            raise ValueError("`minimise` must be called first")
        job.seed = seed
        self.set_mask_offsets(&job, mask_offsets, starts.shape[0])
        total = self.set_inputs(&job, theta, steps, n_threads)
        self.set_states(&job, index.shape[0], initial, final)
        n_targets = total if self.net.per_step else starts.shape[0]
        batch = batch_of(starts, lengths, index, total, 0, self.net.size * sizeof(real))
        self.check_categories(&job, batch)
        if not job.loss.of_classes:
            numbers = targets
            expect_shape("targets", numbers.shape[0], numbers.shape[1], n_targets, self.net.Q)
            job.targets, job.target_size = <const char*> &numbers[0, 0], self.net.Q * sizeof(real)
        else:
            classes = targets
            expect_length("targets", classes.shape[0], n_targets)
            self.check_classes(batch, &classes[0])
            job.targets, job.target_size = <const char*> &classes[0], sizeof(Py_ssize_t)
        if weights is not None:
            expect_length("weights", weights.shape[0], n_targets)
            job.weights = &weights[0]
        expect_length("gradient", gradient.shape[0], self.n_parameters())
        job.total_weight = self.weight_of(batch, job.weights)
        value = self.penalty(&theta[0], self.alpha / job.total_weight, &gradient[0])
        value += self.train(&job, batch, &theta[0], &gradient[0], max_bytes, n_threads)
        return value, job.total_weight

    def backward(
        self,
        const real[::1] theta,
        steps,                                  # IN  (total, D) real, or (total,) intp category numbers
        const Py_ssize_t[::1] starts,
        const Py_ssize_t[::1] lengths,
        const Py_ssize_t[::1] index,
        const real[:, ::1] initial,             # IN  (N, width), or None for a beginning
        const real[:, ::1] dscores,             # IN  like scores in `forward`
        real[:, ::1] dstate,                    # IN  dL/d(final states), OUT dL/d(initial states), (N, width)
        real[::1] gradient,                     # OUT like theta
        real[:, ::1] dX,                        # OUT (steps of the batch, D) in the order of index, or None
        Py_ssize_t max_bytes,
        int n_threads,
    ):
        """Gradients of a function of scores and final states, given its gradients in these."""
        cdef Batch batch
        cdef Job job
        cdef Py_ssize_t total
        memset(&job, 0, sizeof(Job))
        job.net = &self.net
        total = self.set_inputs(&job, theta, steps, n_threads)
        self.set_states(&job, index.shape[0], initial, dstate)
        job.dstate, job.final = job.final, NULL
        expect_length("gradient", gradient.shape[0], self.n_parameters())
        batch = batch_of(starts, lengths, index, total, 0, self.net.size * sizeof(real))
        self.check_categories(&job, batch)
        self.check_rows("dscores", dscores.shape[0], dscores.shape[1], batch)
        if dX is not None:
            expect_shape("dX", dX.shape[0], dX.shape[1], batch.S, self.net.D)
            job.dX = &dX[0, 0]
        job.dscores = &dscores[0, 0]
        memset(&gradient[0], 0, self.n_parameters() * sizeof(real))
        self.train(&job, batch, &theta[0], &gradient[0], max_bytes, n_threads)

    def memory(self):
        """Bytes that arrays of groups have taken so far."""
        return self.arrays.size

    cdef int pack(self, const real* theta, bint backward) except -1:
        """Arrange the weights as the products read them, forward and, where asked, backward."""
        cdef Net* net = &self.net
        cdef Layer* layer
        cdef int depth, d
        cdef real* packed = <real*> self.packed.reserve(net.packed_size * sizeof(real))
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            for d in range(layer.n_directions):
                layer.cell.pack(
                    layer, theta + layer.W[d], theta + layer.U[d], theta + layer.b[d], packed + layer.packed[d],
                    backward,
                )
        packed += net.packed
        pack_rows(packed, 1 + net.P, net.Q, 0, 1, theta + net.c, net.Q, 1)
        pack_rows(packed, 1 + net.P, net.Q, 1, net.P, theta + net.V, net.Q, 1)
        if backward:
            pack_transposed(net.P, net.Q, theta + net.V, net.Q, packed + packed_size(1 + net.P, net.Q))
        return 0

    cdef Py_ssize_t n_parameters(self) noexcept:
        """The length of theta, with the embedding."""
        return self.net.size + self.net.n_categories * self.net.D

    cdef double penalty(self, const real* theta, double alpha, real* gradient) noexcept:
        """½ α Σ θ² over the decayed ranges, and the gradient α θ; 0 elsewhere, but for the embedding."""
        cdef Py_ssize_t i, j
        cdef double total = 0
        memset(gradient, 0, self.net.size * sizeof(real))
        if alpha == 0:
            return 0
        for i in range(self.decayed.shape[0]):
            total += sum_of_squares(self.decayed[i, 1] - self.decayed[i, 0], theta + self.decayed[i, 0])
            for j in range(self.decayed[i, 0], self.decayed[i, 1]):
                gradient[j] = <real> alpha * theta[j]
        return 0.5 * alpha * total

    cdef Py_ssize_t size_of(self, Batch batch, Py_ssize_t steps, BufferNeeds needs) except? -1:
        """Bytes that the arrays of a group of so many packed steps take; -1 when they are too many to count."""
        cdef Buffers buffers
        buffers.layers = <LayerBuffers*> self.records.reserve(self.net.n_layers * sizeof(LayerBuffers))
        return lay_out_buffers(&self.net, batch.max_sequences(), steps, needs, &buffers, NULL)

    cdef int allocate_workers(
        self, Batch batch, Py_ssize_t steps, BufferNeeds needs, Py_ssize_t max_bytes, int n_threads
    ) except -1:
        """Make room for groups of so many packed steps; returns for how many threads, each with buffers of its own."""
        cdef int workers = <int> min(<Py_ssize_t> n_threads, batch.n_groups), i, n_layers = self.net.n_layers
        cdef Py_ssize_t size = self.size_of(batch, steps, needs)
        cdef LayerBuffers* layers
        cdef char* arrays
        if size < 0 or size > max(<double> ALWAYS_THERE, 4 * <double> max_bytes):
            raise MemoryError(
                f"{batch.max_sequences()} sequences of up to {batch.length[0]} steps take more than the memory; try "
                "shorter ones, a smaller batch_size or hidden_size"
            )
        workers = <int> max(1, min(<Py_ssize_t> workers, max_bytes // size))
        self.buffers = <Buffers*> self.records.reserve(workers * (sizeof(Buffers) + n_layers * sizeof(LayerBuffers)))
        layers = <LayerBuffers*> (self.buffers + workers)
        arrays = self.arrays.reserve(workers * size)
        for i in range(workers):
            self.buffers[i].layers = layers + i * n_layers
            lay_out_buffers(&self.net, batch.max_sequences(), steps, needs, &self.buffers[i], arrays + i * size)
        return workers

    cdef int reserve_segments(self, Batch batch, Py_ssize_t segment, int workers) except -1:
        """Make room for each thread's segment, and for the states between segments."""
        cdef Py_ssize_t N = batch.max_sequences(), states = 0
        cdef Arena arena
        cdef int i, pass_
        cdef Py_ssize_t rows = 0
        if segment < batch.length[0]:
            states, rows = ceil_div(batch.length[0], segment), segment + CHUNK_ROWS + 1
        arena.base = NULL
        for pass_ in range(2):
            arena.used = 0
            self.segments = <SegmentTables*> arena_alloc(&arena, workers, 1, sizeof(SegmentTables))
            for i in range(workers):
                self.lay_out_segments(&arena, rows, N, states, i)
            if arena.used < 0:
                raise MemoryError(f"sequences of {batch.length[0]} steps do not fit into memory; try shorter ones")
            if pass_ == 0:
                arena.base = self.tables.reserve(arena.used)
        return 0

    cdef int lay_out_segments(self, Arena* arena, Py_ssize_t steps, Py_ssize_t N, Py_ssize_t states, int i) noexcept:
        cdef SegmentTables own
        own.offset = <Py_ssize_t*> arena_alloc(arena, steps, 1, sizeof(Py_ssize_t))
        own.length = <Py_ssize_t*> arena_alloc(arena, N, 1, sizeof(Py_ssize_t))
        own.source = <Py_ssize_t*> arena_alloc(arena, N, 1, sizeof(Py_ssize_t))
        own.out = <Py_ssize_t*> arena_alloc(arena, N, 1, sizeof(Py_ssize_t))
        own.states = <real*> arena_alloc(arena, states * N, state_width(&self.net), sizeof(real))
        if arena.base != NULL:
            self.segments[i] = own
        return 0

    cdef double train(
        self, Job* job, Batch batch, const real* theta, real* gradient, Py_ssize_t max_bytes, int n_threads
    ) except? -1:
        """Add the gradient of the batch; returns its loss."""
        cdef Net* net = &self.net
        cdef Py_ssize_t i, alone = batch.n_groups, last, steps = batch.max_steps(), segment = batch.length[0]
        cdef Py_ssize_t left = batch.n_groups % n_threads
        cdef BufferNeeds needs = BufferNeeds(
            gradient=True, dX=job.dX != NULL or job.categories != NULL, dropout=job.dropout > 0,
            recurrent_dropout=job.recurrent_dropout > 0,
        )
        cdef Py_ssize_t size = self.size_of(batch, steps, needs)
        cdef int workers
        cdef double value = 0
        if (size < 0 or size > max_bytes) and one_direction(net) and batch.steps_of_segments() < steps:
            segment = batch.segment()
            steps = batch.steps_of_segments()
        # Whole groups to each thread. The last ones are shared out where that leaves fewer threads idle, and all are
        # where they do not fit side by side.
        elif size > max_bytes // n_threads:
            alone = 0
        elif left < min(<Py_ssize_t> n_threads, max_tiles(&batch.groups[0])):
            alone -= left
        workers = self.allocate_workers(batch, steps, needs, max_bytes, n_threads if alone > 0 else 1)
        self.reserve_segments(batch, segment, workers)
        self.pack(theta, True)
        job.packed = <real*> self.packed.reserve(0)
        if job.categories != NULL:
            job.dX = <real*> self.of_inputs.reserve(batch.S * net.D * sizeof(real))
        i = 0
        while i < alone:
            PyErr_CheckSignals()
            last = min(alone, i + workers * max(1, self.groups_at_a_time(batch) // workers))
            value = self.train_groups(job, batch, i, last, segment, gradient, value, workers)
            i = last
        for i in range(alone, batch.n_groups):
            PyErr_CheckSignals()
            value = self.train_shared(job, &batch.groups[i], gradient, value, n_threads)
        if job.categories != NULL:
            add_to_embedding(job, batch, gradient + net.size)
        return value

    cdef Py_ssize_t groups_at_a_time(self, Batch batch) noexcept:
        """How many groups to compute before looking up."""
        cdef double work = 3.0 * batch.max_steps() * self.net.size
        return <Py_ssize_t> min(ROUND_BYTES / (self.net.size * <double> sizeof(real)), ROUND_WORK / work)

    cdef double train_groups(
        self, const Job* job, Batch batch, Py_ssize_t first, Py_ssize_t last, Py_ssize_t segment, real* gradient,
        double value, int workers,
    ) except? -1:
        """Groups first .. last - 1, each by one thread: add their gradients; returns value + their losses."""
        cdef Net* net = &self.net
        cdef Py_ssize_t i, n = last - first, stride = ceil_div(net.size, VL) * VL
        cdef Py_ssize_t n_blocks = ceil_div(net.size, BLOCK)
        cdef char* memory = self.sums.reserve(n * (stride * sizeof(real) + sizeof(double)))
        cdef real* gradients = <real*> memory
        cdef double* values = <double*> (gradients + n * stride)
        cdef const Group* groups = batch.groups + first
        cdef SegmentTables* segments = self.segments
        cdef Buffers* buffers = self.buffers
        with nogil, parallel(num_threads=workers):
            for i in prange(n, schedule="dynamic", chunksize=1):
                values[i] = train_group(
                    job, &buffers[threadid()], &groups[i], segment, &segments[threadid()], gradients + i * stride
                )
            for i in prange(n_blocks - 1, schedule="static"):
                add_up(n, BLOCK, gradients + i * BLOCK, stride, gradient + i * BLOCK)
        i = (n_blocks - 1) * BLOCK
        add_up(n, net.size - i, gradients + i, stride, gradient + i)
        for i in range(n):
            value += values[i]
        return value

    cdef double train_shared(
        self, const Job* job, const Group* g, real* gradient, double value, int n_threads
    ) except? -1:
        """One group by all threads: adds its gradient, returns value + its loss."""
        cdef Net* net = &self.net
        cdef Buffers* buffers = self.buffers
        cdef Py_ssize_t i, n_tiles = min(<Py_ssize_t> n_threads, max_tiles(g))
        cdef Py_ssize_t max_elements = ceil_div(net.size, 4 * n_threads), n_parts = all_parts(net, max_elements, NULL)
        cdef char* memory = self.sums.reserve(
            net.size * sizeof(real) + n_parts * sizeof(Part) + (n_tiles + 1) * sizeof(Py_ssize_t) + 2 * ALIGNMENT
        )
        cdef Part* parts = <Part*> memory
        cdef Py_ssize_t* tiles = <Py_ssize_t*> (parts + n_parts)
        cdef real* own = <real*> (tiles + n_tiles + 1)
        all_parts(net, max_elements, parts)
        cut_tiles(g, n_tiles, tiles)
        memset(own, 0, net.size * sizeof(real))
        with nogil, parallel(num_threads=n_threads):
            for i in prange(n_tiles, schedule="dynamic", chunksize=1):
                if tiles[i] < tiles[i + 1]:
                    train_tile(job, buffers, g, tiles[i], tiles[i + 1])
            for i in prange(n_parts, schedule="dynamic", chunksize=1):
                train_part(net, buffers, g, &parts[i], own)
        add_up(1, net.size, own, 0, gradient)
        return value + loss_of_group(net, buffers, g, 0) if job.loss.of_row != NULL else value

    cdef double weight_of(self, Batch batch, const double* weights) except? -1:
        """Σ w over the batch's sequences or steps."""
        cdef double total = 0
        cdef Py_ssize_t i, t
        if weights == NULL:
            return batch.S if self.net.per_step else batch.N
        for i in range(batch.N):
            if self.net.per_step:
                for t in range(batch.length[i]):
                    total += weights[batch.source[i] + t]
            else:
                total += weights[batch.sample[i]]
        if not total > 0:
            raise ValueError("the weights of a batch must have a positive sum")
        return total

    cdef Py_ssize_t set_inputs(self, Job* job, const real[::1] theta, steps, int n_threads) except -1:
        """What a run reads: steps of numbers, or rows of the embedding; returns how many steps there are."""
        cdef const real[:, ::1] values
        cdef const Py_ssize_t[::1] categories
        expect_length("theta", theta.shape[0], self.n_parameters())
        if not 1 <= n_threads <= MAX_THREADS:
            raise ValueError(f"n_threads={n_threads} must be between 1 and {MAX_THREADS}")
        if self.net.n_categories == 0:
            values = steps
            expect_shape("steps", values.shape[0], values.shape[1], values.shape[0], self.net.D)
            job.values = &values[0, 0]
            return values.shape[0]
        categories = steps
        job.values, job.categories = &theta[0] + self.net.size, &categories[0]
        return categories.shape[0]

    cdef int set_states(
        self, Job* job, Py_ssize_t N, const real[:, ::1] initial, real[:, ::1] final
    ) except -1:
        if initial is not None:
            expect_shape("initial", initial.shape[0], initial.shape[1], N, state_width(&self.net))
            job.initial = &initial[0, 0]
        if final is not None:
            expect_shape("final", final.shape[0], final.shape[1], N, state_width(&self.net))
            job.final = &final[0, 0]
        return 0

    cdef int set_mask_offsets(self, Job* job, const Py_ssize_t[:, ::1] mask_offsets, Py_ssize_t n) except -1:
        if mask_offsets is not None:
            expect_shape("masks", mask_offsets.shape[0], mask_offsets.shape[1], 2, n)
            job.mask_offset, job.mask_number = &mask_offsets[0, 0], &mask_offsets[1, 0]
        return 0

    cdef int check_categories(self, const Job* job, Batch batch) except -1:
        cdef Py_ssize_t i, t
        if job.categories == NULL:
            return 0
        for i in range(batch.N):
            for t in range(batch.source[i], batch.source[i] + batch.length[i]):
                if not 0 <= job.categories[t] < self.net.n_categories:
                    raise ValueError(f"steps[{t}]={job.categories[t]} must be a category from 0 to {self.net.n_categories - 1}")
        return 0

    cdef int check_rows(self, str name, Py_ssize_t rows, Py_ssize_t columns, Batch batch) except -1:
        return expect_shape(name, rows, columns, batch.S if self.net.per_step else batch.N, self.net.Q)

    cdef int check_classes(self, Batch batch, const Py_ssize_t* classes) except -1:
        cdef Py_ssize_t i, t, row
        for i in range(batch.N):
            for t in range(batch.length[i] if self.net.per_step else 1):
                row = batch.source[i] + t if self.net.per_step else batch.sample[i]
                check_class(classes[row], row, self.net.Q)
        return 0


cdef enum:
    MAX_THREADS = 1024         # the runtime may end the process when it is asked for too many
    ALWAYS_THERE = 16777216     # bytes that are not worth a refusal
    ROUND_BYTES = 67108864         # gradients of groups that wait to be added up
    ROUND_WORK = 1073741824        # multiply-adds, a tenth of a second: Ctrl-C has to be heard
    BLOCK = 4096                # numbers that a thread adds up at a time


cdef void add_to_embedding(const Job* job, Batch batch, real* gradient) noexcept:
    """Add the gradient of every step's input to its category's row (n_ids, D), in the order of the batch."""
    cdef Py_ssize_t i, t, j, D = job.net.D
    cdef real* row
    cdef const real* dx
    for i in range(batch.N):
        for t in range(batch.length[i]):
            row = gradient + job.categories[batch.source[i] + t] * D
            dx = job.dX + (batch.out[i] + t) * D
            for j in range(D):
                row[j] = row[j] + dx[j]


cdef int pooling_named(str name) except -1:
    if name not in ("last", "mean", "max"):
        raise ValueError(f"there is no pooling {name!r}")
    return ("last", "mean", "max").index(name)


cdef int expect_length(str name, Py_ssize_t length, Py_ssize_t expected) except -1:
    if length != expected:
        raise ValueError(f"{name} has shape ({length},), expected ({expected},)")
    return 0


cdef int expect_shape(
    str name, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t expected_rows, Py_ssize_t expected_columns
) except -1:
    if rows != expected_rows or columns != expected_columns:
        raise ValueError(f"{name} has shape {(rows, columns)}, expected {(expected_rows, expected_columns)}")
    return 0


def check_layout(layers, n_outputs, V, c, size):
    """Raise a ValueError where a network's layers do not fit together, or its parameters not into `size` numbers."""
    below = None
    places = []
    for number, layer in enumerate(layers):
        D, K, n_directions = layer["D"], layer["K"], len(layer["W"])
        cell = cell_named(layer["cell"], layer["variant"])
        if D < 1 or K < 1 or n_directions not in (1, 2) or not len(layer["U"]) == len(layer["b"]) == n_directions:
            raise ValueError(f"layer {number} must have inputs, units, and one direction or two")
        if below not in (None, D):
            raise ValueError(f"layer {number} has {D} inputs, the layer below has {below} outputs")
        for name, rows in (("W", D), ("U", K), ("b", cell.n_biases)):
            places += [(start, rows * cell.n_gates * K) for start in layer[name]]
        below = n_directions * K
    if below is None or n_outputs < 1:
        raise ValueError("a network must have a layer and an output")
    places += [(V, below * n_outputs), (c, n_outputs)]
    if any(start < 0 or start + extent > size for start, extent in places):
        raise ValueError(f"the parameters must lie within the {size} numbers of theta")
