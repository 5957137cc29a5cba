"""How an estimator reads X: what its first fit has learned of it, and later calls hold to."""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from skrnn._data.categories import as_categories, check_seen, count_categories, counts_in
from skrnn._data.containers import IN_PLACE, as_sequences, check_values
from skrnn._data.missing import filled, without_gaps
from skrnn._sklearn import check_features, features_of

FILLED = ("ffill", "indicator")


@dataclass(frozen=True)
class Reading:
    """How an estimator reads X.

    Parameters
    ----------
    from_table : bool
        X was 2-D.
    n_features_in : int
        Columns of a table, else features of a step.
    feature_names : tuple of str, or None
        Names of these.
    n_step_features : int
        Features of a step, as the user gives them.
    missing : {"error", "ffill", "indicator", "keep"}
        What is done about missing values; "keep": they stay.
    n_categories : int
        Rows of the embedding, the last for all categories that fit did not see; 0: steps are numbers.
    per_step : bool
        Each sequence needs steps of its own, as steps have outputs.
    """

    from_table: bool
    n_features_in: int
    feature_names: tuple | None
    n_step_features: int
    missing: str = "error"
    n_categories: int = 0
    per_step: bool = False

    def read(self, estimator, X, n_steps=None, *, dtype=None):
        """Sequences of X as the network reads them: checked against the fit, filled or as categories.

        Parameters
        ----------
        estimator : estimator
            Whose name messages tell.
        X : array-like or collection
            As in `as_sequences`.
        n_steps : int, optional
            As in `as_sequences`.
        dtype : dtype, optional
            Of the sequences, in which a memory-mapped array is used in place. None: float32 or float64, as X is.

        Returns
        -------
        Sequences or LazySequences
        """
        sequences = self.categorize(self._check(estimator, X, n_steps, dtype))
        if self.missing in FILLED:
            sequences = sequences.map(partial(without_gaps, missing=self.missing))
        return sequences if dtype is None else sequences.astype(dtype)

    def check(self, estimator, X, n_steps=None, *, dtype=None, leave_out_padding=True, named=True):
        """Sequences of X as the user gave them, checked against the fit: neither filled nor as categories.

        Parameters
        ----------
        estimator, X, n_steps, dtype
            As in `read`.
        leave_out_padding : bool
            Where values may be missing, steps of NaN alone at the ends of a 3-D X are padding, and are left out.
        named : bool
            Names are compared with those in the fit.

        Returns
        -------
        Sequences or LazySequences
        """
        sequences = self._check(estimator, X, n_steps, dtype, leave_out_padding, named)
        return sequences if dtype is None else sequences.astype(dtype)

    def _check(self, estimator, X, n_steps, dtype, leave_out_padding=True, named=True):
        in_place = IN_PLACE if dtype is None else (dtype,)
        try:
            sequences = as_sequences(
                X, n_steps, allow_missing=self.missing != "error", leave_out_padding=leave_out_padding,
                in_place=in_place, categorical=self.n_categories > 0,
            )
        except ValueError:
            if self.from_table and len(getattr(X, "shape", ())) == 2:
                # A table with other columns than in fit is told so first, as everywhere in scikit-learn.
                check_features(estimator, X, self.attributes())
            raise
        if not named:
            self._check_columns(sequences)
            sequences.columns = sequences.names = None
        self._check_features(estimator, sequences, n_steps)
        return self._unshared(sequences)

    def _check_columns(self, sequences):
        """Raise a ValueError when a table has other columns than in fit, whatever their names."""
        n_columns = None if sequences.columns is None else np.shape(sequences.columns)[1]
        if sequences.kind == "table" and self.from_table and n_columns != self.n_features_in:
            raise ValueError(f"X has {n_columns} columns, expected {self.n_features_in} as in fit")

    def _check_features(self, estimator, sequences, n_steps):
        """Raise a ValueError when the features are others than in fit."""
        table, expected, name = sequences.kind == "table", self.n_step_features, type(estimator).__name__
        # Sequences without columns have no names that could be checked.
        if sequences.columns is not None and table == self.from_table:
            check_features(estimator, sequences.columns, self.attributes())
        names = list(self.feature_names or ())
        if not self.from_table and names and sequences.names is not None and names != sequences.names:
            raise ValueError(
                "The feature names should match those that were passed during fit: X has the features "
                f"{sequences.names}, expected {names}"
            )
        if sequences.n_features == expected:
            return
        if table:
            shape = (len(sequences), int(sequences.lengths[0]) * sequences.n_features)
            raise ValueError(
                f"X has shape {shape}, read with n_steps={n_steps} as sequences of {sequences.n_features} features a "
                f"step, but {name} was fitted on {expected} features a step: expected (sequences, steps, {expected}) "
                f"or a list of (steps, {expected}) arrays. For one sequence pass [X]"
            )
        raise ValueError(
            f"X has {sequences.n_features} features, but {name} is expecting {expected} features as input"
        )

    def _unshared(self, sequences):
        """Each sequence with steps of its own where these are changed or have outputs."""
        return sequences.unshared() if self.per_step or self.missing in FILLED else sequences

    def check_values(self, sequences, name="X"):
        """Raise a ValueError that names the first value which is not finite, a category, or allowed to be missing."""
        check_values(sequences, name, self.missing != "error", self.n_categories > 0)

    def fill(self, sequences, before=None):
        """Missing values of sequences in memory filled as `missing` says.

        Parameters
        ----------
        sequences : Sequences
        before : (n, D) array, optional
            What was seen last of each feature before the first steps.

        Returns
        -------
        Sequences
        (n, D) array
            What was seen last of each feature; `before` where nothing is filled.
        """
        return filled(sequences, self.missing, before) if self.missing in FILLED else (sequences, before)

    def categorize(self, sequences):
        """Sequences with their steps as categories, of which the last stands for all that fit did not see."""
        return sequences.map(partial(as_categories, n_categories=self.n_categories)) if self.n_categories else sequences

    def drop_unused_categories(self, sequences, used):
        """The reading for which only the categories of the sequences `used` count as seen, and the sequences by it.

        Parameters
        ----------
        sequences : Sequences or LazySequences
            Of `learn_reading`.
        used : (m,) int array

        Returns
        -------
        Reading
        Sequences or LazySequences
        """
        if not self.n_categories:
            return self, sequences
        counts = counts_in(sequences, used, self.n_categories)
        reading = replace(self, n_categories=int(np.flatnonzero(counts)[-1]) + 2)
        if reading == self:
            return self, sequences
        return reading, reading._count(reading.categorize(sequences), sequences.category_counts)

    def _count(self, sequences, counts):
        """Sequences of categories that hold how often each occurs."""
        if counts is not None:
            last = self.n_categories - 1
            sequences.category_counts = np.append(counts[:last], counts[last:].sum())
        return sequences

    def unseen_categories(self, sequences, used):
        """Which categories do not occur in the sequences `used`, (n_categories,) bool."""
        return counts_in(sequences, used, self.n_categories) == 0

    def check_seen(self, sequences, used):
        """Raise a ValueError when the sequences `used`, to go on with, hold a category above those of the first fit."""
        if self.n_categories:
            check_seen(sequences, used, self.n_categories)

    def attributes(self):
        """The public attributes that a fit sets: ``n_features_in_`` and, if there are names, ``feature_names_in_``."""
        names = self.feature_names
        named = {} if names is None else {"feature_names_in_": np.array(names, dtype=object)}
        return {"n_features_in_": self.n_features_in} | named

    def publish(self, estimator):
        """Set the public attributes, and delete the names of an earlier fit."""
        vars(estimator).pop("feature_names_in_", None)
        vars(estimator).update(self.attributes())


