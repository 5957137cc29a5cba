# Losses of one row of scores. Each returns weight · loss and fills the gradient weight · dloss/dscores.
#
# A new loss is one function here, registered by the line after it, and its class in _training/losses.py.

cdef class RegisteredLoss:
    """A loss as a Python object, for a table by name."""
    cdef Loss loss

    @property
    def of_classes(self):
        """Whether targets are class numbers, or else real numbers."""
        return self.loss.of_classes

    @property
    def max_outputs(self):
        """The maximum Q."""
        return self.loss.max_outputs


LOSSES = {}


cdef Py_ssize_t ONE_EACH = -1       # as many as the loss has parameters, at least one


cdef int register_loss(
    str name, RowLoss of_row, bint mean=False, Py_ssize_t n_parameters=0, Py_ssize_t width=1, bint of_classes=False,
    Py_ssize_t min_outputs=1, Py_ssize_t max_outputs=PY_SSIZE_T_MAX, Py_ssize_t class_columns=1,
) except -1:
    """Make a loss known by its name, of targets that are class numbers or else Q / width real numbers.

    A real target has `width` scores, side by side: a number, or ONE_EACH. The loss has to be the sum over targets, or
    the mean, of what it is of each alone. Class numbers are one in each row, or `class_columns`=ONE_EACH: then the
    parameters are the numbers of scores of the columns, side by side, one for two classes, and −1 is a missing class,
    of which the loss takes no notice.
    `n_parameters` is ONE_EACH where there may be any number of parameters but none.
    """
    cdef RegisteredLoss entry = RegisteredLoss.__new__(RegisteredLoss)
    if name in LOSSES:
        raise ValueError(f"there are two losses {name!r}")
    entry.loss = Loss(
        of_row=of_row, of_classes=of_classes, mean=mean, min_outputs=min_outputs, max_outputs=max_outputs,
        width=width, n_targets=class_columns, parameters=NULL, n_parameters=n_parameters, logistic=False,
    )
    LOSSES[name] = entry
    return 0


cdef Loss loss_named(str name, const double[::1] parameters, bint of_logistic, Py_ssize_t Q) except *:
    """The loss for Q scores, of them or of σ(scores). Its parameters stay the caller's."""
    cdef Loss loss
    cdef Py_ssize_t n = 0 if parameters is None else parameters.shape[0], k
    cdef double n_scores = 0
    if name not in LOSSES:
        raise ValueError(f"there is no loss {name!r}, expected one of {', '.join(LOSSES)}")
    loss = (<RegisteredLoss> LOSSES[name]).loss
    if not loss.min_outputs <= Q <= loss.max_outputs:
        raise ValueError(f"{name} of {Q} outputs must be of {loss.min_outputs} to {loss.max_outputs}")
    if n == 0 if loss.n_parameters == ONE_EACH else n != loss.n_parameters:
        expected = "at least one" if loss.n_parameters == ONE_EACH else loss.n_parameters
        raise ValueError(f"{name} has {n} parameters, expected {expected}")
    loss.parameters, loss.n_parameters, loss.logistic = &parameters[0] if n else NULL, n, of_logistic
    if loss.width == ONE_EACH:
        loss.width = n
    if not loss.of_classes:
        if Q % loss.width != 0:
            raise ValueError(f"{name} has {loss.width} scores for each target, of which {Q} is no multiple")
        loss.n_targets = Q // loss.width
    elif loss.n_targets == ONE_EACH:
        for k in range(n):
            if parameters[k] < 1 or parameters[k] != floor(parameters[k]):
                raise ValueError(f"{name} has {parameters[k]} scores for column {k}, expected a number from 1")
            n_scores += parameters[k]
        if n_scores != Q:
            raise ValueError(f"{name} has {n_scores:.0f} scores for all columns, expected {Q}")
        loss.n_targets = n
    return loss


cdef const char* target_rows(const Loss* loss, targets, Py_ssize_t n, Py_ssize_t* size) except NULL:
    """The first byte of the rows of targets, n rows of `size` bytes; they stay the caller's.

    They are (n, Q / width) real numbers, or class numbers, (n,) intp or (n, n_targets).
    """
    cdef const real[:, ::1] numbers
    cdef const Py_ssize_t[::1] classes
    cdef const Py_ssize_t[:, ::1] columns
    if not loss.of_classes:
        numbers = targets
        expect_shape("targets", numbers.shape[0], numbers.shape[1], n, loss.n_targets)
        size[0] = loss.n_targets * sizeof(real)
        return <const char*> &numbers[0, 0]
    size[0] = loss.n_targets * sizeof(Py_ssize_t)
    if loss.n_targets > 1:
        columns = targets
        expect_shape("targets", columns.shape[0], columns.shape[1], n, loss.n_targets)
        return <const char*> &columns[0, 0]
    classes = targets
    expect_length("targets", classes.shape[0], n)
    return <const char*> &classes[0]


