"""Scores in an ONNX graph as what the predict methods return: labels, probabilities, numbers, survival."""

from typing import NamedTuple

import numpy as np

from skrnn._estimators.class_targets import ClassTargets
from skrnn._estimators.several_class_targets import SeveralClassTargets
from skrnn._estimators.survival_targets import SurvivalTargets
from skrnn._training.distributions import MAX_LOG_DISPERSION, MIN_DISPERSION, MIN_FREEDOM, MIN_SCALE
from skrnn._training.losses import BinaryLogLoss
from skrnn.exceptions import ExportError
from skrnn.export._onnx.functions import softplus, with_repeated_ends
from skrnn.export._onnx.single_precision import as_float32, divisors_as_float32


class Output(NamedTuple):
    """A value that a model returns: its name in the graph, its type, and its sizes after those of rows."""

    value: str
    dtype: object
    sizes: tuple = ()


def write_outputs(g, fitted, scores, steps):
    """Declare what the predict methods of an estimator return as the outputs of the model.

    They are ``label`` and ``probabilities``, for several columns of classes ``label_0``, ``probabilities_0`` and so on;
    or ``prediction``, for distributions also ``std``; or of survival ``prediction``, the risk, ``survival`` and
    ``cumulative_hazard`` at the ``times`` (intervals + 1,). Per step, what stands after the end of a sequence is what
    its last step has.

    Parameters
    ----------
    g : Graph
    fitted : Fitted
    scores : str
        (n, Q), or per step (n, T, Q).
    steps : Steps
    """
    per_step = fitted.model.network.per_step
    if per_step:
        scores = with_repeated_ends(g, scores, steps.lengths)
    rows = ("n", "steps") if per_step else ("n",)
    for name, output in outputs(g, fitted, scores, steps).items():
        g.output(name, output.value, output.dtype, (*rows, *output.sizes))
    if isinstance(fitted.targets, SurvivalTargets):
        edges = fitted.targets.edges
        g.output("times", g.constant(edges), edges.dtype, edges.shape)


def outputs(g, fitted, scores, steps):
    """What `write_outputs` declares of each row, an `Output` by name."""
    targets, loss = fitted.targets, fitted.model.loss
    if isinstance(targets, ClassTargets):
        return _labels(g, targets, loss, scores)
    if isinstance(targets, SeveralClassTargets):
        return _labels_of_columns(g, targets, loss, scores)
    if isinstance(targets, SurvivalTargets):
        return _survival(g, targets, scores)
    return _numbers(g, fitted, scores, steps)


def _labels(g, targets, loss, scores):
    """The label of the greatest probability, or those above one half, and the probabilities."""
    p, n = _probabilities(g, loss, scores), len(targets.classes)
    probabilities = Output(p, np.float32, (n,))
    if targets.multilabel:
        return {"label": Output(g.cast(g.op("Less", 0.5, p), np.int64), np.int64, (n,)), "probabilities": probabilities}
    classes = targets.classes.astype(np.int64) if targets.classes.dtype.kind == "i" else targets.classes
    dtype = str if classes.dtype.kind in "OU" else classes.dtype
    label = g.gather(g.constant(classes), g.op("ArgMax", p, axis=-1, keepdims=0))
    return {"label": Output(label, dtype), "probabilities": probabilities}


def _probabilities(g, loss, scores):
    """The probabilities of classes or labels."""
    if loss.out_activation == "softmax":
        return g.op("Softmax", scores, axis=-1)
    p = g.op("Sigmoid", scores)
    return g.concat([g.sub(1.0, p), p], axis=-1) if isinstance(loss, BinaryLogLoss) else p


def _labels_of_columns(g, targets, loss, scores):
    """Labels and probabilities of each column of classes."""
    found = {}
    for q, (column, (part, of_column)) in enumerate(zip(targets.columns, loss.columns, strict=True)):
        each = _labels(g, column, of_column, g.columns(scores, part.start, part.stop))
        found |= {f"{name}_{q}": output for name, output in each.items()}
    return found


def _survival(g, targets, scores):
    """The risk, the survival function and the cumulative hazard, at the edges of the intervals."""
    sums = g.op("CumSum", softplus(g, scores), -1)
    hazard = g.op("Pad", sums, g.ints(0, 1, 0, 0))
    n = len(targets.edges)
    return {
        "prediction": Output(g.reduce("ReduceSum", sums, -1), np.float32),
        "survival": Output(g.op("Exp", g.op("Neg", hazard)), np.float32, (n,)),
        "cumulative_hazard": Output(hazard, np.float32, (n,)),
    }


