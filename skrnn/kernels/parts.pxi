# Parts of the kernels as functions of Python: softmax, losses of rows, masks of dropout, the functions of vectors.
# `predict` and the losses use some of them; the tests look at all.


def softmax(real[:, ::1] scores):       # IN, OUT (R, Q)
    """Every row of scores becomes exp(score − max) / Σ exp(score − max)."""
    cdef Py_ssize_t r, q, Q = scores.shape[1]
    cdef real highest
    cdef double total
    if Q < 1:
        raise ValueError("softmax needs at least one column")
    with nogil:
        for r in range(scores.shape[0]):
            total = softmax_terms(Q, &scores[r, 0], &scores[r, 0], &highest)
            for q in range(Q):
                scores[r, q] = <real> (scores[r, q] / total)


def loss(
    str name,
    const double[::1] parameters,   # IN  of the loss; None for none
    bint of_logistic,
    real[:, ::1] scores,        # IN  (R, Q); OUT σ(scores) where the loss is of that
    targets,                    # IN  (R, Q / width) real, NaN where one is missing, or (R,) or (R, k) intp classes
    const double[::1] weights,  # IN  (R,)
    real[:, ::1] gradient,      # OUT (R, Q)
):
    """Σ weight · loss over the rows, and the gradient in the scores."""
    cdef Py_ssize_t R = scores.shape[0], Q = scores.shape[1], r, m, size
    cdef bint known = True
    cdef Loss function = loss_named(name, parameters, of_logistic, Q)
    cdef const char* target = target_rows(&function, targets, R, &size)
    cdef const real* numbers
    cdef double total = 0
    expect_length("weights", weights.shape[0], R)
    expect_shape("gradient", gradient.shape[0], gradient.shape[1], R, Q)
    for r in range(R):
        if function.of_classes:
            check_classes(&function, <const Py_ssize_t*> (target + r * size), r, Q)
        else:
            numbers, known = <const real*> (target + r * size), True
            for m in range(function.n_targets):
                known = known and numbers[m] == numbers[m]
        total += loss_of_scores(&function, Q, &scores[r, 0], target + r * size, weights[r], known, &gradient[r, 0])
    return total


def dropped(unsigned long long seed, Py_ssize_t site, Py_ssize_t row, double rate, const real[::1] x, real[::1] y):
    """y = x ⊙ mask, the mask of dropout that has this seed, site and row."""
    expect_length("y", y.shape[0], x.shape[0])
    drop(seed, site, row, rate, x.shape[0], &x[0], &y[0])


def evaluate(str name, const real[::1] x, real[::1] y):
    """y = a function of the vector maths, at every x: "exp", "exp2", "logistic" or "tanh"."""
    cdef Py_ssize_t n = x.shape[0], i, j
    expect_length("y", y.shape[0], n)
    cdef int function = ("exp", "exp2", "logistic", "tanh").index(name)
    cdef vec a
    for i in range(ceil_div(n, VL)):
        j = i * VL
        a = load_lanes(&x[j], n - j)
        if function == 0:
            a = exponential(a)
        elif function == 1:
            a = exponential_2(a)
        elif function == 2:
            a = logistic(a)
        else:
            a = hyperbolic_tangent(a)
        store(&y[j], a, n - j)


def set_looks(double seconds=look_seconds, double work=look_work, hook=None):
    """How often calls look for signals, see interrupts.pxi, and what is called at each look; all as it was for none."""
    global look_seconds, look_work, look_hook
    look_seconds, look_work, look_hook = seconds, work, hook


def set_sharing(double work=shared_work, double wait=max_wait, long parts=max_parts):
    """When threads share the units of a sequence, how long they are waited for, and when they leave, see sharing.pxi.

    All as it was for none.
    """
    global shared_work, max_wait, max_parts
    shared_work, max_wait, max_parts = work, wait, parts


def denormals(int n_threads):
    """For each thread, whether it computes with denormal numbers, as it does outside the kernels."""
    cdef Memory memory = Memory()
    cdef real* halves
    cdef int i
    cdef real smallest = 1
    expect_threads(n_threads)
    halves = <real*> memory.reserve(n_threads * sizeof(real))
    while smallest * <real> 0.5 > 0:
        smallest = smallest * <real> 0.5
    for i in prange(n_threads, nogil=True, schedule="static", chunksize=1, num_threads=n_threads):
        halves[i] = smallest * 2
        halves[i] = halves[i] * <real> 0.5
    return [halves[i] > 0 for i in range(n_threads)]
