# Checks of arguments: shapes, numbers of threads, categories, and how the layers of a network fit together. The kernels
# run without bounds checks.


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


cdef int expect_threads(int n_threads) except -1:
    if not 1 <= n_threads <= MAX_THREADS:
        raise ValueError(f"n_threads={n_threads} must be between 1 and {MAX_THREADS}")
    return 0


cdef int expect_count(Py_ssize_t steps, const real[:, ::1] state, Py_ssize_t row, int pooling) except -1:
    """Check that the steps of a mean can be counted, with those before, the last number of a row of states."""
    cdef double limit = 2.0**(MANTISSA_BITS + 1), before = 0
    if state is not None:
        before = state[row, state.shape[1] - 1]
    if before > limit - steps:
        raise ValueError(
            f"pooling={pooling_name(pooling)!r} counts {limit:.0f} steps in "
            f"{'float32' if sizeof(real) == 4 else 'float64'} at most, and a sequence has {before + steps:.0f}, with "
            "those before its state: fit with X in float64, begin again without a state, or choose another pooling"
        )
    return 0


cdef int expect_categories(const Job* job, Py_ssize_t first, Py_ssize_t last) except -1:
    """Check that the categories of steps first .. last - 1 have embeddings."""
    cdef const Net* net = job.net
    cdef Py_ssize_t t, n_categories
    cdef const real* codes
    cdef int c
    for t in range(first, last):
        if net.of_categories:
            n_categories = net.embeddings.n_categories
            if not 0 <= job.categories[t] < n_categories:
                raise ValueError(f"steps[{t}]={job.categories[t]} must be a category from 0 to {n_categories - 1}")
            continue
        codes = job.values + (t + 1) * net.F - net.n_embeddings
        for c in range(net.n_embeddings):
            n_categories = net.embeddings[c].n_categories
            # NaN is not in the range, and only what is may become an index
            if not 0 <= codes[c] < n_categories or codes[c] != <Py_ssize_t> codes[c]:
                raise ValueError(
                    f"steps[{t}, {net.F - net.n_embeddings + c}]={codes[c]} must be a category from 0 to "
                    f"{n_categories - 1}"
                )
    return 0


cdef bint all_finite(const real* x, Py_ssize_t n) noexcept nogil:
    """Whether all n numbers are finite."""
    cdef Py_ssize_t i
    cdef bint finite = True
    for i in range(n):
        finite &= x[i] - x[i] == 0
    return finite


def check_layout(layers, n_read, n_static, n_outputs, V, c, size):
    """Raise a ValueError where a network's layers do not fit together, or its parameters not into `size` numbers."""
    below = None
    extents = []
    for number, layer in enumerate(layers):
        D, K, n_directions = layer["D"], layer["K"], len(layer["W"])
        cell = cell_named(layer["cell"], layer["variant"])
        if D < 1 or K < 1 or n_directions not in (1, 2) or not len(layer["U"]) == len(layer["b"]) == n_directions:
            raise ValueError(f"layer {number} must have inputs, units, and one direction or two")
        if below not in (None, D):
            raise ValueError(f"layer {number} has {D} inputs, the layer below has {below} outputs")
        for name, rows in (("W", D), ("U", K), ("b", cell.n_biases)):
            extents += [(start, rows * cell.n_gates * K) for start in layer[name]]
        below = n_directions * K
    if below is None or n_outputs < 1:
        raise ValueError("a network must have a layer and an output")
    extents += [(V, (n_read * below + n_static) * n_outputs), (c, n_outputs)]
    if any(start < 0 or start + extent > size for start, extent in extents):
        raise ValueError(f"the parameters must lie within the {size} numbers of theta")


def check_embeddings(embeddings, width, size, n_parameters, of_categories):
    """Raise a ValueError unless embeddings are among the `width` inputs of a step, and follow the rest of theta.

    `of_categories` says that each step is one category, an integer; others are numbers, which count up to a limit.
    Returns the length of theta, which ends with the last embedding where `n_parameters` is None.
    """
    if n_parameters is None:
        n_parameters = max([size] + [start + rows * dim for start, rows, dim in embeddings])
    if n_parameters < size:
        raise ValueError(f"theta must have at least {size} numbers, not {n_parameters}")
    limit = PY_SSIZE_T_MAX if of_categories else 2**(MANTISSA_BITS + 1)
    for start, n_categories, dim in embeddings:
        if not 1 <= n_categories <= min(limit, PY_SSIZE_T_MAX // 16 // max(1, dim)):
            raise ValueError(f"there cannot be {n_categories} embedded categories")
        if dim < 1 or not size <= start <= n_parameters - n_categories * dim:
            raise ValueError(
                f"an embedding of {n_categories} categories in {dim} numbers each, from {start} on, must lie between "
                f"the {size} other parameters and the end of theta, {n_parameters}"
            )
    if sum(dim for _, _, dim in embeddings) > width:
        raise ValueError(f"the embeddings of a step must be among its {width} inputs")
    return n_parameters


def check_patch(patch, n_inputs, per_step, n_categories):
    """Raise a ValueError unless `patch` is None, or size and stride of patches that a network can read."""
    if patch is None:
        return
    size, stride = patch
    if not 1 <= stride <= size or n_inputs % size:
        raise ValueError(
            f"patch={patch} must be a size, of which the {n_inputs} inputs are a multiple, and a stride from 1 to it"
        )
    if per_step or n_categories:
        raise ValueError("a network that reads patches has one output per sequence, and inputs that are numbers")


def check_decay(decay, n_numbers, K, n_directions, size, patch, of_categories):
    """Raise a ValueError unless the first layer can have this decay, and its parameters lie within theta."""
    n, indicators = decay["n"], decay["indicators"]
    if patch is not None or of_categories:
        raise ValueError("a network whose inputs decay reads single steps, of numbers")
    if not 1 <= n <= indicators <= n_numbers - n or not len(decay["W"]) == len(decay["b"]) == n_directions:
        raise ValueError(f"a decay must be of the first of {n_numbers} numbers, with indicators after them: {decay}")
    extents = [(decay["w"], 2 * n)] + [(W, n * K) for W in decay["W"]] + [(b, K) for b in decay["b"]]
    if any(start < 0 or start + extent > size for start, extent in extents):
        raise ValueError(f"the parameters must lie within the {size} numbers of theta")
