# The door: a network's kernels as Python sees them. Here arguments are checked, memory is taken, and threads begin.


cdef class Engine:
    """The kernels of a network of one dtype, with the memory they work in.

    Parameters
    ----------
    layers : list of dict
        From the input upwards: ``cell``, ``variant``, ``D``, ``K``, and ``W``, ``U``, ``b``: for each direction where the
        parameter begins in theta.
    n_outputs : int
        Q.
    per_step : bool
        The head reads every step of the top layer, or else the last state of every sequence.
    V, c, size : int
        Where the head's parameters begin in theta, and how long that is.
    """
    cdef Net net
    cdef Memory packed          # the weights
    cdef Memory arrays          # of a batch
    cdef Memory shared_parts

    def __cinit__(self, layers, Py_ssize_t n_outputs, bint per_step, Py_ssize_t V, Py_ssize_t c, Py_ssize_t size):
        cdef Layer* layer
        cdef int depth, d
        self.packed, self.arrays, self.shared_parts = Memory(), Memory(), Memory()
        self.net.layers = <Layer*> calloc(len(layers), sizeof(Layer))
        if self.net.layers == NULL:
            raise MemoryError()
        self.net.n_layers = len(layers)
        self.net.Q, self.net.per_step = n_outputs, per_step
        self.net.V, self.net.c, self.net.size = V, c, size
        self.net.packed_size = 0
        for depth, description in enumerate(layers):
            layer = &self.net.layers[depth]
            layer.cell = cell_named(description["cell"], description["variant"])
            layer.variant, layer.D, layer.K = description["variant"], description["D"], description["K"]
            layer.n_directions = len(description["W"])
            layer.P = layer.n_directions * layer.K
            layer.n_terms = layer.cell.terms(layer, layer.terms)
            for d in range(layer.n_directions):
                layer.W[d], layer.U[d], layer.b[d] = (description[name][d] for name in "WUb")
                layer.packed[d] = self.net.packed_size
                self.net.packed_size += layer.cell.packed_size(layer)
            self.net.P = layer.P
        self.net.D = self.net.layers[0].D
        self.net.packed = self.net.packed_size
        self.net.packed_size += packed_size(1 + self.net.P, n_outputs) + packed_size(1 + n_outputs, self.net.P)

    def __dealloc__(self):
        free(self.net.layers)

    def forward(
        self,
        const real[::1] theta,
        const real[:, ::1] values,              # IN  (total, D)
        const Py_ssize_t[::1] starts,           # IN  (n,)
        const Py_ssize_t[::1] lengths,          # IN  (n,)
        const Py_ssize_t[::1] index,            # IN  (N,)
        const real[::1] initial,                # IN  (N · states,) see `state_size`, or None for zeros
        real[:, ::1] scores,                    # OUT (N, Q), or (steps of the batch, Q), in the order of index
        real[::1] final,                        # OUT like initial, or None
        Py_ssize_t most_bytes,                  # memory to work in, if one sequence a thread does with it
        int n_threads,
    ):
        """Scores and final states of the sequences `index`."""
        cdef Py_ssize_t N = index.shape[0], i, size, longest = 0
        cdef int n_layers = self.net.n_layers, threads, thread
        cdef Batch batch
        cdef Buffers* buffers
        cdef Run run
        cdef Buffers sizes
        cdef LayerBuffers* layers
        cdef const real* initial_states = &initial[0] if initial is not None else NULL
        cdef real* final_states = &final[0] if final is not None else NULL
        cdef real* out
        self.check_inputs(theta, values, n_threads)
        self.check_state("initial", initial_states, initial.shape[0] if initial is not None else 0, N)
        self.check_state("final", final_states, final.shape[0] if final is not None else 0, N)
        batch = Batch(starts, lengths, index, values.shape[0], min(<Py_ssize_t> GROUP_ROWS, pieces(N, n_threads)))
        self.check_rows("scores", scores.shape[0], scores.shape[1], batch)
        out = &scores[0, 0]
        threads = <int> min(<Py_ssize_t> n_threads, batch.n_groups)
        layers = <LayerBuffers*> calloc(threads * n_layers, sizeof(LayerBuffers))
        buffers = <Buffers*> calloc(threads, sizeof(Buffers))
        try:
            if layers == NULL or buffers == NULL:
                raise MemoryError()
            sizes.layers = layers
            for i in range(batch.n_groups):
                longest = max(longest, batch.steps(i))
            size = carve(&self.net, batch.groups[batch.n_groups - 1].n + 1, longest, False, False, &sizes, NULL)
            if size < 0 or size > PY_SSIZE_T_MAX // (2 * threads):
                raise MemoryError(f"the states of {GROUP_ROWS} sequences do not fit into memory")
            self.arrays.reserve(size * threads)
            for thread in range(threads):
                buffers[thread].layers = layers + thread * n_layers
                carve(
                    &self.net, batch.groups[batch.n_groups - 1].n + 1, longest, False, False, &buffers[thread],
                    self.arrays.reserve(0) + thread * size,
                )
            self.pack(&theta[0])
            run = Run(net=&self.net, packed=<real*> self.packed.reserve(0), values=&values[0, 0], loss=NULL)
            for i in prange(batch.n_groups, nogil=True, schedule="dynamic", chunksize=1, num_threads=threads):
                forward_group(&run, &buffers[threadid()], &batch.groups[i], batch.N, initial_states, out, final_states)
        finally:
            free(layers)
            free(buffers)

    def gradient(
        self,
        const real[::1] theta,
        const real[:, ::1] values,              # IN  (total, D)
        const Py_ssize_t[::1] starts,           # IN  (n,)
        const Py_ssize_t[::1] lengths,          # IN  (n,)
        const Py_ssize_t[::1] index,            # IN  (N,)
        targets,                                # IN  (total or n, ...): real, or intp classes
        const double[::1] weights,              # IN  one a target, or None
        str loss,
        double alpha,
        const Py_ssize_t[:, ::1] decayed,       # IN  (…, 2) ranges of theta that the penalty is on
        real[::1] gradient,                     # OUT like theta
        Py_ssize_t most_bytes,
        int n_threads,
    ):
        """The loss of a batch with its penalty, and the weight of the batch; fills its gradient in theta."""
        cdef Batch batch
        cdef Run run
        cdef const real[:, ::1] numbers
        cdef const Py_ssize_t[::1] classes
        cdef double value
        cdef Py_ssize_t n_targets = values.shape[0] if self.net.per_step else starts.shape[0]
        self.check_inputs(theta, values, n_threads)
        run = Run(net=&self.net, values=&values[0, 0], loss=loss_named(loss), weights=NULL)
        batch = Batch(starts, lengths, index, values.shape[0], GROUP_ROWS)
        if loss == "squared_error":
            numbers = targets
            expect("targets", (numbers.shape[0], numbers.shape[1]), (n_targets, self.net.Q))
            run.targets, run.target_size = <const char*> &numbers[0, 0], self.net.Q * sizeof(real)
        else:
            classes = targets
            expect("targets", (classes.shape[0],), (n_targets,))
            self.check_classes(batch, &classes[0])
            run.targets, run.target_size = <const char*> &classes[0], sizeof(Py_ssize_t)
        if weights is not None:
            expect("weights", (weights.shape[0],), (n_targets,))
            run.weights = &weights[0]
        expect("gradient", (gradient.shape[0],), (self.net.size,))
        run.total_weight = self.weight_of(batch, run.weights)
        value = self.penalty(&theta[0], alpha / run.total_weight, decayed, &gradient[0])
        value += self.train(&run, batch, &theta[0], NULL, NULL, NULL, NULL, &gradient[0], most_bytes, n_threads)
        return value, run.total_weight

    def backward(
        self,
        const real[::1] theta,
        const real[:, ::1] values,
        const Py_ssize_t[::1] starts,
        const Py_ssize_t[::1] lengths,
        const Py_ssize_t[::1] index,
        const real[::1] initial,                # IN  states, or None
        const real[:, ::1] dscores,             # IN  like scores in `forward`
        real[::1] dstate,                       # IN  dL/d(final states), OUT dL/d(initial states)
        real[::1] gradient,                     # OUT like theta
        real[:, ::1] dX,                        # OUT (steps of the batch, D) in the order of index, or None
        Py_ssize_t most_bytes,
        int n_threads,
    ):
        """Gradients of a function of scores and final states, given its gradients in these."""
        cdef Batch batch
        cdef Run run
        cdef Py_ssize_t N = index.shape[0]
        cdef real* dX_rows = NULL
        cdef const real* initial_states = &initial[0] if initial is not None else NULL
        self.check_inputs(theta, values, n_threads)
        self.check_state("initial", initial_states, initial.shape[0] if initial is not None else 0, N)
        self.check_state("dstate", &dstate[0], dstate.shape[0], N)
        expect("gradient", (gradient.shape[0],), (self.net.size,))
        batch = Batch(starts, lengths, index, values.shape[0], GROUP_ROWS)
        self.check_rows("dscores", dscores.shape[0], dscores.shape[1], batch)
        if dX is not None:
            expect("dX", (dX.shape[0], dX.shape[1]), (batch.S, self.net.D))
            dX_rows = &dX[0, 0]
        run = Run(net=&self.net, values=&values[0, 0], loss=NULL, weights=NULL)
        memset(&gradient[0], 0, self.net.size * sizeof(real))
        self.train(
            &run, batch, &theta[0], initial_states, &dscores[0, 0], &dstate[0], dX_rows, &gradient[0], most_bytes,
            n_threads,
        )

    def state_size(self, Py_ssize_t n_sequences):
        """Numbers in the states of so many sequences: for each layer and direction (states, N, K), one after the other."""
        return n_sequences * state_width(&self.net)

    cdef int pack(self, const real* theta) except -1:
        """Arrange the weights as the products read them."""
        cdef Net* net = &self.net
        cdef Layer* layer
        cdef int depth, d
        cdef real* packed = <real*> self.packed.reserve(net.packed_size * sizeof(real))
        for depth in range(net.n_layers):
            layer = &net.layers[depth]
            for d in range(layer.n_directions):
                layer.cell.pack(
                    layer, theta + layer.W[d], theta + layer.U[d], theta + layer.b[d], packed + layer.packed[d]
                )
        packed += net.packed
        pack_rows(packed, 1 + net.P, net.Q, 0, 1, theta + net.c, net.Q, 1)
        pack_rows(packed, 1 + net.P, net.Q, 1, net.P, theta + net.V, net.Q, 1)
        pack_transposed(net.P, net.Q, theta + net.V, net.Q, packed + packed_size(1 + net.P, net.Q))
        return 0

    cdef double penalty(
        self, const real* theta, double alpha, const Py_ssize_t[:, ::1] decayed, real* gradient
    ) except? -1:
        """½ α Σ θ² over the decayed ranges, and the gradient α θ; 0 elsewhere."""
        cdef Py_ssize_t i, j
        cdef double total = 0
        memset(gradient, 0, self.net.size * sizeof(real))
        if alpha == 0:
            return 0
        for i in range(decayed.shape[0]):
            if not 0 <= decayed[i, 0] <= decayed[i, 1] <= self.net.size:
                raise ValueError(f"decayed[{i}] must be a range of the {self.net.size} parameters")
            total += sum_of_squares(decayed[i, 1] - decayed[i, 0], theta + decayed[i, 0])
            for j in range(decayed[i, 0], decayed[i, 1]):
                gradient[j] = <real> alpha * theta[j]
        return 0.5 * alpha * total

    cdef double train(
        self, Run* run, Batch batch, const real* theta, const real* initial, const real* dscores, real* dstate,
        real* dX, real* gradient, Py_ssize_t most_bytes, int n_threads,
    ) except? -1:
        """Forward and backward over all groups, as many at a time as fit into `most_bytes`; returns the loss."""
        cdef Py_ssize_t first = 0, last, size
        cdef double value = 0
        cdef Buffers buffers
        cdef LayerBuffers* layers = <LayerBuffers*> calloc(self.net.n_layers, sizeof(LayerBuffers))
        if layers == NULL:
            raise MemoryError()
        buffers.layers = layers
        try:
            self.pack(theta)
            run.packed = <real*> self.packed.reserve(0)
            while first < batch.n_groups:
                last = self.groups_that_fit(batch, first, dX != NULL, most_bytes, &buffers)
                batch.line_up(first, last)
                value = self.train_groups(
                    run, batch, first, last, &buffers, initial, dscores, dstate, dX, gradient, value, n_threads
                )
                first = last
        finally:
            free(layers)
        return value

    cdef Py_ssize_t groups_that_fit(
        self, Batch batch, Py_ssize_t first, bint need_dX, Py_ssize_t most_bytes, Buffers* buffers
    ) except -1:
        """End of the range of groups from `first` on whose arrays fit; takes memory and lays them out."""
        cdef Py_ssize_t last = first, N = 0, S = 0, size = 0, fits = 0
        while last < batch.n_groups:
            fits = carve(
                &self.net, N + batch.groups[last].n, S + batch.steps(last), True, need_dX, buffers, NULL
            )
            if last > first and (fits < 0 or fits > most_bytes):
                break
            N, S, size = N + batch.groups[last].n, S + batch.steps(last), fits
            last += 1
            if fits < 0:
                break
        if size < 0:
            raise MemoryError(f"the states of {N} sequences do not fit into memory")
        carve(&self.net, N, S, True, need_dX, buffers, self.arrays.reserve(size))
        return last

    cdef double train_groups(
        self, const Run* run, Batch batch, Py_ssize_t first, Py_ssize_t last, const Buffers* buffers,
        const real* initial, const real* dscores, real* dstate, real* dX, real* gradient, double value, int n_threads,
    ) except? -1:
        """Forward and backward over groups first .. last - 1; adds to the gradient, returns value + their losses."""
        cdef Net* net = &self.net
        cdef Group* groups = batch.groups + first
        cdef Py_ssize_t n_groups = last - first, n_tiles, n_parts, i, scratch_size = GROUP_ROWS
        cdef Py_ssize_t most_elements = PY_SSIZE_T_MAX if n_threads == 1 else pieces(net.size, 4 * n_threads)
        cdef int threads, depth
        cdef Tile* tiles
        cdef Part* parts
        cdef char* memory
        cdef real* scratch
        n_tiles = cut_tiles(groups, n_groups, n_threads, NULL)
        n_parts = all_parts(net, most_elements, NULL)
        for depth in range(net.n_layers):
            scratch_size = max(scratch_size, GROUP_ROWS * net.layers[depth].D + ALIGNMENT)
        memory = self.shared_parts.reserve(
            n_tiles * sizeof(Tile) + n_parts * sizeof(Part) + 2 * ALIGNMENT
            + n_threads * scratch_size * sizeof(real)
        )
        tiles = <Tile*> memory
        parts = <Part*> (tiles + n_tiles)
        scratch = <real*> (parts + n_parts)
        cut_tiles(groups, n_groups, n_threads, tiles)
        all_parts(net, most_elements, parts)
        threads = <int> min(<Py_ssize_t> n_threads, max(n_tiles, n_parts))
        with nogil, parallel(num_threads=threads):
            for i in prange(n_tiles, schedule="dynamic", chunksize=1):
                train_tile(
                    run, buffers, &groups[tiles[i].group], tiles[i].first, tiles[i].last, batch.N,
                    initial, dscores, dstate, dX, scratch + threadid() * scratch_size,
                )
            for i in prange(n_parts, schedule="dynamic", chunksize=1):
                train_part(net, buffers, groups, n_groups, &parts[i], gradient)
        if run.loss != NULL:
            for i in range(n_groups):
                value = loss_of_group(net, buffers, &groups[i], groups[i].length[0], value)
        return value

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

    cdef int check_inputs(self, const real[::1] theta, const real[:, ::1] values, int n_threads) except -1:
        expect("theta", (theta.shape[0],), (self.net.size,))
        expect("values", (values.shape[0], values.shape[1]), (values.shape[0], self.net.D))
        if not 1 <= n_threads <= MOST_THREADS:
            raise ValueError(f"n_threads={n_threads} must be between 1 and {MOST_THREADS}")
        return 0

    cdef int check_state(self, str name, const real* state, Py_ssize_t size, Py_ssize_t N) except -1:
        if state != NULL:
            expect(name, (size,), (N * state_width(&self.net),))
        return 0

    cdef int check_rows(self, str name, Py_ssize_t rows, Py_ssize_t columns, Batch batch) except -1:
        return expect(name, (rows, columns), (batch.S if self.net.per_step else batch.N, self.net.Q))

    cdef int check_classes(self, Batch batch, const Py_ssize_t* classes) except -1:
        cdef Py_ssize_t i, t, row, highest = max(1, self.net.Q - 1)
        for i in range(batch.N):
            for t in range(batch.length[i] if self.net.per_step else 1):
                row = batch.source[i] + t if self.net.per_step else batch.sample[i]
                if not 0 <= classes[row] <= highest:
                    raise ValueError(f"targets[{row}]={classes[row]} must be a class from 0 to {highest}")
        return 0


