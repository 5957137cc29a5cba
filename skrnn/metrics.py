"""Metrics over the steps of sequences."""

import numpy as np
from sklearn.metrics import make_scorer

from skrnn._examples import missing_labels


def make_sequence_scorer(metric, *, response_method="predict", greater_is_better=True, **kwargs):
    """A scorer for targets of steps from a metric of flat targets.

    The steps of all sequences are laid end to end; those without a target (NaN, None, or −1 among integers) are left
    out. A weight a sequence counts for each of its steps.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred, **kwargs)``, and with weights ``sample_weight``, as those of ``sklearn.metrics``.
    response_method : str, default="predict"
        Method of the estimator whose result is y_pred.
    greater_is_better : bool, default=True
        False for a loss: the score is its negative.
    **kwargs
        For the metric.

    Returns
    -------
    scorer : callable
        For ``scoring`` of searches and cross-validation.

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
    return make_scorer(
        _OverSteps(metric), response_method=response_method, greater_is_better=greater_is_better, **kwargs
    )


class _OverSteps:
    """A metric of flat targets, for targets of steps."""

    def __init__(self, metric):
        self.metric = metric
        self.__name__ = getattr(metric, "__name__", "metric")

    def __call__(self, y_true, y_pred, sample_weight=None, **kwargs):
        true = np.concatenate([np.asarray(row) for row in y_true])
        predicted = np.concatenate([np.asarray(row) for row in y_pred])
        labelled = ~missing_labels(true, per_step=True)
        if sample_weight is not None:
            weights = [np.broadcast_to(w, np.shape(row)[:1]) for w, row in zip(sample_weight, y_true, strict=True)]
            kwargs["sample_weight"] = np.concatenate(weights)[labelled]
        return self.metric(true[labelled], predicted[labelled], **kwargs)
