"""Sequences in which vectors stand for categories, so that every input of a net is a number."""

from dataclasses import dataclass, replace

import numpy as np

from skrnn._data.preparation_gradient import filling_gradient
from skrnn._data.ragged import rows_of
from skrnn._network.embeddings import table_of
from skrnn._network.static import static_table_of


@dataclass(frozen=True)
class Vectors:
    """Sequences, one after the other, or anything that has a number for each of theirs, such as gradients.

    Parameters
    ----------
    numbers : (total, D) float64 array
        Features of steps that are numbers, with their times, in the units of X; NaN where they are missing.
    vectors : (total, E) float64 array
        The vectors of categories, side by side.
    static, static_vectors : (n, S), (n, E') float64 arrays
        The same of static features.
    lengths : (n,) int array
    """

    numbers: np.ndarray
    vectors: np.ndarray
    static: np.ndarray
    static_vectors: np.ndarray
    lengths: np.ndarray

    def __len__(self):
        return len(self.lengths)

    @property
    def starts(self):
        """The row of the first step of each sequence."""
        return np.cumsum(self.lengths) - self.lengths

    @property
    def width(self):
        """Numbers of a step, and of a static row."""
        return sum(part.shape[1] for part in self.parts)

    @property
    def parts(self):
        """The four arrays."""
        return self.numbers, self.vectors, self.static, self.static_vectors

    @classmethod
    def joined(cls, several):
        """The sequences of several, one after the other."""
        parts = zip(*(each.parts for each in several), strict=True)
        return cls(*map(np.concatenate, parts), np.concatenate([each.lengths for each in several]))

    def take(self, index):
        """The sequences `index`, which may repeat some."""
        lengths = self.lengths[index]
        rows = rows_of(self.starts[index], lengths)
        return Vectors(
            self.numbers[rows], self.vectors[rows], self.static[index], self.static_vectors[index], lengths
        )

    def map(self, function, *others):
        """function(part, part of each other) of each of the four arrays."""
        parts = zip(self.parts, *(other.parts for other in others), strict=True)
        return Vectors(*(function(*each) for each in parts), self.lengths)

    def per_row(self, values):
        """Values (n,) of sequences, as columns for steps, (total, 1), and for static features, (n, 1)."""
        return np.repeat(values, self.lengths)[:, np.newaxis], values[:, np.newaxis]

    def toward(self, other, fractions):
        """Sequences on the way to others of the same lengths: fractions (n,) of it."""
        of_steps, of_static = self.per_row(fractions)
        parts = zip(self.parts, other.parts, (of_steps, of_steps, of_static, of_static), strict=True)
        return Vectors(*(a + fraction * (b - a) for a, b, fraction in parts), self.lengths)

    def sums(self):
        """The sum of all numbers of each sequence, (n,)."""
        of_steps = np.add.reduceat(self.numbers.sum(axis=1) + self.vectors.sum(axis=1), self.starts)
        return of_steps + self.static.sum(axis=1) + self.static_vectors.sum(axis=1)


