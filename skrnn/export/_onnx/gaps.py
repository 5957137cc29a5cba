"""Missing values in an ONNX graph: filled forward, interpolated, and padding at the ends of sequences."""

import numpy as np


def fill_forward(g, values, before):
    """Values (n, T, D) in which each missing one is the last one of its feature before it; `before`, (D,) or (n, D),
    stands before the first ones.
    """

    def fill(inner, last, step):
        filled = inner.where(inner.op("IsNaN", step), last, step)
        return [filled], [filled]

    n_features = g.op("Concat", g.shape(values, 0), g.shape(values, 2), axis=0)
    first = g.op("Expand", before, n_features)
    _, (filled,) = g.scan(fill, [first], [g.transpose(values, 1, 0, 2)])
    return g.transpose(filled, 1, 0, 2)


def interpolated(g, values, lengths):
    """Values (n, T, D) in which each missing one is on the line between its neighbors, or is the only one of these.

    Where a sequence has no value of a feature, it stays NaN. `lengths` (n,) may be None where all have T steps.
    """
    T = g.shape(values, 1)
    if lengths is not None:
        values = g.where(within(g, T, lengths), values, g.floats(np.nan))
    missing, nothing = g.op("IsNaN", values), g.floats([np.nan])
    places = g.reshape(g.cast(g.range(T), np.float32), 1, -1, 1)
    places = g.where(missing, nothing, places)          # of the values, (n, T, D)
    left, x = fill_forward(g, places, nothing), fill_forward(g, values, nothing)
    right, y = (_backwards(g, fill_forward(g, _backwards(g, each), nothing)) for each in (places, values))
    left, right = g.where(g.op("IsNaN", left), right, left), g.where(g.op("IsNaN", right), left, right)
    x, y = g.where(g.op("IsNaN", x), y, x), g.where(g.op("IsNaN", y), x, y)
    steps = g.reshape(g.cast(g.range(T), np.float32), 1, -1, 1)
    fraction = g.div(g.sub(steps, left), g.op("Max", g.sub(right, left), 1.0))
    line = g.add(g.mul(x, g.sub(1.0, fraction)), g.mul(y, fraction))
    return g.where(missing, g.where(g.op("Equal", left, right), x, line), values)


def _backwards(g, values):
    """values[:, ::-1]."""
    return g.op("Slice", values, g.ints(-1), g.ints(np.iinfo(np.int64).min), g.ints(1), g.ints(-1))


def within(g, T, lengths):
    """Which of T steps, (1,), are steps of each sequence, (n, T, 1) bool."""
    return g.op("Less", g.reshape(g.range(T), 1, -1, 1), g.reshape(lengths, -1, 1, 1))


def is_padding(g, values, lengths):
    """Which steps (n, T, 1) are missing in every feature, and all after them in their sequence; not the first one."""
    known = g.cast(g.op("Not", g.op("IsNaN", values)), np.float32)
    known = g.reduce("ReduceMax", known, axis=2, keepdims=True)
    T = g.shape(values, 1)
    known = g.mul(known, g.cast(within(g, T, lengths), np.float32))
    still_to_come = g.op("CumSum", known, g.constant(np.int64(1)), reverse=1)
    first = g.op("Equal", g.reshape(g.range(T), 1, -1, 1), g.ints(0))
    return g.op("And", g.op("Equal", still_to_come, 0.0), g.op("Not", first))
