# The recurrence through time, written once and included by every cell.
#
# A cell file defines, before it includes this one,
#     N_GATES, N_STATES, N_SAVED      how many K-wide blocks its parameters, its state and its saved values have
#     N_VARIANTS                      how many forms it has
#     step                            one time step of a tile of rows
#     step_gradient                   its mirror: dL/d(state after) -> dL/d(pre-activations), dL/dX, dL/d(state before)
#     weight_gradient                 what the step adds to dW, dU and db
#
# (a) Packing. The N sequences of a batch stand in order of decreasing length. `active[t]` of them, always the first
#     ones, take step t; there is no padding. Step t occupies active[t] rows of every packed array, after the rows of
#     the steps before it; S = sum(active) rows in all.
# (b) States have N + S rows: first the N initial states, then the packed steps. The row of a sequence in the state
#     before step t is therefore a view: row r of the block of step t - 1, or of the initial states. A sequence that
#     has ended takes no further step, and its final state is its row in the block of its own last step.
# (c) Tiles. Rows tiles[i] .. tiles[i+1] - 1 form tile i. One thread takes a tile through all the steps, without a
#     barrier. The tiles depend on the batch alone, every tile adds up its own gradient, and the caller adds those in
#     order: the result has the same bits for any number of threads.

from cython.parallel cimport prange


cdef void scan_tile(
    Py_ssize_t first,                   # the tile: rows first .. last - 1
    Py_ssize_t last,
    Py_ssize_t N,
    Py_ssize_t T,
    Py_ssize_t D,
    Py_ssize_t K,
    const Py_ssize_t* active,           # IN  (T,)
    const real* X,                      # IN  (S, D)
    const real* W,                      # IN  (D, G·K)
    const real* U,                      # IN  (K, G·K)
    const real* b,                      # IN  (biases, G·K)
    real* states,                       # IN  rows < N, OUT the others: (N_STATES, N + S, K)
    Py_ssize_t plane,                   # (N + S)·K, from one state to the next
    real* saved,                        # OUT (S, N_SAVED·K), or (N, N_SAVED·K) when not kept
    bint keep,
    int variant,
) noexcept nogil:
    cdef Py_ssize_t t, m
    cdef Py_ssize_t row = 0             # of step t in the packed arrays
    cdef Py_ssize_t before = 0          # of the state before step t
    for t in range(T):
        m = min(last, active[t]) - first
        if m <= 0:
            break
        step(
            m, D, K,
            X + (row + first) * D,
            states + (before + first) * K,
            W, U, b,
            states + (N + row + first) * K,
            plane,
            saved + ((row if keep else 0) + first) * N_SAVED * K,
            variant,
        )
        before = N + row
        row += active[t]


cdef void scan_tile_gradient(
    Py_ssize_t first,
    Py_ssize_t last,
    Py_ssize_t N,
    Py_ssize_t T,
    Py_ssize_t D,
    Py_ssize_t K,
    const Py_ssize_t* active,           # IN  (T,)
    const real* X,                      # IN  (S, D)
    const real* W_T,                    # IN  (G·K, D)
    const real* U_T,                    # IN  (G·K, K)
    const real* states,                 # IN  (N_STATES, N + S, K)
    Py_ssize_t plane,                   # (N + S)·K
    real* saved,                        # IN  what `step` saved, OUT dL/d(pre-activations) in its first blocks
    const real* dH,                     # IN  (S, K) what the layer above sends to each step, or NULL
    real* dstate,                       # IN  dL/d(final states), OUT dL/d(initial states): (N_STATES, N, K)
    real* dX,                           # OUT (S, D), or NULL
    real* dW,                           # IN, OUT (D, G·K), this tile's
    real* dU,                           # IN, OUT (K, G·K), this tile's
    real* db,                           # IN, OUT (biases, G·K), this tile's
    int variant,
) noexcept nogil:
    cdef Py_ssize_t t, m, before, here
    cdef Py_ssize_t row = 0
    for t in range(T):
        row += active[t]
    for t in range(T - 1, -1, -1):
        row -= active[t]
        m = min(last, active[t]) - first
        if m <= 0:
            continue
        before = N + row - active[t - 1] if t > 0 else 0
        here = row + first
        # dh_t = what step t + 1 sent back + what the layer above sends at step t
        if dH != NULL:
            add(m * K, dH + here * K, dstate + first * K)
        step_gradient(
            m, D, K,
            W_T, U_T,
            states + (before + first) * K,
            states + (N + here) * K,
            plane,
            saved + here * N_SAVED * K,
            dstate + first * K,
            N * K,
            dX + here * D if dX != NULL else NULL,
            variant,
        )
        weight_gradient(
            m, D, K,
            X + here * D,
            states + (before + first) * K,
            saved + here * N_SAVED * K,
            dW, dU, db,
            variant,
        )


