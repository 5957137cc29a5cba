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


cdef int expect_categories(
    const Py_ssize_t* categories, Py_ssize_t first, Py_ssize_t last, Py_ssize_t n_categories
) except -1:
    cdef Py_ssize_t t
    for t in range(first, last):
        if not 0 <= categories[t] < n_categories:
            raise ValueError(f"steps[{t}]={categories[t]} must be a category from 0 to {n_categories - 1}")
    return 0


cdef bint all_finite(const real* x, Py_ssize_t n) noexcept nogil:
    """Whether all n numbers are finite."""
    cdef Py_ssize_t i
    cdef bint finite = True
    for i in range(n):
        finite &= x[i] - x[i] == 0
    return finite


def check_layout(layers, n_read, n_outputs, V, c, size):
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
    extents += [(V, n_read * below * n_outputs), (c, n_outputs)]
    if any(start < 0 or start + extent > size for start, extent in extents):
        raise ValueError(f"the parameters must lie within the {size} numbers of theta")


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


def check_decay(decay, D, K, n_directions, size, patch, n_categories):
    """Raise a ValueError unless the first layer can have this decay, and its parameters lie within theta."""
    n, indicators = decay["n"], decay["indicators"]
    if patch is not None or n_categories:
        raise ValueError("a network whose inputs decay reads single steps, of numbers")
    if not 1 <= n <= indicators <= D - n or not len(decay["W"]) == len(decay["b"]) == n_directions:
        raise ValueError(f"a decay must be of the first of the {D} inputs, with indicators after them: {decay}")
    extents = [(decay["w"], 2 * n)] + [(W, n * K) for W in decay["W"]] + [(b, K) for b in decay["b"]]
    if any(start < 0 or start + extent > size for start, extent in extents):
        raise ValueError(f"the parameters must lie within the {size} numbers of theta")
