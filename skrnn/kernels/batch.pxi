# A batch: its sequences sorted by length and cut into groups.


cdef class Batch:
    """Sequences by decreasing length, in groups. `batch_of` or `streams_of` makes one."""
    cdef Memory rows            # what is known of each sequence
    cdef Memory tables          # the groups, and what is known of their steps
    cdef Group* groups          # (n_groups,)
    cdef Py_ssize_t n_groups
    cdef Py_ssize_t N           # sequences
    cdef Py_ssize_t S           # the caller's steps of them
    cdef Py_ssize_t n_sequences     # that the batch was taken from
    cdef Py_ssize_t total       # rows of their steps
    # (N,) of the sorted sequences, as in Group
    cdef Py_ssize_t* length
    cdef Py_ssize_t* n_rows     # `rows` in Group
    cdef Py_ssize_t* source
    cdef Py_ssize_t* sample
    cdef Py_ssize_t* position
    cdef Py_ssize_t* out

    cdef int fill(
        self, const Net* net, const Py_ssize_t[::1] starts, const Py_ssize_t[::1] lengths, const Py_ssize_t[::1] index,
        Py_ssize_t total, Py_ssize_t group_rows,
    ) except -1:
        cdef Py_ssize_t N = index.shape[0], i, sample, steps, longest = 0, shortest = PY_SSIZE_T_MAX, packed = 0
        if starts.shape[0] != lengths.shape[0]:
            raise ValueError(f"there are {starts.shape[0]} starts and {lengths.shape[0]} lengths")
        if N < 1:
            raise ValueError("a batch needs at least one sequence")
        self.N, self.S, self.n_sequences, self.total = N, 0, starts.shape[0], total
        for i in range(N):
            sample = index[i]
            if not 0 <= sample < starts.shape[0]:
                raise ValueError(f"index[{i}]={sample} must be one of the {starts.shape[0]} sequences")
            steps = lengths[sample]
            if steps < 1 or starts[sample] < 0 or starts[sample] > total - steps:
                raise ValueError(
                    f"sequence {sample} has {steps} steps from row {starts[sample]} on, of {total} rows in all"
                )
            self.S += steps
            steps = n_patches(net, steps)
            longest, shortest = max(longest, steps), min(shortest, steps)
            packed += steps
        if group_rows == 0:
            group_rows = LARGE_GROUP_ROWS if net.size * <Py_ssize_t> sizeof(real) > LARGE_BYTES else GROUP_ROWS
            group_rows = max(
                group_rows, min(<Py_ssize_t> MAX_GROUP_ROWS, ceil_div(MIN_GROUP_STEPS, ceil_div(packed, N)))
            )
        self.n_groups = ceil_div(N, group_rows)
        self.sort(net, starts, lengths, index, longest, longest == shortest)
        self.cut()
        return 0

    cdef int sort(
        self, const Net* net, const Py_ssize_t[::1] starts, const Py_ssize_t[::1] lengths, const Py_ssize_t[::1] index,
        Py_ssize_t longest, bint equal,
    ) except -1:
        """Order the sequences by decreasing length; those of equal length keep their order (a counting sort)."""
        cdef Py_ssize_t i, row, steps, done = 0, N = self.N
        cdef Memory counts = Memory.__new__(Memory)
        cdef Py_ssize_t* following          # (longest + 1,) for each length the row of its next sequence
        self.reserve_rows()
        if not equal:
            following = <Py_ssize_t*> counts.reserve((longest + 1) * sizeof(Py_ssize_t))
            memset(following, 0, (longest + 1) * sizeof(Py_ssize_t))
            for i in range(N):
                following[n_patches(net, lengths[index[i]])] += 1
            row = 0
            for steps in range(longest, -1, -1):
                i = following[steps]
                following[steps] = row
                row += i
        for i in range(N):
            steps = n_patches(net, lengths[index[i]])
            row = i
            if not equal:
                row = following[steps]
                following[steps] += 1
            self.length[row] = steps
            self.n_rows[row] = lengths[index[i]]
            self.source[row] = starts[index[i]]
            self.sample[row] = index[i]
            self.position[row] = i
            self.out[row] = done
            done += lengths[index[i]]
        return 0

    cdef int fill_streams(self, const Net* net, Py_ssize_t N, Py_ssize_t group_rows) except -1:
        """One step, or one full patch, of each of N sequences."""
        cdef Py_ssize_t row
        self.N = self.n_sequences = N
        self.S = self.total = N * net.patch_size
        self.n_groups = ceil_div(N, group_rows)
        self.reserve_rows()
        for row in range(N):
            self.length[row], self.n_rows[row] = 1, net.patch_size
            self.source[row] = self.out[row] = row * net.patch_size
            self.sample[row] = self.position[row] = row
        self.cut()
        return 0

    cdef bint is_of(
        self, const Py_ssize_t[::1] starts, const Py_ssize_t[::1] lengths, Py_ssize_t sample, Py_ssize_t total
    ) noexcept:
        """Whether a batch of one sequence is of this one, among as many that lie in as many rows."""
        return (
            sample == self.sample[0] and total == self.total and lengths.shape[0] == self.n_sequences
            and starts.shape[0] == self.n_sequences and starts[sample] == self.source[0]
            and lengths[sample] == self.n_rows[0]
        )

    cdef int reserve_rows(self) except -1:
        cdef Py_ssize_t N = self.N
        self.rows = Memory.__new__(Memory)
        self.length = <Py_ssize_t*> self.rows.reserve(6 * N * sizeof(Py_ssize_t))
        self.source, self.sample = self.length + N, self.length + 2 * N
        self.position, self.out = self.length + 3 * N, self.length + 4 * N
        self.n_rows = self.length + 5 * N
        return 0

    cdef int cut(self) except -1:
        """Cut the sorted sequences into groups of about equally many, and fill the tables of their steps."""
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
            g.ending = g.begin = 0
            g.chunk = max(1, CHUNK_ROWS // g.n)
            g.length, g.rows = self.length + row, self.n_rows + row
            g.source, g.sample = self.source + row, self.sample + row
            g.position, g.out = self.position + row, self.out + row
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

    cdef Py_ssize_t max_rows(self) noexcept:
        """Packed rows of the largest group."""
        cdef Py_ssize_t i, rows = 0
        for i in range(self.n_groups):
            rows = max(rows, self.groups[i].offset[self.groups[i].length[0]])
        return rows

    cdef Py_ssize_t max_sequences(self) noexcept:
        """Sequences of the largest group."""
        return ceil_div(self.N, self.n_groups)

    cdef Py_ssize_t segment_steps(self) noexcept:
        """Steps of a segment where there is no room for all at once: √T, so that √T states between them are kept."""
        return <Py_ssize_t> ceil(sqrt(<double> self.length[0]))

    cdef Py_ssize_t max_segment_rows(self) noexcept:
        """Packed rows of the largest segment, whose steps are rounded up to whole chunks."""
        cdef Py_ssize_t i, rows = 0, steps
        for i in range(self.n_groups):
            steps = min(self.groups[i].length[0], round_up_to_chunks(&self.groups[i], self.segment_steps()))
            rows = max(rows, steps * self.groups[i].n)
        return rows


cdef inline Py_ssize_t n_patches(const Net* net, Py_ssize_t steps) noexcept nogil:
    """How many patches a sequence has; its number of steps where the network reads single ones.

    They begin every `patch_stride` steps, up to the first one that holds the last step, which may be partial.
    """
    return 1 if steps <= net.patch_size else ceil_div(steps - net.patch_size, net.patch_stride) + 1


cdef Batch batch_of(
    const Net* net,
    const Py_ssize_t[::1] starts,       # IN  (n,) of all sequences the row of the first step,
    const Py_ssize_t[::1] lengths,      # IN  (n,) and the number of steps
    const Py_ssize_t[::1] index,        # IN  (N,) the sequences of the batch
    Py_ssize_t total,                   # rows of the steps
    Py_ssize_t group_rows,              # maximum number of sequences in a group; 0 for what suits the network
):
    """A batch. It is made here, as a call of the class would wrap each array in a Python object."""
    cdef Batch batch = Batch.__new__(Batch)
    batch.fill(net, starts, lengths, index, total, group_rows)
    return batch


cdef Batch streams_of(const Net* net, Py_ssize_t N, int n_threads):
    """The batch of one step, or one full patch, of each of N streams."""
    cdef Batch batch = Batch.__new__(Batch)
    batch.fill_streams(net, N, min(<Py_ssize_t> MAX_GROUP_ROWS, ceil_div(N, n_threads)))
    return batch


cdef Py_ssize_t bytes_of(Batch batch) noexcept:
    """Bytes of the tables of a batch, 0 of None."""
    return 0 if batch is None else batch.rows.size + batch.tables.size


cdef Py_ssize_t round_up_to_chunks(const Group* g, Py_ssize_t steps) noexcept nogil:
    return ceil_div(steps, g.chunk) * g.chunk
