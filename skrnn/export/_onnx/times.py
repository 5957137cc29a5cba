"""Steps at uneven times, as `skrnn._data.times` reads them."""

import numpy as np

from skrnn.export._onnx.functions import fill_forward, last_step, log1p, reversed_steps
from skrnn.export._onnx.single_precision import divisors_as_float32


def split_times(g, times, x, lengths, memory=None):
    """Steps without their times, the numbers that these add to each step, and what is known after the last one.

    Parameters
    ----------
    times : Times
    x : str
        (n, T, features of X that are numbers), NaN where one is missing.
    lengths : str
        (n,).
    memory : str, optional
        (n, state_width), of the steps before; None for none.

    Returns
    -------
    steps : str
        (n, T, D); None where there is nothing but times.
    added : str
        (n, T, …).
    after : str
        (n, state_width).
    """
    steps, t = _without(g, times, x), _times_of(g, times, x)
    if memory is None:
        previous = seen = g.columns(t, 0, 1, axis=1)        # (n, 1): the time of the first step
    else:
        before, begun = g.columns(memory, 0, 1), g.op("Greater", g.columns(memory, 1, 2), 0.0)
        t = g.add(t, g.cast(begun, np.float32)) if times.column is None else t
        first = g.columns(t, 0, 1, axis=1)
        previous = g.where(begun, before, first)
        seen = g.where(begun, g.columns(memory, 2, times.state_width), first) if _has_since(times) else None
    elapsed, added = g.sub(t, _shifted(g, t, previous)), []
    means = divisors_as_float32("mean of times", times.means)
    if times.column is not None:
        added.append(g.unsqueeze(log1p(g, g.div(elapsed, means[0])), 2))
    if _has_since(times):
        (since, seen), means = _since(g, t, steps, seen), g.constant(means[1:])
        added.append(g.div(since, means) if times.since == "decay" else log1p(g, g.div(since, means)))
        if times.since == "decay" and times.n_directions == 2:
            added.append(reversed_steps(g, g.div(_since_after(g, times, x, lengths), means), lengths))
    return steps, g.concat(added, axis=2), _state_after(g, times, t, seen, lengths)


def _has_since(times):
    """Whether the time since features were last seen is read."""
    return bool(times.since and times.n_features)


def _without(g, times, x):
    """The steps (n, T, D) of numbers without the time; None where D is 0."""
    if times.column is None:
        return x
    if not times.n_features:
        return None
    others = np.delete(np.arange(times.n_features + 1), times.column)
    return g.gather(x, g.ints(*others), axis=2)


def _times_of(g, times, x):
    """The times (n, T): the column, or the number of the step."""
    if times.column is not None:
        return g.gather(x, times.column, axis=2)
    of_steps = g.unsqueeze(g.cast(g.range(g.shape(x, 1)), np.float32), 0)
    return g.op("Expand", of_steps, g.shape(x, 0, 1))


def _shifted(g, x, first):
    """Steps (n, T, ...) each in the place of the next one, after a first one (n, 1, ...)."""
    return g.columns(g.concat([first, x], axis=1), 0, -1, axis=1)


def _since(g, t, steps, initial):
    """The time (n, T, D) since each feature was last seen before each step, and when it was last seen up to the step.

    `initial` (n, D), or (n, 1), is when that was before the first step.
    """
    t = g.unsqueeze(t, 2)
    initial = g.op("Expand", initial, g.concat([g.shape(steps, 0), g.shape(steps, 2)], axis=0))
    present = g.op("Not", g.op("IsNaN", steps))
    seen = fill_forward(g, g.op("Expand", t, g.op("Shape", steps)), present, initial)
    return g.sub(t, _shifted(g, seen, g.unsqueeze(initial, 1))), seen


def _since_after(g, times, x, lengths):
    """What `_since` returns first of the reversed sequences, in reversed time."""
    x = reversed_steps(g, x, lengths)
    t = _times_of(g, times, x)
    t = t if times.column is None else g.op("Neg", t)
    return _since(g, t, _without(g, times, x), g.columns(t, 0, 1, axis=1))[0]


def _state_after(g, times, t, seen, lengths):
    """The time of the last step, 1, and when each feature was last seen, (n, state_width)."""
    last = g.unsqueeze(last_step(g, t, lengths), 1)
    origin = last if times.column is None else 0.0      # steps are counted from the last one on
    parts = [g.sub(last, origin), g.op("Expand", 1.0, g.op("Shape", last))]
    if _has_since(times):
        parts.append(g.sub(last_step(g, seen, lengths), origin))
    return g.concat(parts, axis=1)