def _numbers(g, fitted, scores, steps):
    """Predicted numbers in their units, with the deviations of distributions."""
    targets, loss = fitted.targets, fitted.model.loss
    units = _units(g, fitted, steps)
    if loss.knows_quantiles and not loss.is_likelihood:
        units = units and [g.unsqueeze(part, -1) for part in units]
        values = _in_units(g, _quantiles(g, fitted, scores), units)
        return {"prediction": Output(_in_shape(g, values, targets, -2), np.float32, (*targets.shape, loss.width))}
    if loss.is_likelihood:
        if loss.name not in MEAN_AND_STD:
            raise ExportError(f"loss={loss.name!r} is not there in ONNX; expected one of {[*MEAN_AND_STD]}")
        mean, std = MEAN_AND_STD[loss.name](g, *(_every(g, scores, k, loss.width) for k in range(loss.width)))
        found = {"prediction": _in_units(g, mean, units), "std": std if units is None else g.mul(std, units[1])}
    else:
        activation = ACTIVATIONS[loss.out_activation]
        found = {"prediction": _in_units(g, g.op(activation, scores) if activation else scores, units)}
    return {name: Output(_in_shape(g, value, targets, -1), np.float32, targets.shape) for name, value in found.items()}


def _normal(g, mean, s):
    return mean, _scale(g, s)


def _student_t(g, location, s, n):
    """ν / (ν − 2) = 1 + 2 / (ν − 2), of which no digits cancel."""
    above_two = g.add(softplus(g, n), MIN_FREEDOM - 2)
    return location, g.mul(_scale(g, s), g.op("Sqrt", g.add(g.div(2.0, above_two), 1.0)))


def _negative_binomial(g, log_mean, a):
    """μ, and √μ √(1 + α μ)."""
    mean = g.op("Exp", log_mean)
    dispersion = g.add(g.op("Exp", g.op("Min", a, float(MAX_LOG_DISPERSION))), MIN_DISPERSION)
    return mean, g.mul(g.op("Sqrt", mean), g.op("Sqrt", g.add(g.mul(dispersion, mean), 1.0)))


def _scale(g, s):
    return g.add(softplus(g, s), MIN_SCALE)


# Of the losses that are likelihoods: the mean and the deviation (..., Q) of scores (..., Q), as in `distributions`
MEAN_AND_STD = {"gaussian": _normal, "student_t": _student_t, "negative_binomial": _negative_binomial}
# What makes predictions of scores, by the loss's `out_activation`
ACTIVATIONS = {"identity": None, "logistic": "Sigmoid", "exp": "Exp"}


def _every(g, scores, k, width):
    """The k-th of `width` scores of each target, (..., Q)."""
    if width == 1:
        return scores
    return g.op("Slice", scores, g.ints(k), g.ints(np.iinfo(np.int64).max), g.ints(-1), g.ints(width))


def _quantiles(g, fitted, scores):
    """The quantiles (..., Q, m): the lowest, and what is added to each for the next."""
    rows, m = (0, 0) if fitted.model.network.per_step else (0,), fitted.model.loss.width
    parts = g.reshape(scores, *rows, fitted.targets.n_outputs, m)
    if m == 1:
        return parts
    increments = softplus(g, g.columns(parts, 1, m))
    return g.op("CumSum", g.concat([g.columns(parts, 0, 1), increments], axis=-1), -1)


def _units(g, fitted, steps):
    """What is added to predictions after they are multiplied, and by what: (Q,), or (n, Q); None for nothing."""
    targets, loss = fitted.targets, fitted.model.loss
    has_own = fitted.reading.has_target_units(loss, targets.n_outputs)
    if targets.scale is None and not has_own:
        return None
    center, scale = 0.0, 1.0
    if targets.scale is not None:
        center = g.constant(as_float32("center of y", targets.center))
        scale = g.constant(divisors_as_float32("scale of y", targets.scale))
    if not has_own:
        return center, scale
    level, ratio = steps.own
    center, scale = g.add(g.mul(level, scale), center), g.mul(ratio, scale)
    return [g.unsqueeze(part, 1) for part in (center, scale)] if fitted.model.network.per_step else (center, scale)


def _in_units(g, x, units):
    """x · scale + center."""
    return x if units is None else g.add(g.mul(x, units[1]), units[0])


def _in_shape(g, values, targets, axis):
    """Values without the axis of the outputs of a target, where targets have none."""
    return values if targets.shape else g.squeeze(values, axis)
