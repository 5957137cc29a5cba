"""SequenceScaler."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skrnn._inputs import check_finite
from skrnn._sequences import Sequences
from skrnn._validation import check_sequences, fitted_apart


def _gives_columns(scaler):
    """Whether outputs are tables, as far as is known: not after a fit to a 3-D array or a collection."""
    return getattr(scaler, "_from_table", True)


class SequenceScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise each feature of the steps: subtract its mean and divide by its standard deviation.

    Both are over all steps of all sequences, so that long sequences count more and the course of a sequence keeps its
    shape. (``StandardScaler`` takes each column of a table by itself, and with it each step.)

    Parameters
    ----------
    n_steps : int, default=None
        Only for 2-D X: the number of steps that a row's columns are split into, in time order, each of
        columns / n_steps features. None: every column is a step of one feature. Use the same as in the network.

    Attributes
    ----------
    mean_ : float64 array of shape (features of a step,)
        Mean of each feature.
    scale_ : float64 array of shape (features of a step,)
        Standard deviation of each feature, with divisor n; 1 for a constant feature.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (n_features_in_,)
        Column names, when X was a data frame with string names.

    Notes
    -----
    float32 stays float32, everything else becomes float64; the mean and the standard deviation are computed in float64.

    `set_output` and `get_feature_names_out` are for 2-D X. After a fit to a 3-D array or a collection there are no
    columns to name, and a container that was asked for is left out.

    References
    ----------
    Chan, Golub & LeVeque (1983), Algorithms for computing the sample variance: analysis and recommendations. The bound
    under which a variance is taken for rounding, and the feature for constant.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SequenceScaler
    >>> X = [np.array([[1.0, 10.0], [3.0, 10.0]]), np.array([[2.0, 10.0]])]
    >>> scaler = SequenceScaler().fit(X)
    >>> scaler.mean_
    array([ 2., 10.])
    >>> [x.round(3).tolist() for x in scaler.transform(X)]
    [[[-1.225, 0.0], [1.225, 0.0]], [[0.0, 0.0]]]
    """

    _parameter_constraints: ClassVar = {"n_steps": [None, Interval(Integral, 1, None, closed="left")]}

    def __init__(self, n_steps=None):
        self.n_steps = n_steps

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the mean and the standard deviation of each feature.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            A sample is a sequence.
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When an argument cannot be used, naming it and the sequence. The scaler then stays as it was.
        """
        with fitted_apart(self) as scaler:
            values = check_sequences(scaler, X, self.n_steps, reset=True).values
            scaler.mean_, scaler.scale_ = _mean_and_scale(values)
        return self

    def transform(self, X):
        """Standardise sequences.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences; not changed.

        Returns
        -------
        X : array of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            In the form of X: for a 2-D or 3-D array an array of its shape, for a list or tuple of sequences a list, for
            an object array or a column of lists an object array. Sequences (steps,) in a list, tuple or object array
            stay (steps,).
        """
        check_is_fitted(self)
        sequences = check_sequences(self, X, self.n_steps, reset=False)
        # Both are computed in float64 and rounded to the dtype of X.
        with np.errstate(over="ignore", invalid="ignore"):
            rows = np.subtract(sequences.values, self.mean_, out=np.empty_like(sequences.values))
            rows /= self.scale_
        check_finite(Sequences(rows, sequences.lengths, sequences.kind), "X, once standardised,")
        return _in_form_of(X, sequences, rows)

    @available_if(_gives_columns)
    def get_feature_names_out(self, input_features=None):
        """Names of the columns of a 2-D output: those of X.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names to use when X had none; otherwise they have to be those of X.

        Returns
        -------
        names : object array of shape (n_features_in_,)
        """
        return super().get_feature_names_out(input_features)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _mean_and_scale(values):
    """Mean and standard deviation of each feature; a deviation of 1 where it is nothing but rounding."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = values.mean(axis=0, dtype=np.float64)
        variance = values.var(axis=0, dtype=np.float64)
    large = np.flatnonzero(~np.isfinite(variance))
    if len(large):
        raise ValueError(
            f"X is too large: the variance of feature {large[0]} overflows float64; expected values up to 1e150"
        )
    n_eps = len(values) * np.finfo(np.float64).eps
    constant = variance <= n_eps * variance + (n_eps * mean) ** 2
    return mean, np.where(constant, 1.0, np.sqrt(variance))


def _in_form_of(X, sequences, rows):
    """Rows of steps, (total, D), in the form of X."""
    if sequences.kind == "table":
        return rows.reshape(len(sequences), -1)
    out = sequences.split(rows)
    if sequences.kind == "ragged" and isinstance(X, list | tuple | np.ndarray):
        for i, x in enumerate(X):
            if np.ndim(x) == 1:
                out[i] = out[i][:, 0]
    return list(out) if sequences.kind == "ragged" and isinstance(X, list | tuple) else out