cdef inline double logistic_loss(double z, double y, double* gradient) noexcept nogil:
    """−y log p − (1 − y) log (1 − p), p = σ(z): log(1 + exp(−|z|)) + max(z, 0) − y z; the gradient is p − y."""
    cdef double e = exp(-fabs(z))
    gradient[0] = (1 if z >= 0 else e) / (1 + e) - y
    return log1p(e) + (z if z > 0 else 0) - y * z


cdef inline double softplus(double z, double* slope) noexcept nogil:
    """log(1 + exp(z)); its slope is σ(z)."""
    return logistic_loss(z, 0, slope)


cdef double squared_error(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
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


register_loss("squared_error", squared_error, mean=True)


cdef double absolute_error(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """|score − target|, the mean over outputs; the target is (Q,) real."""
    cdef double half = 0.5
    return quantile_loss(Q, scores, target, 2 * weight, &half, 1, gradient)


register_loss("absolute_error", absolute_error, mean=True)


cdef double quantile_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """(target − s) · (quantile − [target < s]), the mean over targets (Q / n_parameters,) and their quantiles.

    The lowest quantile s is the first score of a target, each other the one below plus softplus(its score).
    """
    cdef const real* y = <const real*> target
    cdef double level, increment, difference, slope, above, total = 0
    cdef Py_ssize_t m, r, first
    for m in range(Q // n_parameters):
        first, level = m * n_parameters, scores[m * n_parameters]
        for r in range(n_parameters):
            if r > 0:
                level += softplus(scores[first + r], &increment)
            difference = <double> y[m] - level
            slope = parameters[r] if difference > 0 else parameters[r] - 1 if difference < 0 else 0
            total += slope * difference
            gradient[first + r] = <real> (-weight / Q * slope)
        if n_parameters == 1:
            continue
        # level_r = score_0 + softplus(score_1) + … + softplus(score_r)
        above = 0
        for r in range(n_parameters - 1, 0, -1):
            above += gradient[first + r]
            softplus(scores[first + r], &increment)
            gradient[first + r] = <real> (above * increment)
        gradient[first] = <real> (above + gradient[first])
    return weight * total / Q


register_loss("quantile", quantile_loss, mean=True, n_parameters=ONE_EACH, width=ONE_EACH)


cdef double huber_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """½ d² for |d| = |score − target| ≤ δ, else δ (|d| − ½ δ), the mean over outputs; the target is (Q,) real."""
    cdef const real* y = <const real*> target
    cdef double difference, slope, total = 0, delta = parameters[0]
    cdef Py_ssize_t q
    for q in range(Q):
        difference = <double> scores[q] - y[q]
        slope = max(-delta, min(delta, difference))
        # d · slope − ½ slope² is both
        total += slope * (difference - 0.5 * slope)
        gradient[q] = <real> (weight / Q * slope)
    return weight * total / Q


register_loss("huber", huber_loss, mean=True, n_parameters=1)


cdef double log_cosh_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """log cosh d = |d| + log(1 + exp(−2 |d|)) − log 2, d = score − target, the mean over outputs; targets are (Q,)."""
    cdef const real* y = <const real*> target
    cdef double difference, e, slope, total = 0
    cdef Py_ssize_t q
    for q in range(Q):
        difference = <double> scores[q] - y[q]
        # with e = exp(−2 |d|) − 1: log((2 + e) / 2), and tanh |d| = −e / (2 + e), also where d² is below rounding
        e = expm1(-2 * fabs(difference))
        slope = e / (2 + e) if difference < 0 else -e / (2 + e)
        total += fabs(difference) + log1p(0.5 * e)
        gradient[q] = <real> (weight / Q * slope)
    return weight * total / Q


register_loss("log_cosh", log_cosh_loss, mean=True)


cdef double poisson_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """exp(score) − target · score, minus its minimum: half the deviance, the sum over outputs; the target is (Q,)."""
    cdef const real* y = <const real*> target
    cdef double mean, total = 0
    cdef Py_ssize_t q
    for q in range(Q):
        mean = exp(<double> scores[q])
        total += mean - y[q] - (y[q] * (scores[q] - log(<double> y[q])) if y[q] > 0 else 0)
        gradient[q] = <real> (weight * (mean - y[q]))
    return weight * total


register_loss("poisson", poisson_loss)


cdef double binary_log_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """−log p of the target, p = σ(score) for target 1."""
    cdef double slope
    cdef double value = logistic_loss(scores[0], (<const Py_ssize_t*> target)[0], &slope)
    gradient[0] = <real> (weight * slope)
    return weight * value


register_loss(
    "binary_log_loss", binary_log_loss, mean=False, n_parameters=0, width=1, of_classes=True, min_outputs=1,
    max_outputs=1,
)


cdef double multilabel_log_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """−log p of each label or of its absence, p = σ(score), the sum over labels; the target is (Q,) of 0 and 1."""
    cdef const real* y = <const real*> target
    cdef double slope, total = 0
    cdef Py_ssize_t q
    for q in range(Q):
        total += logistic_loss(scores[q], y[q], &slope)
        gradient[q] = <real> (weight * slope)
    return weight * total


register_loss("multilabel_log_loss", multilabel_log_loss)


cdef double log_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """−log p of the target, p = softmax(scores)."""
    cdef Py_ssize_t y = (<const Py_ssize_t*> target)[0], q
    cdef real highest
    cdef double total = softmax_terms(Q, scores, gradient, &highest)
    for q in range(Q):
        gradient[q] = <real> (gradient[q] / total * weight)
    gradient[y] = <real> (gradient[y] - weight)
    return weight * (log(total) + highest - scores[y])


register_loss("log_loss", log_loss, mean=False, n_parameters=0, width=1, of_classes=True, min_outputs=2)


cdef double multioutput_log_loss(
    Py_ssize_t Q, const real* scores, const void* target, double weight, const double* parameters,
    Py_ssize_t n_parameters, real* gradient,
) noexcept nogil:
    """The mean over columns of the log loss of each, of its own scores; the target is (n_parameters,), −1 for none."""
    cdef const Py_ssize_t* y = <const Py_ssize_t*> target
    cdef double of_column = weight / n_parameters, total = 0
    cdef Py_ssize_t k, n, first = 0
    for k in range(n_parameters):
        n = <Py_ssize_t> parameters[k]
        if y[k] < 0:
            memset(gradient + first, 0, n * sizeof(real))
        elif n == 1:
            total += binary_log_loss(1, scores + first, y + k, of_column, NULL, 0, gradient + first)
        else:
            total += log_loss(n, scores + first, y + k, of_column, NULL, 0, gradient + first)
        first += n
    return total


register_loss(
    "multioutput_log_loss", multioutput_log_loss, mean=True, n_parameters=ONE_EACH, width=1, of_classes=True,
    min_outputs=2, max_outputs=PY_SSIZE_T_MAX, class_columns=ONE_EACH,
)


cdef double softmax_terms(Py_ssize_t Q, const real* scores, real* terms, real* highest) noexcept nogil:
    """terms = exp(scores − highest); returns their sum."""
    cdef Py_ssize_t q, v
    cdef double total = 0
    highest[0] = scores[0]
    for q in range(1, Q):
        highest[0] = max(highest[0], scores[q])
    for v in range(ceil_div(Q, VL)):
        store(terms + v * VL, exponential(load_lanes(scores + v * VL, Q - v * VL) - splat(highest[0])), Q - v * VL)
    for q in range(Q):
        total += terms[q]
    return total


cdef double loss_of_known(
    const Loss* loss, const real* scores, const real* target, double weight, real* gradient
) noexcept nogil:
    """weight · loss over the targets that are not NaN, one by one; the scores of the others have no gradient."""
    cdef double value = 0, of_target = weight / loss.n_targets if loss.mean else weight
    cdef Py_ssize_t m, W = loss.width
    for m in range(loss.n_targets):
        memset(gradient + m * W, 0, W * sizeof(real))
        if target[m] == target[m]:
            value += loss.of_row(
                W, scores + m * W, target + m, of_target, loss.parameters, loss.n_parameters, gradient + m * W
            )
    return value


cdef double loss_of_scores(
    const Loss* loss, Py_ssize_t Q, real* scores, const void* target, double weight, bint known, real* gradient
) noexcept nogil:
    """weight · loss, and its gradient in the scores; these become σ(scores) where the loss is of that.

    `known` says that no number of the target is NaN; of classes the loss itself sees which are missing.
    """
    cdef double value
    cdef Py_ssize_t q, v
    if loss.logistic:
        for v in range(ceil_div(Q, VL)):
            store(scores + v * VL, logistic(load_lanes(scores + v * VL, Q - v * VL)), Q - v * VL)
    if known or loss.of_classes:
        value = loss.of_row(Q, scores, target, weight, loss.parameters, loss.n_parameters, gradient)
    else:
        value = loss_of_known(loss, scores, <const real*> target, weight, gradient)
    if loss.logistic:
        for q in range(Q):
            gradient[q] = gradient[q] * scores[q] * (1 - scores[q])
    return value


cdef int check_classes(const Loss* loss, const Py_ssize_t* target, Py_ssize_t row, Py_ssize_t Q) except -1:
    """One score is for two classes, several are one for each class; in several columns −1 is missing."""
    cdef Py_ssize_t highest, n, k
    for k in range(loss.n_targets):
        n = <Py_ssize_t> loss.parameters[k] if loss.n_targets > 1 else Q
        highest = n - 1 if n > 1 else 1
        if not (-1 if loss.n_targets > 1 else 0) <= target[k] <= highest:
            raise ValueError(
                f"targets[{row}]={target[0]} must be a class from 0 to {highest}" if loss.n_targets == 1 else
                f"targets[{row}, {k}]={target[k]} must be a class from 0 to {highest}, or -1"
            )
    return 0
