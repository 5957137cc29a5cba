"""Functions of numbers, and of steps, that ONNX has no operator for."""

import numpy as np


def log1p(g, x):
    """log(1 + x), x ≥ 0, with all digits where x is small: u = 1 + x has lost some, and log(u) x / (u − 1) has not."""
    u = g.add(x, 1.0)
    is_one = g.op("Equal", u, 1.0)
    return g.where(is_one, x, g.mul(g.op("Log", u), g.div(x, g.where(is_one, 1.0, g.sub(u, 1.0)))))


def softplus(g, x):
    """log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|))."""
    return g.add(g.op("Max", x, 0.0), log1p(g, g.op("Exp", g.op("Neg", g.op("Abs", x)))))


def is_step(g, lengths, n_steps):
    """Which of (n_steps) steps are steps of sequences of these lengths (n,): (n, T) bool."""
    return g.op("Less", g.unsqueeze(g.range(n_steps), 0), g.unsqueeze(lengths, 1))


def last_step(g, x, lengths):
    """Of steps (n, T, ...) those at the ends of the sequences, (n, ...)."""
    return g.op("GatherND", x, g.unsqueeze(g.sub(lengths, 1), 1), batch_dims=1)


def with_repeated_ends(g, x, lengths):
    """Steps (n, T, ...) with that at the end of a sequence in the place of all after it."""
    steps = g.unsqueeze(g.range(g.shape(x, 1)), 0)
    return g.op("GatherND", x, g.unsqueeze(g.op("Min", steps, g.unsqueeze(g.sub(lengths, 1), 1)), 2), batch_dims=1)


def reversed_steps(g, x, lengths):
    """Steps (n, T, ...) of each sequence from its last one to its first; what stands after its end stays."""
    return g.op("ReverseSequence", x, lengths, batch_axis=0, time_axis=1)


def fill_forward(g, x, present, before):
    """Steps (n, T, D) with the last one before in the place of each number that is not present.

    A number that is present is the k-th of its sequence: the k-th row of a table, whose row 0 is `before`, (n or 1, D).
    Others go to its last row, which nothing reads.
    """
    is_present = g.cast(present, np.int32)
    k = g.op("CumSum", is_present, 1)
    of_batch = g.concat([g.shape(x, 0), g.ints(1, 1)], axis=0)
    first = g.op("Expand", g.unsqueeze(before, 1), of_batch)        # (n, 1, D)
    unread = g.cast(g.add(g.shape(x, 1), 1), np.int32)
    row = g.add(g.mul(g.sub(k, unread), is_present), unread)
    table = g.op("ScatterElements", g.concat([first, x, first], axis=1), row, x, axis=1)
    return g.op("GatherElements", table, k, axis=1)