class VectorReader:
    """Makes `Vectors` of sequences as a `Reading` has checked them.

    Parameters
    ----------
    network : RecurrentNetwork
        With its embeddings.
    parameters : dict of arrays
    reading : Reading
    """

    def __init__(self, network, parameters, reading):
        self.reading = reading
        self.tables = [parameters[table_of()]] if network.n_categories else [
            parameters[table_of(embedding)] for embedding in network.embeddings
        ]
        of_static = () if network.static is None else network.static.embeddings
        self.static_tables = [parameters[static_table_of(embedding)] for embedding in of_static]

    def read(self, sequences):
        """The `Vectors` of contiguous sequences in memory."""
        sequences = sequences.astype(np.float64)
        n = len(self.tables)
        if self.reading.n_categories:
            prepared = self.reading.categorize(self.reading.prepare(sequences))
            numbers, codes = np.empty((len(sequences.values), 0)), prepared.categories[:, np.newaxis]
        else:
            numbers, codes = np.split(sequences.values, [sequences.n_features - n], axis=1)
        static = np.empty((len(sequences), 0)) if sequences.static is None else sequences.static
        static, static_codes = np.split(static, [static.shape[1] - len(self.static_tables)], axis=1)
        return Vectors(
            numbers, _looked_up(self.tables, codes), static, _looked_up(self.static_tables, static_codes),
            sequences.lengths,
        )

    def constant(self, X, value):
        """`Vectors` like those of X whose numbers are a value, or their mean, and whose categories are unseen ones.

        Times stay as they are, and what is missing in X is missing there.
        """
        numbers, static = self._constants(value)
        times = self.reading.times
        replaced = np.ones(X.numbers.shape[1], bool)
        if times is not None and times.column is not None:
            replaced[times.column] = False
            numbers = numbers if np.ndim(numbers) == 0 else np.insert(numbers, times.column, 0)
        unseen, static_unseen = (
            np.concatenate([table[-1] for table in tables]) if tables else np.empty(0)
            for tables in (self.tables, self.static_tables)
        )
        return Vectors(
            np.where(replaced & ~np.isnan(X.numbers), numbers, X.numbers), np.broadcast_to(unseen, X.vectors.shape),
            np.where(np.isnan(X.static), X.static, static), np.broadcast_to(static_unseen, X.static_vectors.shape),
            X.lengths,
        )

    def check_means(self):
        """Raise a ValueError where the means of features are not known."""
        reading = self.reading
        without = len(self.step_columns) > len(self.tables) and reading.units is None
        without |= len(self.static_columns) > len(self.static_tables) and reading.static_units is None
        if without:
            raise ValueError(
                "baseline='mean' is the mean of each feature, which a net with standardize=False does not learn: pass "
                "a number, or sequences"
            )

    def _constants(self, value):
        """What takes the place of the numbers of steps, and of static ones, for a value or "mean"."""
        if not isinstance(value, str):
            return value, value
        reading = self.reading
        return (
            0.0 if reading.units is None else reading.units.center,
            0.0 if reading.static_units is None else reading.static_units.center,
        )

    def with_times_of(self, X, baseline):
        """A baseline with the times of the sequences X."""
        times = self.reading.times
        if times is None or times.column is None:
            return baseline
        numbers = baseline.numbers.copy()
        numbers[:, times.column] = X.numbers[:, times.column]
        return replace(baseline, numbers=numbers)

    def missing(self, X):
        """Which features of steps (total, F), and static ones (n, S) or None, are missing in sequences as in `read`."""
        return np.isnan(X.values), None if X.static is None else np.isnan(X.static)

    @property
    def step_columns(self):
        """Where `Vectors` have each feature of a step: (name of the part, slice of its columns)."""
        n = 0 if self.reading.n_categories else self.reading.n_step_features - len(self.tables)
        return _columns("numbers", n) + _columns_of_tables("vectors", self.tables)

    @property
    def static_columns(self):
        """The same of the static features."""
        n = self.reading.n_static - len(self.static_tables)
        return _columns("static", n) + _columns_of_tables("static_vectors", self.static_tables)

    def merge(self, attributions, X):
        """Numbers of each feature, of steps (total, F) and static (n, S): of a category the sum over its vector.

        What is missing in X has none; a step whose category is that of the step before leaves it to that one.

        Parameters
        ----------
        attributions : Vectors
        X : Sequences
            What they are of, as in `read`.
        """
        of_categories = _summed(self.tables, attributions.vectors)
        if self.reading.n_categories:
            of_steps = filling_gradient(of_categories, np.isnan(X.values), X.starts, X.lengths)
        else:
            of_steps = _side_by_side(attributions.numbers, X.values, of_categories)
        if X.static is None:
            return of_steps, None
        of_static = _summed(self.static_tables, attributions.static_vectors)
        return of_steps, _side_by_side(attributions.static, X.static, of_static)


def _looked_up(tables, codes):
    """The vectors of codes (R, C), side by side: (R, E) float64."""
    columns = [table[column.astype(np.intp)] for table, column in zip(tables, codes.T, strict=True)]
    return np.concatenate([np.empty((len(codes), 0)), *columns], axis=1)


def _summed(tables, rows):
    """Rows (R, E) summed over the vector of each category, (R, C)."""
    parts = [rows[:, columns].sum(axis=1) for _, columns in _columns_of_tables("", tables)]
    return np.stack(parts, axis=1) if parts else np.empty((len(rows), 0))


def _columns(part, n):
    """Each of n columns of a part of `Vectors`."""
    return [(part, slice(j, j + 1)) for j in range(n)]


def _columns_of_tables(part, tables):
    """The columns of each table's vectors in a part of `Vectors`."""
    ends = np.cumsum([table.shape[1] for table in tables], dtype=np.intp).tolist()
    return [(part, slice(end - table.shape[1], end)) for table, end in zip(tables, ends, strict=True)]


def _side_by_side(numbers, values, of_categories):
    """Rows of numbers, 0 where the value is missing, and of categories."""
    missing = np.isnan(values[:, : numbers.shape[1]])
    return np.concatenate([np.where(missing, 0, numbers), of_categories], axis=1)