cdef enum:
    MOST_THREADS = 1024         # the runtime may end the process when it is asked for too many
    TILE_ROWS = 32              # at most: what a tile works on at a step stays in the caches


cdef struct Tile:
    Py_ssize_t group
    Py_ssize_t first
    Py_ssize_t last


cdef Py_ssize_t cut_tiles(const Group* groups, Py_ssize_t n_groups, int n_threads, Tile* tiles) noexcept nogil:
    """Tiles of about equally many steps, enough for the threads; returns how many, and fills them in unless NULL."""
    cdef Py_ssize_t i, r, first, steps, done, total, count = 0, wanted, before
    for i in range(n_groups):
        wanted = max(pieces(groups[i].n, TILE_ROWS), min(pieces(n_threads, n_groups), pieces(groups[i].n, 4)))
        total = groups[i].offset[groups[i].length[0]] - groups[i].offset[0]
        first, done, before = 0, 0, count
        for r in range(groups[i].n):
            done += groups[i].length[r]
            if r + 1 == groups[i].n or done * wanted >= (count - before + 1) * total:
                if tiles != NULL:
                    tiles[count] = Tile(group=i, first=first, last=r + 1)
                count += 1
                first = r + 1
    return count


cdef Py_ssize_t state_width(const Net* net) noexcept nogil:
    """Numbers in the states of one sequence."""
    cdef Py_ssize_t width = 0
    cdef int depth
    for depth in range(net.n_layers):
        width += net.layers[depth].n_directions * net.layers[depth].cell.n_states * net.layers[depth].K
    return width