def learn_reading(
    estimator, X, n_steps=None, *, missing="error", categorical=False, per_step=False, leave_out_padding=True
):
    """How X is read, and its sequences as the network reads them; for the first fit.

    Parameters
    ----------
    estimator : estimator
        Not changed.
    X : array-like or collection
        As in `as_sequences`.
    n_steps : int, optional
        As in `as_sequences`.
    missing : {"error", "ffill", "indicator", "keep"}
        As in `Reading`.
    categorical : bool
        Steps are numbers of categories.
    per_step : bool
        As in `Reading`.
    leave_out_padding : bool
        As in `Reading.check`.

    Returns
    -------
    Reading
    Sequences or LazySequences
        In the dtype of X, filled or as categories.
    """
    sequences = as_sequences(
        X, n_steps, allow_missing=missing != "error", leave_out_padding=leave_out_padding, categorical=categorical
    )
    n_features_in, names = sequences.n_features, sequences.names
    if sequences.columns is not None:
        # Of sequences without columns scikit-learn would take the steps for the features.
        n_features_in, names = features_of(estimator, sequences.columns)
    names = None if names is None else tuple(map(str, names))
    reading = Reading(
        sequences.kind == "table", int(n_features_in), names, sequences.n_features, missing, per_step=per_step
    )
    sequences = reading._unshared(sequences)
    if categorical:
        return _learn_categories(reading, sequences)
    return reading, sequences.map(partial(without_gaps, missing=missing)) if missing in FILLED else sequences


def _learn_categories(reading, sequences):
    """The reading of steps that are categories, and the sequences by it."""
    if sequences.n_features != 1:
        raise ValueError(
            f"X has {sequences.n_features} features a step, expected one with embedding_dim: the number of a category"
        )
    counts = np.append(count_categories(sequences), 0)
    reading = replace(reading, n_categories=len(counts))
    return reading, reading._count(reading.categorize(sequences), counts)
