"""Predictions of X in partitions: lazy, in the form of X. And scores of them."""

from dataclasses import replace
from functools import partial

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np

from skrnn._data.merging import PartOfX, kind_of_all
from skrnn._data.sequences import SequenceIndex
from skrnn._data.with_static import n_rows
from skrnn._estimators.classifier import log_probabilities, probabilities
from skrnn._estimators.predictive import mean_and_std, mean_over_targets
from skrnn._estimators.scorers import ScoredFitted
from skrnn._estimators.shard import naming_partition
from skrnn.dask._clients import client_for
from skrnn.dask._layout import Layout, Piece, types_of
from skrnn.dask._partitions import (
    check_holds_lists,
    check_known_sizes,
    compute,
    gathered,
    is_partitioned,
    partitions_of,
    without_texts_of_lists,
)

# What of targets there is in the units of each sequence
OWN_UNITS = ("center", "scale")


class DaskPredictionMixin:
    """Methods of an estimator that read X in partitions; those for X in memory are of the classes after it."""

    def _predict(self, X, decode, initial_state, return_state):
        if not is_partitioned(X):
            return super()._predict(X, decode, initial_state, return_state)
        check_no_states(initial_state, return_state)
        return lazily(X, self.to_local(), partial(_predicted, decode=decode), self._layout_of(decode))

    def _layout_of(self, decode):
        """What predictions that are decoded in this way look like."""
        fitted = self._get_fitted()
        model = fitted.model
        example = decode(fitted, np.zeros((1, model.network.n_outputs), model.dtype))
        several = type(example) if isinstance(example, list | tuple) else None
        arrays = example if several else [example]
        classes = getattr(self, "classes_", None)
        names = [None] * len(arrays)
        if decode in (probabilities, log_probabilities):
            names = [list(each) for each in (classes if several else [classes])]
        titles = ("prediction", "std") if decode is mean_and_std else ("prediction",) * len(arrays)
        pieces = [
            Piece(array.shape[1:], array.dtype, title, of_classes)
            for array, title, of_classes in zip(arrays, titles, names, strict=True)
        ]
        return Layout(pieces, several, model.network.per_step, [] if classes is None else types_of(classes))

    def transform(self, X):
        """The last hidden states of all layers: what the net has made of each sequence, as features.

        Parameters
        ----------
        X : as in `predict`

        Returns
        -------
        features : of shape (n, hidden units)
            Layer after layer, with both directions of a layer side by side. Lazy where X is in partitions, and in the
            form of X whatever `set_output` says, which is for X in memory.

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, naming the sequence; for X in partitions when they are computed.

        Examples
        --------
        >>> import dask.array
        >>> import numpy as np
        >>> from skrnn import RNNRegressor
        >>> from skrnn.dask import DaskRNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> net = DaskRNNRegressor((4, 3), random_state=0)
        >>> net = net.fit(dask.array.from_array(X, chunks=(25, 8, 2)), X[:, 0, 0])
        >>> net.transform(dask.array.from_array(X, chunks=(10, 8, 2))).compute().shape
        (50, 7)
        """
        if not is_partitioned(X):
            return super().transform(X)
        net = self.to_local()
        names = self.get_feature_names_out().tolist()
        piece = Piece((len(names),), net._get_fitted().model.dtype, names=names)
        return lazily(X, net.set_output(transform="default"), _transformed, Layout([piece], None, False))

    def score(self, X, y, sample_weight=None):
        """The score of the estimator of one process: accuracy, or R² of numbers.

        Scores of the partitions are gathered, so that it is the same as in one process.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            When X, y or the weights cannot be used, naming the sequence.

        Examples
        --------
        >>> import dask.array
        >>> import numpy as np
        >>> from skrnn.dask import DaskRNNRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 8, 2))
        >>> parts, y = dask.array.from_array(X, chunks=(25, 8, 2)), X[:, -1, 0]
        >>> net = DaskRNNRegressor(8, random_state=0).fit(parts, y)
        >>> bool(net.score(parts, y) == net.to_local().score(X, y))
        True
        """
        (y, sample_weight), counts = self._gathered(y=y, sample_weight=sample_weight)
        return (self._knowing(X, counts) if is_partitioned(X) else super()).score(X, y, sample_weight)

    def _mean_over_targets(self, function, X, y, sample_weight):
        (y, sample_weight), counts = self._gathered(y=y, sample_weight=sample_weight)
        if not is_partitioned(X):
            return super()._mean_over_targets(function, X, y, sample_weight)
        return mean_over_targets(self._knowing(X, counts), function, X, y, sample_weight)

    def _gathered(self, **values):
        """What belongs to X, in the memory of this process, in order; and the lengths of its parts, as `gathered`."""
        for name, value in values.items():
            of_steps = self.return_sequences and name != "groups"
            if isinstance(value, dd.DataFrame) if name == "X_val" else of_steps and isinstance(value, dd.Series):
                check_holds_lists(value, name)
            if isinstance(value, dd.DataFrame):
                values[name] = without_texts_of_lists(value, name)
        with client_for(self.client) as client:
            return gathered(values, client)

    def _knowing(self, X, counts):
        """The estimator of one process, which knows the scores of X in partitions, given the lengths of what goes with
        them.
        """
        fitted, net = self._get_fitted(), self.to_local()
        delayed_net, scored = shared(net), dask.delayed(_scored)
        parts = partitions_of(X).as_long_as(counts).parts
        with client_for(self.client) as client:
            found = compute([scored(delayed_net, part, number) for number, part in enumerate(parts)], client)
        found = [part for part in found if part is not None]
        if not found:
            raise ValueError("X has no sequences in any of its partitions")
        parts, scores, units = zip(*found, strict=True)
        known = ScoredFitted(*fitted)
        known.X, known.sequences, known.known_scores = X, _joined(parts), np.concatenate(scores)
        known.known_targets = fitted.targets if units[0] is None else replace(
            fitted.targets, **{name: np.concatenate([each[name] for each in units]) for name in OWN_UNITS}
        )
        net._fitted = known
        return net


