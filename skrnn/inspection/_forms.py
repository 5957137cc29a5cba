"""Arrays in the form of X: numbers for each of its cells, in a container of the same kind."""

import numpy as np

from skrnn._data.mixed import order_of
from skrnn._data.parts import divide
from skrnn._data.ragged import RaggedArray
from skrnn._data.tables import is_frame, normalize_table, replace_columns
from skrnn._data.with_static import WithStatic


def in_form_of(X, reading, sequences, of_steps, of_static):
    """Numbers for all cells of X as an X.

    Parameters
    ----------
    X : as the user passes it
    reading : Reading
    sequences : Sequences or LazySequences
        Of X as `check` returns them.
    of_steps : (total, F) array
        In the order of `sequences`; padding that was left out has 0.
    of_static : (n, S) array or None

    Returns
    -------
    array, list of arrays, RaggedArray, WithStatic or data frame
    """
    of_steps, of_static = _in_order_of_X(reading, of_steps, of_static)
    if isinstance(X, WithStatic):
        steps = _steps_in_form_of(X.sequences, reading, sequences, of_steps)
        return WithStatic(steps, of_static, X.static_names)
    return _steps_in_form_of(X, reading, sequences, of_steps, of_static)


def _steps_in_form_of(X, reading, sequences, of_steps, of_static=None):
    X = normalize_table(X)
    table = divide(X, reading.mixed and reading.mixed.is_static)
    if is_frame(X) and sequences.kind == "table":
        columns = padded(sequences, of_steps).reshape(len(sequences), -1)
        return replace_columns(X, dict(enumerate(columns.T)))
    if table.table is not None:
        return _in_columns(table.table, table.is_static, sequences, of_steps, of_static)
    if sequences.kind == "table":
        return padded(sequences, of_steps).reshape(len(sequences), -1)
    if sequences.kind == "array":
        return padded(sequences, of_steps)
    if isinstance(X, RaggedArray):
        values = of_steps if X.values.ndim == 2 else of_steps[:, 0]
        return RaggedArray(values, sequences.lengths, feature_names=X.feature_names)
    parts = np.split(of_steps, np.cumsum(sequences.lengths)[:-1])
    return [part[:, 0] for part in parts] if np.ndim(next(iter(X))) == 1 else parts


def in_order_of_columns(reading, of_steps, of_static):
    """Numbers of the features of steps (n, F), and static ones (n, S) or None, in the order of the columns of X.

    Static features that are no columns of a frame come after the others.
    """
    of_steps, of_static = _in_order_of_X(reading, of_steps, of_static)
    if of_static is None:
        return of_steps
    both, is_static = np.concatenate([of_steps, of_static], axis=1), reading.mixed.is_static
    return both if is_static is None else both[:, np.argsort(np.argsort(is_static, kind="stable"))]


def _in_order_of_X(reading, of_steps, of_static):
    """Rows of numbers and then categories, of steps and of static features, in the order that these have in X."""
    if reading.step_encodings:
        of_steps = of_steps[:, np.argsort(reading.mixed.order)]
    if of_static is not None:
        of_static = of_static[:, np.argsort(order_of(reading.mixed.static))]
    return of_steps, of_static


def padded(sequences, rows):
    """Rows of steps (total, …) of an array as (n, T, …): those of padding are 0."""
    n, T = len(sequences), sequences.n_padded or int(sequences.lengths[0])
    out = np.zeros((n, T, *rows.shape[1:]), rows.dtype)
    out[np.arange(T) < sequences.lengths[:, np.newaxis]] = rows
    return out


def _in_columns(X, is_static, sequences, of_steps, of_static):
    """The frame with lists of numbers, and with numbers where its columns are static features."""
    cuts, changed = np.cumsum(sequences.lengths)[:-1], {}
    steps, static = iter(of_steps.T), iter(() if of_static is None else of_static.T)
    for place, held in enumerate(is_static):
        changed[place] = np.ascontiguousarray(next(static)) if held else np.split(next(steps), cuts)
    return replace_columns(X, changed)
