"""Missing values of sequences in an ONNX graph, interpolated."""

import numpy as np

from skrnn.export._onnx.functions import fill_forward, is_step, reversed_steps


def interpolated(g, x, lengths):
    """Steps (n, T, D) in which each missing number is on the line between its neighbors, or is its only one.

    Where a sequence (n,) of these lengths has no value of a feature, it stays NaN. `lengths` is None where all have T
    steps.
    """
    lengths = g.op("Expand", g.shape(x, 1), g.shape(x, 0)) if lengths is None else lengths
    inside = g.unsqueeze(is_step(g, lengths, g.shape(x, 1)), 2)
    missing = g.op("IsNaN", x)
    present = g.op("And", inside, g.op("Not", missing))
    places = g.reshape(g.cast(g.range(g.shape(x, 1)), np.float32), 1, -1, 1)
    nothing = g.floats(np.full((1, 1), np.nan))
    # the place and the value of the last one before a step, and of the next one after it
    left, before = (_filled(g, each, present, nothing) for each in (places, x))
    backwards = reversed_steps(g, present, lengths)
    right, after = (
        reversed_steps(g, _filled(g, reversed_steps(g, each, lengths), backwards, nothing), lengths)
        for each in (_like(g, places, x), x)
    )
    left, before, right, after = (
        g.where(g.op("IsNaN", own), other, own)
        for own, other in ((left, right), (before, after), (right, left), (after, before))
    )
    fraction = g.div(g.sub(places, left), g.op("Max", g.sub(right, left), 1.0))
    line = g.add(g.mul(before, g.sub(1.0, fraction)), g.mul(after, fraction))
    return g.where(missing, g.where(g.op("Equal", left, right), before, line), x)


def _filled(g, x, present, nothing):
    n_features = g.shape(present, 2)
    first = g.op("Expand", nothing, g.concat([g.ints(1), n_features], axis=0))
    return fill_forward(g, _like(g, x, present), present, first)


def _like(g, x, other):
    """x in the shape of another value."""
    return g.op("Expand", x, g.op("Shape", other))
