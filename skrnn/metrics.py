"""Metrics over the steps of sequences, and of distributions."""

from inspect import signature

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline

from skrnn._data.columns import without_columns
from skrnn._data.numbers import is_sized
from skrnn._data.sequences import SequenceIndex
from skrnn._data.target_checks import step_labels
from skrnn._data.weights import as_weights
from skrnn._estimators.distribution_scores import (
    crps_gaussian,
    crps_samples,
    interval_coverage,
    mean_log_likelihood,
    mean_quantile_loss,
    neg_mean_crps,
)
from skrnn._estimators.label_targets import LabelTargets
from skrnn._estimators.number_targets import NumberTargets
from skrnn._estimators.several_class_targets import SeveralClassTargets
from skrnn._estimators.target_rows import mean_over_outputs
from skrnn._messages import shown
from skrnn._public import set_public_home
from skrnn._sklearn import BaseScorer

__all__ = [
    "concatenate_steps", "crps_gaussian", "crps_samples", "interval_coverage", "make_sequence_scorer",
    "mean_log_likelihood", "mean_quantile_loss", "neg_mean_crps", "split_steps",
]

PROBABILITIES = ("predict_proba", "predict_log_proba")


def concatenate_steps(y, *others):
    """Concatenate targets of steps, and what belongs to them, to flat arrays that metrics of scikit-learn take.

    Steps without a target (NaN, None, or −1 among integers) are left out; steps of padding should have none.

    Parameters
    ----------
    y : array-like of shape (n, steps) or (n, steps, outputs), or a collection of n arrays of these
        Targets as ``fit`` takes them with `return_sequences`. Numbers of a regression are floats: an integer −1 is a
        label that is missing.
    *others : array-like
        What ``predict`` or ``predict_proba`` returned, weights, anything with the steps of y; or with one value per
        sequence, (n,), which then counts for each of its steps.

    Returns
    -------
    flat : tuple of arrays of shape (rows,) or (rows, outputs)
        y and the others, a row for each step that has a target.

    Raises
    ------
    ValueError, TypeError
        When y has no targets of steps, or another argument has other steps, naming the sequence.

    See Also
    --------
    split_steps : The way back.
    make_sequence_scorer : The same, for the `scoring` of cross-validation and searches.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import confusion_matrix
    >>> from skrnn import concatenate_steps
    >>> y, predicted = [["a", "b"], ["b", None, "a"]], [["a", "a"], ["b", "b", "a"]]
    >>> confusion_matrix(*concatenate_steps(y, predicted)).tolist()
    [[2, 0], [1, 1]]
    >>> _, weights = concatenate_steps(y, [1.0, 0.5])           # of sequences
    >>> weights.tolist()
    [1.0, 1.0, 0.5, 0.5]
    """
    return steps_with_target(y, {f"others[{k}]": other for k, other in enumerate(others)})


def steps_with_target(y, others, name="y"):
    """As `concatenate_steps`, of others by the names that errors give them, beside that of y."""
    index, rows = _read_steps(y, name)
    beside = [_beside(other, index, other_name, name) for other_name, other in others.items()]
    return rows.take(rows.known).as_array(), *(values[rows.known] for values in beside)


def split_steps(rows, like):
    """Give rows of steps back to their sequences.

    Parameters
    ----------
    rows : array-like of shape (rows,) or (rows, outputs)
        A row for each step, or for each step that has a target as `concatenate_steps` returns them.
    like : array-like of shape (n, steps) or (n, steps, outputs), or a collection of n arrays of these
        Targets of steps, which say how many steps each sequence has and which of them have a target. The others get
        what stands for no target: NaN among floats, −1 among integers, None among anything else.

    Returns
    -------
    steps : array of shape (n, steps) or (n, steps, outputs), or for a collection an object array of n arrays
        What ``fit`` takes with `return_sequences`.

    Raises
    ------
    ValueError, TypeError
        When there are not as many rows as steps, or `like` has no targets of steps.

    See Also
    --------
    concatenate_steps : The way there.

    Examples
    --------
    >>> from skrnn import concatenate_steps, split_steps
    >>> y = [[0, 1], [1, -1, 0]]
    >>> rows, = concatenate_steps(y)
    >>> [steps.tolist() for steps in split_steps(10 * rows, like=y)]
    [[0, 10], [10, -1, 0]]
    """
    index, targets = _read_steps(like, "like")
    rows, total = np.asarray(rows), len(targets)
    n_known = len(targets.values[targets.known])
    if rows.ndim == 0 or len(rows) not in (total, n_known):
        or_fewer = "" if total == n_known else f", or ({n_known}, ...) for those that have a target"
        raise ValueError(f"rows has shape {rows.shape}, expected ({total}, ...) for the steps of like{or_fewer}")
    return index.split(targets.with_missing(rows) if len(rows) == n_known < total else rows)