cdef int check_batch(const Py_ssize_t[::1] active, const Py_ssize_t[::1] tiles, Py_ssize_t N, Py_ssize_t S) except -1:
    """The index tables may not lead outside the arrays, whoever calls."""
    cdef Py_ssize_t t, i, steps = 0, running = N
    for t in range(active.shape[0]):
        if not 0 <= active[t] <= running:
            raise ValueError(f"active[{t}]={active[t]} must be between 0 and the {running} rows of the step before")
        running = active[t]
        steps += running
    if steps != S:
        raise ValueError(f"active sums to {steps} steps, the packed arrays have {S}")
    if tiles.shape[0] < 1 or tiles[0] != 0 or tiles[tiles.shape[0] - 1] != N:
        raise ValueError(f"tiles must run from 0 to {N}")
    for i in range(tiles.shape[0] - 1):
        if tiles[i] > tiles[i + 1]:
            raise ValueError(f"tiles must not decrease, as they do at {i}")
    return 0


cdef int check_variant(int variant) except -1:
    if not 0 <= variant < N_VARIANTS:
        raise ValueError(f"variant={variant} must be one of the cell's {N_VARIANTS} forms")
    return 0


def expect(name, actual, expected):
    if tuple(actual) != tuple(expected):
        raise ValueError(f"{name} has shape {tuple(actual)}, expected {tuple(expected)}")


def forward(
    const real[:, ::1] X,
    const Py_ssize_t[::1] active,
    const Py_ssize_t[::1] tiles,
    const real[:, ::1] W,
    const real[:, ::1] U,
    const real[:, ::1] b,
    real[:, :, ::1] states,
    real[:, ::1] saved,
    int variant,
    Py_ssize_t n_threads,
):
    """Run the cell over a packed batch; fills `states` from row N on, and `saved`.

    X (S, D), active (T,), tiles (n_tiles + 1,), W (D, G·K), U (K, G·K), b (biases, G·K) are read;
    states (N_STATES, N + S, K) has the initial states in its first N rows;
    saved (S, N_SAVED·K) keeps what `backward` needs; with N rows it is scratch and nothing is kept.
    """
    cdef Py_ssize_t S = X.shape[0], D = X.shape[1], K = U.shape[0], N = states.shape[1] - S, T = active.shape[0]
    cdef Py_ssize_t i, n_tiles = tiles.shape[0] - 1, plane = states.shape[1] * K
    cdef bint keep = saved.shape[0] == S
    if S < 1 or D < 1 or K < 1 or N < 1 or b.shape[0] < 1 or n_tiles < 1:
        raise ValueError("forward needs at least one step, input, unit, sequence, bias and tile")
    expect("W", (W.shape[0], W.shape[1]), (D, N_GATES * K))
    expect("U", (U.shape[0], U.shape[1]), (K, N_GATES * K))
    expect("b", (b.shape[0], b.shape[1]), (n_biases(variant), N_GATES * K))
    expect("states", (states.shape[0], states.shape[1], states.shape[2]), (N_STATES, N + S, K))
    expect("saved", (saved.shape[0], saved.shape[1]), (S if keep else N, N_SAVED * K))
    check_batch(active, tiles, N, S)
    check_variant(variant)
    cdef int threads = usable_threads(n_threads, n_tiles)
    for i in prange(n_tiles, nogil=True, schedule="dynamic", chunksize=1, num_threads=threads):
        scan_tile(
            tiles[i], tiles[i + 1], N, T, D, K, &active[0], &X[0, 0], &W[0, 0], &U[0, 0], &b[0, 0],
            &states[0, 0, 0], plane, &saved[0, 0], keep, variant,
        )


