"""SequenceScaler."""

from copy import copy
from dataclasses import replace
from functools import partial
from numbers import Integral
from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if

from skrnn._data.containers import check_finite
from skrnn._data.first_reading import learn_reading
from skrnn._data.numbers import all_finite
from skrnn._data.reading import Reading, set_attributes
from skrnn._data.with_static import WithStatic
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import StoredMixin, stored_estimator
from skrnn._plain import expect, plain
from skrnn._sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    checks_parameters,
    fitted_of,
    one_task,
    output_container,
)
from skrnn._warnings import without_warnings
from skrnn.preprocessing._forms import TableOutput, in_form_of
from skrnn.preprocessing._number_columns import NumberColumns, check_columns_of, keep_static, learn_number_columns
from skrnn.preprocessing._statistics import STATISTICS, add_to_statistic


@plain
class Scaling(NamedTuple):
    """What `fit` has learned, which is set at once and read once per call."""

    reading: Reading
    statistic: object       # one of `STATISTICS`
    center: np.ndarray      # (D,)
    scale: np.ndarray       # (D,)
    columns: NumberColumns | None = None

    def check_parts(self):
        """Raise a ValueError if the parts do not go together."""
        check_columns_of(self)
        n = self.reading.n_step_features
        expect(isinstance(self.statistic, tuple(STATISTICS.values())), "it is not known what units are of")
        for part in (self.center, self.scale, *vars(self.statistic).values()):
            expect(np.shape(part) == (n,) and np.asarray(part).dtype.kind in "fiu", f"units are not of {n} features")
            expect(not np.isnan(part).any(), "units are no numbers")
        expect(all_finite(self.center) and all_finite(self.scale), "units are not finite")
        expect(bool((self.scale > 0).all()), "scales are not positive")

    def numbers(self, estimator, X):
        """The sequences of numbers in X."""
        X = X.sequences if isinstance(X, WithStatic) else X
        return X if self.columns is None else self.columns.numbers(estimator, X)

    def apply(self, values):
        """Scale values (steps, D) in place."""
        values -= self.center
        values /= self.scale
        return values

    def undo(self, values):
        """Undo it in place."""
        values *= self.scale
        values += self.center
        return values


def _has_partial_fit(scaler):
    if scaler.method == "robust":
        raise AttributeError("partial_fit is not available for method='robust', which needs all values at once")
    return True