cdef void load_states(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last, Py_ssize_t N,
    const real* initial,
) noexcept nogil:
    """Set the states before the first step, from (states, N, K) for each track or to zero."""
    cdef const Layer* layer
    cdef const Track* track
    cdef real* to
    cdef Py_ssize_t r, p, K
    cdef int depth, d
    for depth in range(net.n_layers):
        layer = &net.layers[depth]
        K = layer.K
        for d in range(layer.n_directions):
            track = &buffers.layers[depth].track[d]
            for p in range(layer.cell.n_states):
                for r in range(first, last):
                    to = track.states + p * track.plane + (state_before(track, g, 0) + r) * K
                    if initial != NULL:
                        memcpy(to, initial + (p * N + g.place[r]) * K, K * sizeof(real))
                    else:
                        memset(to, 0, K * sizeof(real))
            if initial != NULL:
                initial += layer.cell.n_states * N * K


cdef void save_states(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last, Py_ssize_t N, real* final
) noexcept nogil:
    """The states after each sequence's last step."""
    cdef const Layer* layer
    cdef const Track* track
    cdef Py_ssize_t r, p, K
    cdef int depth, d
    for depth in range(net.n_layers):
        layer = &net.layers[depth]
        K = layer.K
        for d in range(layer.n_directions):
            track = &buffers.layers[depth].track[d]
            for p in range(layer.cell.n_states):
                for r in range(first, last):
                    memcpy(
                        final + (p * N + g.place[r]) * K,
                        track.states + p * track.plane + (state_after(track, g, g.length[r] - 1) + r) * K,
                        K * sizeof(real),
                    )
            final += layer.cell.n_states * N * K


