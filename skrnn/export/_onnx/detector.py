"""An RNNOutlierDetector in ONNX: how unusual steps and sequences are."""

import numpy as np

from skrnn._estimators.states import state_width
from skrnn.export._onnx.functions import is_step, last_step, with_repeated_ends
from skrnn.export._onnx.network import scores
from skrnn.export._onnx.pipeline import declare
from skrnn.export._onnx.reading import read_on
from skrnn.export._onnx.single_precision import centered, divisors_as_float32
from skrnn.export._onnx.streams import check_streams, continue_from

# A sequence of the training data has the very score of the offset, and rounding must not make it an outlier
ROUNDING = 4e-6


def write_detector(g, detector, steps_before, states):
    """Declare the inputs and outputs of a detector behind some steps of a Pipeline."""
    fitted = detector._get_fitted()
    write = _write_stream if states else _write_sequences
    write(g, fitted, fitted.scale.net._get_fitted(), steps_before)


def _write_sequences(g, fitted, of_net, steps_before):
    """The scores of sequences and of their steps, and which sequences are outliers."""
    inputs = declare(g, of_net.reading, steps_before)
    steps, _ = read_on(g, of_net.reading, inputs)
    standardized, _ = scores(g, of_net.model.network, of_net.model.parameters, steps)
    of_steps, known = _of_steps(g, fitted.scale, inputs.numbers, standardized)
    known = g.op("And", known, is_step(g, steps.lengths, g.shape(inputs.numbers, 1)))
    of_samples = _reduced(g, fitted.reduction, of_steps, known)
    usual = g.op("GreaterOrEqual", of_samples, fitted.offset - ROUNDING * abs(fitted.offset))
    g.output("label", g.where(usual, 1, -1), np.int64, ("n",))
    g.output("score_samples", of_samples, np.float32, ("n",))
    g.output("score_steps", with_repeated_ends(g, of_steps, steps.lengths), np.float32, ("n", "steps"))


def _write_stream(g, fitted, of_net, steps_before):
    """The scores of steps that continue others, and the states after them: the net's, and what it expects next."""
    check_streams(of_net)
    width, n_expected = state_width(of_net.model, of_net.reading), len(fitted.scale.of_errors)
    inputs = declare(g, of_net.reading, steps_before, in_streams=True)
    state = g.input("state", np.float32, ("n", width + n_expected))
    standardized, steps, after = continue_from(g, of_net, inputs, g.columns(state, 0, width))
    before = g.columns(state, width, width + n_expected)
    of_steps, _ = _of_steps(g, fitted.scale, inputs.numbers, standardized, before)
    expected = g.add(g.mul(standardized, g.floats(of_net.targets.scale)), g.floats(of_net.targets.center))
    after = g.concat([after, last_step(g, expected, steps.lengths)], axis=1)
    g.output("score_steps", with_repeated_ends(g, of_steps, steps.lengths), np.float32, ("n", "steps"))
    g.output("state_out", after, np.float32, ("n", width + n_expected))


def _of_steps(g, scale, numbers, standardized, before=None):
    """Scores (n, T) of steps, 0 where nothing of one is known, and where something is.

    Parameters
    ----------
    g : Graph
    scale : ErrorScale
    numbers : str
        (n, T, numbers of X), the time among them.
    standardized : str
        What the net expects after each step, (n, T, F), in the units of its loss.
    before : str, optional
        What it expects of the first step, (n, F), NaN where that is the first one of its sequence; None: all are.
    """
    _, reading, targets = scale.net._get_fitted()
    places = reading.numbers_of(np.arange(reading.n_step_features))
    x = g.gather(numbers, g.ints(*places), axis=2)
    first, of_errors = g.columns(x, 0, 1, axis=1), g.constant(divisors_as_float32("error_scale_", scale.of_errors))
    of_first = g.div(centered(g, first, scale.units.center), g.floats(scale.units.scale))
    if before is not None:
        before = g.unsqueeze(before, 1)
        of_first = g.where(g.op("IsNaN", before), of_first, g.div(g.sub(first, before), of_errors))
    # x − (score · scale + center), of each step but the first
    distance = g.sub(
        centered(g, g.columns(x, 1, np.iinfo(np.int64).max, axis=1), targets.center),
        g.mul(g.columns(standardized, 0, -1, axis=1), g.floats(targets.scale)),
    )
    errors = g.concat([of_first, g.div(distance, of_errors)], axis=1)
    known = g.op("Not", g.op("IsNaN", errors))
    errors = g.where(known, errors, 0.0)
    count = g.reduce("ReduceSum", g.cast(known, np.float32), 2)
    return _root_of_mean(g, g.mul(errors, errors), count), g.op("Greater", count, 0.0)


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
