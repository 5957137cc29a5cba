"""SequenceScaler."""

from copy import copy
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skrnn._inputs import check_finite
from skrnn._sequences import LazySequences
from skrnn._validation import check_sequences, fitted_apart
from skrnn.preprocessing._forms import in_form_of
from skrnn.preprocessing._statistics import STATISTICS, check_in_memory


def gives_columns(transformer):
    """Whether outputs are tables, as far as is known: not after a fit to a 3-D array or a collection."""
    return getattr(transformer, "_from_table", True)


def _in_parts(scaler):
    if scaler.method == "robust":
        raise AttributeError("partial_fit is not available for method='robust', which needs all values at once")
    return True


class SequenceScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Scale each feature of the steps: subtract its center and divide by its spread.

    Both are over all steps of all sequences, so that long sequences count more and the course of a sequence keeps its
    shape. (``StandardScaler`` takes each column of a table by itself, and with it each step.) Missing values, NaN,
    count for nothing and stay missing.

    Parameters
    ----------
    method : {"standard", "minmax", "robust"}, default="standard"
        Center and spread: mean and standard deviation (divisor n); minimum and range, so that values come to lie in
        [0, 1]; median and distance between the first and the third quartile, which outliers do not move.
    n_steps : int, default=None
        Only for 2-D X: the number of steps that a row's columns are split into, in time order, each of
        columns / n_steps features. None: every column is a step of one feature. Use the same as in the network.

    Attributes
    ----------
    center_ : float64 array of shape (features of a step,)
        0 for a feature without any value.
    scale_ : float64 array of shape (features of a step,)
        1 for a feature without spread.
    n_samples_seen_ : int array of shape (features of a step,)
        Steps at which each feature was not missing.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (n_features_in_,)
        Column names, when X was a data frame with string names, or the names of a RaggedArray.

    Notes
    -----
    float32 stays float32, everything else becomes float64; center and scale are computed in float64.

    X may be larger than memory: a memory-mapped 3-D array, or a sequence object that reads its own items. Then
    `transform` returns a collection whose sequences are scaled when they are read, and "robust" is refused.

    `set_output` and `get_feature_names_out` are for 2-D X. After a fit to a 3-D array or a collection there are no
    columns to name, and a container that was asked for is left out.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SequenceScaler
    >>> X = [np.array([[1.0, 10.0], [3.0, 10.0]]), np.array([[2.0, np.nan]])]
    >>> scaler = SequenceScaler().fit(X)
    >>> scaler.center_
    array([ 2., 10.])
    >>> scaled = scaler.transform(X)
    >>> [x.round(3).tolist() for x in scaled]
    [[[-1.225, 0.0], [1.225, 0.0]], [[0.0, nan]]]
    >>> [x.round(3).tolist() for x in scaler.inverse_transform(scaled)]
    [[[1.0, 10.0], [3.0, 10.0]], [[2.0, nan]]]
    """

    _parameter_constraints: ClassVar = {
        "method": [StrOptions(set(STATISTICS))],
        "n_steps": [None, Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, method="standard", *, n_steps=None):
        self.method = method
        self.n_steps = n_steps

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Find the center and the spread of each feature.

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
        return self._count_in(X, STATISTICS[self.method](), reset=True)

    @available_if(_in_parts)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Count in more sequences, as if they had been in the first fit; not for "robust".

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
        y : None
            Ignored.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError, TypeError
            When X cannot be used, or `method` is another one than before. The scaler then stays as it was.
        """
        statistic = getattr(self, "_statistic", None)
        if statistic is not None and type(statistic) is not STATISTICS[self.method]:
            raise ValueError(f"partial_fit cannot go on with method={self.method!r}: it began with another; use fit")
        reset = statistic is None
        return self._count_in(X, STATISTICS[self.method]() if reset else copy(statistic), reset=reset)

    def _count_in(self, X, statistic, *, reset):
        with fitted_apart(self) as scaler:
            sequences = scaler._check(X, reset=reset)
            check_in_memory(self.method == "robust" and isinstance(sequences, LazySequences), "method='robust'")
            for part, _ in sequences.parts(np.arange(len(sequences))):
                statistic.add(part.laid_out().values)
            center, scale = statistic.center_and_scale()
            large = np.flatnonzero(~np.isfinite(center) | ~np.isfinite(scale))
            if len(large):
                raise ValueError(
                    f"X is too large: the {statistic.spread} of feature {large[0]} overflows float64; expected values "
                    "up to 1e150"
                )
            scaler._statistic = statistic
            scaler.center_, scaler.scale_ = center, np.where(scale == 0, 1.0, scale)
            scaler.n_samples_seen_ = statistic.count
        return self

    def _check(self, X, *, reset, named=True):
        return check_sequences(
            self, X, self.n_steps, reset=reset, allow_missing=True, leave_out_padding=False, as_it_is=False, named=named
        )

    def transform(self, X):
        """Scale sequences.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences; not changed.

        Returns
        -------
        X : array of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            In the form of X: for a 2-D or 3-D array an array of its shape, for a RaggedArray one of the same steps, for
            a list or tuple of sequences a list, for an object array or a column of lists an object array. Sequences
            (steps,) in a list, tuple or object array stay (steps,).
        """
        check_is_fitted(self)
        return self._changed(X, self._check(X, reset=False), self._scaled, "scaled")

    def inverse_transform(self, X):
        """Undo `transform`.

        Parameters
        ----------
        X : as `transform` returns it

        Returns
        -------
        X : as `transform` takes it
        """
        check_is_fitted(self)
        return self._changed(X, self._check(X, reset=False, named=False), self._unscaled, "back in its own scale")

    def _changed(self, X, sequences, change, how):
        def changed(sequences):
            # Computed in float64 and rounded to the dtype of X
            with np.errstate(over="ignore", invalid="ignore"):
                sequences = sequences.replace(values=change(sequences.values, np.empty_like(sequences.values)))
            check_finite(sequences, f"X, once {how},", allow_missing=True)
            return sequences

        return in_form_of(X, sequences.then(changed))

    def _scaled(self, values, out):
        np.subtract(values, self.center_, out=out)
        out /= self.scale_
        return out

    def _unscaled(self, values, out):
        np.multiply(values, self.scale_, out=out)
        out += self.center_
        return out

    @available_if(gives_columns)
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
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