def backward(
    const real[:, ::1] X,
    const Py_ssize_t[::1] active,
    const Py_ssize_t[::1] tiles,
    const real[:, ::1] W_T,
    const real[:, ::1] U_T,
    const real[:, :, ::1] states,
    real[:, ::1] saved,
    const real[:, ::1] dH,
    real[:, :, ::1] dstate,
    real[:, ::1] dX,
    real[:, :, ::1] dW,
    real[:, :, ::1] dU,
    real[:, :, ::1] db,
    int variant,
    Py_ssize_t n_threads,
):
    """The mirror of `forward`: the same arrays, what it filled, and the gradients.

    W_T (G·K, D) and U_T (G·K, K) are the transposed weights;
    saved (S, N_SAVED·K) is overwritten, so one `forward` serves one `backward`;
    dH (S, K) is what the layer above sends to every step, or None;
    dstate (N_STATES, N, K) goes in as dL/d(final states) and comes out as dL/d(initial states);
    dX (S, D) is filled, or None when it is not needed;
    dW (n_tiles, D, G·K), dU (n_tiles, K, G·K) and db (n_tiles, biases, G·K) are added to, a tile to its own.
    """
    cdef Py_ssize_t S = X.shape[0], D = X.shape[1], K = U_T.shape[1], N = states.shape[1] - S, T = active.shape[0]
    cdef Py_ssize_t i, n_tiles = tiles.shape[0] - 1, plane = states.shape[1] * K
    cdef const real* dH_rows = NULL
    cdef real* dX_rows = NULL
    if S < 1 or D < 1 or K < 1 or N < 1 or n_tiles < 1:
        raise ValueError("backward needs at least one step, input, unit, sequence and tile")
    expect("W_T", (W_T.shape[0], W_T.shape[1]), (N_GATES * K, D))
    expect("U_T", (U_T.shape[0], U_T.shape[1]), (N_GATES * K, K))
    expect("states", (states.shape[0], states.shape[1], states.shape[2]), (N_STATES, N + S, K))
    expect("saved", (saved.shape[0], saved.shape[1]), (S, N_SAVED * K))
    expect("dstate", (dstate.shape[0], dstate.shape[1], dstate.shape[2]), (N_STATES, N, K))
    expect("dW", (dW.shape[0], dW.shape[1], dW.shape[2]), (n_tiles, D, N_GATES * K))
    expect("dU", (dU.shape[0], dU.shape[1], dU.shape[2]), (n_tiles, K, N_GATES * K))
    expect("db", (db.shape[0], db.shape[1], db.shape[2]), (n_tiles, n_biases(variant), N_GATES * K))
    check_batch(active, tiles, N, S)
    check_variant(variant)
    cdef int threads = usable_threads(n_threads, n_tiles)
    if dH is not None:
        expect("dH", (dH.shape[0], dH.shape[1]), (S, K))
        dH_rows = &dH[0, 0]
    if dX is not None:
        expect("dX", (dX.shape[0], dX.shape[1]), (S, D))
        dX_rows = &dX[0, 0]
    for i in prange(n_tiles, nogil=True, schedule="dynamic", chunksize=1, num_threads=threads):
        scan_tile_gradient(
            tiles[i], tiles[i + 1], N, T, D, K, &active[0], &X[0, 0], &W_T[0, 0], &U_T[0, 0],
            &states[0, 0, 0], plane, &saved[0, 0], dH_rows, &dstate[0, 0, 0], dX_rows,
            &dW[i, 0, 0], &dU[i, 0, 0], &db[i, 0, 0], variant,
        )
