# The interface to Python: a network's kernels, with the checks of their arguments.
#
# Arguments that the methods share, for N sequences of S steps in all, of a network with P parameters and Q outputs. R
# is N, or S where the head reads every step; rows are in the order of `inputs.index`.
#   theta       IN      (P,)
#   inputs      IN      an Inputs, see inputs.py
#   scores      OUT     (R, Q)
#   final       OUT     (N, width) states after the last steps
#   gradient    OUT     (P,); of embeddings IN, OUT: the rows of the batch's categories are added to, others left
#   dX          OUT     (S, F) gradient in the steps; 0 in categories
#   trace       OUT     (S, n) the states of all layers after every step, n numbers; see Job for patches
#   dstates     OUT     (S, n) gradient in them, each state by itself: through the output of its step and all later ones
#   seed                of the masks of dropout
#   max_bytes           to work in; more is taken where a single group needs more
#   n_threads           at most; no bit of any result depends on it


cdef class Engine:
    """The kernels of a network for one dtype, with the memory that they work in: for one thread of Python at a time.

    Parameters
    ----------
    layers : list of dict
        From the input upwards: ``cell``, ``variant``, ``D``, ``K``, and ``W``, ``U``, ``b``: for each direction where
        the parameter begins in theta.
    n_outputs : int
        Q.
    V, c, size : int
        Where the head's parameters begin in theta, and the number of all these parameters.
    per_step : bool
        Whether the head reads every step of the top layer, or else one vector of every sequence.
    pooling : str
        Which vector: one of POOLINGS.
    n_categories : int
        Rows of the embedding (n_categories, D), which follows the other parameters in theta, where each step is a
        category; 0 where it has features.
    patch : pair of int, optional
        Size and stride: the D inputs are those of so many steps, from every stride-th step on. None: one step.
    units : pair of (F,) float64 arrays, optional
        Center and scale of each feature: numbers are read as (x − center) · (1 / scale). None: as they are.
    embeddings : sequence of C triples of int
        Of the last C of the F features, which are categories: where the embedding (n_categories, dim) begins in theta,
        n_categories and dim. Of a step the F − C numbers are read, then the embeddings side by side.
    n_static : int
        Static features of a sequence, numbers in its states that the head reads after all others.
    n_parameters : int, optional
        The length of theta, P, which may end with numbers that the kernels do not know and whose gradient is left as it
        is. None: it ends with the last embedding.
    decay : dict, optional
        Of what is missing and of states, see decay.pxi: ``n``, the number of features that decay; ``indicators``, the
        column of their first indicator; where in theta ``w`` begins, with ``b`` after it, and for each direction ``W``
        and ``b``. A step of the caller then has n · directions numbers more, between its numbers and its categories.
    """
    cdef Net net
    cdef Py_ssize_t n_parameters    # the length of theta
    cdef Memory embeddings          # what net.embeddings points to
    cdef Memory units               # what net.center and net.inverse point to
    cdef Job settings               # what all batches have in common
    cdef double alpha
    cdef const Py_ssize_t[:, ::1] decayed
    cdef const double[::1] loss_parameters      # which settings.loss points to
    cdef Memory packed              # the weights
    cdef bint is_packed
    cdef Workspace space
    cdef Workspace single_space     # of `forward`, for one sequence alone
    cdef Batch single               # that of the last call, while it has its place in there
    cdef Workspace stream_space     # of `step`, for the streams
    cdef Batch streams
    cdef Memory team                # what the threads of a team have each, see sharing.pxi
    cdef double next_team           # when there may be a team again, in seconds
    cdef Py_ssize_t n_shared        # calls with a team
    cdef Py_ssize_t n_abandoned     # and those of them that the thread that called ended alone
    cdef int stream_threads         # that were asked for
    cdef int stream_workers         # and that have groups and buffers

    def __cinit__(
        self, layers, *, Py_ssize_t n_outputs, Py_ssize_t V, Py_ssize_t c, Py_ssize_t size, bint per_step=False,
        str pooling="last", Py_ssize_t n_categories=0, patch=None, units=None, embeddings=(), Py_ssize_t n_static=0,
        n_parameters=None, decay=None,
    ):
        self.net.per_step = per_step
        self.net.pooling = LAST if per_step else pooling_named(pooling)
        if n_static < 0:
            raise ValueError(f"n_static={n_static} must not be negative")
        check_layout(layers, n_read(self.net.pooling), n_static, n_outputs, V, c, size)
        check_patch(patch, layers[0]["D"], per_step, n_categories)
        if n_categories != 0 and len(embeddings) > 0:
            raise ValueError("steps are categories, or have features that are: n_categories or embeddings, not both")
        self.packed, self.team = Memory(), Memory()
        self.space, self.single_space, self.stream_space = Workspace(), Workspace(), Workspace()
        self.next_team = self.n_shared = self.n_abandoned = 0
        self.net.layers = <Layer*> calloc(len(layers), sizeof(Layer))
        if self.net.layers == NULL:
            raise MemoryError()
        self.net.n_layers = len(layers)
        self.net.Q, self.net.V, self.net.c, self.net.size = n_outputs, V, c, size
        self.net.Z = n_static
        self.net.packed_size = 0
        for depth, description in enumerate(layers):
            self.set_layer(&self.net.layers[depth], description)
        self.net.D, self.net.P = self.net.layers[0].D, self.net.layers[self.net.n_layers - 1].P
        self.net.H = n_read(self.net.pooling) * self.net.P + self.net.Z
        self.net.patch_size, self.net.patch_stride = patch or (1, 1)
        self.net.width = self.net.D // self.net.patch_size
        self.net.of_categories = n_categories != 0
        self.set_embeddings(
            [(size, n_categories, self.net.D)] if self.net.of_categories else list(embeddings), n_parameters
        )
        self.net.decay.n = 0
        if decay is not None:
            self.set_decay(decay, patch)
        self.net.center = self.net.inverse = NULL
        if units is not None:
            self.set_units(units[0], units[1])
        self.net.packed = self.net.packed_size
        self.net.packed_size += packed_size(1 + self.net.H, n_outputs) + packed_size(1 + n_outputs, self.net.H)
        memset(&self.settings, 0, sizeof(Job))
        self.settings.net = &self.net

    def __dealloc__(self):
        free(self.net.layers)

    cdef int set_layer(self, Layer* layer, description) except -1:
        cdef int d
        layer.cell = cell_named(description["cell"], description["variant"])
        layer.variant, layer.D, layer.K = description["variant"], description["D"], description["K"]
        layer.n_directions = len(description["W"])
        layer.P = layer.n_directions * layer.K
        layer.n_terms = layer.cell.terms(layer, layer.terms)
        for d in range(layer.n_directions):
            layer.W[d], layer.U[d], layer.b[d] = description["W"][d], description["U"][d], description["b"][d]
            layer.packed[d] = self.net.packed_size
            self.net.packed_size += layer.cell.packed_size(layer)
        return 0

    cdef int set_decay(self, decay, patch) except -1:
        cdef Decay* own = &self.net.decay
        cdef Layer* layer = &self.net.layers[0]
        cdef int d
        check_decay(
            decay, self.net.n_numbers, layer.K, layer.n_directions, self.net.size, patch, self.net.of_categories
        )
        own.n, own.indicators, own.w, own.packed = decay["n"], decay["indicators"], decay["w"], self.net.packed_size
        self.net.packed_size += 2 * ceil_div(own.n, VL) * VL
        for d in range(layer.n_directions):
            own.W[d], own.b[d], own.packed_states[d] = decay["W"][d], decay["b"][d], self.net.packed_size
            self.net.packed_size += packed_size(1 + own.n, layer.K)
        self.net.F += own.n * layer.n_directions
        add_decay_terms(&self.net, layer)
        return 0

    cdef int set_embeddings(self, list embeddings, n_parameters) except -1:
        """Keep where embeddings lie, and what is then left of a step: the features that are numbers."""
        cdef Embedding* kept
        n_parameters = check_embeddings(
            embeddings, self.net.width, self.net.size, n_parameters, self.net.of_categories
        )
        self.embeddings = Memory()
        kept = <Embedding*> self.embeddings.reserve(len(embeddings) * sizeof(Embedding))
        self.net.embeddings, self.net.n_embeddings = kept, len(embeddings)
        self.net.n_numbers, self.n_parameters = self.net.width, n_parameters
        for c, (start, n_categories, dim) in enumerate(embeddings):
            kept[c] = Embedding(start=start, n_categories=n_categories, dim=dim)
            self.net.n_numbers -= dim
        self.net.F = self.net.n_numbers + self.net.n_embeddings
        return 0

    cdef int set_units(self, const double[::1] center, const double[::1] scale) except -1:
        """Keep center and 1 / scale for all inputs, those of a patch step after step; 0 and 1 for embeddings."""
        cdef Py_ssize_t n = self.net.n_numbers, D = self.net.D, i, j
        cdef real* units
        if self.net.of_categories:
            raise ValueError("units are those of numbers: they must be None for inputs that are categories")
        expect_length("center", center.shape[0], self.net.F)
        expect_length("scale", scale.shape[0], self.net.F)
        self.units = Memory()
        units = <real*> self.units.reserve(2 * D * sizeof(real))
        for i in range(D):
            j = i % self.net.width
            if j >= n:
                units[i], units[D + i] = 0, 1
                continue
            units[i], units[D + i] = <real> center[j], <real> (1 / scale[j] if scale[j] > 0 else 0)
            if not (units[D + i] > 0 and all_finite(units + i, 1) and all_finite(units + D + i, 1)):
                raise ValueError(
                    f"feature {j} has the center {center[j]} and the scale {scale[j]}, expected a finite number and a "
                    "positive one, both and 1 / scale within the dtype of the engine"
                )
        self.net.center, self.net.inverse = units, units + D
        return 0

    def set_objective(
        self,
        *,
        str loss=None,                          # its name, for `gradient`
        const double[::1] parameters=None,      # IN  of the loss, kept
        bint of_logistic=False,                 # whether the loss is of σ(scores)
        double alpha=0.0,                       # the penalty of `gradient` is ½ alpha ‖θ‖² / Σ weights
        const Py_ssize_t[:, ::1] decayed=None,  # IN  (…, 2) over these ranges of theta: first and last + 1 of each
        double dropout=0.0,
        double recurrent_dropout=0.0,
    ):
        """Set what the batches have in common: the loss, which parameters are penalized, and rates of dropout."""
        cdef Py_ssize_t i
        cdef Loss none
        if decayed is None and alpha != 0:
            raise ValueError(f"alpha={alpha} must have the ranges of theta that it penalizes, decayed")
        if decayed is not None:
            for i in range(decayed.shape[0]):
                if not 0 <= decayed[i, 0] <= decayed[i, 1] <= self.n_parameters:
                    raise ValueError(f"decayed[{i}] must be a range of the {self.n_parameters} parameters")
        for rate in (dropout, recurrent_dropout):
            if not 0 <= rate < 1:
                raise ValueError(f"the rate of a dropout must be at least 0 and less than 1, not {rate}")
        memset(&none, 0, sizeof(Loss))
        self.settings.loss = none if loss is None else loss_named(loss, parameters, of_logistic, self.net.Q)
        self.loss_parameters, self.alpha, self.decayed = parameters, alpha, decayed
        self.settings.dropout, self.settings.recurrent_dropout = dropout, recurrent_dropout

    def forward(
        self,
        const real[::1] theta,
        inputs,
        real[:, ::1] scores,
        *,
        real[:, ::1] final=None,
        real[:, ::1] trace=None,
        bint training=False,            # with the dropout of `set_objective`
        unsigned long long seed=0,
        bint packed=False,              # whether theta is what `pack_weights` has packed
        Py_ssize_t max_bytes,
        int n_threads,
    ):
        """Scores and final states; returns whether the scores are finite."""
        cdef const Py_ssize_t[::1] starts = inputs.starts, lengths = inputs.lengths, index = inputs.index
        cdef Py_ssize_t total, rows = min(<Py_ssize_t> MAX_GROUP_ROWS, ceil_div(index.shape[0], max(1, n_threads)))
        cdef Job job
        cdef Batch batch = self.single
        cdef BufferNeeds needs
        cdef Buffers* buffers
        cdef real* out
        cdef int workers = 1, sharing, i
        cdef bint alone = index.shape[0] == 1 and not training and trace is None
        cdef Workspace space = self.single_space if alone else self.space
        cdef Watch watch
        cdef Tasks tasks
        total = self.set_inputs(&job, theta, inputs, training, seed, n_threads)
        needs = BufferNeeds(
            gradient=False, trace=trace is not None, dX=False, dropout=job.dropout > 0,
            recurrent_dropout=job.recurrent_dropout > 0,
        )
        if not alone or batch is None or not batch.is_of(starts, lengths, index[0], total):
            batch = batch_of(&self.net, starts, lengths, index, total, rows)
        while rows > 1 and space.size_of(&self.net, batch, batch.max_rows(), needs) > max_bytes // n_threads:
            rows //= 2
            batch = batch_of(&self.net, starts, lengths, index, total, rows)
        self.check_batch(&job, batch, inputs.initial, final)
        self.expect_rows("scores", scores.shape[0], scores.shape[1], batch)
        if trace is not None:
            expect_shape("trace", trace.shape[0], trace.shape[1], batch.S, n_layer_states(&self.net))
            memset(&trace[0, 0], 0, batch.S * trace.shape[1] * sizeof(real))
            job.trace = &trace[0, 0]
        if not alone:
            workers = space.allocate_workers(&self.net, batch, batch.max_rows(), needs, max_bytes, n_threads)
        elif batch is not self.single:
            self.single = None      # until there is room
            space.allocate_workers(&self.net, batch, batch.max_rows(), needs, max_bytes, 1)
            self.single = batch
        start_watch(&watch)
        job.watch = &watch
        self.set_weights(&job, theta, packed)
        out, buffers = &scores[0, 0], space.buffers
        sharing = team_size(&self.net, batch.groups, n_threads) if batch.N == 1 else 1
        if sharing > 1 and seconds_now() >= self.next_team:
            self.forward_shared(&job, buffers, batch.groups, out, sharing)
        elif batch.n_groups == 1:
            with nogil:
                forward_group(&job, buffers, batch.groups, out)
        else:
            tasks = tasks_of(batch.n_groups, workers)
            for i in prange(workers, nogil=True, schedule="static", chunksize=1, num_threads=workers):
                forward_groups(&job, &buffers[threadid()], batch.groups, &tasks, out)
        raise_interrupt(&watch)
        return all_finite(out, scores.shape[0] * self.net.Q)

    cdef int forward_shared(
        self, Job* job, const Buffers* buffers, const Group* g, real* scores, int n
    ) except -1:
        """`forward_group` by n threads."""
        cdef Team team
        cdef int i
        lay_out_team(&team, &self.net, n, self.team.reserve(lay_out_team(&team, &self.net, n, NULL)))
        job.team, team.start = &team, seconds_now()
        for i in prange(n, nogil=True, schedule="static", chunksize=1, num_threads=n):
            share_group(job, buffers, g, i, scores)
        self.n_shared += 1
        if team.abandoned:
            self.n_abandoned += 1
            self.next_team = seconds_now() + SHARED_INTERVAL * (seconds_now() - team.start)
        return 0

    def gradient(
        self,
        const real[::1] theta,
        inputs,
        targets,                            # IN  (n, Q / width) real, some NaN; (n,) or (n, k) intp classes
        real[::1] gradient,
        *,
        const double[::1] weights=None,     # IN  one for each target
        const double[::1] known=None,       # IN  of each row of targets the fraction that is not missing
        real[:, ::1] final=None,
        real[:, ::1] dinitial=None,         # OUT (N, width) gradient in the initial states
        real[:, ::1] dX=None,
        real[:, ::1] dstates=None,
        unsigned long long seed=0,
        Py_ssize_t max_bytes,
        int n_threads,
    ):
        """The loss of `set_objective` with its dropout, its penalty, and the weight of the batch.

        Fills the gradient of loss + penalty. The weight is Σ weight · known: what is known of a target has the part of
        its weight that it is of it.
        """
        cdef Job job
        cdef Batch batch
        cdef double value, of_weights = 0
        if self.settings.loss.of_row == NULL:
            raise ValueError("`set_objective` must be called with a loss before `gradient`")
        batch = self.begin(&job, theta, inputs, True, seed, n_threads, final)
        self.set_targets(&job, batch, targets, weights, known, self.settings.loss)
        if dinitial is not None:
            # the loss depends on the final states through the scores alone
            self.expect_states("dinitial", dinitial.shape[0], dinitial.shape[1], batch.N)
            memset(&dinitial[0, 0], 0, batch.N * dinitial.shape[1] * sizeof(real))
        value = self.differentiate(
            &job, batch, theta, gradient, dinitial, dX, dstates, self.alpha / job.total_weight, &of_weights, max_bytes,
            n_threads,
        )
        return value, of_weights, job.total_weight

    def backward(
        self,
        const real[::1] theta,
        inputs,
        const real[:, ::1] dscores,         # IN  (R, Q)
        real[::1] gradient,
        *,
        real[:, ::1] dstate=None,           # IN  (N, width) gradient in the final states; OUT that in the initial ones
        real[:, ::1] final=None,
        real[:, ::1] dX=None,
        real[:, ::1] dstates=None,
        double penalty=0.0,                 # of ½ penalty ‖θ‖², over the ranges that are decayed
        bint training=False,                # with the dropout of `set_objective`
        unsigned long long seed=0,
        Py_ssize_t max_bytes,
        int n_threads,
    ):
        """The penalty; fills the gradient of it plus a function of scores and final states, given its gradients."""
        cdef Job job
        cdef Batch batch = self.begin(&job, theta, inputs, training, seed, n_threads, final)
        cdef double of_weights = 0
        self.expect_rows("dscores", dscores.shape[0], dscores.shape[1], batch)
        job.dscores = &dscores[0, 0]
        if penalty != 0 and self.decayed is None:
            raise ValueError("a penalty must have ranges of theta, the `decayed` of `set_objective`")
        self.differentiate(
            &job, batch, theta, gradient, dstate, dX, dstates, penalty, &of_weights, max_bytes, n_threads
        )
        return of_weights

    def step(
        self,
        const real[::1] theta,
        steps,                              # IN  (n, patch_size · F) real, or (n,) intp categories
        const real[:, ::1] state,           # IN  (n, width)
        real[:, ::1] scores,                # OUT (n, Q)
        real[:, ::1] after,                 # OUT (n, width); may be `state`
        *,
        bint packed=False,                  # whether theta is what `pack_weights` has packed
        int n_threads=1,
    ):
        """What `forward` computes for n sequences of one step, or of one patch, with little overhead.

        Returns whether the states before the steps, and the scores, are finite.
        """
        cdef Job job
        cdef Py_ssize_t n = self.set_steps(&job, theta, steps, self.net.patch_size * self.net.F)
        cdef Buffers* buffers
        cdef real* out
        cdef bint finite
        cdef Py_ssize_t i
        cdef Watch watch
        cdef Tasks tasks
        expect_threads(n_threads)
        if n < 1:
            raise ValueError("steps must have at least one row")
        self.expect_states("state", state.shape[0], state.shape[1], n)
        self.expect_states("after", after.shape[0], after.shape[1], n)
        expect_shape("scores", scores.shape[0], scores.shape[1], n, self.net.Q)
        if self.net.n_embeddings > 0:
            expect_categories(&job, 0, n * self.net.patch_size)
        if self.net.pooling & MEAN:
            for i in range(n):
                expect_count(1, state, i, self.net.pooling)
        self.set_weights(&job, theta, packed)
        if self.streams is None or self.streams.N != n or self.stream_threads != n_threads:
            self.begin_streams(n, n_threads)
        start_watch(&watch)
        job.watch = &watch
        job.initial, job.final, out, buffers = &state[0, 0], &after[0, 0], &scores[0, 0], self.stream_space.buffers
        # First, as `after` may be `state`
        finite = all_finite(job.initial, n * state.shape[1])
        if n_threads == 1:
            with nogil:
                for i in range(self.streams.n_groups):
                    if i > 0 and interrupted(&watch):
                        break
                    forward_group(&job, buffers, &self.streams.groups[i], out)
        else:
            tasks = tasks_of(self.streams.n_groups, self.stream_workers)
            for i in prange(
                self.stream_workers, nogil=True, schedule="static", chunksize=1, num_threads=self.stream_workers
            ):
                forward_groups(&job, &buffers[threadid()], self.streams.groups, &tasks, out)
        raise_interrupt(&watch)
        return finite and all_finite(out, n * self.net.Q)

    def pack_weights(self, const real[::1] theta):
        """Arrange the weights for `forward` and `step` with packed=True, until a method is called without it."""
        cdef Job job
        expect_length("theta", theta.shape[0], self.n_parameters)
        self.pack(&job, theta, False)

    def memory(self):
        """Bytes that arrays of groups have taken so far, with the tables of the batches that are kept."""
        return (
            self.space.size() + self.single_space.size() + self.stream_space.size() + bytes_of(self.single)
            + bytes_of(self.streams)
        )

    def sharing(self):
        """How many calls threads shared the units of a sequence in, and how many of these one of them ended alone."""
        return self.n_shared, self.n_abandoned

    cdef Batch begin(
        self, Job* job, const real[::1] theta, inputs, bint training, unsigned long long seed, int n_threads,
        real[:, ::1] final,
    ):
        """The batch of a gradient, and its job without what the gradient is of."""
        cdef Py_ssize_t total = self.set_inputs(job, theta, inputs, training, seed, n_threads)
        cdef Batch batch = batch_of(&self.net, inputs.starts, inputs.lengths, inputs.index, total, 0)
        self.check_batch(job, batch, inputs.initial, final)
        return batch

    cdef double differentiate(
        self, Job* job, Batch batch, const real[::1] theta, real[::1] gradient, real[:, ::1] dstate, real[:, ::1] dX,
        real[:, ::1] dstates, double penalty, double* of_weights, Py_ssize_t max_bytes, int n_threads,
    ) except? -1:
        """The loss of a job; fills the gradients of it, or of a function of the scores whose gradient is `dscores`.

        The penalty, whose gradient is added, is stored in `of_weights`.
        """
        cdef Watch watch
        expect_length("gradient", gradient.shape[0], self.n_parameters)
        if dstate is not None:
            self.expect_states("dstate", dstate.shape[0], dstate.shape[1], batch.N)
            job.dstate = &dstate[0, 0]
        if dX is not None:
            if self.net.of_categories:
                raise ValueError("dX must be None: inputs that are categories have no gradient")
            expect_shape("dX", dX.shape[0], dX.shape[1], batch.S, self.net.F)
            job.dX = &dX[0, 0]
            memset(job.dX, 0, batch.S * self.net.F * sizeof(real))
        if dstates is not None:
            expect_shape("dstates", dstates.shape[0], dstates.shape[1], batch.S, n_layer_states(&self.net))
            job.dstates = &dstates[0, 0]
            memset(job.dstates, 0, batch.S * dstates.shape[1] * sizeof(real))
        start_watch(&watch)
        job.watch = &watch
        of_weights[0] = self.penalty(&theta[0], penalty, &gradient[0])
        self.pack(job, theta, True)
        return train(self.space, job, batch, &gradient[0], max_bytes, n_threads)

    cdef double penalty(self, const real* theta, double penalty, real* gradient) noexcept:
        """½ penalty Σ θ² over the decayed ranges, and its gradient penalty · θ; 0 elsewhere, but for embeddings."""
        cdef Py_ssize_t i, j
        cdef double total = 0
        memset(gradient, 0, self.net.size * sizeof(real))
        if penalty == 0:
            return 0
        for i in range(self.decayed.shape[0]):
            total += sum_of_squares(self.decayed[i, 1] - self.decayed[i, 0], theta + self.decayed[i, 0])
            for j in range(self.decayed[i, 0], self.decayed[i, 1]):
                gradient[j] = <real> penalty * theta[j]
        return 0.5 * penalty * total

    cdef int set_weights(self, Job* job, const real[::1] theta, bint packed) except -1:
        """Let a job read the packed weights, for which theta is packed first unless it is already."""
        if not packed:
            return self.pack(job, theta, False)
        if not self.is_packed:
            raise ValueError("`pack_weights` must be called before `forward` or `step` with packed=True")
        job.packed = <real*> self.packed.reserve(0)
        return 0

    cdef int pack(self, Job* job, const real[::1] theta, bint backward) except -1:
        """Arrange the weights as the products read them, forward and, where asked, backward."""
        cdef const Net* net = &self.net
        cdef const Layer* layer
        cdef int depth, d
        cdef const real* parameters = &theta[0]
        cdef real* packed = <real*> self.packed.reserve(net.packed_size * sizeof(real))
        job.packed = packed
        with nogil:
            for depth in range(net.n_layers):
                layer = &net.layers[depth]
                for d in range(layer.n_directions):
                    layer.cell.pack(
                        layer, parameters + layer.W[d], parameters + layer.U[d], parameters + layer.b[d],
                        packed + layer.packed[d], backward,
                    )
            if net.decay.n > 0:
                pack_decay(net, parameters, packed)
            packed += net.packed
            pack_rows(packed, 1 + net.H, net.Q, 0, 1, parameters + net.c, net.Q, 1)
            pack_rows(packed, 1 + net.H, net.Q, 1, net.H, parameters + net.V, net.Q, 1)
            if backward:
                pack_transposed(net.H, net.Q, parameters + net.V, net.Q, packed + packed_size(1 + net.H, net.Q))
        self.is_packed = True
        return 0

    cdef int begin_streams(self, Py_ssize_t n, int n_threads) except -1:
        """Make room for steps of n streams."""
        cdef BufferNeeds needs = BufferNeeds(
            gradient=False, trace=False, dX=False, dropout=False, recurrent_dropout=False
        )
        cdef Batch streams = streams_of(&self.net, n, n_threads)
        self.streams = None     # until there is room
        self.stream_workers = self.stream_space.allocate_workers(
            &self.net, streams, streams.max_rows(), needs, PY_SSIZE_T_MAX, n_threads
        )
        self.streams, self.stream_threads = streams, n_threads
        return 0

    # Arguments: each is checked where it is set.

    cdef Py_ssize_t set_steps(self, Job* job, const real[::1] theta, steps, Py_ssize_t width) except -1:
        """Begin a job without loss and dropout; returns the number of rows of the steps, of `width` numbers each."""
        cdef const real[:, ::1] values
        cdef const Py_ssize_t[::1] categories
        expect_length("theta", theta.shape[0], self.n_parameters)
        memset(job, 0, sizeof(Job))
        job.net, job.theta = &self.net, &theta[0]
        if not self.net.of_categories:
            values = steps
            expect_shape("steps", values.shape[0], values.shape[1], values.shape[0], width)
            job.values = &values[0, 0]
            return values.shape[0]
        categories = steps
        job.categories = &categories[0]
        return categories.shape[0]

    cdef Py_ssize_t set_inputs(
        self, Job* job, const real[::1] theta, inputs, bint training, unsigned long long seed, int n_threads
    ) except -1:
        """Begin a job, in training with dropout; returns the number of rows of the steps."""
        cdef const Py_ssize_t[:, ::1] mask_offsets = inputs.mask_offsets
        cdef Py_ssize_t total = self.set_steps(job, theta, inputs.steps, self.net.F)
        expect_threads(n_threads)
        if training:
            job.dropout, job.recurrent_dropout = self.settings.dropout, self.settings.recurrent_dropout
            job.seed = seed
        if mask_offsets is not None:
            expect_shape("mask_offsets", mask_offsets.shape[0], mask_offsets.shape[1], 2, len(inputs.starts))
            job.mask_offset, job.mask_number = &mask_offsets[0, 0], &mask_offsets[1, 0]
        return total

    cdef int set_targets(
        self, Job* job, Batch batch, targets, const double[::1] weights, const double[::1] known, Loss loss
    ) except -1:
        job.loss = loss
        job.targets = target_rows(&loss, targets, self.n_targets(batch), &job.target_size)
        if loss.of_classes:
            self.expect_classes(batch, job)
        if weights is not None:
            expect_length("weights", weights.shape[0], self.n_targets(batch))
            job.weights = &weights[0]
        if known is not None:
            expect_length("known", known.shape[0], self.n_targets(batch))
            if loss.of_classes and loss.n_targets == 1:
                raise ValueError("classes are known as a whole: known must be None")
            job.known = &known[0]
        job.total_weight = self.weight_of(batch, job.weights, job.known)
        return 0

    cdef Py_ssize_t n_targets(self, Batch batch) noexcept:
        """How many targets there are, in the batch or not: for each sequence, or for each step."""
        return batch.total if self.net.per_step else batch.n_sequences

    cdef double weight_of(self, Batch batch, const double* weights, const double* known) except? -1:
        """Σ weight · known over the batch's sequences or steps."""
        cdef double total = 0
        cdef Py_ssize_t i, t, row
        if weights == NULL and known == NULL:
            return batch.S if self.net.per_step else batch.N
        for i in range(batch.N):
            for t in range(batch.length[i] if self.net.per_step else 1):
                row = batch.source[i] + t if self.net.per_step else batch.sample[i]
                total += (weights[row] if weights != NULL else 1) * (known[row] if known != NULL else 1)
        if not total > 0:
            raise ValueError("the weights of a batch must have a positive sum")
        return total

    cdef int check_batch(self, Job* job, Batch batch, const real[:, ::1] initial, real[:, ::1] final) except -1:
        """Set the states before and after, and check that the categories are rows of the embeddings."""
        cdef Py_ssize_t i
        if initial is not None:
            self.expect_states("initial", initial.shape[0], initial.shape[1], batch.N)
            job.initial = &initial[0, 0]
        if final is not None:
            self.expect_states("final", final.shape[0], final.shape[1], batch.N)
            job.final = &final[0, 0]
        if self.net.pooling & MEAN:
            for i in range(batch.N):
                expect_count(batch.length[i], initial, batch.position[i], self.net.pooling)
        if self.net.n_embeddings > 0:
            for i in range(batch.N):
                expect_categories(job, batch.source[i], batch.source[i] + batch.n_rows[i])
        return 0

    cdef int expect_states(self, str name, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t N) except -1:
        return expect_shape(name, rows, columns, N, state_width(&self.net))

    cdef int expect_rows(self, str name, Py_ssize_t rows, Py_ssize_t columns, Batch batch) except -1:
        return expect_shape(name, rows, columns, batch.S if self.net.per_step else batch.N, self.net.Q)

    cdef int expect_classes(self, Batch batch, const Job* job) except -1:
        cdef Py_ssize_t i, t, row
        for i in range(batch.N):
            for t in range(batch.length[i] if self.net.per_step else 1):
                row = batch.source[i] + t if self.net.per_step else batch.sample[i]
                check_classes(&job.loss, <const Py_ssize_t*> (job.targets + row * job.target_size), row, self.net.Q)
        return 0