@stored_estimator(fitted=Scaling)
class SequenceScaler(
    CallbackSupportMixin, StoredMixin, CheckedParametersMixin, TableOutput, OneToOneFeatureMixin, TransformerMixin,
    BaseEstimator,
):
    """Scale each feature of the steps: subtract its center and divide by its scale.

    Both are computed over all steps of all sequences, so that long sequences count more and the shape of a sequence
    over time is preserved. (``StandardScaler`` scales each column of a table separately, hence each step.) Missing
    values, NaN, do not count and stay missing.

    Parameters
    ----------
    method : {"standard", "minmax", "robust"}, default="standard"
        Center and scale: mean and standard deviation (divisor n); minimum and range, which maps values to [0, 1];
        median and interquartile range, which are robust to outliers.
    n_steps : int, default=None
        Only for 2-D X: the number of steps that a row's columns are split into, in time order, each of
        columns / n_steps features. None: every column is a step of one feature. Use the same as in the network.

    Attributes
    ----------
    center_ : float64 array of shape (features of a step,)
        0 for a feature without values.
    scale_ : float64 array of shape (features of a step,)
        1 for a constant feature.
    n_samples_seen_ : int array of shape (features of a step,)
        Number of steps at which each feature was not missing.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Column names, when X was a data frame with string names, or the names of a RaggedArray.

    Notes
    -----
    float32 stays float32, everything else becomes float64; center and scale are computed in float64.

    X may be larger than memory: a memory-mapped 3-D array, or an object that reads its items on demand. Then
    `transform` returns a collection whose sequences are scaled when they are read. "robust" needs all of X at once.

    `set_output` applies to 2-D X, of numbers or of sequences in its cells; other forms of X keep theirs. A
    ``ColumnTransformer`` can so scale some of the features: those of the columns that it selects.

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

    @checks_parameters
    @one_task
    def fit(self, X, y=None):
        """Compute the center and the scale of each feature.

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
            If an argument cannot be used, naming it and the sequence. The scaler then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SequenceScaler
        >>> scaler = SequenceScaler("minmax").fit([np.array([[1.0, 10.0], [3.0, 10.0]]), np.array([[5.0, 10.0]])])
        >>> scaler.center_, scaler.scale_
        (array([ 1., 10.]), array([4., 1.]))
        """
        return self._fit(X)

    def _fit(self, X):
        X, columns = learn_number_columns(self, X)
        reading, sequences = learn_reading(self, X, self.n_steps, missing="keep", leave_out_padding=False)
        return self._update(reading, sequences, STATISTICS[self.method](), columns)

    @available_if(_has_partial_fit)
    @checks_parameters
    def partial_fit(self, X, y=None):
        """Update center and scale with more sequences, as if they had been in the first fit; not for "robust".

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
            If X cannot be used, or `method` is not that of the first fit. The scaler then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SequenceScaler
        >>> scaler = SequenceScaler()
        >>> for X in ([np.array([[1.0], [3.0]])], [np.array([[8.0]])]):
        ...     scaler = scaler.partial_fit(X)
        >>> scaler.center_, scaler.n_samples_seen_
        (array([4.]), array([3]))
        """
        self._validate_params()
        if not hasattr(self, "_fitted"):
            return self._fit(X)
        reading, statistic, _, _, columns = self._fitted
        if type(statistic) is not STATISTICS[self.method]:
            raise ValueError(f"partial_fit cannot continue with method={self.method!r}: it began with another; use fit")
        reading = replace(reading, n_steps=self.n_steps)
        sequences = reading.check(self, self._fitted.numbers(self, X), leave_out_padding=False)
        return self._update(reading, sequences, copy(statistic), columns)

    def _update(self, reading, sequences, statistic, columns):
        """Add the steps of sequences to a statistic, and set the fitted attributes."""
        add_to_statistic(statistic, sequences, f"method={self.method!r}")
        center, spread = statistic.center_and_scale()
        scale = np.where(spread == 0, 1.0, spread)
        self._set_fitted(Scaling(reading, statistic, center, scale, columns))
        return self

    def _set_fitted(self, fitted):
        set_attributes(self, {
            "_fitted": fitted, "center_": fitted.center, "scale_": fitted.scale,
            "n_samples_seen_": fitted.statistic.count, **(fitted.columns or fitted.reading).attributes(),
        })

    def transform(self, X):
        """Scale sequences.

        Parameters
        ----------
        X : array-like of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            Sequences; not changed.

        Returns
        -------
        X : array of shape (n, columns) or (n, steps, features), or a collection of n arrays (steps, features)
            In the form of X: an array for a 2-D or 3-D array, a list for a list or tuple of sequences, an object array
            for an object array; a frame, with a column per feature, for a frame or an Arrow table whose cells are
            sequences; a RaggedArray for a RaggedArray, a series of lists and awkward arrays. Sequences (steps,) stay
            (steps,).

        Raises
        ------
        ValueError, TypeError
            If X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SequenceScaler
        >>> scaler = SequenceScaler("minmax").fit([np.array([[1.0], [3.0]])])
        >>> scaler.transform([np.array([[2.0], [5.0]])])[0].tolist()
        [[0.5], [2.0]]
        """
        scaling = fitted_of(self)
        if isinstance(X, WithStatic):
            return keep_static(X, self.transform)
        numbers = scaling.numbers(self, X)
        sequences = scaling.reading.check(self, numbers, leave_out_padding=False)
        scaled = sequences.map(partial(_changed, change=scaling.apply, how="scaled"))
        out = self._in_form_of(numbers, scaled, scaling.reading.names)
        return out if scaling.columns is None else scaling.columns.put_back(X, out, output_container(self))

    def inverse_transform(self, X):
        """Undo `transform`.

        Parameters
        ----------
        X : as `transform` returns it

        Returns
        -------
        X : as `transform` takes it

        Raises
        ------
        ValueError, TypeError
            If X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SequenceScaler
        >>> scaler = SequenceScaler("minmax").fit([np.array([[1.0], [3.0]])])
        >>> scaler.inverse_transform([np.array([[0.5], [2.0]])])[0].tolist()
        [[2.0], [5.0]]
        """
        scaling = fitted_of(self)
        if isinstance(X, WithStatic):
            return keep_static(X, self.inverse_transform)
        numbers = scaling.numbers(self, X)
        sequences = scaling.reading.check(self, numbers, leave_out_padding=False, named=False)
        out = in_form_of(numbers, sequences.map(partial(_changed, change=scaling.undo, how="back in its own scale")))
        return out if scaling.columns is None else scaling.columns.put_back(X, out, "default")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _changed_values(values, change):
    # Computed in float64 and rounded to the dtype of X
    return change(values.astype(np.float64)).astype(values.dtype, copy=False)


def _changed(sequences, change, how):
    sequences = sequences.replace(values=without_warnings(_changed_values, sequences.values, change))
    check_finite(sequences, f"X, once {how},", allow_missing=True)
    return sequences
