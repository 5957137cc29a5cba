"""Scores of distributions, quantiles and intervals: functions of targets, and scorers of estimators."""

import numpy as np
from sklearn.pipeline import Pipeline

from skrnn._data.numbers import as_numbers
from skrnn._estimators.predictive import mean_over_targets
from skrnn._messages import shown
from skrnn._training.distributions import Normal, Quantiles


def mean_log_likelihood(estimator, X, y, sample_weight=None):
    """The mean log-likelihood of targets: a scorer for nets with a likelihood as loss, the greater the better.

    It is the negative of the loss in the units of y, so that it compares nets with different losses, or with and
    without `standardize`. Counts have a probability, other numbers a density, which are not compared with each other.

    Parameters
    ----------
    estimator : RNNRegressor, Pipeline or search
        Fitted with the loss "gaussian", "student_t" or "negative_binomial", or a Pipeline that ends with such a net, or
        a search of one.
    X, y, sample_weight
        As in ``score``; missing targets are left out.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        When the net knows no density.
    ValueError
        As ``score``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skrnn import RNNRegressor
    >>> from skrnn.metrics import mean_log_likelihood
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(90, 5, 1))
    >>> y = X[:, 0, 0] + 0.1 * rng.standard_t(3, size=90)
    >>> net = RNNRegressor(4, random_state=0)
    >>> search = GridSearchCV(net, {"loss": ["gaussian", "student_t"]}, scoring=mean_log_likelihood, cv=3).fit(X, y)
    >>> search.cv_results_["mean_test_score"].shape
    (2,)
    """
    net, X = net_and_steps(estimator, X)
    if not hasattr(net, "sample"):
        raise TypeError(
            f"mean_log_likelihood is for an RNNRegressor whose loss is a likelihood, such as 'gaussian', got {net!r}"
        )
    return mean_over_targets(net, lambda distribution, y: distribution.log_density(y), X, y, sample_weight)


def neg_mean_crps(estimator, X, y, sample_weight=None):
    """The negative mean continuous ranked probability score, a scorer in the units of y: the greater the better.

    It is that of the distribution which a net with a likelihood as loss predicts, in closed form, and of several
    quantiles twice their mean pinball loss: nets with a few quantiles are compared with each other, not with
    distributions. For a prediction without a deviation it would be the absolute error.

    Parameters
    ----------
    estimator : RNNRegressor, Pipeline or search
        Fitted with the loss "gaussian", "student_t" or "negative_binomial" or with a list of quantiles, or a Pipeline
        that ends with such a net, or a search of one.
    X, y, sample_weight
        As in ``score``; missing targets are left out.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        When the net knows one number of each target alone.
    ValueError
        As ``score``.

    References
    ----------
    Gneiting, T. and Raftery, A. E. (2007). Strictly proper scoring rules, prediction, and estimation. Journal of the
    American Statistical Association 102, 359-378.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.metrics import crps_gaussian, neg_mean_crps
    >>> X = np.random.default_rng(0).normal(size=(60, 5, 1))
    >>> net = RNNRegressor(4, loss="gaussian", random_state=0).fit(X, X[:, 0, 0])
    >>> score = crps_gaussian(X[:, 0, 0], *net.predict(X, return_std=True))
    >>> bool(abs(score + neg_mean_crps(net, X, X[:, 0, 0])) < 1e-6)
    True
    """
    net, X = net_and_steps(estimator, X)
    if not hasattr(net, "predict_quantile"):
        raise TypeError(
            "neg_mean_crps is for an RNNRegressor whose loss is a likelihood, such as 'gaussian', or has several "
            f"quantiles, got {net!r}"
        )
    return -mean_over_targets(net, lambda distribution, y: distribution.crps(y), X, y, sample_weight)


def net_and_steps(estimator, X):
    """The net at the end of a Pipeline, or the best one of a search, and what comes to it; else both as they are."""
    if hasattr(estimator, "best_estimator_"):
        return net_and_steps(estimator.best_estimator_, X)
    if isinstance(estimator, Pipeline):
        return estimator[-1], estimator[:-1].transform(X) if len(estimator) > 1 else X
    return estimator, X


def crps_gaussian(y_true, mean, std, *, sample_weight=None):
    """The mean continuous ranked probability score of normal distributions, in the units of y; the less the better.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, outputs)
    mean, std : array-like like y_true
        As ``predict(X, return_std=True)`` returns them, of any regressor that has it; std is positive.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes differ, or a deviation is not positive.

    References
    ----------
    Gneiting, T. et al. (2005). Calibrated probabilistic forecasting using ensemble model output statistics and minimum
    CRPS estimation. Monthly Weather Review 133, 1098-1118.

    Examples
    --------
    >>> from skrnn.metrics import crps_gaussian
    >>> round(crps_gaussian([0.0, 1.0], [0.0, 0.0], [1.0, 1.0]), 3)
    0.418
    """
    y, mean, std = _arrays_alike(y_true=y_true, mean=mean, std=std)
    if not (std > 0).all():
        raise ValueError(f"std has {std.min()}, expected positive deviations")
    return _mean(Normal(mean, std).crps(y), sample_weight)


