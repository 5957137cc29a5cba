# Losses of one row of scores. Each returns weight · loss and fills the gradient weight · dloss/dscores.
#
# A new loss is one function here, its name in `loss_named`, and its class in losses.py.

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


cdef Loss loss_named(str name) except NULL:
    if name == "squared_error":
        return squared_error
    if name == "binary_log_loss":
        return binary_log_loss
    if name == "log_loss":
        return log_loss
    raise ValueError(f"there is no loss {name!r}")