def make_sequence_scorer(metric, *, response_method="predict", greater_is_better=True, **kwargs):
    """Make a scorer for targets of steps from a metric for flat targets.

    The steps of all sequences are concatenated, as by `concatenate_steps`. Steps without a target (NaN, None, or −1
    among integer labels) are left out; steps of padding should have none. Of several outputs or labels some may be
    missing in the same way: the score is then the mean over outputs of the metric of each alone, over the steps of
    which it is known. So it is always for several columns of classes, which metrics of scikit-learn do not take: of
    these it is also the scorer where y has them for each sequence, (n, columns).

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_pred, **kwargs)`` which also takes ``sample_weight`` if there are weights, as those of
        ``sklearn.metrics``.
    response_method : str, default="predict"
        The method of the estimator that returns y_pred. Of ``predict_proba`` for two classes, y_pred is the probability
        of `pos_label`, by default of the second class; for more, a metric that takes `labels` gets all classes, so that
        it does not matter which of them a fold has.
    greater_is_better : bool, default=True
        False for a loss: the score is its negative.
    **kwargs
        Arguments of the metric.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, sample_weight=None)``, for ``scoring`` of searches and cross-validation, with
        ``set_score_request`` as scikit-learn's scorers have it. The weight of a sequence counts for each of its steps.

    Raises
    ------
    TypeError
        When the metric is no function, but a name or a scorer.

    See Also
    --------
    concatenate_steps : For metrics outside of a search.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.metrics import f1_score
    >>> from sklearn.model_selection import cross_val_score
    >>> from skrnn import RNNClassifier, make_sequence_scorer
    >>> X = np.random.default_rng(0).normal(size=(60, 9, 1))
    >>> y = (X[:, :, 0] > 0).astype(int)
    >>> net = RNNClassifier(4, return_sequences=True, random_state=0)
    >>> scorer = make_sequence_scorer(f1_score)
    >>> bool(cross_val_score(net, X, y, scoring=scorer, cv=3).min() > 0.9)
    True
    """
    if not callable(metric) or isinstance(metric, BaseScorer):
        raise TypeError(
            f"metric is {shown(metric)}, expected a function of y_true and y_pred, such as accuracy_score of "
            "sklearn.metrics"
        )
    return _SequenceScorer(metric, 1 if greater_is_better else -1, kwargs, response_method)


class _SequenceScorer(BaseScorer):
    """The scorer that `make_sequence_scorer` returns."""

    def __call__(self, estimator, X, y, sample_weight=None, **kwargs):
        return super().__call__(estimator, X, y, sample_weight=sample_weight, **kwargs)

    def _score(self, method_caller, estimator, X, y, sample_weight=None, **kwargs):
        """The metric of the rows of steps.

        `method_caller` is not used: it would take the predictions of a classifier for those of samples.
        """
        classes = getattr(estimator, "classes_", None)
        several = isinstance(classes, list)
        read = NumberTargets.read if is_regressor(estimator) else SeveralClassTargets.read if several else None
        if several and not getattr(_last_step(estimator), "return_sequences", True):
            return self._of_sequences(estimator, X, y, sample_weight, kwargs)
        index, rows = _read_steps(y, read=read)
        predicted = getattr(estimator, self._response_method)(X)
        kwargs = self._kwargs | kwargs
        weights = None
        if sample_weight is not None:
            weights = as_weights(sample_weight, index, per_step=True)[rows.known]
        if several:
            of_columns = [self._rows(part, index)[rows.known] for part in _parts(predicted)]
            return self._sign * self._mean_over_columns(rows.values[rows.known], of_columns, classes, weights, kwargs)
        true, predicted = rows.values[rows.known], self._rows(predicted, index)[rows.known]
        if self._response_method in PROBABILITIES and true.ndim == 1 and classes is not None:
            predicted, kwargs = self._for_metric(predicted, classes, kwargs)
        if weights is not None:
            kwargs["sample_weight"] = weights
        return self._sign * mean_over_outputs(self._score_func, true, predicted, **kwargs)

    def _of_sequences(self, estimator, X, y, sample_weight, kwargs):
        """The mean of the metric over the columns of labels of sequences."""
        index = SequenceIndex(np.ones(len(X), dtype=np.intp), "ragged")
        rows = SeveralClassTargets.read(y, index, per_step=False)
        weights = None if sample_weight is None else as_weights(sample_weight, index, per_step=False)
        parts = _parts(getattr(estimator, self._response_method)(X))
        kwargs = self._kwargs | kwargs
        return self._sign * self._mean_over_columns(rows.values, parts, estimator.classes_, weights, kwargs)

    def _rows(self, predicted, index):
        """What the estimator returned for the steps of sequences as rows (rows, ...)."""
        if len(predicted) != len(index) or not is_sized(next(iter(predicted))):
            raise ValueError(
                f"{self._response_method} returned {len(predicted)} predictions of sequences for y with targets of the "
                f"steps of {len(index)}: make_sequence_scorer is for a net with return_sequences=True"
            )
        return _beside(predicted, index, f"{self._response_method}(X)")

    def _mean_over_columns(self, true, predicted, classes, weights, kwargs):
        """The mean of the metric over those columns of labels that have any with weight.

        Parameters
        ----------
        true : LabelColumns of R rows
        predicted : list of arrays
            (R, k) labels, or for each column the probabilities (R, C).
        classes : list of k arrays
        weights : (R,) array or None
        kwargs : dict
        """
        scores = []
        for q, (column, missing) in enumerate(zip(true.columns, true.missing.T, strict=True)):
            rows = ~missing if weights is None else ~missing & (weights > 0)
            if not rows.any():
                continue
            of_column = kwargs if weights is None else kwargs | {"sample_weight": weights[rows]}
            if self._response_method in PROBABILITIES:
                values, of_column = self._for_metric(predicted[q][rows], classes[q], of_column)
            else:
                values = predicted[0][rows, q].astype(classes[q].dtype)
            scores.append(self._score_func(column[rows], values, **of_column))
        return float(np.mean(scores)) if scores else float("nan")

    def _for_metric(self, predicted, classes, kwargs):
        """Probabilities (rows, classes) as metrics take them, and the arguments that say what classes there are."""
        parameters, classes_of = signature(self._score_func).parameters, classes.tolist()
        if len(classes) == 2:
            label = (getattr(self._score_func, "keywords", {}) | kwargs).get("pos_label")
            label = classes_of[1] if label is None else label
            if label not in classes_of:
                raise ValueError(f"pos_label={label!r}: expected one of the classes {classes_of}")
            predicted = predicted[:, classes_of.index(label)]
            # whose default is 1 in some metrics, whichever the classes are
            kwargs = kwargs | {"pos_label": label} if "pos_label" in parameters else kwargs
        if "labels" in parameters:
            kwargs = {"labels": classes} | kwargs
        return predicted, kwargs

    def __repr__(self):
        name = getattr(self._score_func, "__name__", repr(self._score_func))
        sign = "" if self._sign > 0 else ", greater_is_better=False"
        arguments = "".join(f", {key}={value!r}" for key, value in self._kwargs.items())
        return f"make_sequence_scorer({name}, response_method={self._response_method!r}{sign}{arguments})"