cdef void copy_dstates(
    const Net* net, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last, Py_ssize_t N,
    real* dstate, bint out,
) noexcept nogil:
    """Between dstate, (states, N, K) for each track, and the tracks' own; with NULL these become zero."""
    cdef const Layer* layer
    cdef const Track* track
    cdef real* own
    cdef Py_ssize_t r, p, K
    cdef int depth, d
    for depth in range(net.n_layers):
        layer = &net.layers[depth]
        K = layer.K
        for d in range(layer.n_directions):
            track = &buffers.layers[depth].track[d]
            for p in range(layer.cell.n_states):
                for r in range(first, last):
                    own = track.dstate + p * track.dplane + (g.row + r) * K
                    if dstate == NULL:
                        memset(own, 0, K * sizeof(real))
                    elif out:
                        memcpy(dstate + (p * N + g.place[r]) * K, own, K * sizeof(real))
                    else:
                        memcpy(own, dstate + (p * N + g.place[r]) * K, K * sizeof(real))
            if dstate != NULL:
                dstate += layer.cell.n_states * N * K


cdef void copy_rows(
    const Group* g, Py_ssize_t first, Py_ssize_t last, Py_ssize_t width, bint per_step, real* own, real* outer, bint out
) noexcept nogil:
    """Between a group's rows, packed, and the caller's: (…, width) with a row a step, or a row a sequence."""
    cdef Py_ssize_t t, r, row, other
    for r in range(first, last):
        for t in range(g.length[r] if per_step else 1):
            row = (g.offset[t] + r if per_step else g.row + r) * width
            other = (g.out[r] + t if per_step else g.place[r]) * width
            if out:
                memcpy(outer + other, own + row, width * sizeof(real))
            else:
                memcpy(own + row, outer + other, width * sizeof(real))


