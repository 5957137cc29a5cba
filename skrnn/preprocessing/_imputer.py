"""SequenceImputer."""

from numbers import Integral, Real
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from skrnn._data.containers import check_finite
from skrnn._data.first_reading import learn_reading
from skrnn._data.lazy import in_memory
from skrnn._data.missing import fill_forward, interpolated, valid_lengths
from skrnn._data.numbers import all_finite
from skrnn._data.ragged import rows_of
from skrnn._data.reading import Reading, set_attributes
from skrnn._data.sequences import Sequences
from skrnn._data.with_static import WithStatic
from skrnn._parameters import CheckedParametersMixin
from skrnn._pickling import StoredMixin, stored_estimator
from skrnn._plain import expect, plain
from skrnn._sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    check_feature_names_in,
    checks_parameters,
    fitted_of,
    one_task,
    output_container,
)
from skrnn._warnings import without_warnings
from skrnn.preprocessing._forms import TableOutput, with_indicators
from skrnn.preprocessing._number_columns import NumberColumns, check_columns_of, keep_static, learn_number_columns
from skrnn.preprocessing._statistics import Moments, Quartiles, add_to_statistic


@plain
class Imputation(NamedTuple):
    """What `fit` has learned, and the parameters that it had: set at once and read once per call."""

    reading: Reading
    statistics: np.ndarray      # (D,)
    strategy: str
    add_indicator: bool
    padding: str
    columns: NumberColumns | None = None

    def check_parts(self):
        """Raise a ValueError if the parts do not go together."""
        check_columns_of(self)
        n, values = self.reading.n_step_features, self.statistics
        expect(values.shape == (n,) and values.dtype.kind == "f" and all_finite(values), f"no {n} values are imputed")
        for name in ("strategy", "padding"):
            options = SequenceImputer._parameter_constraints[name][0].options
            expect(getattr(self, name) in options, f"{name}={getattr(self, name)!r} is none")

    def numbers(self, estimator, X):
        """The sequences of numbers in X."""
        return X if self.columns is None else self.columns.numbers(estimator, X)

    def fill(self, sequences):
        """Sequences with their missing values imputed."""
        values, missing = sequences.values, np.isnan(sequences.values)
        statistics = without_warnings(self.statistics.astype, values.dtype)
        if self.strategy == "ffill":
            filled, _ = fill_forward(sequences, np.tile(statistics, (len(sequences), 1)))
        else:
            filled = interpolated(sequences) if self.strategy == "interpolate" else values
            filled = np.where(np.isnan(filled), statistics, filled)
        if self.add_indicator:
            filled = np.concatenate([filled, missing], axis=1, dtype=values.dtype)
        if self.padding == "keep" and sequences.kind == "array":
            valid = valid_lengths(sequences)
            filled[rows_of(sequences.starts + valid, sequences.lengths - valid)] = np.nan
        sequences = sequences.replace(values=filled)
        check_finite(sequences, "X, once filled in,", allow_missing=True)
        return sequences

    def names(self, input_features=None):
        """Names of the columns of a 2-D output, or of the features of a step."""
        if self.columns is not None:
            check_feature_names_in(SimpleNamespace(**self.columns.attributes()), input_features)
            return self.columns.names(self.add_indicator)
        return self.names_of_numbers(input_features)

    def names_of_numbers(self, input_features=None):
        """Those of the sequences of numbers."""
        names = self.reading.names(input_features)
        if not self.add_indicator:
            return names
        steps = names.reshape(-1, self.reading.n_step_features)
        return np.array([with_indicators(step) for step in steps], dtype=object).ravel()


