"""How an estimator reads X: what its first fit learns, and later calls are checked against."""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import SimpleNamespace

import numpy as np

from skrnn._data.categories import as_categories, check_seen, counts_in
from skrnn._data.containers import IN_PLACE, as_sequences, check_values
from skrnn._data.features import attributes_of_columns, columns_of_table
from skrnn._data.lazy import unshared
from skrnn._data.missing import WITH_INDICATORS, filled, without_gaps
from skrnn._data.mixed import Mixed, on_numbers
from skrnn._data.numbers import FLOAT32, FLOAT64
from skrnn._data.own_units import in_own_units, target_units
from skrnn._data.sequences import Sequences, surely_finite
from skrnn._data.tables import check_no_row, is_frame, is_table, normalize_table
from skrnn._data.times import Times, column_of_times
from skrnn._data.units import Units
from skrnn._plain import plain
from skrnn._sklearn import check_columns, check_feature_names_in

FILLED = ("ffill", "indicator", "decay")


@plain
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
        Their names.
    n_step_features : int
        Features of a step of X.
    missing : {"error", "ffill", "indicator", "decay", "keep"}
        How missing values are treated; "keep" leaves them as they are.
    n_categories : int
        Rows of the embedding, the last one for all categories that fit did not see, and for steps before the first one
        that is not missing. 0 if steps are not categories.
    per_step : bool
        Whether steps have outputs, so that sequences may not share steps.
    n_steps : int or None
        Into how many steps the columns of a table are split, as in `as_sequences`.
    announced : bool
        Whether the number of categories was announced, so that it does not depend on X.
    standardize : bool or "sequence"
        Whether the network reads features in units of their own, and whether in those of each sequence.
    units : Units, optional
        If so, of numbers: the mean and deviation of each feature of X but the time.
    mixed : Mixed, optional
        What the features are, if there are others than numbers of steps.
    static_units : Units, optional
        The mean and deviation of the static numbers, if there are any.
    times : Times, optional
        What is known of the times of steps, where the network reads times since.
    categorical_features : "from_dtype", None or tuple
        What the parameter of the estimator was, by which `mixed` was learned.
    """

    from_table: bool
    n_features_in: int
    feature_names: tuple[str, ...] | None
    n_step_features: int
    missing: str = "error"
    n_categories: int = 0
    per_step: bool = False
    n_steps: int | None = None
    announced: bool = False
    standardize: bool | str = False
    units: Units | None = None
    mixed: Mixed | None = None
    static_units: Units | None = None
    times: Times | None = None
    categorical_features: str | tuple[str | int, ...] | None = None

    @property
    def step_encodings(self):
        """The encodings of the codes at the end of a step, in order."""
        return () if self.mixed is None else self.mixed.step_encodings

    @property
    def static_encodings(self):
        """The encodings of the codes at the end of the static features, in order."""
        return () if self.mixed is None else self.mixed.static_encodings

    @property
    def has_encodings(self):
        """Whether some features are categories with an embedding of each."""
        return bool(self.step_encodings or self.static_encodings)

    @property
    def n_numbers(self):
        """Features of a step of X that are numbers, but for the time; the others are codes."""
        n_times = self.times is not None and self.times.column is not None
        return self.n_step_features - len(self.step_encodings) - n_times

    def numbers_of(self, values):
        """The numbers (R, n_numbers) of steps (R, n_step_features) as they are checked, without the times."""
        numbers = values[..., : self.n_step_features - len(self.step_encodings)]
        return numbers if self.times is None else self.times.without(numbers)

    @property
    def places_of_numbers(self):
        """Which features of a step of X the numbers are, (n_numbers,) int."""
        order = self.mixed.order if self.step_encodings else range(self.n_step_features)
        return self.numbers_of(np.array(order))

    @property
    def n_static(self):
        """Static features of X."""
        return 0 if self.mixed is None else len(self.mixed.static)

    @property
    def n_static_numbers(self):
        """Static features that the network reads as numbers: those of X, and indicators of what is missing."""
        return (self.n_static - len(self.static_encodings)) * (1 + (self.missing in WITH_INDICATORS))

    @property
    def network_static_units(self):
        """The units of static features that the network reads as numbers, or None where it reads them as they are."""
        if self.static_units is None or not self.standardize:
            return None
        n_indicators = len(self.static_units.center) if self.missing in WITH_INDICATORS else 0
        return self.static_units.with_others(n_indicators)

    @property
    def step_names(self):
        """Names of the features of a step, or None."""
        return self.feature_names if self.mixed is None else self.mixed.step_names

    @property
    def number_labels(self):
        """What messages call the numbers of a step, without its time: their names, or their places in X."""
        names, places = self.step_names, self.places_of_numbers
        named = names is not None and len(names) == self.n_step_features
        return [names[place] if named else int(place) for place in places]

    @property
    def n_indicators(self):
        """Indicators of what was missing that the network reads of a step."""
        return self.n_numbers if self.missing in WITH_INDICATORS else 0

    @property
    def first_indicator(self):
        """The place of the first one: after the numbers, and what they have beside them in units of the sequence."""
        return self.n_numbers * (3 if self.in_own_units else 1)

    @property
    def before_first(self):
        """What a feature is taken to be before the first step in which it is not missing: 0, or its mean."""
        return max(0, self.n_categories - 1) if self.units is None else self.units.center

    @property
    def network_units(self):
        """The units of what the network reads, or None where it is in units already."""
        if self.units is None or self.in_own_units:
            return None
        n_others = self.n_indicators + (0 if self.times is None else self.times.n_inputs)
        units = self.units.with_others(n_others) if n_others else self.units
        return units.with_codes(len(self.step_encodings)) if self.step_encodings else units

    @property
    def in_own_units(self):
        """Whether each sequence is read in its own units."""
        return self.units is not None and self.standardize == "sequence"

    def read(self, estimator, X, *, dtype=None, named=True):
        """Sequences of X as the network reads them: checked against the fit, filled or as categories.

        Parameters
        ----------
        estimator : estimator
            For its name in messages.
        X : array-like or collection
            As in `as_sequences`.
        dtype : dtype, optional
            Of the sequences; memory-mapped arrays of this dtype are used in place. None: float32 or float64, as X.
        named : bool
            Whether names are compared with those in the fit.

        Returns
        -------
        Sequences or LazySequences
        """
        sequences = self._check(estimator, X, dtype, named=named)
        if sequences.is_finite and self._leaves_finite_numbers:
            return sequences if dtype is None else sequences.astype(dtype)
        if self.times is not None and dtype is not None:
            sequences = sequences.astype(dtype)     # before differences, as in states
        sequences = self.categorize(self.prepare(sequences))
        return sequences if dtype is None else sequences.astype(dtype)

    def check(self, estimator, X, *, dtype=None, leave_out_padding=True, named=True):
        """Sequences of X checked against the fit, but neither filled nor as categories.

        Parameters
        ----------
        estimator, X, dtype, named
            As in `read`.
        leave_out_padding : bool
            As in `as_sequences`.

        Returns
        -------
        Sequences or LazySequences
        """
        sequences = self._check(estimator, X, dtype, leave_out_padding, named)
        return sequences if dtype is None else sequences.astype(dtype)

    def check_table(self, estimator, table):
        """Raise a ValueError, or warn, as scikit-learn does, if a table has other columns than in the fit."""
        check_columns(estimator, table, self.attributes())

    def _as_it_is(self, X, dtype):
        """Sequences of an X that needs no conversion, and whose numbers are finite; None for any other.

        Such an X is an array (n, steps, features) as the kernels read it, float32 or float64; for a network, which
        changes no values in place, also the list of one array (steps, features). What else is said of X, by names or a
        number of columns, is said of tables.
        """
        in_list = type(X) is list and len(X) == 1 and dtype is not None
        x = X[0] if in_list else X
        if type(x) is not np.ndarray or x.ndim != (2 if in_list else 3) or x.size == 0:
            return None
        if x.dtype != dtype and x.dtype != FLOAT32 and x.dtype != FLOAT64:
            return None
        flags, n_features = x.flags, x.shape[-1]
        if not (flags.c_contiguous and flags.aligned) or n_features != self.n_step_features:
            return None
        if self.n_categories or self.mixed is not None or not surely_finite(x):
            return None
        sequences = Sequences.of_list(x) if in_list else Sequences.of_array(x)
        sequences.is_finite = True
        return sequences

    def _check(self, estimator, X, dtype, leave_out_padding=True, named=True):
        sequences = self._as_it_is(X, dtype)
        if sequences is not None:
            return sequences
        check_no_row(X, self.feature_names)
        read = partial(
            as_sequences, n_steps=self.n_steps, leave_out_padding=leave_out_padding and self.missing != "error",
            in_place=IN_PLACE if dtype is None else (dtype,), categorical=self.n_categories > 0,
        )
        if self.mixed is not None:
            X = normalize_table(X)
            if named and is_table(X):
                self.check_table(estimator, X)
            sequences = self.mixed.read(X, read, self.n_steps, self.missing, dtype)
            if named and not is_table(X):
                replace(self, **self._of_steps()).check_names(estimator, sequences)
            self._check_n_features(estimator, sequences)
            return self.unshared(sequences)
        try:
            sequences = read(X, allow_missing=self.missing != "error")
        except ValueError:
            named = self.feature_names is not None and is_frame(X)
            if named or (self.from_table and len(getattr(X, "shape", ())) == 2):
                # Other columns than in fit are the first thing to report, as everywhere in scikit-learn
                self.check_table(estimator, X)
            raise
        if named:
            self.check_names(estimator, sequences)
        else:
            self._check_n_columns(sequences)
        self._check_n_features(estimator, sequences)
        return self.unshared(sequences)

    def _check_n_columns(self, sequences):
        """Raise a ValueError if a table has another number of columns than in the fit."""
        if sequences.kind != "table" or not self.from_table:
            return
        n_columns = np.shape(sequences.columns)[1]
        if n_columns != self.n_features_in:
            raise ValueError(f"X has {n_columns} columns, expected {self.n_features_in} as in fit")

    def _of_steps(self):
        """The number of columns, and their names, without those of static features."""
        n = self.n_features_in - self.n_static
        return {"n_features_in": n, "feature_names": self.feature_names and self.feature_names[:n]}

    def check_names(self, estimator, sequences):
        """Raise a ValueError if the columns of X, or their names, differ from those in the fit."""
        # Sequences without columns have no names to check
        if sequences.columns is not None and (sequences.kind == "table") == self.from_table:
            self.check_table(estimator, sequences.columns)
        names = list(self.step_names or ())
        if not self.from_table and names and sequences.names is not None and names != sequences.names:
            raise ValueError(
                "The feature names should match those that were passed during fit: X has the features "
                f"{sequences.names}, expected {names}"
            )

    def _check_n_features(self, estimator, sequences):
        """Raise a ValueError if the steps have another number of features than in the fit."""
        n, expected, name = sequences.n_features, self.n_step_features, type(estimator).__name__
        if n == expected:
            return
        if sequences.kind != "table":
            raise ValueError(f"X has {n} features, but {name} is expecting {expected} features as input")
        shape = (len(sequences), (sequences.n_padded or int(sequences.lengths[0])) * n)
        raise ValueError(
            f"X has shape {shape}, read with n_steps={self.n_steps} as sequences of {n} features per step, but {name} "
            f"was fitted on {expected} features per step: expected (sequences, steps, {expected}) or a list of "
            f"(steps, {expected}) arrays. For one sequence pass [X]"
        )

    def unshared(self, sequences):
        """Sequences that share no steps, if these are changed or have outputs."""
        changed = self.missing in FILLED or self.standardize == "sequence" or self.times is not None
        return unshared(sequences) if self.per_step or changed else sequences

    def column_of_times(self, times):
        """Which of the numbers of a step `times` is, a name or an index of a feature; None for None."""
        encodings = self.step_encodings and self.mixed.steps
        names, n = self.step_names, self.n_step_features
        column = column_of_times(times, names if names and len(names) == n else None, n)
        if column is None or not encodings:
            return column
        if encodings[column] is not None:
            raise ValueError(
                f"times={times!r} is one of the categorical features, expected a number: leave it out of them, and "
                "convert strings to numbers"
            )
        return sum(encoding is None for encoding in encodings[:column])

    def learn_times(self, times, n_directions):
        """`Times` without their means, or None where the network reads no times."""
        column, n_numbers = self.column_of_times(times), self.n_step_features - len(self.step_encodings)
        if self.missing == "decay" and n_numbers == (column is not None):
            raise ValueError(
                "missing='decay' is for numbers, which decay to their mean, but the steps of X hold categories alone: "
                "try missing='ffill'"
            )
        if column is None and self.missing != "decay":
            return None
        since = {"indicator": "input", "decay": "decay"}.get(self.missing, "")
        return Times(column, n_numbers - (column is not None), since, n_directions, times)

    def check_values(self, sequences, name="X"):
        """Raise a ValueError that names the first value that is not finite, may not be missing, or is no category."""
        check_values(sequences, name, self.missing != "error", self.n_categories > 0)

    def prepare(self, sequences):
        """Sequences filled as `missing` says, and in their own units; categories before the first one stay NaN.

        With times, the numbers that they add to each step come after the others.
        """
        sequences, change = self.with_filled_static(sequences), self._change()
        if self.times is not None:
            change = partial(_timed, times=self.times, change=change)
        return sequences if change is None else self._map(sequences, change)

    @cached_property
    def _leaves_finite_numbers(self):
        """Whether finite numbers are what the network reads: nothing is filled, added to them or changed."""
        adds = self.missing in WITH_INDICATORS or self.times is not None or self.in_own_units
        return not adds and not self.n_categories and self.mixed is None

    def __getstate__(self):
        # Without what is only kept to be computed once: pickles do not depend on what has been called
        return {name: value for name, value in vars(self).items() if name != "_leaves_finite_numbers"}

    def _change(self):
        """How the numbers of steps, without their times, are filled and brought to units of their own; None: not."""
        if self.in_own_units:
            return partial(in_own_units, units=self.units, missing=self.missing)
        if self.missing not in FILLED:
            return None
        before = np.nan if self.n_categories else self.before_first
        return partial(without_gaps, missing=self.missing, initial=before)

    def _map(self, sequences, change):
        """Sequences changed by a function of the numbers of their steps."""
        return sequences.map(partial(on_numbers, change=change) if self.step_encodings else change)

    def with_filled_static(self, sequences):
        """Sequences with their static features filled as `missing` says."""
        if self.static_units is None or self.missing not in FILLED:
            return sequences
        return sequences.with_static(self._filled_static(sequences.static))

    def _filled_static(self, static):
        """Static features (n, S) in which each missing number is the mean; with indicators, if `missing` asks for them.
        """
        center = self.static_units.center.astype(static.dtype)
        numbers, codes = np.split(static, [len(center)], axis=1)
        missing = np.isnan(numbers)
        parts = [np.where(missing, center, numbers), *[missing] * (self.missing in WITH_INDICATORS), codes]
        return np.concatenate(parts, axis=1, dtype=static.dtype, casting="unsafe")

    def read_static(self, static, n, dtype):
        """Static features of n sequences as the network reads them, (n, S).

        Parameters
        ----------
        static : array-like of shape (n, S) or (S,), or a data frame of n rows
            As in `WithStatic`, or the static columns of a frame.
        n : int
        dtype : dtype
        """
        static = self.mixed.read_static(static, n, self.missing, dtype)
        return static if self.static_units is None or self.missing not in FILLED else self._filled_static(static)

    def has_target_units(self, loss, n_outputs):
        """Whether targets are in the units of their sequences."""
        return self.in_own_units and loss.of_distance and self.n_numbers in (1, n_outputs)

    def target_units(self, loss, sequences, index, n_outputs):
        """`TargetUnits` of the sequences `index`, as the network reads them, or None where targets are in no such."""
        if not self.has_target_units(loss, n_outputs):
            return None
        return target_units(sequences, index, self.n_numbers, n_outputs, self.per_step)

    @property
    def memory_width(self):
        """Numbers that `fill` has to know of the steps before, for each sequence."""
        n_seen = self.n_numbers if self.missing in FILLED else 0
        return n_seen + (0 if self.times is None else self.times.state_width)

    def set_first_memory(self, memory):
        """Fill (n, memory_width) with what is known before the first steps."""
        memory[:] = 0
        if self.missing in FILLED:
            memory[:, : self.n_numbers] = self.before_first

    def fill(self, sequences, before=None, name="X"):
        """Sequences in memory as `prepare` returns them, that continue others, and do not have units of their own.

        Parameters
        ----------
        sequences : Sequences
        before : (n, memory_width) array, optional
            What is known of the steps before: the last values of each feature, where missing ones are filled, and the
            state of times.
        name : str
            What messages call the sequences.

        Returns
        -------
        Sequences
        (n, memory_width) array
            What is known after the last steps.
        """
        if not self.memory_width:
            return sequences, before
        if not self.step_encodings:
            return self._fill_numbers(sequences, before, name)
        last = [before]

        def fill(numbers):
            changed, last[0] = self._fill_numbers(numbers, before, name)
            return changed

        return on_numbers(sequences, fill), last[0]

    def _fill_numbers(self, sequences, before, name):
        """What `fill` returns of sequences without categories."""
        if self.times is None:
            return filled(sequences, self.missing, before)
        n_seen = before.shape[1] - self.times.state_width
        steps, added, after = self.times.split(sequences, before[:, n_seen:], name)
        if self.missing in FILLED:
            steps, last = filled(steps, self.missing, before[:, :n_seen])
            after = np.concatenate([last, after], axis=1)
        return _with_inputs(steps, added), after

    def categorize(self, sequences):
        """Sequences with their steps as categories, if they are; the last one stands for all that fit did not see."""
        return sequences.map(partial(as_categories, n_categories=self.n_categories)) if self.n_categories else sequences

    def drop_unused_categories(self, sequences, used):
        """A reading for which only the categories of the sequences `used` count as seen, and its sequences.

        Parameters
        ----------
        sequences : Sequences or LazySequences
            As returned by `learn_reading`.
        used : (m,) int array

        Returns
        -------
        Reading
        Sequences or LazySequences
        """
        if self.has_encodings and len(used) < len(sequences):
            mixed, sequences = self.mixed.drop_unused(sequences, used)
            return replace(self, mixed=mixed), sequences
        if not self.n_categories or self.announced:
            return self, sequences
        counts = counts_in(sequences, used, self.n_categories)
        reading = replace(self, n_categories=_number_of_used(counts[:-1]) + 1)
        if reading == self:
            return self, sequences
        return reading, reading.with_counts(reading.categorize(sequences), sequences.category_counts)

    def drop_absent_categories(self, sequences):
        """A reading without categories of features that no sequence has, and its sequences."""
        mixed, sequences = self.mixed.drop_unused(sequences, np.arange(len(sequences)))
        return replace(self, mixed=mixed), sequences

    def with_counts(self, sequences, counts):
        """Sequences with the counts of their categories, in which the last one includes all above."""
        if counts is not None:
            last = self.n_categories - 1
            sequences.category_counts = np.append(counts[:last], counts[last:].sum())
        return sequences

    def unseen_categories(self, sequences, used):
        """Which categories do not occur in the sequences `used`, (n_categories,) bool."""
        return counts_in(sequences, used, self.n_categories) == 0

    def check_seen(self, sequences, used):
        """Raise a ValueError if the sequences `used` have a category above those of the first fit."""
        if self.n_categories:
            check_seen(sequences, used, self.n_categories - 2, self.announced)

    def names(self, input_features=None):
        """Names of the columns of a table, or of the features of a step; x0, x1, ... where there are none.

        `input_features` are used instead of x0, x1, ...; otherwise they must be the names of X.
        """
        return check_feature_names_in(SimpleNamespace(**self.attributes()), input_features)

    def attributes(self):
        """The public attributes that a fit sets: ``n_features_in_`` and, if there are names, ``feature_names_in_``."""
        return attributes_of_columns(self.n_features_in, self.feature_names)


def set_attributes(estimator, attributes):
    """Set fitted attributes all at once, instead of those of the fit before: no other thread sees some of each.

    The names of public ones end with an underscore, those of parameters do not.
    """
    kept = {name: value for name, value in vars(estimator).items() if not name.endswith("_")}
    estimator.__dict__ = kept | attributes


def _timed(sequences, times, change):
    """Sequences without their times, changed, and with the numbers that these add to each step."""
    steps, added, _ = times.split(sequences)
    return _with_inputs(steps if change is None else change(steps), added)


def _with_inputs(sequences, added):
    """Sequences with further inputs (total, …) of each step."""
    return sequences.replace(values=np.concatenate([sequences.values, added], axis=1))


def _number_of_used(counts):
    """How many categories there are up to the last one that occurs."""
    return int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 0


def learn_table(estimator, table):
    """Learn how a table is read whose columns are the features of its rows.

    Parameters
    ----------
    estimator : estimator
        Not changed.
    table : array or data frame of shape (n, columns)

    Returns
    -------
    Reading
    """
    n_columns, names = columns_of_table(estimator, table)
    return Reading(True, n_columns, names, n_columns, missing="keep", n_steps=1)