def _read_steps(y, name="y", read=None):
    """The index of the sequences of y, whose targets are of steps, and these as `TargetRows`.

    `read` reads them as numbers or as labels; None: as labels, unless there are several floats per step that are not 0
    or 1. Of one number per step both are read in the same way, but for the integer −1.
    """
    if issparse(y) or isinstance(y, str | bytes | dict) or not is_sized(y):
        raise TypeError(f"{name} is {shown(y)}, expected an array or a list with the targets of each step")
    sequences = without_columns(y, name)
    flat = next((i for i, row in enumerate(sequences) if not is_sized(row)), None)
    if flat is not None or not len(sequences):
        found = f"{name} is empty" if flat is None else f"{name}[{flat}] is {shown(sequences[flat])}"
        raise ValueError(f"{found}, expected a target for each step, as with return_sequences=True")
    kind = "array" if isinstance(sequences, np.ndarray) and sequences.ndim > 1 else "ragged"
    index = SequenceIndex(np.array([len(row) for row in sequences], dtype=np.intp), kind)
    if read is None:
        read = (NumberTargets if _are_numbers(step_labels(y, index, name)[0]) else LabelTargets).read
    return index, read(y, index, per_step=True)


def _are_numbers(rows):
    """Whether rows (total, outputs) are floats that cannot be indicators of labels."""
    return rows.ndim == 2 and rows.dtype.kind == "f" and not (np.isin(rows, (-1, 0, 1)) | np.isnan(rows)).all()


def _last_step(estimator):
    """The net at the end of Pipelines and searches."""
    while True:
        inner = getattr(estimator, "best_estimator_", estimator[-1] if isinstance(estimator, Pipeline) else estimator)
        if inner is estimator:
            return estimator
        estimator = inner


def _parts(predicted):
    """A list of predictions: of probabilities of several columns of labels those of each."""
    return predicted if isinstance(predicted, list) else [predicted]


def _beside(values, index, name, name_of_y="y"):
    """Rows (total, ...) of values with the steps of y, or with one value per sequence."""
    values = without_columns(values, name)
    if issparse(values) or not is_sized(values):
        raise TypeError(f"{name} is {shown(values)}, expected an array or a list with the steps of {name_of_y}")
    if len(values) != len(index):
        raise ValueError(f"{name} has {len(values)} sequences, expected {len(index)} as in {name_of_y}")
    if not is_sized(next(iter(values))):
        return np.repeat(np.asarray(values), index.lengths)
    rows = [np.asarray(row) for row in values]
    for i, (row, length) in enumerate(zip(rows, index.lengths, strict=True)):
        if len(row) != length:
            raise ValueError(f"{name_of_y}[{i}] has {length} targets of steps, expected {len(row)} as in {name}[{i}]")
        if row.shape[1:] != rows[0].shape[1:]:
            raise ValueError(f"{name}[{i}] has shape {row.shape}, expected {(len(row), *rows[0].shape[1:])}")
    return np.concatenate(rows)


set_public_home(globals())
