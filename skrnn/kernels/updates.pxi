# Passes over ranges of the flat vectors of parameters and gradients, each in one sweep and in a fixed order.


cdef double sum_of_squares(Py_ssize_t n, const real* x) noexcept nogil:
    """Σ x², in float64: eight sums side by side, then one after the other."""
    cdef double[8] sums
    cdef double total = 0
    cdef Py_ssize_t i, j, whole = n - n % 8
    for j in range(8):
        sums[j] = 0
    for i in range(0, whole, 8):
        for j in range(8):
            sums[j] = sums[j] + <double> x[i + j] * x[i + j]
    for j in range(8):
        total += sums[j]
    for i in range(whole, n):
        total += <double> x[i] * x[i]
    return total


def norm(const real[::1] x, const Py_ssize_t[:, ::1] ranges):
    """√Σ x² over ranges of x, (m, 2): first and last + 1 of each."""
    cdef double total = 0
    cdef Py_ssize_t k
    check_ranges(ranges, x.shape[0], x.shape[0], x.shape[0], x.shape[0])
    for k in range(ranges.shape[0]):
        total += sum_of_squares(ranges[k, 1] - ranges[k, 0], &x[0] + ranges[k, 0])
    return sqrt(total)


cdef int check_ranges(
    const Py_ssize_t[:, ::1] ranges, Py_ssize_t n, Py_ssize_t a, Py_ssize_t b, Py_ssize_t c
) except -1:
    """Raise a ValueError unless vectors have the same length, and ranges lie within it."""
    cdef Py_ssize_t k
    if not n == a == b == c:
        raise ValueError(f"vectors of {n}, {a}, {b} and {c} numbers do not go together")
    if ranges.shape[1] != 2:
        raise ValueError(f"ranges has {ranges.shape[1]} columns, expected a first and a last + 1")
    for k in range(ranges.shape[0]):
        if not 0 <= ranges[k, 0] <= ranges[k, 1] <= n:
            raise ValueError(f"ranges[{k}] is {ranges[k, 0]} to {ranges[k, 1]}, expected a range of {n} numbers")
    return 0


# The updates of the optimizers. A new one is one function here, registered by the line after it, and its class in
# _training/optimizers.py.

cdef struct Update:
    # The vectors of P numbers, and the constants that the equations take
    real* theta                 # IN, OUT
    real* first                 # IN, OUT a running average
    real* second                # IN, OUT another one, or NULL
    const real* gradient        # IN
    double scale
    double learning_rate
    double gradient_rate
    double decay_1
    double decay_2
    double correction
    double epsilon
    bint nesterov


ctypedef void (*RangeUpdate)(Update u, Py_ssize_t start, Py_ssize_t stop) noexcept nogil


cdef class RegisteredUpdate:
    """An update as a Python object, for a table by name."""
    cdef RangeUpdate of_range
    cdef int n_averages


cdef dict UPDATES = {}


cdef int register_update(str name, RangeUpdate of_range, int n_averages) except -1:
    """Make an update known by its name."""
    cdef RegisteredUpdate entry = RegisteredUpdate.__new__(RegisteredUpdate)
    if name in UPDATES:
        raise ValueError(f"there are two updates {name!r}")
    entry.of_range, entry.n_averages = of_range, n_averages
    UPDATES[name] = entry
    return 0


def update(
    str name,
    real[::1] theta,            # IN, OUT (P,)
    real[::1] first,            # IN, OUT (P,) a running average of the optimizer
    real[::1] second,           # IN, OUT (P,) another one, None for optimizers that have one
    const real[::1] gradient,   # IN  (P,)
    const Py_ssize_t[:, ::1] ranges,    # IN  (m, 2): what to update, first and last + 1 of each
    *,
    double learning_rate,
    double scale=1,             # of the gradient
    double gradient_rate=0,     # learning rate of the gradient beside that of its average
    double decay_1=0,           # of `first`
    double decay_2=0,           # of `second`
    double correction=1,        # factor of `second`
    double epsilon=0,
    bint nesterov=False,
    const Py_ssize_t[:, ::1] decayed=None,  # IN  (w, 2): ranges of theta that are multiplied by `keep` before
    double keep=1,
    double[::1] counts=None,                # OUT (2,): the two numbers that follow, as they are after this step
    double steps=0,
    double product=0,
):
    """One step of the optimizer that is registered by this name; numbers in no range are neither read nor changed.

    Everything that a step changes is changed here: a KeyboardInterrupt comes before it or after it.
    """
    cdef Update u
    cdef RegisteredUpdate entry
    cdef Py_ssize_t j, k, P = theta.shape[0], n_decayed = 0
    cdef unsigned long long mode
    cdef real factor = <real> keep
    entry = UPDATES.get(name)
    if entry is None:
        raise ValueError(f"there is no update {name!r}, expected one of {', '.join(UPDATES)}")
    if entry.n_averages != (1 if second is None else 2):
        raise ValueError(f"{name} takes {entry.n_averages} running averages")
    check_ranges(ranges, P, first.shape[0], P if second is None else second.shape[0], gradient.shape[0])
    if decayed is not None:
        check_ranges(decayed, P, P, P, P)
        n_decayed = decayed.shape[0]
    if counts is not None and counts.shape[0] != 2:
        raise ValueError(f"counts has {counts.shape[0]} numbers, expected 2")
    u.theta, u.first, u.second, u.gradient = &theta[0], &first[0], NULL, &gradient[0]
    if second is not None:
        u.second = &second[0]
    u.scale, u.learning_rate, u.gradient_rate = scale, learning_rate, gradient_rate
    u.decay_1, u.decay_2, u.correction, u.epsilon, u.nesterov = decay_1, decay_2, correction, epsilon, nesterov
    with nogil:
        for k in range(n_decayed):
            for j in range(decayed[k, 0], decayed[k, 1]):
                theta[j] = theta[j] * factor
        mode = flush_denormals()
        for k in range(ranges.shape[0]):
            entry.of_range(u, ranges[k, 0], ranges[k, 1])
        restore_mode(mode)
        if counts is not None:
            counts[0], counts[1] = steps, product


