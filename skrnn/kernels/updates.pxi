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


def adam(
    real[::1] theta,            # IN, OUT (P,)
    real[::1] mean,             # IN, OUT (P,)
    real[::1] square,           # IN, OUT (P,)
    const real[::1] gradient,   # IN  (P,)
    const Py_ssize_t[:, ::1] ranges,    # IN  (m, 2): what to update, first and last + 1 of each
    double scale,               # of the gradient
    double beta_1,
    double beta_2,
    double step,
    double correction,
    double epsilon,
):
    """m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²;  θ ← θ − step · m / (√(correction · v) + ε), g scaled."""
    cdef Py_ssize_t n, j, i, k
    cdef vec g, m, v
    cdef unsigned long long mode
    check_ranges(ranges, theta.shape[0], mean.shape[0], square.shape[0], gradient.shape[0])
    cdef vec s = splat(<real> scale), b1 = splat(<real> beta_1), b2 = splat(<real> beta_2)
    cdef vec a1 = splat(<real> (1 - beta_1)), a2 = splat(<real> (1 - beta_2))
    cdef vec eta = splat(<real> step), c = splat(<real> correction), eps = splat(<real> epsilon)
    with nogil:
        mode = flush_denormals()
        for k in range(ranges.shape[0]):
            n = ranges[k, 1]
            for i in range(ceil_div(n - ranges[k, 0], VL)):
                j = ranges[k, 0] + i * VL
                g = s * load_lanes(&gradient[j], n - j)
                m = b1 * load_lanes(&mean[j], n - j) + a1 * g
                v = b2 * load_lanes(&square[j], n - j) + a2 * (g * g)
                store(&mean[j], m, n - j)
                store(&square[j], v, n - j)
                store(&theta[j], load_lanes(&theta[j], n - j) - eta * m / (square_root(c * v) + eps), n - j)
        restore_mode(mode)


def sgd(
    real[::1] theta,            # IN, OUT (P,)
    real[::1] velocity,         # IN, OUT (P,)
    const real[::1] gradient,   # IN  (P,)
    const Py_ssize_t[:, ::1] ranges,    # IN  (m, 2): what to update, first and last + 1 of each
    double scale,               # of the gradient
    double learning_rate,
    double momentum,
    bint nesterov,
):
    """v ← μ v − η g;  θ ← θ + v, or with Nesterov θ ← θ + μ v − η g."""
    cdef Py_ssize_t n, j, i, k
    cdef vec g, v
    cdef unsigned long long mode
    check_ranges(ranges, theta.shape[0], velocity.shape[0], gradient.shape[0], theta.shape[0])
    cdef vec eta = splat(<real> (learning_rate * scale)), mu = splat(<real> momentum)
    with nogil:
        mode = flush_denormals()
        for k in range(ranges.shape[0]):
            n = ranges[k, 1]
            for i in range(ceil_div(n - ranges[k, 0], VL)):
                j = ranges[k, 0] + i * VL
                g = eta * load_lanes(&gradient[j], n - j)
                v = mu * load_lanes(&velocity[j], n - j) - g
                store(&velocity[j], v, n - j)
                if nesterov:
                    v = mu * v - g
                store(&theta[j], load_lanes(&theta[j], n - j) + v, n - j)
        restore_mode(mode)


def rmsprop(
    real[::1] theta,            # IN, OUT (P,)
    real[::1] square,           # IN, OUT (P,)
    const real[::1] gradient,   # IN  (P,)
    const Py_ssize_t[:, ::1] ranges,    # IN  (m, 2): what to update, first and last + 1 of each
    double scale,               # of the gradient
    double decay,
    double learning_rate,
    double epsilon,
):
    """v ← ρ v + (1 − ρ) g²;  θ ← θ − η g / (√v + ε)."""
    cdef Py_ssize_t n, j, i, k
    cdef vec g, v
    cdef unsigned long long mode
    check_ranges(ranges, theta.shape[0], square.shape[0], gradient.shape[0], theta.shape[0])
    cdef vec s = splat(<real> scale), b = splat(<real> decay), a = splat(<real> (1 - decay))
    cdef vec eta = splat(<real> learning_rate), eps = splat(<real> epsilon)
    with nogil:
        mode = flush_denormals()
        for k in range(ranges.shape[0]):
            n = ranges[k, 1]
            for i in range(ceil_div(n - ranges[k, 0], VL)):
                j = ranges[k, 0] + i * VL
                g = s * load_lanes(&gradient[j], n - j)
                v = b * load_lanes(&square[j], n - j) + a * (g * g)
                store(&square[j], v, n - j)
                store(&theta[j], load_lanes(&theta[j], n - j) - eta * g / (square_root(v) + eps), n - j)
        restore_mode(mode)


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
