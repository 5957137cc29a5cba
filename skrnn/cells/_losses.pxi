# Losses of one row of scores. Each returns weight · loss and fills the gradient weight · dloss/dscores.
#
# A new loss is one function and its line in `loss_named` here, and its class in losses.py.

cdef double squared_error(
    Py_ssize_t Q, const real* scores, const void* target, double weight, real* gradient
) noexcept nogil:
    """½ (score − target)², the mean over outputs; the target is (Q,) real."""
    cdef const real* y = <const real*> target
    cdef double difference, total = 0
    cdef Py_ssize_t q
    for q in range(Q):
        difference = <double> scores[q] - y[q]
        total += difference * difference
        gradient[q] = <real> (weight / Q * difference)
    return weight * 0.5 * total / Q


cdef double binary_log_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, real* gradient
) noexcept nogil:
    """−log p of the target, p = σ(score) for target 1: log(1 + exp(−|score|)) + max(score, 0) − target · score."""
    cdef double z = scores[0], y = (<const Py_ssize_t*> target)[0]
    cdef double e = exp(-fabs(z))
    cdef double p = (1 if z >= 0 else e) / (1 + e)
    gradient[0] = <real> (weight * (p - y))
    return weight * (log1p(e) + (z if z > 0 else 0) - y * z)


cdef double log_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, real* gradient
) noexcept nogil:
    """−log p of the target, p = softmax(scores)."""
    cdef Py_ssize_t y = (<const Py_ssize_t*> target)[0], q
    cdef real highest
    cdef double total = softmax_terms(Q, scores, gradient, &highest)
    for q in range(Q):
        gradient[q] = <real> (gradient[q] / total * weight)
    gradient[y] = <real> (gradient[y] - weight)
    return weight * (log(total) + highest - scores[y])


cdef double softmax_terms(Py_ssize_t Q, const real* scores, real* terms, real* highest) noexcept nogil:
    """terms = exp(scores − highest); returns their sum."""
    cdef Py_ssize_t q, v
    cdef double total = 0
    highest[0] = scores[0]
    for q in range(1, Q):
        highest[0] = max(highest[0], scores[q])
    for v in range(pieces(Q, VL)):
        store(terms + v * VL, exponential(load_lanes(scores + v * VL, Q - v * VL) - splat(highest[0])), Q - v * VL)
    for q in range(Q):
        total += terms[q]
    return total


cdef Loss loss_named(str name, Py_ssize_t Q) except *:
    """The loss for Q outputs."""
    cdef Loss loss
    if name == "squared_error":
        loss = Loss(of_row=squared_error, of_classes=False, fewest=1, most=PY_SSIZE_T_MAX)
    elif name == "binary_log_loss":
        loss = Loss(of_row=binary_log_loss, of_classes=True, fewest=1, most=1)
    elif name == "log_loss":
        loss = Loss(of_row=log_loss, of_classes=True, fewest=2, most=PY_SSIZE_T_MAX)
    else:
        raise ValueError(f"there is no loss {name!r}")
    if not loss.fewest <= Q <= loss.most:
        raise ValueError(f"{name} of {Q} outputs must be of {loss.fewest} to {loss.most}")
    return loss


cdef int check_class(Py_ssize_t target, Py_ssize_t row, Py_ssize_t Q) except -1:
    """One output tells two classes apart, more are one for each."""
    cdef Py_ssize_t highest = Q - 1 if Q > 1 else 1
    if not 0 <= target <= highest:
        raise ValueError(f"targets[{row}]={target} must be a class from 0 to {highest}")
    return 0
