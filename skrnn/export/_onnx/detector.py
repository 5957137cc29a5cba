"""An RNNOutlierDetector in ONNX: how unusual steps and sequences are."""

import numpy as np

from skrnn.export._onnx.functions import is_step, with_repeated_ends
from skrnn.export._onnx.network import scores
from skrnn.export._onnx.pipeline import read_inputs
from skrnn.export._onnx.transformers import centered

# A sequence of the training data has the very score of the offset, and rounding must not make it an outlier
ROUNDING = 4e-6
END = np.iinfo(np.int64).max


def write_detector(g, estimator, steps_before):
    """Declare the inputs and outputs of a detector behind some steps of a Pipeline."""
    fitted = estimator._get_fitted()
    reading = fitted.scale.net._get_fitted().reading
    steps, inputs = read_inputs(g, reading, steps_before)
    squares, known = _squared_errors(g, fitted.scale, inputs.numbers, steps)
    of_steps = _root_of_mean(g, squares, known)
    inside = is_step(g, steps.lengths, g.shape(inputs.numbers, 1))
    known = g.op("And", inside, g.op("Greater", known, 0.0))
    of_samples = _reduced(g, fitted.reduction, of_steps, known)
    usual = g.op("GreaterOrEqual", of_samples, fitted.offset + ROUNDING * -abs(fitted.offset))
    g.output("label", g.where(usual, 1, -1), np.int64, ("n",))
    g.output("score_samples", of_samples, np.float32, ("n",))
    g.output("score_steps", with_repeated_ends(g, of_steps, steps.lengths), np.float32, ("n", "steps"))


def _squared_errors(g, scale, numbers, steps):
    """Squares (n, T, F) of the scaled errors of steps, 0 where one is not known, and how many are known, (n, T).

    Parameters
    ----------
    g : Graph
    scale : ErrorScale
    numbers : str
        (n, T, numbers of X), the time among them.
    steps : Steps
        What the net reads of them.
    """
    model, reading, targets = scale.net._get_fitted()
    places = reading.numbers_of(np.arange(reading.n_step_features))
    x = g.gather(numbers, g.ints(*places), axis=2)
    standardized, _ = scores(g, model.network, model.parameters, steps)
    # what the net expects is score · scale + center, of each step but the first
    following = g.sub(
        centered(g, g.columns(x, 1, END, axis=1), targets.center),
        g.mul(g.columns(standardized, 0, -1, axis=1), g.floats(targets.scale)),
    )
    first = centered(g, g.columns(x, 0, 1, axis=1), scale.units.center)
    errors = g.concat(
        [g.div(first, g.floats(scale.units.scale)), g.div(following, g.floats(scale.of_errors))], axis=1
    )
    known = g.op("Not", g.op("IsNaN", errors))
    errors = g.where(known, errors, 0.0)
    return g.mul(errors, errors), g.reduce("ReduceSum", g.cast(known, np.float32), 2)


def _root_of_mean(g, squares, count):
    """−√(Σ squares / count) over the last axis; 0 where nothing counts."""
    mean = g.div(g.reduce("ReduceSum", squares, -1), g.op("Max", count, 1.0))
    return g.op("Neg", g.op("Sqrt", mean))


def _reduced(g, reduction, of_steps, known):
    """The score of each sequence, (n,), from those of its steps (n, T) that are known; 0 where none is."""
    if reduction == "max":
        return g.reduce("ReduceMin", g.where(known, of_steps, 0.0), 1)
    squares = g.where(known, g.mul(of_steps, of_steps), 0.0)
    return _root_of_mean(g, squares, g.reduce("ReduceSum", g.cast(known, np.float32), 1))
