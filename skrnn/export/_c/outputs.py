"""What is predicted in C: probabilities, numbers in the units of the user, distributions, survival."""

from itertools import accumulate

import numpy as np

from skrnn._estimators.class_targets import ClassTargets
from skrnn._estimators.number_targets import NumberTargets
from skrnn._estimators.several_class_targets import SeveralClassTargets
from skrnn._estimators.survival_targets import SurvivalTargets
from skrnn._training import distributions
from skrnn.exceptions import ExportError

# The template that makes predictions of scores, by the loss's `out_activation`
ACTIVATIONS = {"identity": "copy", "logistic": "logistic_all", "exp": "exp_all"}
# Losses with a deviation, and the limits of their parameters
DISTRIBUTIONS = {
    "gaussian": (distributions.MIN_SCALE,), "student_t": (distributions.MIN_SCALE, distributions.MIN_FREEDOM),
    "negative_binomial": (distributions.MIN_DISPERSION, distributions.MAX_LOG_DISPERSION),
}


def write_outputs(source, function, fitted, scores):
    """Add to a function what fills y from raw scores; what each number of y is, a list of str."""
    targets, loss = fitted.targets, fitted.model.loss
    return WRITERS[type(targets)](source, function, targets, loss, scores)


def _write_classes(source, function, targets, loss, scores):
    """Probabilities, and a function of the most probable class."""
    n = len(targets.classes)
    _write_probabilities(function, loss.name, n, scores, "y")
    if targets.multilabel:
        return [f"the probability of label {j}" for j in range(n)]
    label = source.function(
        "int net_label(const net_real *y)", "The number of the most probable class, of what net_step has filled in",
        exported=True,
    )
    label.say(f"return net_greatest({n}, y);")
    return [f"the probability of {label!r}, class {j}" for j, label in enumerate(targets.classes.tolist())]


def _write_several_classes(source, function, targets, loss, scores):
    """Probabilities of the classes of each target, side by side."""
    counts = [len(each.classes) for each in targets.columns]
    firsts = [0, *accumulate(counts)][:-1]
    label = source.function(
        "int net_label(const net_real *y, int target)",
        "The number of the most probable class of a target, of what net_step has filled in", exported=True,
    )
    about = []
    for q, ((columns, of_target), each) in enumerate(zip(loss.columns, targets.columns, strict=True)):
        y = f"y + {firsts[q]}"
        _write_probabilities(function, of_target.name, counts[q], f"{scores} + {columns.start}", y)
        label.say(f"if (target == {q})", f"    return net_greatest({counts[q]}, {y});")
        about += [
            f"target {q}: the probability of {label!r}, class {j}" for j, label in enumerate(each.classes.tolist())
        ]
    label.say("return -1;")
    return about


def _write_probabilities(function, loss_name, n, scores, p):
    if loss_name == "binary_log_loss":
        function.do("two_classes", f"({scores})[0]", p)
    else:
        function.do("softmax" if loss_name == "log_loss" else "logistic_all", n, scores, p)


def _write_numbers(source, function, targets, loss, scores):
    """Numbers in the units of the user; of distributions the means and then the deviations."""
    n, center, scale = targets.n_outputs, targets.center, targets.scale
    about = ["the prediction"] if n == 1 else [f"the prediction of target {q}" for q in range(n)]
    width = 1
    if loss.is_likelihood:
        if loss.name not in DISTRIBUTIONS:
            raise ExportError(f"loss={loss.name!r} is not there in C; expected one of {[*DISTRIBUTIONS]}")
        limits = [source.number(limit, loss.name) for limit in DISTRIBUTIONS[loss.name]]
        function.do(loss.name, n, *limits, scores, "y", f"y + {n}")
        about = [text.replace("prediction", what) for what in ("mean", "standard deviation") for text in about]
    elif loss.knows_quantiles:
        width = loss.width
        function.do("quantiles", n, width, scores, "y")
        about = [text.replace("prediction", f"quantile {level}") for text in about for level in loss.parameter]
    else:
        function.do(ACTIVATIONS[loss.out_activation], n, scores, "y")
    if scale is not None and not (np.all(center == 0) and np.all(scale == 1)):
        center = source.constant("y_center", center, "The mean of each target")
        scale = source.constant("y_scale", scale, "The deviation of each target")
        function.do("rescale", n, width, center, scale, "y")
        if loss.is_likelihood:
            function.do("multiply", n, scale, f"y + {n}")
    return about


def _write_survival(source, function, targets, loss, scores):
    """The risk, then the survival function."""
    function.do("survival", targets.n_outputs, scores, "y")
    return ["the risk", *(f"the probability that the event comes after {end!r}" for end in targets.edges[1:].tolist())]


WRITERS = {
    ClassTargets: _write_classes, SeveralClassTargets: _write_several_classes, NumberTargets: _write_numbers,
    SurvivalTargets: _write_survival,
}
