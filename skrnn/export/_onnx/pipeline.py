"""What a net reads of the inputs of a model, through the steps of a Pipeline before it."""

import numpy as np

from skrnn.exceptions import ExportError
from skrnn.export._onnx.reading import (
    Inputs,
    all_where_zero,
    declare_inputs,
    declare_lengths,
    declare_others,
    known_lengths,
)
from skrnn.export._onnx.transformers import (
    Numbers,
    adds_indicators,
    check_step,
    fills_padding,
    n_step_features_of,
    reads_tables,
    transform,
)


def declare(g, reading, steps=(), in_streams=False):
    """Declare the inputs of a model, and transform their numbers.

    They are those of `declare_inputs`; of a table ``X`` has the shape (n, columns), and there are no lengths.

    Parameters
    ----------
    g : Graph
    reading : Reading
        Of the net.
    steps : sequence of (str, transformer)
        Those of a Pipeline before it.
    in_streams : bool
        Whether sequences continue others: X holds steps, and none is padding.

    Returns
    -------
    Inputs
        As the net reads them, with the lengths that count.

    Raises
    ------
    ExportError
        When a step has no form in ONNX, or categories none.
    """
    for name, step in steps:
        check_step(name, step)
    first = steps[0][1] if steps else None
    if not in_streams and (is_table(reading) if first is None else reads_tables(first)):
        n = reading.n_features_in - reading.n_static if first is None else first.n_features_in_
        X = Numbers(g.input("X", np.float32, ("n", n)), None, n)
        inputs = declare_others(g, reading, Inputs(None))
    elif first is None:
        inputs = declare_inputs(g, reading)
        return inputs if in_streams else inputs._replace(lengths=known_lengths(g, reading, inputs))
    else:
        n = n_step_features_of(first)
        _check_numbers(reading, [step for _, step in steps], n)
        X = g.input("X", np.float32, ("n", "steps", n))
        inputs = declare_others(g, reading, Inputs(declare_lengths(g), X))
        transformers = [step for _, step in steps]
        lengths = inputs.lengths if in_streams else lengths_before(g, reading, inputs, transformers)
        X = Numbers(X, lengths, n, in_streams)
    for name, step in steps:
        X = transform(g, name, step, X)
    return _as_read(g, reading, X, inputs)


def lengths_before(g, reading, inputs, transformers):
    """The numbers of steps (n,) of sequences that go through some fitted transformers to a net."""
    return all_where_zero(g, inputs) if fills_padding(transformers) else known_lengths(g, reading, inputs)


def is_table(reading):
    """Whether X is a table of numbers: rows of columns."""
    return reading.from_table and not reading.n_categories and not reading.step_encodings


def _check_numbers(reading, transformers, n):
    """Raise an ExportError when transformers change n features of a step as numbers that are none to the net."""
    n_numbers = reading.n_step_features - len(reading.step_encodings)
    if reading.step_encodings and n * 2 ** sum(map(adds_indicators, transformers)) != n_numbers:
        raise ExportError(
            f"the steps of the Pipeline before the net change {n} features as numbers, of which some are categories to "
            "the net: give these a dtype of categories, which the steps leave as they are"
        )


def _as_read(g, reading, X, inputs):
    """The inputs with what has become of the numbers of X."""
    n_numbers = reading.n_step_features - len(reading.step_encodings)
    if X.is_table:
        X = X._replace(values=g.reshape(X.values, 0, -1, n_numbers))
        X = X._replace(lengths=g.op("Expand", g.shape(X.values, 1), g.shape(X.values, 0)))
    if not reading.n_categories:
        return inputs._replace(lengths=X.lengths, numbers=X.values)
    ids = g.squeeze(X.values, 2)
    ids = g.cast(g.where(g.op("IsNaN", ids), -1.0, ids), np.int64)
    return inputs._replace(lengths=X.lengths, numbers=None, ids=ids)