@stored_estimator(fitted=Imputation)
class SequenceImputer(
    CallbackSupportMixin, StoredMixin, CheckedParametersMixin, TableOutput, TransformerMixin, BaseEstimator
):
    """Impute missing values, NaN, in the features of steps.

    Parameters
    ----------
    strategy : {"mean", "median", "constant", "ffill", "interpolate"}, default="mean"
        Value to impute: the mean or the median of the feature over all steps of all sequences in `fit`; `fill_value`;
        the last value of the feature in the sequence; or a linear interpolation between the last and the next value,
        which looks ahead. If "ffill" has no value before, or "interpolate" none in the sequence, it is the mean of the
        feature. Before the first value and after the last one, "interpolate" repeats that value.
    fill_value : float, default=0.0
        For "constant", and for features without values in `fit`.
    add_indicator : bool, default=False
        Whether to add to each step, after its features, as many indicators that are 1 where these were missing, else 0.
        For a table whose columns are steps, pass ``n_steps`` = number of columns to the imputer and the network;
        otherwise the network reads the indicators as steps.
    padding : {"keep", "fill"}, default="keep"
        Steps that are NaN in every feature at the ends of the sequences of a 3-D X: the padding of shorter sequences,
        which stays NaN (a network with ``missing="ffill"`` or ``"indicator"`` leaves it out), or steps like any other.
    n_steps : int, default=None
        Only for 2-D X: the number of steps that a row's columns are split into, in time order, each of
        columns / n_steps features. None: every column is a step of one feature. Use the same as in the network.

    Attributes
    ----------
    statistics_ : float64 array of shape (features of a step,)
        Values that "mean", "median" and "constant" impute, and the others where the sequence has no value.
    n_features_in_ : int
        Columns of a 2-D X, else features of a step.
    feature_names_in_ : array of shape (`n_features_in_`,)
        Column names, when X was a data frame with string names, or the names of a RaggedArray.

    See Also
    --------
    skrnn.RNNClassifier : Its parameter ``missing`` does the same as "ffill", in `predict_step` too.

    Notes
    -----
    float32 stays float32, everything else becomes float64. X may be larger than memory, but not with "median".

    References
    ----------
    Lipton, Kale & Wetzel (2016), Directly modeling missing data in sequences with RNNs. MLHC.
    Missing-value indicators as features.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SequenceImputer
    >>> X = [np.array([[1.0, 4.0], [np.nan, 8.0], [3.0, np.nan]]), np.array([[np.nan, 6.0]])]
    >>> [x.tolist() for x in SequenceImputer().fit_transform(X)]
    [[[1.0, 4.0], [2.0, 8.0], [3.0, 6.0]], [[2.0, 6.0]]]
    >>> [x.tolist() for x in SequenceImputer("ffill").fit_transform(X)]
    [[[1.0, 4.0], [1.0, 8.0], [3.0, 8.0]], [[2.0, 6.0]]]
    """

    _parameter_constraints: ClassVar = {
        "strategy": [StrOptions({"mean", "median", "constant", "ffill", "interpolate"})],
        "fill_value": [Interval(Real, None, None, closed="neither")],
        "add_indicator": ["boolean"],
        "padding": [StrOptions({"keep", "fill"})],
        "n_steps": [None, Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, strategy="mean", *, fill_value=0.0, add_indicator=False, padding="keep", n_steps=None):
        self.strategy = strategy
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.padding = padding
        self.n_steps = n_steps

    @checks_parameters
    @one_task
    def fit(self, X, y=None):
        """Compute the values to impute.

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
            If an argument cannot be used, naming it and the sequence. The imputer then stays as it was.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SequenceImputer
        >>> X = [np.array([[1.0], [np.nan], [3.0]]), np.array([[8.0]])]
        >>> SequenceImputer("median").fit(X).statistics_
        array([3.])
        """
        X, columns = learn_number_columns(self, X)
        reading, sequences = learn_reading(self, X, self.n_steps, missing="keep", leave_out_padding=False)
        self._set_fitted(Imputation(
            reading, self._statistics(sequences), self.strategy, self.add_indicator, self.padding, columns
        ))
        return self

    def _set_fitted(self, fitted):
        attributes = (fitted.columns or fitted.reading).attributes()
        set_attributes(self, {"_fitted": fitted, "statistics_": fitted.statistics, **attributes})

    def _statistics(self, sequences):
        """The value to impute for each feature, (D,)."""
        constant = np.full(sequences.n_features, float(self.fill_value))
        if self.strategy == "constant":
            return constant
        statistic = Quartiles() if self.strategy == "median" else Moments()
        add_to_statistic(statistic, sequences, f"strategy={self.strategy!r}")
        return np.where(statistic.count > 0, statistic.center_and_scale()[0], constant)

    def transform(self, X):
        """Impute missing values.

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
            (steps,) unless indicators are added.

        Raises
        ------
        ValueError, TypeError
            If X cannot be used, naming the sequence.

        Examples
        --------
        >>> import numpy as np
        >>> from skrnn.preprocessing import SequenceImputer
        >>> imputer = SequenceImputer(add_indicator=True).fit([np.array([[1.0], [3.0]])])
        >>> imputer.transform([np.array([[5.0], [np.nan]])])[0].tolist()
        [[5.0, 0.0], [2.0, 1.0]]
        """
        imputation = fitted_of(self)
        if isinstance(X, WithStatic):
            return keep_static(X, self.transform)
        numbers = imputation.numbers(self, X)
        sequences = imputation.reading.check(self, numbers, leave_out_padding=False)
        if isinstance(sequences, Sequences) and imputation.strategy in ("ffill", "interpolate"):
            # The imputed value depends on the window that a step is in
            sequences = in_memory(sequences, f"strategy={imputation.strategy!r}")
        filled = sequences.map(imputation.fill)
        out = self._in_form_of(numbers, filled, imputation.names_of_numbers, indicators=imputation.add_indicator)
        return out if imputation.columns is None else imputation.columns.put_back(X, out, output_container(self))

    def get_feature_names_out(self, input_features=None):
        """Names of the columns of a 2-D output, or of the features of a step: those of X, then those of the indicators.

        In a table the indicators of a step come after its features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names to use if X had none; otherwise they must be those of X.

        Returns
        -------
        names : object array of shape (columns,)

        Raises
        ------
        ValueError
            If the names are not those of X, or the estimator is not fitted.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrnn.preprocessing import SequenceImputer
        >>> X = pd.DataFrame({"monday": [1.0, 2.0], "tuesday": [None, 3.0]})
        >>> SequenceImputer(add_indicator=True, n_steps=2).fit(X).get_feature_names_out().tolist()
        ['monday', 'missingindicator_monday', 'tuesday', 'missingindicator_tuesday']
        """
        return fitted_of(self).names(input_features)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