cdef void sgd(Update u, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """v ← μ v − η g;  θ ← θ + v, or with Nesterov θ ← θ + μ v − η g."""
    cdef Py_ssize_t i, j, n
    cdef vec g, v
    cdef vec eta = splat(<real> (u.learning_rate * u.scale)), mu = splat(<real> u.decay_1)
    for i in range(ceil_div(stop - start, VL)):
        j = start + i * VL
        n = stop - j
        g = eta * load_lanes(u.gradient + j, n)
        v = mu * load_lanes(u.first + j, n) - g
        store(u.first + j, v, n)
        if u.nesterov:
            v = mu * v - g
        store(u.theta + j, load_lanes(u.theta + j, n) + v, n)


register_update("sgd", sgd, n_averages=1)


cdef void adam(Update u, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  θ ← θ − η m / (√(correction · v) + ε)."""
    cdef Py_ssize_t i, j, n
    cdef vec g, m, v
    cdef vec s = splat(<real> u.scale), b1 = splat(<real> u.decay_1), b2 = splat(<real> u.decay_2)
    cdef vec a1 = splat(<real> (1 - u.decay_1)), a2 = splat(<real> (1 - u.decay_2))
    cdef vec eta = splat(<real> u.learning_rate), c = splat(<real> u.correction), eps = splat(<real> u.epsilon)
    for i in range(ceil_div(stop - start, VL)):
        j = start + i * VL
        n = stop - j
        g = s * load_lanes(u.gradient + j, n)
        m = b1 * load_lanes(u.first + j, n) + a1 * g
        v = b2 * load_lanes(u.second + j, n) + a2 * (g * g)
        store(u.first + j, m, n)
        store(u.second + j, v, n)
        store(u.theta + j, load_lanes(u.theta + j, n) - eta * m / (square_root(c * v) + eps), n)


register_update("adam", adam, n_averages=2)


cdef void nadam(Update u, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """m and v as in `adam`;  θ ← θ − (η m + gradient_rate · g) / (√(correction · v) + ε)."""
    cdef Py_ssize_t i, j, n
    cdef vec g, m, v
    cdef vec s = splat(<real> u.scale), b1 = splat(<real> u.decay_1), b2 = splat(<real> u.decay_2)
    cdef vec a1 = splat(<real> (1 - u.decay_1)), a2 = splat(<real> (1 - u.decay_2))
    cdef vec eta = splat(<real> u.learning_rate), eta_g = splat(<real> u.gradient_rate)
    cdef vec c = splat(<real> u.correction), eps = splat(<real> u.epsilon)
    for i in range(ceil_div(stop - start, VL)):
        j = start + i * VL
        n = stop - j
        g = s * load_lanes(u.gradient + j, n)
        m = b1 * load_lanes(u.first + j, n) + a1 * g
        v = b2 * load_lanes(u.second + j, n) + a2 * (g * g)
        store(u.first + j, m, n)
        store(u.second + j, v, n)
        store(u.theta + j, load_lanes(u.theta + j, n) - (eta * m + eta_g * g) / (square_root(c * v) + eps), n)


register_update("nadam", nadam, n_averages=2)


cdef void rmsprop(Update u, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """v ← ρ v + (1 − ρ) g²;  θ ← θ − η g / (√v + ε)."""
    cdef Py_ssize_t i, j, n
    cdef vec g, v
    cdef vec s = splat(<real> u.scale), b = splat(<real> u.decay_1), a = splat(<real> (1 - u.decay_1))
    cdef vec eta = splat(<real> u.learning_rate), eps = splat(<real> u.epsilon)
    for i in range(ceil_div(stop - start, VL)):
        j = start + i * VL
        n = stop - j
        g = s * load_lanes(u.gradient + j, n)
        v = b * load_lanes(u.first + j, n) + a * (g * g)
        store(u.first + j, v, n)
        store(u.theta + j, load_lanes(u.theta + j, n) - eta * g / (square_root(v) + eps), n)


register_update("rmsprop", rmsprop, n_averages=1)