cdef void forward_group(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t N, const real* initial, real* scores, real* final
) noexcept nogil:
    """A group's scores and final states, in the caller's order."""
    cdef unsigned long long mode = flush_denormals()
    load_states(run.net, buffers, g, 0, g.n, N, initial)
    forward_tile(run, buffers, g, 0, g.n)
    copy_rows(g, 0, g.n, run.net.Q, run.net.per_step, buffers.scores, scores, True)
    if final != NULL:
        save_states(run.net, buffers, g, 0, g.n, N, final)
    restore_mode(mode)


cdef void train_tile(
    const Run* run, const Buffers* buffers, const Group* g, Py_ssize_t first, Py_ssize_t last, Py_ssize_t N,
    const real* initial, const real* dscores, real* dstate, real* dX, real* scratch,
) noexcept nogil:
    """Forward and back; dscores from the loss, or from the caller where there is none."""
    cdef const Net* net = run.net
    cdef unsigned long long mode = flush_denormals()
    load_states(net, buffers, g, first, last, N, initial)
    forward_tile(run, buffers, g, first, last)
    if run.loss != NULL:
        loss_of_tile(run, buffers, g, first, last)
    else:
        copy_rows(g, first, last, net.Q, net.per_step, buffers.dscores, <real*> dscores, False)
    copy_dstates(net, buffers, g, first, last, N, dstate, False)
    backward_tile(run, buffers, g, first, last, scratch)
    if dstate != NULL:
        copy_dstates(net, buffers, g, first, last, N, dstate, True)
    if dX != NULL:
        copy_rows(g, first, last, net.D, True, buffers.dX, dX, True)
    restore_mode(mode)


cdef void train_part(
    const Net* net, const Buffers* buffers, const Group* groups, Py_ssize_t n_groups, const Part* part, real* gradient
) noexcept nogil:
    cdef unsigned long long mode = flush_denormals()
    run_part(net, buffers, groups, n_groups, part, gradient)
    restore_mode(mode)


cdef int expect(name, actual, expected) except -1:
    if actual != expected:
        raise ValueError(f"{name} has shape {actual}, expected {expected}")
    return 0