def crps_samples(y_true, samples, *, sample_weight=None):
    """The mean continuous ranked probability score of the distribution of samples, in the units of y; less is better.

    It is ``E |x − y| − ½ E |x − x'|``, x and x' two of the samples.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, outputs)
    samples : array-like of shape (n, m) or (n, outputs, m)
        As ``sample`` returns them, or the predictions of an ensemble.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When samples has not one dimension more than y_true.

    Examples
    --------
    >>> from skrnn.metrics import crps_samples
    >>> crps_samples([2.0], [[1.0, 3.0]])
    0.5
    """
    y, samples = _finite(y_true, "y_true"), _finite(samples, "samples")
    m = _check_last(y, samples, "samples", "samples of each target")
    # Σ over pairs of |x − x'| from the order of the samples
    rank = 2 * np.arange(1, m + 1) - m - 1
    between = (rank * np.sort(samples, axis=-1)).sum(axis=-1) / m**2
    return _mean(np.abs(samples - y[..., np.newaxis]).mean(axis=-1) - between, sample_weight)


def mean_quantile_loss(y_true, y_pred, *, quantile, sample_weight=None):
    """The pinball loss of several quantiles, the mean over them; half the CRPS in the limit of many at equal distances.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, outputs)
    y_pred : array-like of shape (n, m) or (n, outputs, m)
        As ``predict`` of a net with several quantiles returns them.
    quantile : array-like of shape (m,)
        Which ones they are, between 0 and 1.
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When there are not as many predictions as quantiles, or these are not between 0 and 1.

    See Also
    --------
    sklearn.metrics.mean_pinball_loss : That of one quantile.

    Examples
    --------
    >>> from skrnn.metrics import mean_quantile_loss
    >>> mean_quantile_loss([2.0], [[1.0, 4.0]], quantile=[0.25, 0.75])
    0.375
    """
    y, predicted = _finite(y_true, "y_true"), _finite(y_pred, "y_pred")
    levels = as_numbers(quantile, "quantile")
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantile={quantile!r}: expected a list of numbers between 0 and 1")
    m = _check_last(y, predicted, "y_pred", "quantiles of each target")
    if m != len(levels):
        raise ValueError(f"y_pred has {m} quantiles of each target, expected {len(levels)} as in quantile")
    return _mean(0.5 * Quantiles(tuple(levels.tolist()), predicted).crps(y), sample_weight)


def interval_coverage(y_true, lower, upper, *, sample_weight=None):
    """The fraction of targets in their intervals, whose ends belong to them: to be compared with what was promised.

    Parameters
    ----------
    y_true : array-like of shape (n,) or (n, outputs)
    lower, upper : array-like like y_true
    sample_weight : array-like of shape (n,), optional

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When the shapes differ.

    Examples
    --------
    >>> from skrnn.metrics import interval_coverage
    >>> interval_coverage([1.0, 2.0], [0.0, 3.0], [1.0, 4.0])
    0.5
    """
    y, lower, upper = _arrays_alike(y_true=y_true, lower=lower, upper=upper)
    return _mean(((lower <= y) & (y <= upper)).astype(np.float64), sample_weight)


def _arrays_alike(**values):
    """The values as arrays; a ValueError names the first that has another shape than y_true, the first of them."""
    arrays = {name: _finite(value, name) for name, value in values.items()}
    for name, array in arrays.items():
        if array.shape != arrays["y_true"].shape:
            raise ValueError(f"{name} has shape {array.shape}, expected {arrays['y_true'].shape} as y_true")
    return arrays.values()


def _finite(values, name):
    """The values as an array; a ValueError if it is empty or has a NaN."""
    array = as_numbers(values, name)
    if not array.size or not array.ndim:
        raise ValueError(f"{name} has shape {array.shape}, expected at least one row")
    if np.isnan(array).any():
        row = np.argwhere(np.isnan(array))[0][0]
        raise ValueError(f"{name} has NaN in row {row}: leave out what is not known")
    return array


def _check_last(y, values, name, what):
    """The length of the dimension that values have after those of y; a ValueError if they have none."""
    if values.ndim != y.ndim + 1 or values.shape[:-1] != y.shape or not values.shape[-1]:
        raise ValueError(f"{name} has shape {values.shape}, expected {(*y.shape, 'm')}: {what}".replace("'m'", "m"))
    return values.shape[-1]


def _mean(cells, sample_weight):
    """The weighted mean over rows, and over outputs."""
    rows = cells.reshape(len(cells), -1).mean(axis=1)
    if sample_weight is None:
        return float(rows.mean())
    weights = _finite(sample_weight, "sample_weight")
    if weights.shape != rows.shape or (weights < 0).any() or not weights.any():
        raise ValueError(
            f"sample_weight={shown(sample_weight)}: expected {len(rows)} numbers, one for each row, not negative and "
            "not all 0"
        )
    return float(np.average(rows, weights=weights))
