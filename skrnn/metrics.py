"""Metrics over the steps of sequences."""

import numpy as np
from sklearn.base import is_regressor

from skrnn._data.sequences import Sequences
from skrnn._data.target_checks import concatenate_labels, labels_of_rows, with_nan
from skrnn._data.weights import as_weights
from skrnn._estimators.targets import mean_over_outputs
from skrnn._public import set_public_home

__all__ = ["make_sequence_scorer"]


def make_sequence_scorer(metric, *, response_method="predict", greater_is_better=True, **kwargs):
    """Make a scorer for targets of steps from a metric for flat targets.

    The steps of all sequences are concatenated. Steps without a target (NaN, None, or −1 among integer labels) are left
    out; steps of padding should have none. Of several outputs or labels some may be missing in the same way: the score
    is then the mean over outputs of the metric of each alone, over the steps of which it is known.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred, **kwargs)`` which also takes ``sample_weight`` if there are weights, as those of
        ``sklearn.metrics``.
    response_method : str, default="predict"
        The method of the estimator that returns y_pred. For two classes, y_pred is the probability of the second one.
    greater_is_better : bool, default=True
        False for a loss: the score is its negative.
    **kwargs
        Arguments of the metric.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)``, for ``scoring`` of searches and cross-validation. The weight of
        a sequence counts for each of its steps.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import f1_score
    >>> from sklearn.model_selection import cross_val_score
    >>> from skrnn import RNNClassifier, make_sequence_scorer
    >>> X = np.random.default_rng(0).normal(size=(60, 9, 1))
    >>> y = (X[:, :, 0] > 0).astype(int)
    >>> net = RNNClassifier(4, return_sequences=True, learning_rate_init=0.05, tol=1e-2, random_state=0)
    >>> scorer = make_sequence_scorer(f1_score)
    >>> bool(cross_val_score(net, X, y, scoring=scorer, cv=3).min() > 0.9)
    True
    """
    return _SequenceScorer(metric, response_method, 1 if greater_is_better else -1, kwargs)


class _SequenceScorer:
    """The scorer that `make_sequence_scorer` returns."""

    def __init__(self, metric, response_method, sign, kwargs):
        self.metric, self.response_method, self.sign, self.kwargs = metric, response_method, sign, kwargs

    def __call__(self, estimator, X, y, sample_weight=None):
        y, missing = labels_of_rows(y)
        predicted = [np.asarray(row) for row in getattr(estimator, self.response_method)(X)]
        lengths, expected = ([len(row) if row.ndim else None for row in rows] for rows in (y, predicted))
        if lengths != expected or None in lengths:
            raise ValueError(f"y has sequences of {lengths} targets of steps, expected {expected} as predicted for X")
        labels = not is_regressor(estimator)
        (true, missing), predicted = concatenate_labels(y, missing, minus_one=labels), np.concatenate(predicted)
        if self.response_method != "predict" and predicted.ndim == 2 and predicted.shape[1] == 2 and true.ndim == 1:
            predicted = predicted[:, 1]
        labeled = ~missing if true.ndim == 1 else ~missing.all(axis=1)
        true = with_nan(true, missing)
        kwargs = dict(self.kwargs)
        if sample_weight is not None:
            sequences = Sequences(np.empty((sum(lengths), 1)), np.array(lengths, dtype=np.intp), "ragged")
            kwargs["sample_weight"] = as_weights(sample_weight, sequences, per_step=True)[labeled]
        return self.sign * mean_over_outputs(self.metric, true[labeled], predicted[labeled], **kwargs)

    def __repr__(self):
        name = getattr(self.metric, "__name__", repr(self.metric))
        return f"make_sequence_scorer({name}, response_method={self.response_method!r})"


set_public_home(globals())
