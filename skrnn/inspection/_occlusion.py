"""`occlusion`: what a net predicts without a part of a sequence."""

from dataclasses import replace

import numpy as np

from skrnn._data.missing import last_seen
from skrnn._data.numbers import is_positive_int
from skrnn._data.ragged import rows_of
from skrnn._messages import shown
from skrnn.inspection._explanation import Explanation
from skrnn.inspection._forms import in_order_of_columns, padded

BY = ("cell", "step", "feature")


def occlusion(net, X, *, baseline=0.0, target=None, step=None, by="cell", window=1):
    """By how much what a net predicts falls when a part of a sequence is replaced by a baseline.

    Nothing but predictions is computed, one for each part: n times those of all cells, where gradients look at all
    cells at once. The differences do not sum to anything.

    Parameters
    ----------
    net : estimator
        A fitted net, or a Pipeline, search or other estimator around one; X then goes through the steps before it, and
        the parts are those of what these give the net.
    X : as the estimator takes it
        n sequences.
    baseline : float, "mean", or sequences like those of X, default=0
        What takes the place of a part, as in `integrated_gradients`; also NaN with `missing`: the part is then missing.
        Times stay.
    target, step
        As in `input_gradients`.
    by : {"cell", "step", "feature"}, default="cell"
        The parts: each feature of a step by itself, all features of a step, or a feature at all steps.
    window : int, default=1
        With "cell" and "step", so many steps are replaced together, from the first one on.

    Returns
    -------
    differences : like X, array of shape (n, T), list of arrays (steps,), or array of shape (n, features)
        The output for X minus that with the part replaced. By cell in the form that `input_gradients` returns, where
        all cells of a window have its difference; by step an array, or a list where X is neither array nor table; by
        feature in the order of the columns of X, and of static features after the others where these are no columns. 0
        for what is missing, padding, or the time.

    Raises
    ------
    ValueError, TypeError
        When an argument does not go with the net, naming it.
    NotFittedError
        Before `fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import occlusion
    >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
    >>> net = RNNRegressor(4, random_state=0).fit(X, X[:, 0, 0])
    >>> differences = occlusion(net, X[:3])
    >>> without = X[:3].copy()
    >>> without[:, 5, 1] = 0
    >>> bool(np.allclose(differences[:, 5, 1], net.predict(X[:3]) - net.predict(without)))
    True
    >>> occlusion(net, X[:3], by="feature").shape
    (3, 2)
    """
    if by not in BY:
        raise ValueError(f"by={shown(by)}: expected one of {', '.join(BY)}")
    if not is_positive_int(window):
        raise ValueError(f"window={shown(window)}: expected a positive int")
    if by == "feature" and window != 1:
        raise ValueError(f"window={window} is of steps, but by='feature' replaces all of them: leave it out")
    if baseline is None:
        raise ValueError('baseline=None: expected a number, "mean", or sequences like those of X')
    explanation = Explanation(net, X, target, step, baseline, allow_nan=True)
    reader = explanation.explained.reader

    def of_block(sequences, block):
        parts = Occluded(explanation.explained, block, _windows(explanation.reading, sequences, by, window))
        if by == "step":
            return parts.without(reader.step_columns, of_steps=True)[:, np.newaxis], None
        missing, static_missing = reader.missing(sequences)
        of_steps = parts.without_each(reader.step_columns, of_steps=by == "cell")
        of_static = parts.without_each(reader.static_columns)
        if by == "cell":
            of_steps = np.where(missing, 0, of_steps)
        return of_steps, None if sequences.static is None else np.where(static_missing, 0, of_static)

    of_steps, of_static = explanation.of_blocks(of_block)
    if by == "feature":
        return in_order_of_columns(explanation.reading, of_steps, of_static)
    if by == "cell":
        return explanation.in_form(of_steps, of_static)
    sequences, of_steps = explanation.sequences, of_steps[:, 0]
    if sequences.kind != "ragged":
        return padded(sequences, of_steps)
    return np.split(of_steps, np.cumsum(sequences.lengths)[:-1])


def _windows(reading, sequences, by, window):
    """To which window of its sequence each step belongs, (total,) int, −1 to none; all to the first by feature."""
    total = len(sequences.values)
    if by == "feature":
        return np.zeros(total, np.intp)
    rows = np.arange(total)
    if reading.n_categories:        # a step that is missing has the category of one before it
        rows = last_seen(np.isnan(sequences.values), sequences.starts, sequences.lengths)[:, 0]
    places = rows - np.repeat(sequences.starts, sequences.lengths)
    return np.where(rows < 0, -1, places // min(window, total))


class Occluded:
    """Sequences of which parts take the place of those of the baseline.

    Parameters
    ----------
    explained : Explained
    block : Block
    windows : (total,) int array
        As `_windows` returns them.
    """

    def __init__(self, explained, block, windows):
        self.explained, self.windows = explained, windows
        self.block = replace(block, baseline=explained.reader.with_times_of(block.X, block.baseline))
        n_windows = 1 + np.maximum.reduceat(windows, block.X.starts)
        # of each sequence all windows
        self.owner = np.repeat(np.arange(len(n_windows)), n_windows)
        self.window = np.arange(len(self.owner)) - np.repeat(np.cumsum(n_windows) - n_windows, n_windows)
        self.first = np.cumsum(n_windows) - n_windows
        self.outputs = self._values(np.arange(len(block.X)), lambda X, owner, part: X)

    def without_each(self, columns, of_steps=False):
        """What `without` returns for each column by itself, side by side."""
        parts = [self.without([column], of_steps) for column in columns]
        return np.stack(parts, axis=1) if parts else np.empty((len(self.windows if of_steps else self.first), 0))

    def without(self, columns, of_steps=False):
        """The differences of outputs without some columns.

        Parameters
        ----------
        columns : list of (str, slice)
            Parts of `Vectors`, and columns of them.
        of_steps : bool
            Whether they are replaced in one window after the other; the result is then for each step (total,) that of
            its window. Else all rows are replaced, for each sequence (n,).
        """
        everywhere = np.arange(len(self.first))
        owner = self.owner if of_steps else everywhere
        values = self._values(
            owner, lambda X, owner, part: self._replaced(X, columns, owner, part if of_steps else None)
        )
        differences = self.outputs[owner] - values
        if not of_steps:
            return differences
        rows = np.repeat(self.first, self.block.X.lengths) + self.windows
        return np.where(self.windows < 0, 0.0, differences[rows]) if len(differences) else np.zeros(len(self.windows))

    def _values(self, owner, change):
        """Outputs for sequences that change(X, owner, part) makes of each part of them."""
        X = self.block.X
        return np.concatenate([
            self.explained.values(change(X.take(owner[part]), owner[part], part), *self.block.of(owner[part]))
            for part in self.explained.batches(X.lengths[owner])
        ])

    def _replaced(self, X, columns, owner, part):
        """Sequences X, those of `owner`, with the columns of the baseline, in the windows of a part or everywhere."""
        baseline, changed = self.block.baseline.take(owner), {}
        mask = np.ones((len(X.numbers), 1), bool)
        if part is not None:
            own = self.block.X
            windows = self.windows[rows_of(own.starts[owner], own.lengths[owner])]
            mask = (windows == np.repeat(self.window[part], X.lengths))[:, np.newaxis]
        for name, places in columns:
            values = changed.setdefault(name, getattr(X, name).copy())
            new = getattr(baseline, name)[:, places]
            where = mask if name in ("numbers", "vectors") else True
            values[:, places] = np.where(where, new, values[:, places])
        return replace(X, **changed)