def check_no_states(initial_state, return_state):
    """Raise a ValueError where states are asked for of X in partitions."""
    if initial_state is not None or return_state:
        raise ValueError(
            "initial_state and return_state are for X in memory: predict the partitions one by one, with to_local()"
        )


def lazily(X, net, function, layout, parts=None):
    """What a function makes of each partition of X, in the form of X.

    Parameters
    ----------
    X : Dask DataFrame, Series, Array or Bag, or list of Delayed or Future
    net : estimator of one process
    function : callable
        ``function(net, part, number)`` returns what `layout` says; its errors name the partition.
    layout : Layout
    parts : list of Delayed, optional
        The partitions of X, if they are known.

    Returns
    -------
    For a frame a series of its index, or a frame of several columns; for an array an array; else a list of Delayed. A
    list or tuple of such where the function returns one.
    """
    parts = partitions_of(X).parts if parts is None else parts
    if isinstance(X, dd.DataFrame | dd.Series):
        return layout.together(_in_frames(X, shared(net), function, layout))
    n_steps = None
    if isinstance(X, da.Array) and layout.per_step and X.ndim > 1:
        check_known_sizes(X)
        n_steps = X.shape[1] if X.ndim == 3 else net._get_fitted().reading.n_steps or X.shape[1]
    predict, net = dask.delayed(_in_arrays, nout=len(layout.pieces)), shared(net)
    found = [predict(net, function, layout, part, number, n_steps) for number, part in enumerate(parts)]
    pieces = [[part[k] for part in found] for k in range(len(layout.pieces))]
    if isinstance(X, da.Array):
        pieces = [
            _as_array(parts, X.chunks[0], layout.empty(piece, n_steps))
            for parts, piece in zip(pieces, layout.pieces, strict=True)
        ]
    return layout.together(pieces)


def shared(net):
    """An estimator as one object of Dask's graph, however many tasks have it."""
    return dask.delayed(net, pure=True, traverse=False)


def _in_frames(X, net, function, layout):
    """The pieces for a Dask frame or series, whose partitions are predicted once for all of them."""
    nothing = layout.together([layout.empty(piece) for piece in layout.pieces])
    meta = layout.frame(nothing, X._meta.index)
    every = X.map_partitions(_frame_of, net, function, layout, meta=meta)
    numbers = range(len(layout.pieces))
    return [every.map_partitions(layout.piece_of, number, meta=layout.piece_of(meta, number)) for number in numbers]


def _frame_of(part, net, function, layout, partition_info):
    """What a function makes of a frame or series, as one frame."""
    number = partition_info["number"]
    if len(part):
        with naming_partition(number):
            return layout.frame(function(net, part, number), part.index)
    return layout.frame(layout.together([layout.empty(piece) for piece in layout.pieces]), part.index)


def _in_arrays(net, function, layout, part, number, n_steps):
    """What a function makes of a part of X, as a list of arrays."""
    if n_rows(part):
        with naming_partition(number):
            return layout.each(function(net, part, number))
    return [layout.empty(piece, n_steps) for piece in layout.pieces]


def _as_array(parts, n_rows_of_parts, nothing):
    """A Dask Array of delayed arrays, all like one without rows but for their number of rows, which may be NaN."""
    arrays = [
        da.from_delayed(part, (n, *nothing.shape[1:]), meta=nothing)
        for part, n in zip(parts, n_rows_of_parts, strict=True)
    ]
    return da.concatenate(arrays, allow_unknown_chunksizes=True)


def _predicted(net, part, number, decode):
    with naming_partition(number):
        return net._predict(part, decode, None, False)


def _transformed(net, part, number):
    with naming_partition(number):
        return net.transform(part)


def drawn(net, part, number, n_samples, seeds):
    """Samples of a part, drawn with the seed of its number."""
    with naming_partition(number):
        return net.sample(part, n_samples, seeds[number])


def _scored(net, part, number):
    """A `PartOfX`, raw scores and, if targets are in units of their sequences, these; None of a part without sequences.
    """
    if not n_rows(part):
        return None
    fitted = net._get_fitted()
    with naming_partition(number):
        sequences, scores, targets = fitted.scores(net, part)
    index = PartOfX.of(number, sequences, sequences.n_features, None)._replace(static=None)
    return index, scores, None if targets is fitted.targets else {name: getattr(targets, name) for name in OWN_UNITS}


def _joined(parts):
    """The index of the sequences of all parts, given the `PartOfX` of each."""
    kind, n_padded = kind_of_all(parts)
    return SequenceIndex(np.concatenate([part.lengths for part in parts]), kind, n_padded=n_padded)
